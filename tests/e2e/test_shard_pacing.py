"""Streams whose shards enforce their limits, in real time. Unit tests next to the code simulate how well they
are filled."""

from pathlib import Path
from typing import Any, Dict

import pytest
from fault_server import FaultServer, scan_of

SHARDS = 4
# 4,000 records per second, as in Kinesis: two seconds of work, of which the shards accept the first half
# second at once.
TABLE = {"items": 8000, "item_bytes": 300}
LIMITS = {"shard_records_per_second": 1000, "shard_bytes_per_second": 1 << 20}
PACED = "everyitem: the stream has 4 shards: sending at most 4 MiB and 4,000 records per second"


def refused_share(report: Dict[str, Any]) -> float:
    return report["records_throttled"] / (report["distinct"] + report["records_throttled"])


@pytest.mark.parametrize("wire", ["cbor", "json"])
def test_provisioned_stream_hardly_throttles(tmp_path: Path, wire: str) -> None:
    with FaultServer(shards=SHARDS, stream_mode="provisioned", **LIMITS, **TABLE) as server:
        result = server.everyitem(tmp_path).run(*scan_of("--kinesis-wire", wire))
        report = server.stop()
    assert result.code == 0, result.stderr
    assert PACED in result.notices
    assert report["missing"] == 0 and report["duplicates"] == 0
    assert refused_share(report) < 0.01, report
    # Not much faster than the shards and the second they had saved up allow.
    assert result.summary["seconds"] > (TABLE["items"] / SHARDS - 1000) / 1000
    assert report["requests"]["ListShards"] == 1


def test_split_shards_listed_again(tmp_path: Path) -> None:
    with FaultServer(
        shards=SHARDS, stream_mode="provisioned", split_at=5, shards_per_page=5, **LIMITS, **TABLE
    ) as server:
        result = server.everyitem(tmp_path).run(*scan_of())
        report = server.stop()
    assert result.code == 0, result.stderr
    assert report["missing"] == 0 and report["duplicates"] == 0
    assert refused_share(report) < 0.01, report
    # 4 shards are one page; 4 closed and 8 open ones are three.
    assert report["requests"]["ListShards"] == 1 + 3


def test_on_demand_stream(tmp_path: Path) -> None:
    with FaultServer(shards=1, stream_mode="on-demand", items=100) as server:
        result = server.everyitem(tmp_path).run(*scan_of())
        assert server.report()["missing"] == 0
    assert result.code == 0, result.stderr
    assert any(
        "the stream has 1 shard, and scales on demand: sending at most 1 MiB and 1,000 records per second"
        in line
        for line in result.notices
    )


def test_denied_list_shards(tmp_path: Path) -> None:
    with FaultServer(
        "ListShards:access_denied=1", stream_mode="provisioned", items=2000
    ) as server:
        result = server.everyitem(tmp_path).run(*scan_of())
        report = server.stop()
    assert result.code == 0, result.stderr
    lines = [line for line in result.notices if "pacing is off" in line]
    assert len(lines) == 1 and "ListShards" in lines[0] and "AccessDeniedException" in lines[0]
    assert report["missing"] == 0 and report["requests"]["ListShards"] == 1


def test_denied_describe(tmp_path: Path) -> None:
    with FaultServer(
        "DescribeTable:access_denied=1",
        "DescribeStreamSummary:access_denied=1",
        stream_mode="provisioned",
        items=2000,
    ) as server:
        everyitem = server.everyitem(tmp_path)
        result = everyitem.run(*scan_of())
        again = everyitem.run(*scan_of())
        report = server.stop()
    assert result.code == 0, result.stderr
    for operation in ("DescribeTable", "DescribeStreamSummary"):
        lines = [line for line in result.notices if operation in line and "AccessDenied" in line]
        assert len(lines) == 1, result.stderr
    assert report["missing"] == 0 and "ListShards" not in report["requests"]
    assert again.summary["status"] == "already-complete", again.stderr


def test_permission_granted_later(tmp_path: Path) -> None:
    denied = ("DescribeTable:access_denied@0", "DescribeStreamSummary:access_denied@0")
    with FaultServer(*denied, items=2000, page_bytes=10_000) as server:
        everyitem = server.everyitem(tmp_path)
        checkpoint = ("--checkpoint", tmp_path / "run.sqlite")
        everyitem.run(*scan_of(), *checkpoint, "--limit", 100)
        elsewhere = everyitem.run(*scan_of(), *checkpoint, "--region", "eu-west-1")
        resumed = everyitem.run(*scan_of(), *checkpoint)
        report = server.stop()
    assert elsewhere.code == 2, elsewhere.stderr
    assert 'region: was "us-east-1", is now "eu-west-1"' in elsewhere.stderr
    assert resumed.code == 0 and resumed.summary["items_before"] > 0, resumed.stderr
    assert report["missing"] == 0 and report["duplicates"] == 0, report


def test_default_checkpoint_without_permission(tmp_path: Path) -> None:
    denied = ("DescribeTable:access_denied@0", "DescribeStreamSummary:access_denied@0")
    with FaultServer(*denied, items=2000, page_bytes=10_000) as server:
        everyitem = server.everyitem(tmp_path)
        everyitem.run(*scan_of(), "--limit", 100)
        resumed = everyitem.run(*scan_of())
        report = server.stop()
    assert resumed.code == 0 and resumed.summary["items_before"] > 0, resumed.stderr
    assert report["missing"] == 0 and report["duplicates"] == 0, report


def test_unknown_table_not_resumed(tmp_path: Path) -> None:
    denied = [f"DescribeTable:access_denied@{call}" for call in (1, 2)]
    with FaultServer(*denied, items=2000, page_bytes=10_000) as server:
        everyitem = server.everyitem(tmp_path)
        checkpoint = ("--checkpoint", tmp_path / "run.sqlite")
        everyitem.run(*scan_of(), *checkpoint, "--limit", 100)
        unknown = everyitem.run(*scan_of(), *checkpoint)
        resumed = everyitem.run(*scan_of(), *checkpoint)
        resumed = everyitem.run(*scan_of(), *checkpoint)
        report = server.stop()
    assert unknown.code == 2, unknown.stderr
    assert 'table id: was "generated", is now not known' in unknown.stderr
    assert resumed.summary["items_total"] == 2000, resumed.stderr
    assert report["missing"] == 0 and report["duplicates"] == 0, report


def test_unknown_stream_mode(tmp_path: Path) -> None:
    with FaultServer(items=2000) as server:
        result = server.everyitem(tmp_path).run(*scan_of())
        report = server.stop()
    assert result.code == 0, result.stderr
    assert "sending at most" not in result.stderr and "pacing is off" not in result.stderr
    assert "ListShards" not in report["requests"]
