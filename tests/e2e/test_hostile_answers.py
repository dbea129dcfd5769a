"""Whatever a service answers, and to whichever request, the run ends soon and takes little memory.

The operations are those that an undisturbed run calls, so that a new one is tested too. Silence and
answers that drip are tested on a simulated clock: `aws_test --gtest_filter='*CallBound*'`.
"""

import time
from pathlib import Path
from typing import Any, Callable, List

import pytest
from conftest import Backend
from fault_proxy import FaultProxy, Forward, Request, Response
from peak_memory import MAX_MEGABYTES, outcome_and_peak_megabytes
from running import Everyitem
from test_checkpoint_stores import CheckpointTable

LARGE = 60_000_000
ERROR = b'{"__type":"InternalFailure","message":"' + b"x" * LARGE + b'"}'
SHARD = (
    b'{"ShardId":"s","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"1"},'
    b'"SequenceNumberRange":{"StartingSequenceNumber":"1"}},'
)
ANSWERS = {
    "error": Response(500, ERROR, {}),
    "refusal": Response(400, ERROR, {}),
    "answer": Response(200, b'{"Items":[' + b" " * LARGE + b"]}", {}),
    "shards": Response(200, b'{"Shards":[' + SHARD * (LARGE // len(SHARD)) + b"0]}", {}),
}
NEEDED = ("DescribeTable", "Scan", "DescribeStreamSummary", "PutRecords")
MAX_SECONDS = 15  # --max-wait, one attempt of 5 s, and a busy machine


def scan_of(backend: Backend, table: str) -> List[str]:
    checkpoint = f"dynamodb:{CheckpointTable(backend).name}"
    scan = ["scan", "--table", table, "--stream", backend.stream(), "--checkpoint", checkpoint]
    return [*scan, "--aggregate", "--max-wait", "1s"]  # aggregating asks for the shards


@pytest.mark.slow
def test_large_answers(
    backend: Backend, everyitem: Everyitem, proxy: Callable[[str], FaultProxy], tmp_path: Path
) -> None:
    table = backend.table(20).name
    proxies = [proxy("dynamodb"), proxy("kinesis")]
    outcome_and_peak_megabytes(everyitem, scan_of(backend, table))
    operations = sorted({request.operation for each in proxies for request in each.requests})
    assert {*NEEDED, "ListShards"} <= set(operations), operations
    seen: Any = []
    for operation in operations:
        for name, answer in ANSWERS.items():
            if name == "shards" and operation != "ListShards":
                continue

            def rule(request: Request, forward: Forward) -> Response:
                return answer if request.operation == operation else forward(request)

            for each in proxies:
                each.rule = rule
            began = time.monotonic()
            code, peak = outcome_and_peak_megabytes(everyitem, scan_of(backend, table))
            seen.append((operation, name, code, round(peak), round(time.monotonic() - began, 1)))
            assert peak <= MAX_MEGABYTES and seen[-1][4] <= MAX_SECONDS, seen[-1]
            # Without some others a run can do.
            assert code == 1 if operation in NEEDED else code in (0, 1), seen[-1]
    print(*seen, sep="\n")
