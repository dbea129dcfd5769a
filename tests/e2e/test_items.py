"""Every item of a table arrives in the stream exactly as it is in the table."""

import base64
import collections
import json
from typing import Any

import pytest
from conftest import Backend, Table
from demodata.compare import to_json
from demodata.items import BINARY, HASH, HASH_AND_RANGE, Keys
from fault_proxy import Forward, Request, Response, with_page_limit
from running import Everyitem

COUNT = 1500


@pytest.fixture(scope="module")
def varied(backend: Backend) -> Any:
    """Tables of varied items, one for each kind of primary key."""
    tables = {}

    def table(keys: Keys) -> Table:
        name = "-".join(keys.schema)
        if name not in tables:
            tables[name] = backend.table(COUNT, keys)
        return tables[name]

    return table


@pytest.mark.parametrize(
    ("keys", "segments"),
    [(HASH, 1), (HASH, 4), (HASH, 16), (HASH, 100), (HASH_AND_RANGE, 4), (BINARY, 4)],
    ids=lambda value: "-".join(value.schema) if isinstance(value, Keys) else str(value),
)
def test_every_type_byte_exact(
    backend: Backend, everyitem: Everyitem, varied: Any, keys: Keys, segments: int
) -> None:
    table = varied(keys)
    stream = backend.stream(shards=4)
    result = everyitem.scan("--table", table.name, "--stream", stream, "--segments", segments)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
    assert sorted(backend.data(stream)) == sorted(backend.raw_items(table.name))
    assert result.summary["status"] == "complete"
    assert result.summary["items"] == COUNT


def test_segments_chosen_and_named(
    backend: Backend, everyitem: Everyitem, varied: Any
) -> None:
    table, stream = varied(HASH), backend.stream()
    result = everyitem.scan("--table", table.name, "--stream", stream)
    assert any("segment" in notice for notice in result.notices), result.stderr
    assert backend.compared(table, stream).complete


def test_empty_table(backend: Backend, everyitem: Everyitem) -> None:
    table, stream = backend.table(0), backend.stream()
    result = everyitem.scan("--table", table.name, "--stream", stream)
    assert backend.data(stream) == []
    assert result.summary["status"] == "complete" and result.summary["items"] == 0


def test_empty_last_page(
    backend: Backend, everyitem: Everyitem
) -> None:
    # 15 items of 70,000 bytes reach the 1 MB at which a page ends; 45 of them fill three pages,
    # and the third still reports that there may be more.
    loaded = [{"id": {"S": f"{n}"}, "text": {"S": "x" * 70_000}} for n in range(45)]
    table, stream = backend.table(loaded=loaded), backend.stream()
    pages = list(backend.dynamodb.get_paginator("scan").paginate(TableName=table.name))
    assert [page["Count"] for page in pages] == [15, 15, 15, 0], "this no longer tests what it says"
    result = everyitem.scan("--table", table.name, "--stream", stream, "--segments", 1)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
    assert result.summary["status"] == "complete"


@pytest.mark.parametrize("segments", [1, 4])
def test_page_limit_divides_items(
    backend: Backend, everyitem: Everyitem, proxy: Any, segments: int
) -> None:
    table, stream = backend.table(300), backend.stream()
    dynamodb = proxy("dynamodb")
    dynamodb.rule = with_page_limit(50 if segments == 1 else 1)
    everyitem.scan("--table", table.name, "--stream", stream, "--segments", segments)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
    # The run tries to read once before it begins. Each segment ends with an empty page.
    pages = 300 // 50 + 1 if segments == 1 else 300 + segments
    assert len(dynamodb.bodies("Scan")) == 1 + pages


def test_empty_pages_in_between(
    backend: Backend, everyitem: Everyitem, proxy: Any
) -> None:
    loaded = [{"id": {"S": f"{n}"}, "last": {"BOOL": False}} for n in range(400)]
    table, stream = backend.table(loaded=loaded), backend.stream()
    last = json.loads(backend.raw_items(table.name)[-1])["id"]
    dynamodb = proxy("dynamodb")
    dynamodb.rule = with_page_limit(10)
    everyitem.scan(
        *("--table", table.name, "--stream", stream, "--segments", 1),
        *("--filter", "id = :last", "--values", json.dumps({":last": last})),
    )
    assert [json.loads(line)["id"] for line in backend.data(stream)] == [last]
    assert len(dynamodb.bodies("Scan")) > 40


def test_items_of_400_kb(
    backend: Backend, everyitem: Everyitem, proxy: Any
) -> None:
    data = base64.b64encode(bytes(range(256)) * 1580).decode()  # 404,480 bytes; the maximum is 409,600
    loaded = [{"id": {"S": f"{n}"}, "data": {"B": data}} for n in range(30)]
    table, stream = backend.table(loaded=loaded), backend.stream()
    kinesis = proxy("kinesis")
    everyitem.scan("--table", table.name, "--stream", stream, "--segments", 4)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
    for body in kinesis.bodies("PutRecords"):
        size = sum(
            len(base64.b64decode(record["Data"])) + len(record["PartitionKey"].encode())
            for record in body["Records"]
        )
        assert size <= 5 * 1024 * 1024
        assert len(body["Records"]) <= 500


def test_global_secondary_index(
    backend: Backend, everyitem: Everyitem
) -> None:
    loaded = [
        {"id": {"S": f"{n}"}, **({"shop": {"S": f"shop-{n % 7}"}} if n % 3 == 0 else {})}
        for n in range(300)
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
    stream = backend.stream()
    everyitem.scan("--table", table.name, "--stream", stream, "--index", "by-shop")
    found = sorted(backend.data(stream))
    assert found == sorted(to_json(item) for item in loaded if "shop" in item)


def test_scan_options_passed_on(
    backend: Backend, everyitem: Everyitem, varied: Any, proxy: Any
) -> None:
    table, stream = varied(HASH), backend.stream()
    dynamodb = proxy("dynamodb")
    request = {
        "FilterExpression": "#status = :paid",
        "ProjectionExpression": "id, #status, address.#zip",
        "ExpressionAttributeNames": {"#status": "status", "#zip": "zip"},
        "ExpressionAttributeValues": {":paid": {"S": "paid"}},
    }
    everyitem.scan(
        *("--table", table.name, "--stream", stream, "--consistent", "--segments", 3),
        *("--filter", request["FilterExpression"]),
        *("--projection", request["ProjectionExpression"]),
        *("--names", json.dumps(request["ExpressionAttributeNames"])),
        *("--values", json.dumps(request["ExpressionAttributeValues"])),
    )
    wanted = backend.raw_items(table.name, **request)
    assert 0 < len(wanted) < COUNT
    assert sorted(backend.data(stream)) == sorted(wanted)
    scans = dynamodb.bodies("Scan")
    assert all(body["ConsistentRead"] is True for body in scans)
    assert {body["Segment"] for body in scans} == {0, 1, 2}


@pytest.mark.parametrize("projection", ["address", "address.street"])
def test_projection_without_key(
    backend: Backend, everyitem: Everyitem, varied: Any, projection: str
) -> None:
    table, stream = varied(HASH), backend.stream()
    everyitem.scan("--table", table.name, "--stream", stream, "--projection", projection)
    wanted = backend.raw_items(table.name, ProjectionExpression=projection)
    assert sorted(backend.data(stream)) == sorted(wanted)


@pytest.mark.parametrize("keys", [HASH, HASH_AND_RANGE])
def test_cut_projection_without_key(
    backend: Backend, everyitem: Everyitem, varied: Any, keys: Keys
) -> None:
    """The key is read all the same, so the next run continues behind any item."""
    table, stream = varied(keys), backend.stream()
    scan = ("--table", table.name, "--stream", stream, "--projection", "address, tags")
    for limit in (1, 333, 1000):
        everyitem.scan(*scan, "--limit", limit)
    everyitem.scan(*scan)
    wanted = backend.raw_items(table.name, ProjectionExpression="address, tags")
    assert sorted(backend.data(stream)) == sorted(wanted)


def test_limit_is_exact(
    backend: Backend, everyitem: Everyitem, varied: Any
) -> None:
    table, stream = varied(HASH), backend.stream()
    scan = ("--table", table.name, "--stream", stream, "--segments", 4, "--limit", 600)
    result = everyitem.scan(*scan)
    assert result.summary["status"] == "limit-reached"
    assert len(backend.data(stream)) == 600
    result = everyitem.scan(*scan)
    assert result.summary["status"] == "limit-reached"
    assert len(backend.data(stream)) == 1200
    result = everyitem.scan(*scan)
    assert result.summary["status"] == "complete"
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_filtered_limit_resumes(
    backend: Backend, everyitem: Everyitem, varied: Any
) -> None:
    table, stream = varied(HASH), backend.stream()
    filtered = ("--filter", "attribute_exists(address)", "--segments", 1)
    wanted = backend.raw_items(table.name, FilterExpression="attribute_exists(address)")
    scan = ("--table", table.name, "--stream", stream, *filtered, "--limit", 200)
    for delivered in (200, 400, len(wanted)):
        everyitem.scan(*scan)
        assert len(set(backend.data(stream))) == delivered
    assert everyitem.scan(*scan).summary["status"] == "already-complete"


def test_limit_of_one(backend: Backend, everyitem: Everyitem, varied: Any) -> None:
    table, stream = varied(HASH), backend.stream()
    for delivered in (1, 2, 3):
        everyitem.scan(
            *("--table", table.name, "--stream", stream, "--segments", 16, "--limit", 1)
        )
        assert len(set(backend.data(stream))) == delivered


def test_partition_key_of_item(
    backend: Backend, everyitem: Everyitem, varied: Any
) -> None:
    table = varied(HASH_AND_RANGE)
    streams = [backend.stream(shards=4) for _ in range(2)]
    for stream in streams:
        everyitem.scan("--table", table.name, "--stream", stream, "--partition-key", "key")
    first, second = (
        {record.data: record.partition_key for record in backend.records(stream)}
        for stream in streams
    )
    assert first == second
    shards = collections.Counter(record.shard for record in backend.records(streams[0]))
    assert len(shards) == 4 and min(shards.values()) > COUNT / 4 / 3, shards


def test_random_partition_key(
    backend: Backend, everyitem: Everyitem, varied: Any
) -> None:
    table, stream = varied(HASH), backend.stream(shards=4)
    for again in ((), ("--restart",)):
        everyitem.scan(
            *("--table", table.name, "--stream", stream, "--partition-key", "random", *again)
        )
    records = backend.records(stream)
    assert len(records) == 2 * COUNT
    assert len({record.partition_key for record in records}) > 1.9 * COUNT
    shards = collections.Counter(record.shard for record in records)
    assert len(shards) == 4 and min(shards.values()) > COUNT / 2 / 3, shards


def test_table_stream_by_arn(backend: Backend, everyitem: Everyitem, proxy: Any) -> None:
    table, stream = backend.table(10), backend.stream()
    table_arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{table.name}"
    stream_arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{stream}"

    def rule(request: Request, forward: Forward) -> Response:
        """The services accept an ARN instead of a name; the test servers only know names."""
        body = dict(request.body)
        if body.get("TableName") == table_arn:
            body["TableName"] = table.name
        if body.pop("StreamARN", "") == stream_arn:
            body["StreamName"] = stream
        return forward(request._replace(body=body))

    for service in ("dynamodb", "kinesis"):
        proxy(service).rule = rule
    everyitem.scan("--table", table_arn, "--stream", stream_arn)
    assert backend.compared(table, stream).complete


def test_region_of_arn_signed(everyitem: Everyitem, proxy: Any) -> None:
    dynamodb = proxy("dynamodb")
    arn = "arn:aws:dynamodb:eu-south-2:000000000000:table/orders"
    everyitem.run("scan", "--table", arn, "--to", "-")
    assert "/eu-south-2/" in dynamodb.requests[0].headers["Authorization"]
