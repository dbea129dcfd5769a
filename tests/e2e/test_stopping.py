"""A signal at any instant ends a run within 10 s, whatever its services do, and loses nothing."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, List

import pytest
from conftest import SEED
from fault_server import FaultServer, scan_of
from running import BINARY, INTERRUPTED, Process, Result, wait_for

# Documented are 10 s. A busy machine that runs other tests at the same time may need some more.
LIMIT = 20

RANDOM = random.Random(SEED)


def stop(process: Process, number: signal.Signals = signal.SIGTERM) -> Result:
    assert process.running, process.stderr
    process.signal(number)
    return process.finish(timeout=LIMIT)


def test_stream_of_one_shard(tmp_path: Path) -> None:
    # It takes 1,000 records per second, of which a page of 1 MB has 2,500.
    with FaultServer(
        items=200_000, item_bytes=400, shards=1, shard_records_per_second=1000, stream_mode="provisioned"
    ) as server:
        everyitem = server.everyitem(tmp_path)
        scan = scan_of("--segments", 64)
        for _ in range(2):
            before = server.report()["distinct"]
            process = everyitem.start(*scan)
            wait_for(lambda: server.report()["distinct"] > before, "the first items")
            time.sleep(RANDOM.uniform(0, 6))  # any instant will do
            result = stop(process)
            assert result.code == INTERRUPTED, result.stderr
            assert "left to deliver, which takes" in result.stderr
            assert "stopped after" in result.stderr
        report = server.report()
    assert report["altered"] == report["unknown"] == 0, report
    assert report["duplicates"] == 0, "what was delivered was not in the checkpoint"
    assert result.summary["items_before"] + result.summary["items"] == report["distinct"]


@pytest.mark.parametrize(
    "faults",
    [
        ("PutRecords:stall=1",),
        ("PutRecords:all_refused=1",),
        ("PutRecords:internal_error=1",),
        ("Scan:stall=0.2",),
        ("DescribeTable:stall=1",),
        ("DescribeStreamSummary:stall=1",),
        ("ListShards:stall=1",),
    ],
    ids=lambda faults: faults[0].replace(":", "-"),
)
def test_silent_service(tmp_path: Path, faults: List[str]) -> None:
    with FaultServer(*faults, items=20_000, stream_mode="provisioned") as server:
        everyitem = server.everyitem(tmp_path)
        process = everyitem.start(*scan_of("--segments", 16))
        operation = faults[0].split(":")[0]
        wait_for(lambda: server.report()["requests"].get(operation, 0) > 0, operation)
        result = stop(process, RANDOM.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP]))
    assert result.code == INTERRUPTED, result.stderr
    if operation == "PutRecords":
        assert "not acknowledged by then: the next run delivers them again" in result.stderr


@pytest.mark.parametrize("operation", ["GetItem", "Query", "PutItem"])
def test_silent_checkpoint(tmp_path: Path, operation: str) -> None:
    scan = scan_of("--segments", 8, "--checkpoint", "dynamodb:checkpoints/run")
    with FaultServer(f"{operation}:stall=0.5", items=20_000, scan_latency_ms=20) as server:
        process = server.everyitem(tmp_path).start(*scan)
        wait_for(lambda: server.report()["faults"].get("stall", 0) > 0, "silence")
        result = stop(process)
    assert result.code == INTERRUPTED, result.stderr


def test_stalled_reader(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with FaultServer(items=20_000) as server:
        everyitem = server.everyitem(tmp_path)
        process = subprocess.Popen(
            [str(BINARY), "scan", "--table", "generated", "--to", "-"],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            env=everyitem.env,
        )
        os.close(writing)
        wait_for(lambda: server.report()["requests"].get("Scan", 0) > 0, "a page")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=LIMIT)
    os.close(reading)
    assert process.returncode == INTERRUPTED, errors


def test_signal_after_the_summary(tmp_path: Path) -> None:
    with FaultServer(items=500) as server:
        everyitem = server.everyitem(tmp_path)
        for number in range(20):
            process = everyitem.start(*scan_of("--checkpoint", f"sqlite:{tmp_path}/{number}"))
            wait_for(lambda: '"event":"summary"' in process.stderr, "the summary")
            try:
                process.signal(signal.SIGTERM)
            except ProcessLookupError:
                pass
            result = process.finish(timeout=LIMIT)
            assert result.code == 0, result.stderr


def test_signal_at_any_instant(tmp_path: Path) -> None:
    """From its first call to its last, a run ends in order; the next one finishes it."""
    with FaultServer(items=2000, page_bytes=20_000, scan_latency_ms=5, put_latency_ms=5) as server:
        everyitem = server.everyitem(tmp_path)
        codes: List[Any] = []
        for number in range(25):
            scan = scan_of("--checkpoint", f"sqlite:{tmp_path}/{number}")
            before = server.report()["requests"].get("DescribeTable", 0)
            process = everyitem.start(*scan)
            wait_for(lambda: server.report()["requests"].get("DescribeTable", 0) > before, "its start")
            time.sleep(RANDOM.uniform(0, 0.15))
            if process.running:
                process.signal(signal.SIGTERM)
            result = process.finish(timeout=LIMIT)
            codes.append(result.code)
            assert result.code in (0, INTERRUPTED), result.stderr
            assert everyitem.run(*scan).code == 0
        assert server.report()["missing"] == 0
    print(codes)
