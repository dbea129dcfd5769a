"""The read rate in real time. Unit tests next to the code simulate how closely it is kept."""

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Backend
from fault_server import FaultServer, scan_of
from read_budget_windows import charged, extremes
from running import Everyitem

# 2,000 items of 4,000 bytes: half a unit each, about 1,000 units in total.
TABLE = {"items": 2000, "item_bytes": 4000}


def test_rate_kept_and_reported(tmp_path: Path) -> None:
    with FaultServer(scan_latency_ms=5, **TABLE) as server:
        result = server.everyitem(tmp_path).run(
            *scan_of("--read-units", 400, "--segments", 8, "--limit", 1600)
        )
        assert result.code == 0, result.stderr
        report = server.stop()
    summary = result.summary
    assert report["distinct"] == 1600 and report["duplicates"] == 0
    # Everything DynamoDB charged was counted, and it took no less time than the rate allows.
    assert summary["read_units"] == pytest.approx(report["read_units"])
    assert summary["read_rate"] == 400
    assert summary["read_units"] <= 400 * (summary["seconds"] + 0.5)
    assert report["requests"]["Scan"] > 8, "the pages were not made smaller"
    assert any("read rate: 400 read units/s" in line for line in result.notices)
    assert any("about 2,000 items, " in line for line in result.notices), result.notices
    assert re.search(r"read units \([0-9.]+ per second of 400\)", result.stderr)


def test_percent_of_capacity(tmp_path: Path) -> None:
    with FaultServer(read_units_per_second=2000, **TABLE) as server:
        result = server.everyitem(tmp_path).run(*scan_of("--read-percent", 50, "--segments", 8))
        report = server.stop()
    assert result.code == 0, result.stderr
    assert (
        "everyitem: read rate: 1,000 read units/s, 50% of the table's "
        "(provisioned: 2,000 read units/s)"
    ) in result.notices
    assert result.summary["read_units"] <= 1000 * (result.summary["seconds"] + 0.5)
    assert report["missing"] == 0 and report["reads_refused"] == 0


def test_rate_changes_on_resume(tmp_path: Path) -> None:
    with FaultServer(**TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        for more in (("--read-units", 2000, "--limit", 500), ("--read-units", 4000), ()):
            result = everyitem.run(*scan_of(*more))
            assert result.code == 0, result.stderr
        assert server.report()["missing"] == 0
        assert server.report()["duplicates"] == 0


def test_low_rate_respects_limit(tmp_path: Path) -> None:
    with FaultServer(**TABLE) as server:
        result = server.everyitem(tmp_path).run(*scan_of("--read-units", 5, "--limit", 6))
        report = server.stop()
    assert result.code == 0, result.stderr
    assert report["distinct"] == 6
    assert report["read_units"] <= 5 * (result.summary["seconds"] + 0.5)


@pytest.mark.full
def test_any_minute_within_rate() -> None:
    least, most = extremes(charged(read_units=50, segments=32, seconds=90), read_units=50)
    assert most <= 1.03
    # How much of it is used also depends on how busy the machine is: in simulated time, at least 0.97
    # (ReadGateSimulation.AnySegmentsAndItems).
    assert least > 0.5


def test_rate_with_dynalite(
    backend: Backend, everyitem: Everyitem
) -> None:
    table, stream = backend.table(300), backend.stream()
    result = everyitem.scan("--table", table.name, "--stream", stream, "--read-units", 40)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
    assert 0 < result.summary["read_units"] <= 40 * (result.summary["seconds"] + 0.5)


def test_default_leaves_half(tmp_path: Path) -> None:
    with FaultServer(read_units_per_second=1000, **TABLE) as server:
        result = server.everyitem(tmp_path).run(*scan_of("--segments", 8))
        everything = server.everyitem(tmp_path / "all").run(*scan_of("--read-percent", 100))
        report = server.stop()
    assert result.code == 0, result.stderr
    assert (
        "everyitem: read rate: 500 read units/s, 50% of the table's "
        "(provisioned: 1,000 read units/s); "
        "the rest is left to others, --read-percent 100 takes all"
    ) in result.notices
    assert result.summary["read_rate"] == 500
    assert result.summary["read_units"] <= 500 * (result.summary["seconds"] + 0.5)
    assert everything.summary["read_rate"] == 1000
    assert report["missing"] == 0


def test_no_limit_on_demand(tmp_path: Path) -> None:
    with FaultServer(**TABLE) as server:
        result = server.everyitem(tmp_path).run(*scan_of())
    assert (
        "everyitem: no read rate set: reading as fast as the table allows "
        "(on demand, no maximum set); --read-units N limits it"
    ) in result.notices
    assert result.summary["read_rate"] is None


def test_throttling_table(tmp_path: Path) -> None:
    with FaultServer(items=6000, item_bytes=4000, read_units_per_second=600) as server:
        result = server.everyitem(tmp_path).run(*scan_of("--segments", 16, "--read-units", "100k"))
        report = server.stop()
    assert result.code == 0, result.stderr
    assert report["missing"] == 0
    assert report["reads_refused"] > 0 and result.summary["throttled_requests"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--read-units", "0"), ("--read-units", "above 0")),
        (("--read-units", "-1"), ("--read-units", "above 0")),
        (("--read-units", "fast"), ("--read-units",)),
        (("--read-percent", "0"), ("--read-percent", "at most 100")),
        (("--read-percent", "100.5"), ("--read-percent", "at most 100")),
        (("--read-units", "5", "--read-percent", "5"), ("--read-units", "--read-percent", "one")),
    ],
    ids=lambda value: " ".join(value),
)
def test_invalid_rate(everyitem: Everyitem, arguments: Any, words: Any) -> None:
    result = everyitem.run("scan", "--table", "orders", "--to", "f", *arguments)
    assert result.code == 2, result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_percentage_without_known_capacity(
    backend: Backend, everyitem: Everyitem
) -> None:
    table = backend.table(5)  # on-demand, without a maximum
    result = everyitem.run("scan", "--table", table.name, "--to", "f", "--read-percent", 50)
    assert result.code == 2, result.stderr
    assert "--read-percent 50" in result.stderr and "--read-units N" in result.stderr
    assert not (everyitem.home / "runs" / "f").exists()
