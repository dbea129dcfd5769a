"""Items the stream can never accept: the run continues without them, and they are not lost."""

import base64
import json
import os
import re
import shlex
import shutil
import stat
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from conftest import Backend, Table
from demodata.compare import compare
from demodata.items import HASH
from fault_proxy import Forward, Request, Response, error_response, json_response
from fault_server import FaultServer, scan_of
from running import ROOT, Everyitem, Result, wait_for
from small_disk import SmallDisk
from test_checkpoint_stores import CheckpointTable

DEAD_LETTERS = 3

# 2 bytes per element as DynamoDB counts, 15 in JSON: 214 KB become 1.6 MB.
LARGE = {"id": {"S": "large"}, "flags": {"L": [{"BOOL": False}] * 107_000}}


@pytest.fixture
def table(backend: Backend) -> Table:
    """Items, one of which is too large for a record."""
    made = backend.table(600)
    small = made.items
    made = backend.table(loaded=[*small[:300], LARGE, *small[300:]])
    return made._replace(items=small)


@pytest.fixture
def stream(backend: Backend) -> str:
    return backend.stream()


def letters(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def default_path(result: Result) -> Path:
    return Path(result.summary["dead_letters_location"])


def assert_all_but_the_letters(backend: Backend, table: Table, stream: str) -> None:
    compared = compare(table.items, backend.data(stream), HASH)
    assert compared.complete, compared


def test_item_larger_than_record(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str
) -> None:
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 2)
    result = everyitem.run(*scan)
    assert result.code == DEAD_LETTERS, result.stderr
    assert result.summary["status"] == "complete" and result.summary["dead_letters"] == 1
    assert result.summary["items"] == len(table.items)
    path = default_path(result)
    assert path.parent == Path(result.summary["checkpoint"]).parent
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert result.notices[-1] == f"everyitem: 1 item could not be delivered; see {path} for the reason"
    assert_all_but_the_letters(backend, table, stream)

    (letter,) = letters(path)
    assert letter["item"] == LARGE and letter["key"] == {"id": {"S": "large"}}
    assert letter["table"] == table.name and letter["destination"] == stream
    size = len(json.dumps(LARGE, separators=(",", ":")))
    assert size > 1_600_000
    assert letter["reason"] == (
        f"its JSON has {size:,} bytes, and the stream takes records of at most 1,048,576 bytes, "
        "partition key included"
    )

    again = everyitem.run(*scan)
    assert again.code == DEAD_LETTERS, "a complete run still says that something is missing"
    assert again.summary["status"] == "already-complete" and again.summary["dead_letters"] == 1
    assert again.summary["segments_done"] == again.summary["segments"] == 2
    assert len(letters(path)) == 1


def test_chosen_file(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str
) -> None:
    path = everyitem.home / "letters.ndjson"
    scan = ("scan", "--table", table.name, "--stream", stream, "--dead-letters", path)
    assert everyitem.run(*scan).code == DEAD_LETTERS
    assert [letter["item"] for letter in letters(path)] == [LARGE]
    # Dead letters of the previous run do not belong to this one.
    assert everyitem.run(*scan, "--restart").code == DEAD_LETTERS
    assert [letter["item"] for letter in letters(path)] == [LARGE]


def test_large_records(
    everyitem: Everyitem, table: Table, proxy: Callable, stream: str
) -> None:
    sent = []

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation == "DescribeStreamSummary":
            summary = json.loads(forward(request).body)
            summary["StreamDescriptionSummary"]["MaxRecordSizeInKiB"] = 10240
            return json_response(summary)
        sent.extend(request.body["Records"])
        taken = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
        return json_response({"FailedRecordCount": 0, "Records": [taken] * len(request.body["Records"])})

    proxy("kinesis").rule = rule
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    assert result.code == 0, result.stderr
    assert len(sent) == len(table.items) + 1
    assert max(len(record["Data"]) for record in sent) > 1_600_000 * 4 / 3


def test_one_rejected_record(
    backend: Backend, everyitem: Everyitem, table: Table, proxy: Callable, stream: str
) -> None:
    """The stream claims to accept large records, and then rejects the request with one."""

    def rule(request: Request, forward: Forward) -> Response:
        response = forward(request)
        if request.operation == "DescribeStreamSummary":
            summary = json.loads(response.body)
            summary["StreamDescriptionSummary"]["MaxRecordSizeInKiB"] = 10240
            return json_response(summary)
        return response

    proxy("kinesis").rule = rule
    result = everyitem.run("scan", "--table", table.name, "--stream", stream, "--segments", 1)
    assert result.code == DEAD_LETTERS, result.stderr
    assert_all_but_the_letters(backend, table, stream)
    (letter,) = letters(default_path(result))
    assert letter["item"] == LARGE and letter["key"] == {"id": {"S": "large"}}
    assert letter["code"] in ("ValidationException", "SerializationException"), letter["code"]


def test_rejected_records(
    backend: Backend, everyitem: Everyitem, proxy: Callable, stream: str
) -> None:
    table = backend.table(900)
    refused_keys = set()

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation != "PutRecords":
            return forward(request)
        records = request.body["Records"]
        good = [r for r in records if int(r["PartitionKey"], 16) % 100 != 0]
        taken = iter(json.loads(forward(request._replace(body={**request.body, "Records": good})).body)["Records"])
        results = []
        for record in records:
            if record in good:
                results.append(next(taken))
            else:
                refused_keys.add(record["PartitionKey"])
                results.append({"ErrorCode": "InvalidArgumentException", "ErrorMessage": "No such record"})
        return json_response({"FailedRecordCount": len(records) - len(good), "Records": results})

    proxy("kinesis").rule = rule
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    assert refused_keys, "this no longer tests what it says"
    assert result.code == DEAD_LETTERS, result.stderr
    found = letters(default_path(result))
    assert len(found) == len(refused_keys) == result.summary["dead_letters"]
    assert {(letter["code"], letter["reason"]) for letter in found} == {
        ("InvalidArgumentException", "No such record")
    }
    dead = {letter["key"]["id"]["S"] for letter in found}
    others = [item for item in table.items if item["id"]["S"] not in dead]
    assert len(others) + len(dead) == len(table.items)
    assert compare(others, backend.data(stream), HASH).complete


def test_everything_rejected(
    backend: Backend, everyitem: Everyitem, proxy: Callable, stream: str
) -> None:
    """The items are not to blame for this."""
    table = backend.table(600)

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation == "PutRecords":
            return error_response("ValidationException", "No stream of yours")
        return forward(request)

    kinesis = proxy("kinesis")
    kinesis.rule = rule
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    assert result.code == 1, result.stderr
    assert "ValidationException: No stream of yours" in result.stderr
    kinesis.rule = None
    everyitem.scan("--table", table.name, "--stream", stream)
    assert backend.compared(table, stream).complete


def test_unwritable_path(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str
) -> None:
    file = everyitem.home / "file"
    file.touch()
    result = everyitem.run(
        *("scan", "--table", table.name, "--stream", stream, "--dead-letters", file / "letters")
    )
    assert result.code == 1 and "--dead-letters" in result.stderr, result.stderr
    assert backend.data(stream) == []


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="root mounts the disk")
def test_full_disk(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str, tmp_path: Path
) -> None:
    with SmallDisk(tmp_path / "disk", "256k") as disk:
        path = disk.path / "letters"
        scan = ("scan", "--table", table.name, "--stream", stream, "--dead-letters", path)
        result = everyitem.run(*scan)
        assert result.code == 1, result.stderr
        assert str(path) in result.stderr and "No space left" in result.stderr
        disk.grow("64m")
        result = everyitem.run(*scan)
        assert result.code == DEAD_LETTERS, result.stderr
        assert [letter["item"] for letter in letters(path)] == [LARGE]
    assert_all_but_the_letters(backend, table, stream)


def documented_query(backend: Backend, table: str, run: str) -> List[Dict[str, Any]]:
    """What the command in docs/output.md finds."""
    (command,) = re.findall(
        r"(?s)```sh\n(aws dynamodb query .*?)```", (ROOT / "docs/output.md").read_text()
    )
    words = shlex.split(command.replace("\\\n", " "))
    flags = dict(zip(words[3::2], words[4::2]))
    assert flags.pop("--table-name") == "checkpoints"
    values = json.loads(flags.pop("--expression-attribute-values"))
    assert values[":run"] == {"S": "default"}
    found = backend.dynamodb.query(
        TableName=table,
        KeyConditionExpression=flags.pop("--key-condition-expression"),
        ExpressionAttributeNames=json.loads(flags.pop("--expression-attribute-names")),
        ExpressionAttributeValues={**values, ":run": {"S": run}},
    )
    assert not flags, flags
    return found["Items"]


@pytest.mark.parametrize("more", [(), ("--projection", "flags")], ids=["whole", "without key"])
def test_letters_in_checkpoint_table(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str, more: Any
) -> None:
    checkpoints = CheckpointTable(backend)
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 2, *more)
    scan += ("--checkpoint", f"dynamodb:{checkpoints.name}/nightly")
    result = everyitem.run(*scan)
    assert result.code == DEAD_LETTERS, result.stderr
    assert result.summary["dead_letters"] == 1
    assert result.summary["dead_letters_location"] == f"dynamodb:{checkpoints.name}/nightly"
    assert result.notices[-1] == (
        f"everyitem: 1 item could not be delivered; see dynamodb:{checkpoints.name}/nightly for "
        "the reason"
    )
    assert len(backend.data(stream)) == len(table.items)

    (letter,) = documented_query(backend, checkpoints.name, "nightly")
    assert letter["key"] == {"M": {"id": {"S": "large"}}}
    assert letter["table"]["S"].split("/")[-1] == table.name
    assert letter["destination"] == {"S": stream} and letter["attempts"] == {"N": "0"}
    assert letter["reason"]["S"].endswith("at most 1,048,576 bytes, partition key included")
    assert "flags" not in json.dumps(letter) and "expires_at" not in letter
    assert not list(everyitem.home.glob("**/*.ndjson")), "there is a file as well"

    again = everyitem.run(*scan)
    assert again.code == DEAD_LETTERS and again.summary["status"] == "already-complete"
    assert documented_query(backend, checkpoints.name, "nightly") == [letter]

    # A restart keeps the letters of the run before it, which bear another token.
    assert everyitem.run(*scan, "--restart").code == DEAD_LETTERS
    both = documented_query(backend, checkpoints.name, "nightly")
    assert letter in both and len({one["token"]["S"] for one in both}) == 2
    assert checkpoints.run()["token"] in [one["token"] for one in both if one != letter]


def test_file_without_keys(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str
) -> None:
    result = everyitem.run(
        *("scan", "--table", table.name, "--stream", stream, "--projection", "flags")
    )
    assert result.code == DEAD_LETTERS, result.stderr
    (letter,) = letters(default_path(result))
    assert letter["key"] == {"id": {"S": "large"}}
    assert letter["item"] == {"flags": LARGE["flags"]}


def test_missing_table(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str
) -> None:
    result = everyitem.run(
        *("scan", "--table", table.name, "--stream", stream, "--dead-letters", "dynamodb:not-there")
    )
    assert result.code == 2
    assert "dead letters dynamodb:not-there in us-east-1: ResourceNotFoundException" in result.stderr
    assert "Check --dead-letters, the region" in result.stderr
    assert backend.data(stream) == []


def test_killed_before_checkpoint(
    backend: Backend, everyitem: Everyitem, table: Table, stream: str, proxy: Callable
) -> None:
    """The letter is written again by the next process, in the place of the first one."""
    letters_table = CheckpointTable(backend)
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 1)
    scan += ("--dead-letters", f"dynamodb:{letters_table.name}")
    written = 0

    def rule(request: Request, forward: Forward) -> Response:
        nonlocal written
        response = forward(request)
        if request.operation == "PutItem" and response.status == 200:
            written += 1
            process.kill()
        return response

    proxy("dynamodb").rule = rule
    process = everyitem.start(*scan)
    wait_for(lambda: not process.running, "the kill")
    proxy("dynamodb").rule = None
    assert written == 1 and len(letters_table.items()) == 1
    result = everyitem.run(*scan)
    assert result.code == DEAD_LETTERS, result.stderr
    assert len(documented_query(backend, letters_table.name, "default")) == 1
    assert_all_but_the_letters(backend, table, stream)


def test_letters_of_an_index(backend: Backend, everyitem: Everyitem, proxy: Callable) -> None:
    """They have the table's own key, though the projection has neither that nor the index's."""
    loaded = [
        {"id": {"S": f"{n}"}, "shop": {"S": f"shop-{n % 3}"}, "price": {"N": f"{n}"}} for n in range(9)
    ]
    table = backend.table(
        loaded=loaded,
        AttributeDefinitions=[{"AttributeName": "shop", "AttributeType": "S"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-shop",
                "KeySchema": [{"AttributeName": "shop", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    delivered: List[Any] = []

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation != "PutRecords":
            return forward(request)
        results: List[Any] = []
        for record in request.body["Records"]:
            item = json.loads(base64.b64decode(record["Data"]))
            if item == {"price": {"N": "5"}}:
                results.append({"ErrorCode": "InvalidArgumentException", "ErrorMessage": "no"})
            else:
                delivered.append(item)
                results.append({"SequenceNumber": "1", "ShardId": "shardId-000000000000"})
        return json_response({"FailedRecordCount": 1, "Records": results})

    proxy("kinesis").rule = rule
    place = CheckpointTable(backend)
    result = everyitem.run(
        *("scan", "--table", table.name, "--index", "by-shop", "--projection", "price"),
        *("--stream", backend.stream(), "--segments", 1, "--kinesis-wire", "json"),
        *("--dead-letters", f"dynamodb:{place.name}"),
    )
    assert result.code == DEAD_LETTERS, result.stderr
    (letter,) = place.items()
    assert letter["key"] == {"M": {"id": {"S": "5"}}} and letter["index"] == {"S": "by-shop"}
    assert letter["attempts"] == {"N": "1"} and letter["code"] == {"S": "InvalidArgumentException"}
    assert sorted(int(item["price"]["N"]) for item in delivered) == [0, 1, 2, 3, 4, 6, 7, 8]
    assert all(list(item) == ["price"] for item in delivered)
