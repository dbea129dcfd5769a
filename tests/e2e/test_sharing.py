"""Processes that share a run: none has a number, all read what the others leave, at one read rate."""

import signal
import time
from pathlib import Path
from random import Random
from typing import Any, List

import pytest
from conftest import Backend
from fault_server import FaultServer, scan_of
from read_budget_windows import charged, extremes
from running import INTERRUPTED, Everyitem, wait_for
from sharing import SLOW_TABLE, items_of, two_of_four_are_killed
from test_checkpoint_stores import CheckpointTable
from test_dead_letters import DEAD_LETTERS

SHARED = ("--share", "--checkpoint", "dynamodb:checkpoints/nightly")


def shared(*more: Any) -> List[str]:
    return scan_of(*SHARED, *more)


def end_lease(server: FaultServer) -> None:
    """Of the one that is there, as half a minute of silence would."""
    (sharer,) = items_of(server, "sharer-")
    gone = {"DeleteRequest": {"Key": {"run": sharer["run"], "item": sharer["item"]}}}
    server.client("dynamodb").batch_write_item(RequestItems={"checkpoints": [gone]})


def test_three_with_dynalite(backend: Backend, everyitem: Everyitem) -> None:
    table, stream = backend.table(3000), backend.stream()
    checkpoints = CheckpointTable(backend)
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 12, "--share")
    scan += ("--checkpoint", f"dynamodb:{checkpoints.name}/nightly")
    processes = [everyitem.start(*scan) for _ in range(3)]
    results = [process.finish() for process in processes]
    for result in results:
        assert result.code == 0, result.stderr
        assert "everyitem: complete" in result.stderr, result.stderr
        assert result.summary["shared"] and result.summary["items_total"] == 3000
        assert result.summary["segments_done"] == result.summary["segments"] == 12
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
    assert sum(result.summary["items"] for result in results) == 3000
    (left,) = checkpoints.items()
    assert left["item"]["S"] == "run" and "expires_at" in left
    again = everyitem.run(*scan)
    assert again.summary["status"] == "already-complete"


def test_killed_sharer(tmp_path: Path) -> None:
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        killed = everyitem.start(*shared("--segments", 8))
        wait_for(lambda: server.report()["distinct"] > 500, "some items")
        killed.kill()
        assert server.report()["missing"] > 0
        end_lease(server)
        result = everyitem.run(*shared())
        assert result.code == 0, result.stderr
        report = server.report()
    assert "resuming after" in result.stderr
    assert result.summary["items_total"] == 4000 and result.summary["items_before"] > 0
    assert report["missing"] == 0 and report["altered"] == 0, report
    assert report["duplicates"] <= 2 * 8 * 100, "it started over"


def test_joins_many_segments(tmp_path: Path) -> None:
    """So many that it does not read them all: how far the run is, is not known, and so said."""
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        first = everyitem.start(*shared("--segments", 600))
        wait_for(lambda: server.report()["distinct"] > 500, "some items")
        first.signal(signal.SIGTERM)
        interrupted = first.finish()
        assert interrupted.code == INTERRUPTED, interrupted.stderr
        result = everyitem.run(*shared())
        report = server.report()
    assert interrupted.summary["items"] > 0 and interrupted.summary["segments"] == 600
    for field in ("items_before", "items_total", "bytes_total", "segments_done"):
        assert interrupted.summary[field] is None, interrupted.summary
    assert "joining a run of 600 segments" in result.stderr, result.stderr
    assert result.code == 0 and result.summary["items_total"] == 4000, result.stderr
    assert result.summary["items_before"] >= interrupted.summary["items"]
    assert report["missing"] == 0, report


def test_interrupted_sharer(tmp_path: Path) -> None:
    """What it returns is read at once, not after a lease."""
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        process = everyitem.start(*shared("--segments", 8))
        wait_for(lambda: server.report()["distinct"] > 0, "some items")
        process.signal(signal.SIGTERM)
        stopped = process.finish()
        assert stopped.code == INTERRUPTED, stopped.stderr
        assert "--share" in stopped.stderr.splitlines()[-1], "the same command takes part again"
        assert items_of(server, "sharer-") == []
        assert not any("sharer" in part for part in items_of(server, "segment-"))
        began = time.monotonic()
        result = everyitem.run(*shared())
        assert result.code == 0, result.stderr
        assert time.monotonic() - began < 20
        report = server.report()
    assert report["missing"] == 0 and report["duplicates"] == 0, report


def test_joins_late(tmp_path: Path) -> None:
    with FaultServer(**{**SLOW_TABLE, "items": 8000}) as server:
        everyitem = server.everyitem(tmp_path)
        first = everyitem.start(*shared("--segments", 8, "--read-units", 200))
        wait_for(lambda: server.report()["distinct"] > 500, "some items")
        second = everyitem.run(*shared("--read-units", 200))
        results = [first.finish(), second]
        report = server.report()
    for result in results:
        assert result.code == 0, result.stderr
        assert result.summary["items"] > 0, "the first returned none of its parts"
        assert result.summary["items_total"] == 8000
    assert report["missing"] == 0 and report["duplicates"] == 0, report


def test_other_settings_are_refused(tmp_path: Path) -> None:
    with FaultServer(items=200) as server:
        everyitem = server.everyitem(tmp_path)
        assert everyitem.run(*shared("--segments", 4)).code == 0
        before = server.report()["requests"]["Scan"]
        for wrong, says in (
            (("--segments", 5), "segments: was 4, is now 5"),
            (("--consistent",), 'consistent: was "no", is now "yes"'),
        ):
            result = everyitem.run(*shared(*wrong))
            assert result.code == 2, result.stderr
            assert "dynamodb:checkpoints/nightly has other settings" in result.stderr
            assert says in result.stderr, result.stderr
        assert server.report()["requests"]["Scan"] == before


def test_run_of_its_own(tmp_path: Path) -> None:
    """A run is shared by all of its processes or by none."""
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        alone = everyitem.start(*scan_of(*SHARED[1:]))
        wait_for(lambda: server.report()["distinct"] > 0, "some items")
        refused = everyitem.run(*shared())
        assert refused.code == 2 and "does not share it" in refused.stderr, refused.stderr
        assert alone.finish().code == 0


def test_damaged_run(tmp_path: Path) -> None:
    with FaultServer(items=200) as server:
        damaged = {"PutRequest": {"Item": {"run": {"S": "nightly"}, "item": {"S": "run"}, "format": {"N": "2"}}}}
        server.client("dynamodb").batch_write_item(RequestItems={"checkpoints": [damaged]})
        result = server.everyitem(tmp_path).run(*shared())
    assert result.code == 1 and "damaged" in result.stderr, result.stderr
    assert "--restart" not in result.stderr and "--checkpoint dynamodb:TABLE/RUN" in result.stderr


def test_dead_letters_together(tmp_path: Path) -> None:
    with FaultServer(items=600, refused_every=20, page_bytes=5000) as server:
        processes = [server.everyitem(tmp_path / str(number)).start(*shared()) for number in range(2)]
        for process in processes:
            result = process.finish()
            assert result.code == DEAD_LETTERS, result.stderr
            assert result.summary["dead_letters"] == 30
            assert result.summary["dead_letters_location"] == "dynamodb:checkpoints/nightly"
        assert len(items_of(server, "dead-letter-")) == server.report()["undeliverable"] == 30


def test_one_rate_together(tmp_path: Path) -> None:
    with FaultServer(items=6000, item_bytes=4000) as server:  # half a unit each
        everyitem = server.everyitem(tmp_path)
        processes = [everyitem.start(*shared("--read-units", 500)) for _ in range(3)]
        results = [process.finish() for process in processes]
        report = server.report()
    for result in results:
        assert result.code == 0, result.stderr
        assert "everyitem: read rate: 500 read units/s for all processes together" in result.notices
        assert result.summary["read_rate"] == 500
    assert report["missing"] == 0 and report["duplicates"] == 0
    # Each process saves half a second of its share at most.
    longest = max(result.summary["seconds"] for result in results)
    assert report["read_units"] <= 500 * (longest + 1.5)


def test_lowest_rate_counts(tmp_path: Path) -> None:
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        slow = everyitem.start(*shared("--read-units", 400))
        wait_for(lambda: server.report()["distinct"] > 0, "some items")
        fast = everyitem.run(*shared("--read-units", 5000))
        assert slow.finish().code == 0 and fast.code == 0, fast.stderr
    assert "a lower read rate, 400 units per second, which holds for all" in fast.stderr


@pytest.mark.full
def test_killed_with_dynalite(backend: Backend, everyitem: Everyitem) -> None:
    table, stream = backend.table(20_000), backend.stream()
    checkpoints = CheckpointTable(backend)
    scan = ["scan", "--table", table.name, "--stream", stream, "--segments", 40, "--share"]
    scan += ["--checkpoint", f"dynamodb:{checkpoints.name}/nightly", "--read-units", 50]
    for result in two_of_four_are_killed(everyitem, scan, lambda: len(backend.records(stream))):
        assert result.code == 0, result.stderr
        assert result.summary["items_total"] == 20_000
    assert backend.compared(table, stream).complete


@pytest.mark.full
def test_killed_and_stopped(tmp_path: Path) -> None:
    """Of four, two are killed and one is stopped for longer than its lease; one joins late."""
    with FaultServer(**{**SLOW_TABLE, "items": 16_000}) as server:
        everyitem = server.everyitem(tmp_path)
        processes = [everyitem.start(*shared("--segments", 64, "--read-units", 200)) for _ in range(4)]
        wait_for(lambda: server.report()["distinct"] > 2000, "some items", 120)
        processes.pop().kill()
        processes[0].signal(signal.SIGSTOP)
        # The part of the rate that the two had is not used while their lease lasts.
        wait_for(lambda: server.report()["distinct"] > 3000, "more items", 120)
        processes.pop().kill()
        processes.append(everyitem.start(*shared("--read-units", 200)))
        stopped_parts = {part["item"]["S"] for part in items_of(server, "segment-") if "sharer" in part}
        assert stopped_parts
        wait_for(lambda: len(items_of(server, "sharer-")) == 2, "the others to be given up", 120)
        processes[0].signal(signal.SIGCONT)
        for process in processes:
            result = process.finish(180)
            assert result.code == 0, result.stderr
            assert result.summary["items_total"] == 16_000
        report = server.report()
    assert report["missing"] == 0 and report["altered"] == 0, report
    assert report["duplicates"] <= 3 * 2 * 16 * 100, report


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 21))
def test_disturbed_sharers(tmp_path: Path, seed: int) -> None:
    """Killed, terminated, and stopped for a moment or until the others have given them up."""
    chance = Random(seed)
    disturbances = ["kill", "terminate", "stop", "stop for long"]
    with FaultServer(**{**SLOW_TABLE, "items": 6000}) as server:
        everyitem = server.everyitem(tmp_path)
        command = shared("--segments", chance.choice((8, 24, 64)), "--read-units", 100)
        processes = [everyitem.start(*command) for _ in range(chance.randint(3, 5))]
        stopped = []
        for arrived in sorted(chance.sample(range(100, 5000), len(processes) - 1)):
            wait_for(lambda: server.report()["distinct"] > arrived, "some items", 180)
            for process in stopped:
                process.signal(signal.SIGCONT)
            stopped = []
            disturbed = processes[chance.randrange(1, len(processes))]
            how = disturbances[(seed + arrived) % len(disturbances)]
            if how == "kill":
                processes.remove(disturbed)
                disturbed.kill()
                processes.append(everyitem.start(*command))
            elif how == "terminate":
                disturbed.signal(signal.SIGTERM)
            else:
                disturbed.signal(signal.SIGSTOP)
                stopped.append(disturbed)
            if how == "stop for long":
                mine = f"process {disturbed.pid} on "
                wait_for(
                    lambda: not any(mine in sharer["item"]["S"] for sharer in items_of(server, "sharer-")),
                    "it to be given up",
                    120,
                )
        for process in stopped:
            process.signal(signal.SIGCONT)
        results = [process.finish(180) for process in processes]
        for result in results:
            assert result.code in (0, INTERRUPTED), result.stderr
            if result.code == 0:
                assert result.summary["items_total"] == 6000
        assert results[0].code == 0
        report = server.report()
    assert report["missing"] == 0 and report["altered"] == 0, report


@pytest.mark.full
def test_any_minute_within_rate() -> None:
    looks = charged(read_units=500, segments=60, seconds=120, sharers=3)
    # At first each that joins waits until the others have made room.
    least, most = extremes([look for look in looks if look[0] > 5], read_units=500)
    assert most <= 1.03
    # How much of it they use does not depend on them alone where the machine is busy: in simulated time it is
    # at least 0.97 (SharingRateSimulation).
    assert least > 0.5
