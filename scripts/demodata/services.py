"""Tables and streams through boto3, an official client that shares no code with everyitem."""

import base64
import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

import boto3
from botocore.config import Config

from .items import HASH, Item, Keys, item

BATCH_ITEMS = 25  # items; BatchWriteItem's limit
BATCH_BYTES = 4 * 1024 * 1024  # bytes of JSON; well below BatchWriteItem's 16 MB
DEADLINE = 60  # seconds for a table or stream to become ACTIVE


class Record(NamedTuple):
    shard: str
    partition_key: str
    data: bytes


def client(service: str, endpoint: Optional[str] = None) -> Any:
    """A client for `service`, by default at the endpoint in AWS_ENDPOINT_URL_<SERVICE>.

    Debian 12's boto3 does not know that variable yet. Parameter validation is off because it takes most
    of botocore's time for large batches.
    """
    return boto3.client(
        service,
        endpoint_url=endpoint or os.environ[f"AWS_ENDPOINT_URL_{service.upper()}"],
        region_name=os.environ.get("AWS_REGION", "us-east-1"),
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        config=Config(parameter_validation=False, retries={"max_attempts": 3}, proxies={}),
    )


def wait_until_active(describe: Any, what: str) -> None:
    """Polls `describe`, which returns a status, until the status is ACTIVE."""
    deadline = time.monotonic() + DEADLINE
    while describe() != "ACTIVE":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not become ACTIVE within {DEADLINE} s")
        time.sleep(0.02)


def create_table(dynamodb: Any, name: str, keys: Keys = HASH, **more: Any) -> None:
    """Creates a table and waits until it is active. `more` can add attribute definitions and indexes."""
    definitions = [{"AttributeName": n, "AttributeType": t} for n, t in keys.schema.items()]
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=definitions + more.pop("AttributeDefinitions", []),
        KeySchema=[
            {"AttributeName": attribute, "KeyType": kind}
            for attribute, kind in zip(keys.schema, ("HASH", "RANGE"))
        ],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    wait_until_active(
        lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"], f"table {name}"
    )


def create_stream(kinesis: Any, name: str, shards: int) -> None:
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    wait_until_active(
        lambda: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"][
            "StreamStatus"
        ],
        f"stream {name}",
    )


def _for_boto3(value: Dict[str, Any]) -> Dict[str, Any]:
    """The same attribute value with binary as bytes, which boto3 encodes."""
    ((kind, inner),) = value.items()
    if kind == "B":
        return {"B": base64.b64decode(inner)}
    if kind == "BS":
        return {"BS": [base64.b64decode(part) for part in inner]}
    if kind == "L":
        return {"L": [_for_boto3(part) for part in inner]}
    if kind == "M":
        return {"M": {name: _for_boto3(part) for name, part in inner.items()}}
    return value


def put_items(dynamodb: Any, table: str, loaded: Iterable[Item]) -> int:
    """Writes the items, retrying unprocessed ones; returns how many were written."""
    count = 0
    batch: List[Item] = []
    size = 0

    def flush() -> None:
        nonlocal count, size
        count += len(batch)
        waiting = {table: [{"PutRequest": {"Item": one}} for one in batch]} if batch else {}
        while waiting:
            waiting = dynamodb.batch_write_item(RequestItems=waiting).get("UnprocessedItems", {})
        batch.clear()
        size = 0

    for one in loaded:
        batch.append({name: _for_boto3(value) for name, value in one.items()})
        size += len(repr(one))
        if len(batch) == BATCH_ITEMS or size > BATCH_BYTES:
            flush()
    flush()
    return count


def _load_part(table: str, seed: int, indexes: range, keys: Keys) -> None:
    # The parent process handles interrupts; this one just ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    put_items(client("dynamodb"), table, (item(seed, index, keys) for index in indexes))


def load(table: str, seed: int, count: int, keys: Keys = HASH, processes: int = 2) -> None:
    """Loads the generated items into an existing table, in parallel."""
    parts = [
        multiprocessing.Process(
            target=_load_part, args=(table, seed, range(part, count, processes), keys), daemon=True
        )
        for part in range(processes)
    ]
    for part in parts:
        part.start()
    for part in parts:
        part.join()
        if part.exitcode != 0:
            raise RuntimeError(f"loading {table} failed")


def _read_shard(kinesis: Any, stream: str, shard: str) -> List[Record]:
    """All records of a shard, from the oldest to those that existed when reading started."""
    records: List[Record] = []
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while iterator:
        response = kinesis.get_records(ShardIterator=iterator, Limit=10000)
        records += [Record(shard, r["PartitionKey"], r["Data"]) for r in response["Records"]]
        if not response["Records"] and response.get("MillisBehindLatest", 0) == 0:
            break
        iterator = response.get("NextShardIterator")
    return records


def read_stream(kinesis: Any, stream: str) -> List[Record]:
    """All records of a stream, shard by shard, in order within each shard."""
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=stream)["Shards"]]
    with ThreadPoolExecutor(max_workers=4) as pool:
        parts = pool.map(lambda shard: _read_shard(kinesis, stream, shard), shards)
        return [record for part in parts for record in part]
