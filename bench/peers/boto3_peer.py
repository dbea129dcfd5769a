#!/usr/bin/python3
"""The benchmark's peer in Python: boto3, one thread per segment, PutRecords requests of 500.

Written the way someone who knows boto3 would: the client instead of the resource, one connection per
thread, no validation of parameters that are known to be valid, compact JSON.
"""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List

import boto3
from botocore.config import Config

MAX_RECORDS = 500
MAX_BYTES = 5 << 20


def put(kinesis: Any, stream: str, records: List[Dict[str, Any]]) -> None:
    while records:
        response = kinesis.put_records(StreamName=stream, Records=records)
        if response["FailedRecordCount"] == 0:
            return
        records = [
            record
            for record, result in zip(records, response["Records"])
            if result.get("ErrorCode") is not None
        ]


def deliver(options: argparse.Namespace, dynamodb: Any, kinesis: Any, segment: int) -> int:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=options.table, Segment=segment, TotalSegments=options.segments
    )
    items = 0
    for page in pages:
        records: List[Dict[str, Any]] = []
        size = 0
        for item in page["Items"]:
            data = json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()
            key = item["pk"]["S"]
            if len(records) == MAX_RECORDS or size + len(data) + len(key) > MAX_BYTES:
                put(kinesis, options.stream, records)
                records, size = [], 0
            records.append({"Data": data, "PartitionKey": key})
            size += len(data) + len(key)
        put(kinesis, options.stream, records)
        items += len(page["Items"])
    return items


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--stream", required=True)
    parser.add_argument("--segments", type=int, default=8)
    options = parser.parse_args()
    config = Config(max_pool_connections=options.segments, parameter_validation=False)
    dynamodb = boto3.client("dynamodb", endpoint_url=options.endpoint_url, config=config)
    kinesis = boto3.client("kinesis", endpoint_url=options.endpoint_url, config=config)
    with ThreadPoolExecutor(options.segments) as threads:
        items = sum(
            threads.map(
                lambda segment: deliver(options, dynamodb, kinesis, segment),
                range(options.segments),
            )
        )
    print(items)


if __name__ == "__main__":
    main()
