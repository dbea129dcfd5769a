"""Checkpoints that are no file: a killed run goes on, from wherever, and has one owner."""

import signal
from typing import Any, Callable, Dict, List

import pytest
from conftest import Backend, Table
from fault_proxy import Gate, with_page_limit
from running import INTERRUPTED, Everyitem, wait_for

COUNT = 3000


@pytest.fixture(scope="module")
def table(backend: Backend) -> Table:
    return backend.table(COUNT)


class CheckpointTable:
    """A DynamoDB table for checkpoints, made as the documentation says."""

    def __init__(self, backend: Backend) -> None:
        self.name = f"checkpoints-{id(self)}"
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
        """As time does in half a minute."""
        self._client.put_item(
            TableName=self.name, Item={**self.run(), "lease_until": {"N": "1"}}
        )


@pytest.fixture
def checkpoints(backend: Backend) -> CheckpointTable:
    return CheckpointTable(backend)


def test_a_run_in_dynamodb_goes_on_when_it_was_killed(
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
    process.kill()
    gate.open()
    kinesis.rule = None

    # Nobody knows yet that it is gone.
    refused = everyitem.run(*scan)
    assert refused.code == 1, refused.stderr
    assert "another process is working on this run: process" in refused.stderr, refused.stderr
    assert "whose lease ends in" in refused.stderr

    checkpoints.end_lease()
    before = len(dynamodb.bodies("Scan"))
    result = everyitem.run(*scan)
    assert result.code == 0, result.stderr
    assert "resuming after" in result.stderr, result.stderr
    first = dynamodb.bodies("Scan")[before : before + 2]  # one of each segment
    assert any("ExclusiveStartKey" in scan for scan in first), "it began anew"
    compared = backend.compared(table, stream)
    assert compared.complete, compared
    assert compared.duplicates <= 2 * 2 * 250, f"repeated more than was open: {compared}"

    # What is left is one item that says so, and goes by itself.
    assert [item["item"]["S"] for item in checkpoints.items()] == ["run"]
    assert "expires_at" in checkpoints.run()
    again = everyitem.run(*scan)
    assert again.summary["status"] == "already-complete"
    assert again.summary["checkpoint"] == f"dynamodb:{checkpoints.name}/nightly"
    other = everyitem.run(*scan, "--filter", "attribute_exists(a)")
    assert other.code == 2 and "belongs to another run" in other.stderr, other.stderr
    everyitem.scan(*scan[1:], "--restart")
    assert len(backend.data(stream)) == compared.records + COUNT


def test_an_interrupted_run_in_dynamodb_is_free_at_once(
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


def test_who_lost_the_run_stops(
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
    checkpoints.end_lease()  # it stands still for too long, say
    everyitem.endpoints["kinesis"] = backend.endpoints["kinesis"]
    everyitem.scan(*scan, *where, "--limit", 2000)
    successors = checkpoints.items()
    gate.open()
    result = first.finish()
    assert result.code == 1, result.stderr
    assert "another process has taken this run over" in result.stderr, result.stderr
    assert checkpoints.items() == successors, "it wrote over what its successor wrote"
    everyitem.scan(*scan, *where)
    assert backend.compared(table, stream).complete


@pytest.mark.parametrize(
    "wrong, says",
    [
        (("--checkpoint", "dynamodb:no"), "not a table's name"),
        (("--checkpoint", "s3://bucket/x"), "no known kind"),
        (("--checkpoint-kms-key", "alias/aws/ssm"), "goes with --checkpoint ssm:"),
    ],
)
def test_wrong_places_are_told(
    backend: Backend, everyitem: Everyitem, table: Table, wrong: List[str], says: str
) -> None:
    stream = backend.stream()
    result = everyitem.run("scan", "--table", table.name, "--stream", stream, *wrong)
    assert result.code == 2 and says in result.stderr, result.stderr
    assert not backend.data(stream)


def test_a_table_that_is_not_there_is_named(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    where = ("--checkpoint", "dynamodb:not-there")
    result = everyitem.run("scan", "--table", table.name, "--stream", backend.stream(), *where)
    assert result.code == 1
    assert "checkpoint dynamodb:not-there in us-east-1: ResourceNotFoundException" in result.stderr
