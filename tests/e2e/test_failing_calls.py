"""Every request of a start and of a restart fails, is cut off after its effect, or lands late.

Afterwards the command that the run printed is run again, undisturbed: nothing is missing, and no run
says that it is complete before it is. The stores themselves are tested in more ways, on a simulated
clock, by `checkpoint_test --gtest_filter='*FailingCalls*'`. EVERYITEM_FAILING_CALLS=all runs every case.
"""

import os
import shlex
import threading
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

import pytest
from conftest import Backend, Table
from fault_proxy import Drop, Forward, Request, Response, error_response
from running import Everyitem, Result, resume_command
from test_checkpoint_stores import CheckpointTable

COUNT = 60
MAX_REQUESTS = 60  # more than any of these runs makes
LANDS_AFTER = 3  # requests that a late one lets pass


class FailingCalls:
    """A rule that disturbs request `k` of all operations, or every request from `k` on."""

    def __init__(self, k: int, how: str, from_then_on: bool) -> None:
        self._k, self._how, self._from_then_on = k, how, from_then_on
        self._lock = threading.Lock()
        self._seen = 0
        self._late: Optional[Tuple[int, Request]] = None
        self.disturbed: List[str] = []

    def __call__(self, request: Request, forward: Forward) -> Response:
        with self._lock:
            number, self._seen = self._seen, self._seen + 1
            late = self._late if self._late and number >= self._late[0] else None
            self._late = None if late else self._late
        if late:
            forward(late[1])
        hit = number == self._k or (self._from_then_on and number > self._k)
        if not hit:
            return forward(request)
        self.disturbed.append(request.operation)
        if self._how == "denied":
            return error_response("AccessDeniedException", "denied by the test")
        if self._how == "cut off":
            forward(request)
        else:  # late
            with self._lock:
                self._late = (number + LANDS_AFTER, request)
        raise Drop


def command_of(result: Result, restarts: bool, words: List[Any]) -> List[Any]:
    """What the run says resumes it; the command itself if it says nothing."""
    if any("everyitem scan " in line for line in result.notices):
        command = shlex.split(resume_command(result))[2:]
        return ["60s" if before == "--max-wait" else word for before, word in zip(["", *command], command)]
    return [*words, *(["--restart"] if restarts else [])]


HOW = [("denied", False), ("denied", True), ("cut off", False), ("cut off", True), ("late", False)]

# Destination, store, whether it restarts, what happens to requests, and whether from then on.
ALL_CASES = [
    (destination, store, restarts, how, from_then_on)
    for destination in ("stream", "file")
    for store in ("dynamodb", "sqlite")
    for restarts in (False, True)
    for how, from_then_on in HOW
]
SOME_CASES = [
    ("stream", "dynamodb", True, "denied", False),
    ("stream", "dynamodb", False, "late", False),
    ("stream", "dynamodb", True, "cut off", True),
    ("file", "dynamodb", True, "denied", False),
    ("file", "sqlite", True, "denied", True),
]


@pytest.mark.full
@pytest.mark.parametrize(
    ("destination", "store", "restarts", "how", "from_then_on"),
    ALL_CASES if os.environ.get("EVERYITEM_FAILING_CALLS") == "all" else SOME_CASES,
)
def test_every_request_fails_once(
    backend: Backend,
    everyitem: Everyitem,
    proxy: Callable,
    tmp_path: Path,
    destination: str,
    store: str,
    restarts: bool,
    how: str,
    from_then_on: bool,
) -> None:
    table = backend.table(COUNT)
    between = proxy("dynamodb")
    disturbed = 0
    for k in range(MAX_REQUESTS):
        checkpoints = CheckpointTable(backend) if store == "dynamodb" else None
        checkpoint = f"dynamodb:{checkpoints.name}" if checkpoints else str(tmp_path / f"run-{k}")
        target = backend.stream() if destination == "stream" else str(tmp_path / f"items-{k}")
        words: List[Any] = ["--table", table.name, "--segments", 2, "--checkpoint", checkpoint]
        words += ["--stream" if destination == "stream" else "--to", target]
        between.rule = None
        if restarts:  # over a run that is complete, into the same file or another stream
            first = list(words)
            first[-1] = backend.stream() if destination == "stream" else target
            assert everyitem.run("scan", *first).code == 0
        before = Path(target).read_bytes() if destination == "file" and restarts else None
        between.rule = rule = FailingCalls(k, how, from_then_on)
        soon = ["--max-wait", "1s"]  # only here: elsewhere the machine may be busy for longer
        result = everyitem.run("scan", *words, *soon, *(["--restart"] if restarts else []))
        between.rule = None
        case = f"request {k} ({', '.join(rule.disturbed)}): {result.stderr}"
        if not rule.disturbed:
            break
        disturbed += 1
        if result.code != 0:
            assert result.code in (1, 2), case
            summaries = [event for event in result.events if event["event"] == "summary"]
            assert all(summary["status"] == "failed" for summary in summaries), case
            if before is not None and not complete(backend, table, destination, target):
                lines = Path(target).read_bytes()
                assert lines == before or set(lines.splitlines()) <= set(
                    backend.raw_items(table.name)
                ), case
            if checkpoints and any(item["item"]["S"] == "run" for item in checkpoints.items()):
                checkpoints.end_lease()
            result = everyitem.run("scan", *command_of(result, restarts, words))
            assert result.code == 0, f"{case}\nthen: {result.stderr}"
        assert complete(backend, table, destination, target), f"{case}\nthen: {result.stderr}"
        assert everyitem.run("scan", *words).summary["status"] == "already-complete", case
    else:
        raise AssertionError(f"more than {MAX_REQUESTS} requests: raise MAX_REQUESTS")
    assert disturbed >= 3, "no request was disturbed"


def complete(backend: Backend, table: Table, destination: str, target: str) -> bool:
    if destination == "stream":
        return backend.compared(table, target).complete
    return set(Path(target).read_bytes().splitlines()) == set(backend.raw_items(table.name))
