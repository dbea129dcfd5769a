"""The Lambda function: rounds, hand-over, and their failures."""

import fcntl
import json
from pathlib import Path

import pytest
from fault_server import FaultServer
from lambda_host import LOG_GROUP, Sandbox, Start, kill, refused, statuses
from running import wait_for

ITEMS = 3000
# Without RecursiveLoop=Allow, Lambda ends a chain of about this many (Lambda, recursive loop detection).
RECURSION_GUARD = 16
# About 20 pages in each of 4 segments, 20 ms each: about half a second.
SLOW = {"items": ITEMS, "item_bytes": 200, "page_bytes": 7500, "scan_latency_ms": 20}


def test_one_round(start: Start) -> None:
    with FaultServer(items=ITEMS) as server:
        host = start(server, [30.0])
        outcome = host.invoke()
        assert outcome.ended == "response"
        answer = outcome.answer
        assert answer["status"] == "complete"
        assert answer["items_total"] == ITEMS and answer["round"] == 1 and answer["dead_letters"] == 0
        assert answer["segments_done"] == answer["segments"] == 4
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0
        # Another invocation in the same process finds nothing to do.
        requests = server.report()["requests"]["Scan"]
        again = host.invoke(b"{}")
        assert again.answer["status"] == "already-complete" and "nothing to do" in again.answer["next"]
        assert again.answer["items_total"] == ITEMS and again.answer["items"] == 0
        assert server.report()["requests"]["Scan"] == requests
        assert host.invoke(b'{"restart": true}').answer["items"] == ITEMS
        assert server.report()["duplicates"] == ITEMS
        assert len({outcome.pid for outcome in host.outcomes}) == 1


SCHEDULED = {
    **{"version": "0", "id": "53dc4d37", "account": "123456789012", "region": "us-east-1"},
    **{"time": "2026-11-27T12:00:00Z", "resources": ["arn:aws:events:us-east-1:1:rule/r"]},
    **{"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}},
}
SCHEDULER = {**SCHEDULED, "source": "aws.scheduler", "detail": "{}"}


@pytest.mark.parametrize("event", [b"", b"null", b"{}", SCHEDULED, SCHEDULER])
def test_invocation_starts_run(start: Start, event: object) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [30.0, 0.5, 30.0], HANDOVER_SECONDS=0.3)
        outcome = host.invoke(event if isinstance(event, bytes) else json.dumps(event).encode(), False)
        answer = outcome.answer
        assert answer["status"] == "started" and answer["run"] == "generated -> backfill"
        assert answer["log_group"] == LOG_GROUP and f"aws logs tail {LOG_GROUP}" in answer["follow"]
        assert answer["checkpoint"].endswith("/run")
        outcomes = host.wait()
        assert statuses(outcomes) == ["started", "handed-over", "complete"]
        assert [one.get("round") for one in map(lambda one: one.answer, outcomes)] == [None, 1, 2]
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


def test_repeated_restart(start: Start) -> None:
    """As from a client that was not answered: the second one's round comes between two of the first's."""
    with FaultServer(**SLOW) as server:
        host = start(server, [30.0, 30.0, 0.5, 0.5, 30.0], HANDOVER_SECONDS=0.3)
        for _ in range(2):
            host.send(b'{"restart": true}', wait=False)
        outcomes = host.wait()
        assert statuses(outcomes)[:4] == ["started", "started", "handed-over", "handed-over"]
        assert b'"restart":true' in outcomes[3].event and outcomes[3].answer["items_before"] > 0
        assert "complete" in statuses(outcomes)
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


def test_resume_never_starts(start: Start) -> None:
    with FaultServer(items=ITEMS) as server:
        host = start(server, [30.0])
        assert host.invoke(b'{"resume": true}').answer["status"] == "not-begun"
        assert server.report()["requests"].get("Scan", 0) == 0
        assert host.invoke(b'{"limit": 100}').answer["status"] == "limit-reached"
        host.send(b'{"resume": true}', wait=False)
        assert statuses(host.wait())[-2:] == ["started", "complete"]
        assert host.invoke(b'{"resume": true}').answer["status"] == "already-complete"
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


def test_log_and_metrics(start: Start) -> None:
    with FaultServer(items=ITEMS) as server:
        host = start(server, [30.0])
        outcome = host.invoke()
        lines = [line for line in host.log if "_aws" not in line]
        assert all({"timestamp", "level", "message", "requestId", "run"} <= set(line) for line in lines)
        assert {line["requestId"] for line in lines} == {outcome.request_id}
        assert {line["run"] for line in lines} == {"generated -> backfill"}
        assert lines[-1]["summary"] == outcome.answer
        (metrics,) = [line for line in host.log if "_aws" in line]
        assert metrics["ItemsDelivered"] == ITEMS and metrics["FunctionName"] == "scanner"


def test_default_leaves_half(start: Start) -> None:
    with FaultServer(items=ITEMS, item_bytes=200, read_units_per_second=1000) as server:
        host = start(server, [30.0])
        host.invoke()
        said = "read rate: 500 read units/s, 50% of the table's (provisioned: 1,000 read units/s)"
        wait_for(
            lambda: any(said in line.get("message", "") for line in host.log), "the read rate is said"
        )
        assert any("READ_PERCENT=100 takes all" in line.get("message", "") for line in host.log)


def test_two_rounds(start: Start) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [0.5, 30.0], HANDOVER_SECONDS=0.3)
        first = host.invoke()
        assert first.answer["status"] == "handed-over", first
        assert first.answer["items_total"] < ITEMS
        assert "round 2" in first.answer["next"]
        outcomes = host.wait()
        assert statuses(outcomes) == ["handed-over", "complete"]
        last = outcomes[-1].answer
        assert last["round"] == 2 and last["items_total"] == ITEMS
        assert 0 < last["items"] < ITEMS
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


@pytest.mark.slow
def test_beyond_recursion_guard(start: Start) -> None:
    pages = {"items": 30_000, "item_bytes": 200, "page_bytes": 7500, "scan_latency_ms": 100}
    with FaultServer(**pages) as server:
        host = start(server, [0.5], HANDOVER_SECONDS=0.3)
        host.send()
        outcomes = host.wait(300)
        # If the machine is so busy that a round is killed, its retry runs next to the following round, and
        # either may be the last, or find the run complete.
        assert {outcome.ended for outcome in outcomes} <= {"response", "timeout"}
        answers = [outcome.answer for outcome in outcomes if outcome.ended == "response"]
        ended = [answer for answer in answers if answer["status"] in ("complete", "already-complete")]
        assert ended and all(answer["items_total"] == pages["items"] for answer in ended), outcomes[-2:]
        # About 150. A retry that runs next to the following round is a second chain, which shares them.
        rounds = max(answer["round"] for answer in answers)
        print("rounds:", rounds)
        assert rounds > RECURSION_GUARD
        assert server.report()["missing"] == 0


@pytest.mark.parametrize("limit", [20.0, 2.5, 1.0, 0.5])
def test_short_time_limits(start: Start, limit: float) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [limit], HANDOVER_SECONDS=2)
        host.send()
        outcomes = host.wait()
        assert outcomes[-1].answer["status"] == "complete", outcomes
        assert not any(outcome.failed for outcome in outcomes)
        assert server.report()["missing"] == 0


def test_killed_and_retried_twice(start: Start) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [30.0])

        def kill_twice(sandbox: Sandbox, number: int) -> None:
            if number < 2:
                seen = 300 + 700 * number
                wait_for(lambda: server.report()["distinct"] > seen, "enough items")
                kill(sandbox)

        host.during = kill_twice
        host.send()
        outcomes = host.wait()
        assert [outcome.ended for outcome in outcomes] == ["exit", "exit", "response"]
        assert len({outcome.request_id for outcome in outcomes}) == 1
        assert outcomes[-1].answer["status"] == "complete"
        assert outcomes[-1].answer["items"] < ITEMS
        assert server.report()["missing"] == 0


def test_undelivered_items_handed_over(start: Start) -> None:
    with FaultServer("PutRecords:stall=1x1", **SLOW) as server:
        host = start(server, [2.0, 30.0])
        first = host.invoke()
        assert first.answer["status"] == "handed-over"
        outcomes = host.wait()
        assert statuses(outcomes) == ["handed-over", "complete"]
        assert outcomes[1].pid == first.pid  # restarted without Lambda noticing
        assert any("restarting the process" in line.get("message", "") for line in host.log)
        assert server.report()["missing"] == 0


def test_no_progress_ends_chain(start: Start) -> None:
    with FaultServer("PutRecords:stall=1", **SLOW) as server:
        host = start(server, [1.5])
        host.send()
        outcomes = host.wait()
        assert statuses(outcomes[:2]) == ["handed-over", "handed-over"]
        assert {outcome.answer["errorType"] for outcome in outcomes[2:]} == {"NoProgress"}
        assert len(outcomes) == 5  # the third round and Lambda's two retries of it
        assert "3 rounds in a row" in outcomes[2].answer["errorMessage"]


def test_rejected_self_invoke(start: Start) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [0.5, 30.0], HANDOVER_SECONDS=0.3)
        host.refusal = lambda number: refused(403, "AccessDeniedException")
        outcome = host.invoke()
        assert outcome.ended == "error"
        assert outcome.answer["status"] == "failed"
        assert outcome.answer["errorType"] == "HandOverFailed"
        assert "AccessDeniedException" in outcome.answer["errorMessage"]
        assert "aws lambda invoke" in outcome.answer["next"]
        (error,) = [line for line in host.log if line.get("level") == "ERROR"]
        assert "aws lambda invoke" in error["summary"]["next"]
        assert json.dumps(error).count("aws lambda invoke") == 1
        assert error["message"] == outcome.answer["errorMessage"]
        assert host.invoke().answer["status"] == "complete"
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


def test_settings_changed_between_rounds(start: Start) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [0.5, 30.0], HANDOVER_SECONDS=0.3)
        host.refusal = lambda number: refused(403, "AccessDeniedException")
        assert host.invoke().answer["errorType"] == "HandOverFailed"
        changed = host.invoke(b'{"consistent": true, "segments": 5}')
        assert changed.ended == "error" and changed.answer["errorType"] == "InvalidSettings"
        message = changed.answer["errorMessage"]
        assert 'consistent: was "no", is now "yes"' in message and "segments: was 4, is now 5" in message
        assert '{"restart": true}' in message and "--" not in message
        # The run is the same, although its read rate may change.
        assert host.invoke(b'{"read_units": 1000000}').answer["status"] == "complete"
        assert server.report()["missing"] == 0 and server.report()["duplicates"] == 0


def test_throttled_self_invoke(start: Start) -> None:
    with FaultServer(**SLOW) as server:
        host = start(server, [1.0, 30.0])
        host.refusal = lambda number: refused(429, "TooManyRequestsException") if number < 4 else None
        assert host.invoke().answer["status"] == "handed-over"
        assert statuses(host.wait()) == ["handed-over", "complete"]
        assert server.report()["missing"] == 0


@pytest.mark.parametrize(
    "event",
    [
        *(b"{", b"hello", b"\xff\xfe", b'{"surprise": 1}', b"[]", b"7"),
        *(b'{"stream_arn": "elsewhere"}', b'{"checkpoint": "ssm:/elsewhere"}'),
    ],
)
def test_invalid_events_are_errors(start: Start, event: bytes) -> None:
    with FaultServer(items=10) as server:
        host = start(server, [30.0])
        outcome = host.invoke(event)
        assert outcome.ended == "error" and outcome.answer["errorType"] == "InvalidSettings"
        assert outcome.answer["status"] == "failed"
        assert server.report()["requests"] == {}
        (error,) = [line for line in host.log if line["level"] == "ERROR"]
        assert error["requestId"] == outcome.request_id and "InvalidSettings" in error["message"]
        assert host.invoke(b"null").answer["status"] == "complete"
        assert len(host.sandboxes) == 1


@pytest.mark.parametrize("wrong, said", [("RESTART", "RESTART"), ("READ_UNIT", "mean READ_UNITS?")])
def test_invalid_environment(
    lambda_bootstrap: Path, tmp_path: Path, wrong: str, said: str
) -> None:
    sandbox = Sandbox([str(lambda_bootstrap)], {"PATH": "/bin", wrong: "5"}, tmp_path / "log")
    wait_for(lambda: not sandbox.running, "the end of the process")
    assert sandbox.init_error["status"] == "failed"
    assert sandbox.init_error["errorType"] == "InvalidSettings"
    assert said in sandbox.init_error["errorMessage"]
    sandbox.close()


def test_run_of_another_process(start: Start, tmp_path: Path) -> None:
    with FaultServer(items=10) as server:
        host = start(server, [30.0])
        (tmp_path / "run").touch(mode=0o600)  # a file that others may read is not taken
        with (tmp_path / "run").open("ab") as owned:
            fcntl.lockf(owned, fcntl.LOCK_EX, 1, 1 << 62)
            outcome = host.invoke()
            assert outcome.ended == "response" and outcome.seconds < 5
            assert outcome.answer["status"] == "owned-elsewhere"
            assert server.report()["items"] == server.report()["missing"] == 10
            # A round that was handed over to waits for its predecessor to release the run.
            event = json.dumps({"everyitem": {"round": 2, "roundsWithoutProgress": 0}}).encode()
            host.send(event)
            wait_for(lambda: "waiting for it to release" in host.log_file.read_text(), "the second round")
            fcntl.lockf(owned, fcntl.LOCK_UN, 1, 1 << 62)
        assert host.wait()[-1].answer["status"] == "complete"


def test_failure_then_resume(start: Start) -> None:
    with FaultServer("PutRecords:access_denied@5", **SLOW) as server:
        host = start(server, [30.0])
        outcome = host.invoke()
        assert outcome.ended == "error" and outcome.answer["status"] == "failed"
        assert "AccessDenied" in outcome.answer["errorType"]
        assert host.invoke().answer["status"] == "complete"
        assert server.report()["missing"] == 0
