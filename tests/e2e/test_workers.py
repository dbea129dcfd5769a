"""Several processes that share a run: each has its own segments, and all share one read rate."""

import json
import re
import signal
from pathlib import Path
from typing import Any, List, Tuple

import pytest
from conftest import Backend
from fault_server import FaultServer, scan_of
from read_budget_windows import charged, extremes
from running import INTERRUPTED, Everyitem, wait_for
from test_checkpoint_stores import CheckpointTable

# About 4 pages in each of 8 segments, one every 0.2 s.
SLOW_TABLE = {"items": 4000, "item_bytes": 4000, "page_bytes": 400_000, "scan_latency_ms": 200}

ONE_OF_TWO = ("--workers", 2, "--worker", 1)


def worker(number: int, of: int, *more: Any) -> List[str]:
    sharing = ("--workers", of, "--worker", number, "--checkpoint", "dynamodb:checkpoints/nightly")
    return scan_of(*sharing, *more)


def end_lease(server: FaultServer, run: str) -> None:
    """As half a minute of waiting would."""
    client = server.client("dynamodb")
    key = {"run": {"S": run}, "item": {"S": "run"}}
    item = client.get_item(TableName="checkpoints", Key=key, ConsistentRead=True)["Item"]
    client.put_item(
        TableName="checkpoints",
        Item={**item, "owned": {"BOOL": False}},
        ConditionExpression="#version = :version",
        ExpressionAttributeNames={"#version": "version"},
        ExpressionAttributeValues={":version": item["version"]},
    )


def test_workers_with_dynalite(
    backend: Backend, everyitem: Everyitem
) -> None:
    table, stream = backend.table(3000), backend.stream()
    checkpoints = CheckpointTable(backend)
    where = ("--checkpoint", f"dynamodb:{checkpoints.name}/nightly", "--workers", 3)
    scan = ("scan", "--table", table.name, "--stream", stream, *where)
    processes = [everyitem.start(*scan, "--worker", number) for number in range(3)]
    results = [process.finish() for process in processes]
    for result in results:
        assert result.code == 0, result.stderr
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
    assert sum(result.summary["items"] for result in results) == 3000
    for number, result in enumerate(results):
        assert f"worker {number} of 3 is complete: " in result.stderr, result.stderr
        assert result.summary["worker"] == number and result.summary["workers"] == 3
    told = sum("all 3 workers are complete" in result.stderr for result in results)
    assert told >= 1, [result.stderr for result in results]
    # One item per worker's run, and the shared one; all of them expire.
    items = {(item["run"]["S"], item["item"]["S"]) for item in checkpoints.items()}
    own = {(f"nightly/worker-{number}-of-3", "run") for number in range(3)}
    assert items == {("nightly", "workers"), *own}
    assert all("expires_at" in item for item in checkpoints.items())
    again = everyitem.run(*scan, "--worker", 1)
    assert again.summary["status"] == "already-complete"


def test_killed_worker(tmp_path: Path) -> None:
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        killed = everyitem.start(*worker(0, 2, "--segments", 8))
        wait_for(lambda: server.report()["distinct"] > 500, "some items")
        killed.kill()
        other = everyitem.run(*worker(1, 2))
        assert other.code == 0, other.stderr
        assert "of 2 workers, not complete yet: 0" in other.stderr, other.stderr
        assert other.summary["segments"] == 4
        assert server.report()["missing"] > 0
        end_lease(server, "nightly/worker-0-of-2")
        result = everyitem.run(*worker(0, 2))
        assert result.code == 0, result.stderr
        assert "resuming after" in result.stderr
        assert "all 2 workers are complete" in result.stderr
        report = server.report()
    assert report["missing"] == 0 and report["altered"] == 0, report
    assert report["duplicates"] <= 2 * 4 * 100, "it started over"


def test_interrupted_worker(tmp_path: Path) -> None:
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        process = everyitem.start(*worker(1, 3))
        wait_for(lambda: server.report()["distinct"] > 0, "some items")
        process.signal(signal.SIGINT)
        stopped = process.finish()
        assert stopped.code == INTERRUPTED, stopped.stderr
        assert "of 3 workers, not complete yet: 0, 1, 2" in stopped.stderr
        assert "--worker 1" in stopped.stderr, "the same command resumes"
        for number in range(3):
            result = everyitem.run(*worker(number, 3))
            assert result.code == 0, result.stderr
        report = server.report()
    assert report["missing"] == 0 and report["duplicates"] == 0, report


def test_other_settings_are_refused(tmp_path: Path) -> None:
    with FaultServer(items=200) as server:
        everyitem = server.everyitem(tmp_path)
        assert everyitem.run(*worker(0, 2, "--segments", 4)).code == 0
        before = server.report()["requests"]["Scan"]
        for wrong, says in (
            (worker(1, 2, "--segments", 5), "segments: was 4, is now 5"),
            (worker(1, 3), 'workers: was "2", is now "3"'),
            (worker(1, 2, "--consistent"), 'consistent: was "no", is now "yes"'),
        ):
            result = everyitem.run(*wrong)
            assert result.code == 2, result.stderr
            assert "the other workers of dynamodb:checkpoints/nightly have" in result.stderr
            assert says in result.stderr, result.stderr
        assert server.report()["requests"]["Scan"] == before
        assert everyitem.run(*worker(1, 2)).code == 0
        assert server.report()["missing"] == 0
        # Starting over reads everything again.
        for number in range(2):
            result = everyitem.run(*worker(number, 2, "--segments", 5, "--restart"))
            assert result.code == 0, result.stderr
        assert server.report()["duplicates"] == 200


@pytest.mark.parametrize(
    "wrong, says",
    [
        (("--workers", 2), "--worker is not given"),
        (("--worker", 0), "--workers is not given"),
        (("--workers", 2, "--worker", 2), "of 2 workers the last is 1"),
        (ONE_OF_TWO, "a checkpoint that all workers share"),
        (
            (*ONE_OF_TWO, "--checkpoint", "dynamodb:checkpoints", "--segments", 1),
            "1 segments cannot be shared by 2 workers",
        ),
    ],
)
def test_invalid_numbers_are_reported(tmp_path: Path, wrong: Tuple[Any, ...], says: str) -> None:
    with FaultServer(items=10) as server:
        result = server.everyitem(tmp_path).run(*scan_of(*wrong))
        assert result.code == 2 and says in result.stderr, result.stderr
        assert server.report()["distinct"] == 0


def test_single_worker(tmp_path: Path) -> None:
    with FaultServer(items=100) as server:
        result = server.everyitem(tmp_path).run(*scan_of("--workers", 1, "--worker", 0))
        assert result.code == 0, result.stderr
        assert not any(re.search(r"\bworkers?\b", notice) for notice in result.notices)
        assert server.report()["missing"] == 0


def test_workers_share_one_rate(tmp_path: Path) -> None:
    with FaultServer(items=6000, item_bytes=4000) as server:  # half a unit each
        everyitem = server.everyitem(tmp_path)
        processes = [
            everyitem.start(*worker(number, 3, "--read-units", 500))
            for number in range(3)
        ]
        results = [process.finish() for process in processes]
        report = server.report()
    for result in results:
        assert result.code == 0, result.stderr
        assert (
            "everyitem: read rate: 500 read units/s for all 3 workers together" in result.notices
        )
        assert result.summary["read_rate"] == 500
    assert report["missing"] == 0 and report["duplicates"] == 0
    # Each process saves half a second of its part at most.
    longest = max(result.summary["seconds"] for result in results)
    assert report["read_units"] <= 500 * (longest + 1.5)


def test_files_of_their_own(tmp_path: Path) -> None:
    with FaultServer(items=500, scan_latency_ms=300, page_bytes=20_000) as server:
        everyitem = server.everyitem(tmp_path)
        sharing = ("--checkpoint", "dynamodb:checkpoints", "--workers", 2, "--segments", 4)
        to_file = ("scan", "--table", "generated", *sharing)
        first = everyitem.start(*to_file, "--worker", 0, "--to", tmp_path / "items")
        wait_for((tmp_path / "items").exists, "the file")
        same = everyitem.run(*to_file, "--worker", 1, "--to", tmp_path / "items")
        assert same.code == 1, same.stderr
        assert "another process is writing to this file" in same.stderr
        other = everyitem.run(*to_file, "--worker", 1, "--to", tmp_path / "others")
        assert first.finish().code == 0 and other.code == 0, other.stderr
    lines = [
        json.dumps(json.loads(line), sort_keys=True)
        for name in ("items", "others")
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert len(lines) == len(set(lines)) == 500


@pytest.mark.full
def test_any_minute_within_rate() -> None:
    looks = charged(read_units=500, segments=60, seconds=120, workers=3)
    # At first each new worker waits until the others have made room.
    least, most = extremes([look for look in looks if look[0] > 5], read_units=500)
    assert most <= 1.03
    # How much of it they use does not depend on them alone where the machine is busy: in simulated time it is
    # at least 0.97 (FleetSimulation.WithinReadRate).
    assert least > 0.5
