"""Processes that share the run `nightly`, and what its checkpoint has."""

from typing import Any, Callable, List

from fault_server import FaultServer
from running import Everyitem, Result, wait_for

# About 4 pages in each of 8 segments, one every 0.2 s.
SLOW_TABLE = {"items": 4000, "item_bytes": 4000, "page_bytes": 400_000, "scan_latency_ms": 200}


def items_of(server: FaultServer, prefix: str) -> List[Any]:
    """What the run's checkpoint has of this kind."""
    return server.client("dynamodb").query(
        TableName="checkpoints",
        ConsistentRead=True,
        KeyConditionExpression="#run = :run AND begins_with(#item, :segment)",
        ExpressionAttributeNames={"#run": "run", "#item": "item"},
        ExpressionAttributeValues={":run": {"S": "nightly"}, ":segment": {"S": prefix}},
    )["Items"]


def two_of_four_are_killed(everyitem: Everyitem, scan: List[Any], arrived: Callable[[], int]) -> List[Result]:
    """How those end that are left, and one that joins late. `arrived`: records in the stream so far."""
    processes = [everyitem.start(*scan) for _ in range(4)]
    wait_for(lambda: arrived() > 500, "some records")
    for process in processes[:2]:
        assert process.running, "it was complete before it was killed"
        process.kill()
    processes = [*processes[2:], everyitem.start(*scan)]
    return [process.finish(180) for process in processes]
