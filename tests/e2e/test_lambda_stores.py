"""The Lambda function with its checkpoint in a table or in parameters, as it is deployed."""

import json
import threading
from typing import Any, Dict, List

import pytest
from fault_server import FaultServer
from lambda_host import LambdaHost, Outcome, Start, statuses
from running import wait_for

ITEMS = 3000
# About 20 pages in each of 4 segments, 20 ms each: about half a second.
SLOW = {"items": ITEMS, "item_bytes": 200, "page_bytes": 7500, "scan_latency_ms": 20}


def in_store(server: FaultServer, checkpoint: str) -> Dict[str, Any]:
    return {"CHECKPOINT": checkpoint, "AWS_ENDPOINT_URL_SSM": server.url}


@pytest.mark.parametrize("checkpoint", ["dynamodb:checkpoints", "ssm:/backfill"])
def test_rounds_resume_from_store(start: Start, checkpoint: str) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [1.0, 1.0, 30.0], HANDOVER_SECONDS=0.6, **in_store(server, checkpoint))
        host.send()
        outcomes = host.wait()
        *handed_over, last = statuses(outcomes)
        assert last == "complete" and set(handed_over) == {"handed-over"}, outcomes
        # Each round passes the run on to the next, which does not wait for a lease.
        assert [b'"ownership"' in outcome.event for outcome in outcomes[1:]] == [True] * len(handed_over)
        assert outcomes[-1].answer["items_total"] == ITEMS
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0
        again = host.invoke().answer
        assert again["status"] == "already-complete" and again["items"] == 0


def test_dead_letters_outlive_sandbox(start: Start) -> None:
    """They are in the table of checkpoints, over several rounds, once each."""
    with FaultServer(refused_every=100, **SLOW) as server:
        where = in_store(server, "dynamodb:checkpoints")
        host = start(server, [0.5, 0.5, 30.0], HANDOVER_SECONDS=0.3, **where)
        host.send()
        last = host.wait()[-1].answer
        assert last["status"] == "complete" and last["round"] > 1, last
        assert last["dead_letters"] == server.report()["undeliverable"] == ITEMS // 100
        assert last["dead_letters_location"] == "dynamodb:checkpoints"
        assert last["next"].startswith("see the dead letters")
        found = server.client("dynamodb").query(
            TableName="checkpoints",
            KeyConditionExpression="#run = :run AND begins_with(#item, :segment)",
            ExpressionAttributeNames={"#run": "run", "#item": "item"},
            ExpressionAttributeValues={":run": {"S": "default"}, ":segment": {"S": "dead-letter-"}},
        )["Items"]
        assert len(found) == ITEMS // 100
        assert {letter["code"]["S"] for letter in found} == {"InvalidArgumentException"}
        assert len({json.dumps(letter["key"]) for letter in found}) == len(found)
        assert not any("/tmp" in line.get("message", "") for line in host.log)


@pytest.mark.parametrize(
    "more", [{}, {"DEAD_LETTERS": "dynamodb:letters"}], ids=["no place", "a table"]
)
def test_warns_of_lost_letters(start: Start, more: Dict[str, str]) -> None:
    with FaultServer(items=10) as server:
        host = start(server, [30.0], **in_store(server, "ssm:/backfill"), **more)
        assert host.invoke().answer["status"] == "complete"
        warned = ["lost with this sandbox; set DEAD_LETTERS" in line["message"] for line in host.log[:2]]
        assert warned == [not more, False], host.log


def test_throttled_parameters(start: Start) -> None:
    operations = ("PutParameter", "GetParameter", "GetParametersByPath", "DeleteParameters")
    faults = [f"{operation}:throttling=0.3" for operation in operations]
    with FaultServer(*faults, **SLOW) as server:
        host = start(server, [4.0, 4.0, 60.0], HANDOVER_SECONDS=3.5, **in_store(server, "ssm:/backfill"))
        host.send()
        outcomes = host.wait(120)
        assert outcomes[-1].answer["status"] == "complete", outcomes
        assert server.report()["missing"] == 0
        assert server.report()["faults"]["throttling"] > 0


@pytest.mark.parametrize("checkpoint", ["dynamodb:checkpoints", "ssm:/backfill"])
def test_duplicate_event(start: Start, checkpoint: str) -> None:
    """In two sandboxes at once, as without reserved concurrency."""
    with FaultServer(**{**SLOW, "scan_latency_ms": 100}) as server:
        one: LambdaHost = start(server, [30.0], **in_store(server, checkpoint))
        other: LambdaHost = start(server, [30.0], **in_store(server, checkpoint))
        done: List[Outcome] = []
        first = threading.Thread(target=lambda: done.append(one.invoke()))
        first.start()
        wait_for(lambda: server.report()["distinct"] > 0, "the first items")
        second = other.invoke()
        # It waits until the first one is seen to be there, or is done.
        assert second.answer["status"] in ("owned-elsewhere", "already-complete"), second
        assert second.seconds < 15
        first.join()
        assert statuses(done) == ["complete"]
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


def test_functions_share_run(start: Start) -> None:
    """Each invocation is one round, as whoever invokes them again and again wants it."""
    with FaultServer(**{**SLOW, "scan_latency_ms": 100}) as server:
        sharing = {"HANDOVER_SECONDS": 0.3, "SHARE": "true", **in_store(server, "dynamodb:checkpoints")}
        hosts: List[LambdaHost] = [start(server, [0.5, 30.0], **sharing) for _ in range(2)]
        statuses_seen = [host.invoke(b'{"once": true}', wait=False).answer["status"] for host in hosts]
        assert set(statuses_seen) == {"interrupted"}, statuses_seen
        answers = [host.invoke(b'{"once": true}', wait=False).answer for host in hosts]
        assert [answer["status"] for answer in answers] == ["complete", "already-complete"]
        assert [answer["items_total"] for answer in answers] == [ITEMS, ITEMS]
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


def test_chains_share_run(start: Start) -> None:
    with FaultServer(**SLOW) as server:
        sharing = {"HANDOVER_SECONDS": 0.3, "SHARE": "true", **in_store(server, "dynamodb:checkpoints")}
        hosts: List[LambdaHost] = [start(server, [0.5, 30.0], **sharing) for _ in range(2)]
        for host in hosts:
            host.send()
        for host in hosts:
            *earlier, last = statuses(host.wait())
            assert last in ("complete", "already-complete") and set(earlier) <= {"handed-over"}
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0
