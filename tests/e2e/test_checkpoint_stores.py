"""Checkpoints outside of files: a killed run can be resumed from anywhere and has one owner."""

import itertools
import signal
import threading
from pathlib import Path
from typing import Any, Callable, Dict, List, Set

import pytest
from conftest import Backend, Table
from fault_proxy import DEADLINE, Drop, Forward, Gate, Request, Response, with_page_limit
from fault_server import FaultServer, scan_of
from running import INTERRUPTED, Everyitem, wait_for

COUNT = 3000

_numbers = itertools.count()


@pytest.fixture(scope="module")
def table(backend: Backend) -> Table:
    return backend.table(COUNT)


class CheckpointTable:
    """A DynamoDB table for checkpoints, created as documented."""

    def __init__(self, backend: Backend) -> None:
        self.name = f"checkpoints-{next(_numbers)}"
        self._client = backend.dynamodb
        self._client.create_table(
            TableName=self.name,
            AttributeDefinitions=[
                {"AttributeName": "run", "AttributeType": "S"},
                {"AttributeName": "item", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "run", "KeyType": "HASH"},
                {"AttributeName": "item", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        wait_for(
            lambda: self._client.describe_table(TableName=self.name)["Table"]["TableStatus"]
            == "ACTIVE",
            "the table of checkpoints",
        )

    def items(self) -> List[Dict[str, Any]]:
        return self._client.scan(TableName=self.name, ConsistentRead=True)["Items"]

    def run(self) -> Dict[str, Any]:
        return next(item for item in self.items() if item["item"]["S"] == "run")

    def segments_moved(self) -> int:
        return sum(item["item"]["S"] != "run" for item in self.items())

    def end_lease(self) -> None:
        """As half a minute of waiting would."""
        self._client.put_item(
            TableName=self.name, Item={**self.run(), "owned": {"BOOL": False}}
        )


@pytest.fixture
def checkpoints(backend: Backend) -> CheckpointTable:
    return CheckpointTable(backend)


def test_silent_store(
    backend: Backend,
    everyitem: Everyitem,
    proxy: Callable,
    table: Table,
    checkpoints: CheckpointTable,
) -> None:
    stream = backend.stream()
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 2)
    scan += ("--checkpoint", f"dynamodb:{checkpoints.name}")
    silent, over = threading.Event(), threading.Event()

    def rule(request: Request, forward: Forward) -> Response:
        if silent.is_set() or request.operation == "PutItem":
            silent.set()
            over.wait(DEADLINE)
            raise Drop
        return forward(request)

    proxy("dynamodb").rule = rule
    process = everyitem.start(*scan)
    assert silent.wait(DEADLINE), "the run does not begin"
    process.signal(signal.SIGTERM)
    result = process.finish(timeout=20)
    over.set()
    proxy("dynamodb").rule = None
    assert result.code == INTERRUPTED, result.stderr
    assert everyitem.run(*scan).code == 0
    assert backend.compared(table, stream).complete


def test_killed_run_in_dynamodb(
    backend: Backend,
    everyitem: Everyitem,
    proxy: Callable,
    table: Table,
    checkpoints: CheckpointTable,
) -> None:
    stream = backend.stream()
    where = ("--checkpoint", f"dynamodb:{checkpoints.name}/nightly")
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 2, *where)
    gate = Gate("PutRecords", passing=4)
    kinesis, dynamodb = proxy("kinesis"), proxy("dynamodb")
    kinesis.rule = gate
    dynamodb.rule = with_page_limit(250)
    process = everyitem.start(*scan)
    gate.wait_until_held()
    wait_for(checkpoints.segments_moved, "a checkpoint")
    # Somebody else waits until it is seen to be there.
    refused = everyitem.run(*scan)
    assert refused.code == 1, refused.stderr
    assert "waiting up to 30 s for the lease of process" in refused.stderr, refused.stderr
    assert "another process owns this run: process" in refused.stderr, refused.stderr
    process.kill()
    gate.open()
    kinesis.rule = None

    checkpoints.end_lease()
    before = len(dynamodb.bodies("Scan"))
    result = everyitem.run(*scan)
    assert result.code == 0, result.stderr
    assert "resuming after" in result.stderr, result.stderr
    first = dynamodb.bodies("Scan")[before : before + 2]  # the first of each segment
    assert any("ExclusiveStartKey" in scan for scan in first), "it started over"
    compared = backend.compared(table, stream)
    assert compared.complete, compared
    assert compared.duplicates <= 2 * 2 * 250, f"repeated more than was open: {compared}"

    # Only one item is left. It says that the run is complete, and it expires.
    assert [item["item"]["S"] for item in checkpoints.items()] == ["run"]
    assert "expires_at" in checkpoints.run()
    again = everyitem.run(*scan)
    assert again.summary["status"] == "already-complete"
    assert again.summary["checkpoint"] == f"dynamodb:{checkpoints.name}/nightly"
    other = everyitem.run(*scan, "--filter", "attribute_exists(a)")
    assert other.code == 2 and "belongs to another run" in other.stderr, other.stderr
    everyitem.scan(*scan[1:], "--restart")
    assert len(backend.data(stream)) == compared.records + COUNT


def test_interrupted_run_in_dynamodb(
    backend: Backend,
    everyitem: Everyitem,
    proxy: Callable,
    table: Table,
    checkpoints: CheckpointTable,
) -> None:
    stream = backend.stream()
    where = ("--checkpoint", f"dynamodb:{checkpoints.name}")
    gate = Gate("PutRecords", passing=2)
    proxy("kinesis").rule = gate
    proxy("dynamodb").rule = with_page_limit(250)
    process = everyitem.start("scan", "--table", table.name, "--stream", stream, *where)
    gate.wait_until_held()
    process.signal(signal.SIGINT)
    gate.open()
    assert process.finish().code == INTERRUPTED
    proxy("kinesis").rule = None
    everyitem.scan("--table", table.name, "--stream", stream, *where)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_lost_run_stops(
    backend: Backend,
    everyitem: Everyitem,
    proxy: Callable,
    table: Table,
    checkpoints: CheckpointTable,
) -> None:
    stream = backend.stream()
    scan = ("--table", table.name, "--stream", stream, "--segments", 2)
    where = ("--checkpoint", f"dynamodb:{checkpoints.name}")
    gate = Gate("PutRecords", passing=2)
    proxy("kinesis").rule = gate
    proxy("dynamodb").rule = with_page_limit(250)
    first = everyitem.start("scan", *scan, *where)
    gate.wait_until_held()
    checkpoints.end_lease()  # as if the process had stalled for too long
    everyitem.endpoints["kinesis"] = backend.endpoints["kinesis"]
    everyitem.scan(*scan, *where, "--limit", 2000)
    successors = checkpoints.items()
    gate.open()
    result = first.finish()
    assert result.code == 1, result.stderr
    assert "another process has taken over this run" in result.stderr, result.stderr
    assert checkpoints.items() == successors, "it wrote over what its successor wrote"
    everyitem.scan(*scan, *where)
    assert backend.compared(table, stream).complete


@pytest.mark.parametrize(
    "wrong, says",
    [
        (("--checkpoint", "dynamodb:no"), "not a table's name"),
        (("--checkpoint", "s3://bucket/x"), "unknown kind"),
        (("--checkpoint-kms-key", "alias/aws/ssm"), "needs --checkpoint ssm:"),
        (("--checkpoint-interval", "30s"), "needs --checkpoint ssm:"),
    ],
)
def test_invalid_locations_are_reported(
    backend: Backend, everyitem: Everyitem, table: Table, wrong: List[str], says: str
) -> None:
    stream = backend.stream()
    result = everyitem.run("scan", "--table", table.name, "--stream", stream, *wrong)
    assert result.code == 2 and says in result.stderr, result.stderr
    assert not backend.data(stream)


def test_missing_table_is_named(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    where = ("--checkpoint", "dynamodb:not-there")
    result = everyitem.run("scan", "--table", table.name, "--stream", backend.stream(), *where)
    assert result.code == 2
    assert "checkpoint dynamodb:not-there in us-east-1: ResourceNotFoundException" in result.stderr


class Parameters:
    """Parameter Store in the fault server, seen through the official client."""

    def __init__(self, server: FaultServer) -> None:
        self._client = server.client("ssm")

    def values(self, path: str = "/backfill") -> Dict[str, str]:
        pages = self._client.get_paginator("get_parameters_by_path").paginate(
            Path=path, WithDecryption=True
        )
        return {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]}

    def types(self) -> Set[str]:
        page = self._client.get_parameters_by_path(Path="/backfill")
        return {one["Type"] for one in page["Parameters"]}


# About 4 pages per segment, one every 0.2 s.
SLOW_TABLE = {"items": 4000, "item_bytes": 4000, "page_bytes": 400_000, "scan_latency_ms": 200}
IN_SSM = ("--segments", 8, "--checkpoint", "ssm:/backfill")


def test_interrupted_run_in_parameters(tmp_path: Path) -> None:
    with FaultServer(**SLOW_TABLE) as server:
        everyitem = server.everyitem(tmp_path)
        process = everyitem.start(*scan_of(*IN_SSM))
        wait_for(lambda: server.report()["distinct"] > 500, "some items")
        process.signal(signal.SIGINT)
        stopped = process.finish()
        assert stopped.code == INTERRUPTED, stopped.stderr
        report = server.report()
        assert 0 < report["distinct"] < 4000 and report["duplicates"] == 0
        # 8 segments are one parameter, written once; plus the run and its identity.
        kinds = [name.split("-")[0] for name in Parameters(server).values()]
        assert kinds.count("/backfill/segments") == 1, kinds
        assert set(kinds) == {"/backfill/run", "/backfill/identity", "/backfill/segments"}
        assert report["requests"]["PutParameter"] <= 4, report["requests"]

        result = everyitem.run(*scan_of(*IN_SSM))
        assert result.code == 0, result.stderr
        assert "resuming after" in result.stderr
        report = server.report()
        assert report["missing"] == 0 and report["duplicates"] == 0, report
        again = everyitem.run(*scan_of(*IN_SSM))
        assert again.summary["status"] == "already-complete"
        assert again.summary["checkpoint"] == "ssm:/backfill"


@pytest.mark.slow
def test_killed_run_in_parameters(tmp_path: Path) -> None:
    # Longer than the 10 s before progress is first written.
    with FaultServer(**{**SLOW_TABLE, "scan_latency_ms": 3000}) as server:
        everyitem = server.everyitem(tmp_path)
        parameters = Parameters(server)
        process = everyitem.start(*scan_of(*IN_SSM))
        wait_for(
            lambda: any("/segments-" in name for name in parameters.values()), "a checkpoint"
        )
        process.kill()
        # Nobody knows yet that it is gone, so its lease is waited for.
        result = everyitem.run(*scan_of(*IN_SSM))
        assert result.code == 0, result.stderr
        assert result.stderr.count("waiting up to 30 s for the lease of process") == 1
        assert "resuming after" in result.stderr
        report = server.report()
    assert report["missing"] == 0 and report["altered"] == 0, report
    assert report["duplicates"] < 4000, "it started over"


def test_throttling_parameter_store(tmp_path: Path) -> None:
    faults = [
        f"{operation}:throttling=0.4"
        for operation in ("PutParameter", "GetParametersByPath", "DeleteParameters")
    ]
    with FaultServer(*faults, items=2000, item_bytes=400) as server:
        everyitem = server.everyitem(tmp_path)
        limited = everyitem.run(*scan_of(*IN_SSM, "--limit", 700))
        assert limited.code == 0, limited.stderr
        result = everyitem.run(*scan_of(*IN_SSM))
        assert result.code == 0, result.stderr
        report = server.report()
    assert report["missing"] == 0 and report["duplicates"] == 0, report
    assert report["faults"]["throttling"] > 5


def test_missing_write_permission(tmp_path: Path) -> None:
    with FaultServer("PutParameter:access_denied=1", items=100) as server:
        result = server.everyitem(tmp_path).run(*scan_of(*IN_SSM))
        report = server.report()
    assert result.code == 1
    assert "PutParameter on checkpoint ssm:/backfill in us-east-1: AccessDenied" in result.stderr
    assert report["distinct"] == 0, "it delivered what it could not checkpoint"


def test_secure_parameters(tmp_path: Path) -> None:
    with FaultServer(items=100) as server:
        key = ("--checkpoint-kms-key", "alias/aws/ssm")
        result = server.everyitem(tmp_path).run(*scan_of(*IN_SSM, *key))
        assert result.code == 0, result.stderr
        assert Parameters(server).types() == {"SecureString"}


def test_faulty_checkpoint_table(tmp_path: Path) -> None:
    faults = [
        f"{operation}:{fault}=0.1"
        for operation in ("PutItem", "Query", "GetItem")
        for fault in ("throttling", "internal_error", "reset_before", "reset_after")
    ]
    where = ("--segments", 8, "--checkpoint", "dynamodb:checkpoints")
    with FaultServer(*faults, items=8000, item_bytes=1000, page_bytes=50_000) as server:
        everyitem = server.everyitem(tmp_path)
        limited = everyitem.run(*scan_of(*where, "--limit", 3000))
        assert limited.code == 0, limited.stderr
        result = everyitem.run(*scan_of(*where))
        assert result.code == 0, result.stderr
        report = server.report()
    assert report["missing"] == 0 and report["duplicates"] == 0, report
    assert report["faults"]["reset_after"] > 0
