"""The Lambda function: every request of a start and of a restart is denied, or loses its response.

Afterwards the function is invoked again, as its answer says, on an undisturbed server: nothing is missing,
and no round says that the run is complete before it is.
"""

import re
from typing import Any, Dict, List, Tuple

import pytest
from fault_server import FaultServer
from lambda_host import Outcome, Start

ITEMS = 120
TABLE = {"items": ITEMS, "item_bytes": 100, "page_bytes": 3000}
RESTART = b'{"restart": true}'


def requests(server: FaultServer) -> Dict[str, int]:
    return dict(server.report()["requests"])


def next_event(outcome: Outcome) -> bytes:
    """The payload of the command that a failed round prints."""
    command = outcome.answer["next"]
    assert "aws lambda invoke" in command, outcome
    payload = re.search(r"--payload '(.*?)'", command)
    return payload.group(1).encode() if payload else b""


def undisturbed(start: Start, restarts: bool, settings: Dict[str, Any]) -> List[Tuple[str, int]]:
    """Each request of the round to disturb: its operation and its number."""
    with FaultServer(**TABLE) as server:
        host = start(server, [60.0], **settings, AWS_ENDPOINT_URL_SSM=server.url)
        before: Dict[str, int] = {}
        if restarts:
            assert host.invoke().answer["status"] == "complete"
            before = requests(server)
        assert host.invoke(RESTART if restarts else b"").answer["status"] == "complete"
        after = requests(server)
    return [
        (operation, number)
        for operation, count in sorted(after.items())
        for number in range(before.get(operation, 0), count)
    ]


@pytest.mark.full
@pytest.mark.parametrize("fault", ["access_denied", "reset_after"])
@pytest.mark.parametrize("restarts", [False, True], ids=["start", "restart"])
@pytest.mark.parametrize("checkpoint", ["dynamodb:checkpoints", "ssm:/backfill"])
def test_every_request_fails_once(
    start: Start, checkpoint: str, restarts: bool, fault: str
) -> None:
    settings = {"CHECKPOINT": checkpoint, "SEGMENTS": 2}
    disturbed = undisturbed(start, restarts, settings)
    assert len(disturbed) > 10, disturbed
    for operation, number in disturbed:
        with FaultServer(f"{operation}:{fault}@{number}", **TABLE) as server:
            host = start(server, [60.0], **settings, AWS_ENDPOINT_URL_SSM=server.url)
            if restarts:
                assert host.invoke().answer["status"] == "complete"
            outcome = host.invoke(RESTART if restarts else b"")
            case = f"{operation} {number}: {outcome}"
            if outcome.failed:
                assert outcome.answer["status"] == "failed", case
                case += f"\nthen: {host.invoke(next_event(outcome))}"
            report = server.report()
            assert report["missing"] == 0, case
            if restarts:  # the items have come twice
                assert report["duplicates"] >= ITEMS, case
            last = host.invoke()
            if last.failed:  # fewer requests were made before, so that this one met the fault
                last = host.invoke(next_event(last))
            assert last.answer["status"] == "already-complete", f"{case}\nlast: {last}"
