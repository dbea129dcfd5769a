"""Takes records apart with aws-kinesis-agg, as consumers written in Python do.

Run it with the Python of the judges' venv. Each line of standard input is a record as JSON, with `data` in
base64 and `partition_key`; each line of output a user record, with its `hash_key` as well.
"""

import json
import sys
from typing import Any, Dict

from aws_kinesis_agg.deaggregator import deaggregate_records


def as_lambda_gets_it(record: Dict[str, str]) -> Dict[str, Any]:
    return {
        "eventID": "shardId-000000000000:1",
        "eventName": "aws:kinesis:record",
        "eventSource": "aws:kinesis",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/backfill",
        "eventVersion": "1.0",
        "awsRegion": "us-east-1",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/consumer",
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 0,
            "partitionKey": record["partition_key"],
            "data": record["data"],
        },
    }


for line in sys.stdin:
    for user_record in deaggregate_records([as_lambda_gets_it(json.loads(line))]):
        kinesis = user_record["kinesis"]
        data = kinesis["data"]  # in base64, of a record that was aggregated as bytes
        print(
            json.dumps(
                {
                    "data": data if isinstance(data, str) else data.decode(),
                    "partition_key": kinesis["partitionKey"],
                    "hash_key": kinesis.get("explicitHashKey"),
                }
            )
        )
