"""The two wire formats for Kinesis: CBOR if the endpoint understands it, otherwise JSON."""

import json
import urllib.request
from typing import Any, Callable, List

from conftest import Backend
from fault_proxy import FaultProxy
from running import Everyitem

# Kinesalite truncates its CBOR responses after 16 KB, which is about 150 records.
FEW = 100


def buffers(backend: Backend, stream: str) -> List[bytes]:
    """Data that kinesalite received in CBOR, which it returns the way Node writes a buffer in JSON."""
    url = backend.endpoints["kinesis"]

    def call(operation: str, **body: Any) -> Any:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Kinesis_20131202.{operation}",
            "X-Amz-Date": "20250101T000000Z",  # it requires a signature but does not check it
            "Authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
        }
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    found = []
    for shard in call("ListShards", StreamName=stream)["Shards"]:
        place = {"StreamName": stream, "ShardId": shard["ShardId"]}
        start = call("GetShardIterator", ShardIteratorType="TRIM_HORIZON", **place)
        records = call("GetRecords", ShardIterator=start["ShardIterator"])["Records"]
        found += [bytes(record["Data"]["data"]) for record in records]
    return found


def test_cbor_with_kinesalite(backend: Backend, everyitem: Everyitem) -> None:
    table, stream = backend.table(FEW), backend.stream()
    everyitem.scan("--table", table.name, "--stream", stream, "--kinesis-wire", "cbor")
    assert sorted(buffers(backend, stream)) == sorted(backend.raw_items(table.name))


def test_json_if_cbor_rejected(
    backend: Backend, everyitem: Everyitem, proxy: Callable[[str], FaultProxy]
) -> None:
    kinesis = proxy("kinesis")
    table, stream = backend.table(FEW), backend.stream()
    everyitem.scan("--table", table.name, "--stream", stream)
    assert kinesis.bodies("PutRecords"), "this no longer tests what it says"
    assert backend.compared(table, stream).complete


def test_json_if_cbor_foreign(
    backend: Backend, everyitem: Everyitem
) -> None:
    # More records per request than fit into a complete CBOR response.
    table, stream = backend.table(10 * FEW), backend.stream()
    everyitem.scan("--table", table.name, "--stream", stream, "--segments", 1)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_requested_wire_is_kept(
    backend: Backend, everyitem: Everyitem, proxy: Callable[[str], FaultProxy]
) -> None:
    kinesis = proxy("kinesis")
    table, stream = backend.table(FEW), backend.stream()
    result = everyitem.run(
        "scan", "--table", table.name, "--stream", stream, "--kinesis-wire", "cbor"
    )
    assert result.code == 1
    assert "UnsupportedMediaTypeException" in result.stderr
    assert "--kinesis-wire" in result.stderr
    assert not kinesis.bodies("PutRecords")
