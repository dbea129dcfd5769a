"""Aggregated records, taken apart by aws-kinesis-agg, AWS Labs' library for consumers in Python."""

import base64
from collections import Counter
from typing import Any

from conftest import HASH, Moto
from demodata.compare import compare
from running import Everyitem

COUNT = 1500


def test_consumer_finds_every_item(
    moto: Moto, everyitem: Everyitem, deaggregated: Any
) -> None:
    table, plain, aggregated = moto.table(COUNT), moto.stream(), moto.stream()
    for stream, more in ((plain, ()), (aggregated, ("--aggregate",))):
        everyitem.scan(
            *("--table", table.name, "--stream", stream, "--segments", 4),
            *("--kinesis-wire", "json", *more),
        )
    records = moto.records(aggregated)
    assert 4 <= len(records) < COUNT / 5, "nothing is aggregated"
    found = deaggregated(records)
    data = [base64.b64decode(one["data"]) for one in found]
    compared = compare(table.items, data, HASH)
    assert compared.complete and compared.duplicates == 0, compared

    # The same items with the same partition keys as records of their own.
    assert Counter(
        (record.data, record.partition_key) for record in moto.records(plain)
    ) == Counter((item, one["partition_key"]) for item, one in zip(data, found))


def test_consumer_drops_nothing(
    moto: Moto, everyitem: Everyitem, deaggregated: Any
) -> None:
    table, stream = moto.table(COUNT), moto.stream(8)
    everyitem.scan(
        *("--table", table.name, "--stream", stream, "--aggregate", "--kinesis-wire", "json")
    )
    ranges = {
        shard["ShardId"]: shard["HashKeyRange"]
        for shard in moto.kinesis.list_shards(StreamName=stream)["Shards"]
    }
    shards: Counter = Counter()
    with_hash_key = 0
    for record in moto.records(stream):
        first = int(ranges[record.shard]["StartingHashKey"])
        last = int(ranges[record.shard]["EndingHashKey"])
        for one in deaggregated([record]):
            shards[record.shard] += 1
            if one["hash_key"] is not None:  # there is none if an item has a record of its own
                with_hash_key += 1
                assert first <= int(one["hash_key"]) <= last
    assert with_hash_key > COUNT * 0.9
    assert sum(shards.values()) == COUNT and len(shards) == 8
