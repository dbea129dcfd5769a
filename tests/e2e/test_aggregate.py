"""--aggregate: many items per record, all of which belong to the record's shard."""

from typing import Any, Dict, List, Tuple

import pytest
from aggregated_records import MAGIC, UserRecord, user_records
from conftest import Backend
from demodata.compare import compare
from fault_proxy import Forward, Request, Response
from running import Everyitem

COUNT = 1500
SHARDS = 4
RECORD_BYTES = 2 * 25 * 1024  # the maximum size of an aggregated record


def hash_key_ranges(backend: Backend, stream: str) -> Dict[str, Tuple[int, int]]:
    shards = backend.kinesis.list_shards(StreamName=stream)["Shards"]
    ranges = {shard["ShardId"]: shard["HashKeyRange"] for shard in shards}
    return {
        shard: (int(range["StartingHashKey"]), int(range["EndingHashKey"]))
        for shard, range in ranges.items()
    }


def read_back(backend: Backend, stream: str) -> List[UserRecord]:
    """The user records of a stream, each checked against the range of its shard, as KCL does."""
    ranges = hash_key_ranges(backend, stream)
    found = []
    for record in backend.records(stream):
        first, last = ranges[record.shard]
        if not record.data.startswith(MAGIC):
            assert len(record.data) > RECORD_BYTES - 200  # too large to share a record
            found.append(UserRecord(record.data, record.partition_key, first))
            continue
        assert len(record.data) <= RECORD_BYTES
        of_record = user_records(record.data)
        for user_record in of_record:
            assert first <= user_record.hash_key <= last
        assert of_record[0].partition_key == record.partition_key
        found += of_record
    return found


@pytest.mark.parametrize("segments", [1, 4, 16])
def test_every_item_once(
    backend: Backend, everyitem: Everyitem, segments: int
) -> None:
    table, stream = backend.table(COUNT), backend.stream(SHARDS)
    result = everyitem.scan(
        *("--table", table.name, "--stream", stream, "--aggregate"),
        *("--segments", segments),
    )
    found = read_back(backend, stream)
    compared = compare(table.items, [record.data for record in found], table.keys)
    assert compared.complete and compared.duplicates == 0, compared
    assert sorted(record.data for record in found) == sorted(backend.raw_items(table.name))
    assert len({record.partition_key for record in found}) == COUNT
    records = backend.records(stream)
    assert len({record.shard for record in records}) == SHARDS
    assert SHARDS <= len(records) < COUNT / 5
    assert result.summary["items"] == COUNT


def test_partition_keys_are_unchanged(
    backend: Backend, everyitem: Everyitem
) -> None:
    table, plain, aggregated = backend.table(100), backend.stream(), backend.stream()
    everyitem.scan("--table", table.name, "--stream", plain)
    everyitem.scan("--table", table.name, "--stream", aggregated, "--aggregate")
    assert {record.data: record.partition_key for record in backend.records(plain)} == {
        record.data: record.partition_key for record in read_back(backend, aggregated)
    }


def test_split_stream(
    backend: Backend, everyitem: Everyitem, proxy: Any
) -> None:
    table, stream = backend.table(COUNT), backend.stream(SHARDS)
    split: List[str] = []

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation == "PutRecords" and request.number == 1:
            for shard, (first, last) in hash_key_ranges(backend, stream).items():
                backend.kinesis.split_shard(
                    StreamName=stream,
                    ShardToSplit=shard,
                    NewStartingHashKey=str((first + last) // 2),
                )
                backend.kinesis.get_waiter("stream_exists").wait(
                    StreamName=stream, WaiterConfig={"Delay": 1}
                )
                split.append(shard)
        return forward(request)

    proxy("kinesis").rule = rule
    everyitem.scan(
        *("--table", table.name, "--stream", stream, "--aggregate", "--segments", 16),
        *("--kinesis-wire", "json"),
    )
    assert len(split) == SHARDS
    found = read_back(backend, stream)
    assert compare(table.items, [record.data for record in found], table.keys).complete
    assert {record.shard for record in backend.records(stream)} - set(split)


def test_large_item_alone(
    backend: Backend, everyitem: Everyitem
) -> None:
    table = backend.table(loaded=[{"id": {"S": "large"}, "filling": {"S": "x" * 300_000}}])
    stream = backend.stream()
    everyitem.scan("--table", table.name, "--stream", stream, "--aggregate")
    (data,) = backend.data(stream)
    assert not data.startswith(MAGIC)
    assert compare(table.items, [data], table.keys).complete


def test_refused_for_files(everyitem: Everyitem) -> None:
    result = everyitem.run("scan", "--table", "orders", "--to", "-", "--aggregate")
    assert result.code == 2
    assert "--aggregate needs --stream" in result.stderr
