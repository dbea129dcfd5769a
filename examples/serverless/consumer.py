"""Runs your code, `process`, on every item that arrives in the stream.

An item may arrive more than once, so processing it twice must have the same effect as processing it once.
"""

import base64
import json
import os
from typing import Any, Dict, List

import boto3
from boto3.dynamodb.types import TypeDeserializer

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def process(item: Dict[str, Any]) -> None:
    """Your code. This example gives each order a new attribute, its total."""
    try:
        table.update_item(
            Key={"id": item["id"]},
            UpdateExpression="SET order_total = :total",
            ConditionExpression="attribute_exists(id)",  # the order may have been deleted since
            ExpressionAttributeValues={
                ":total": sum(line["quantity"] * line["price"] for line in item["lines"])
            },
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        pass


class ItemDeserializer(TypeDeserializer):
    """Turns DynamoDB JSON as sent over the wire, where binary is base64, into plain Python values."""

    def _deserialize_b(self, value: str) -> bytes:
        return base64.b64decode(value)

    def _deserialize_bs(self, value: List[str]) -> set:
        return {base64.b64decode(one) for one in value}


deserializer = ItemDeserializer()


def consume(event: Dict[str, Any], _context: Any) -> Dict[str, List[Dict[str, str]]]:
    for record in event["Records"]:
        kinesis = record["kinesis"]
        try:
            item = json.loads(base64.b64decode(kinesis["data"]))
            process({name: deserializer.deserialize(value) for name, value in item.items()})
        except Exception as error:
            # Lambda retries from this record on, not the ones before it. The log names the record and not
            # the item, which may be confidential.
            print(json.dumps({"failed": kinesis["sequenceNumber"], "error": type(error).__name__}))
            return {"batchItemFailures": [{"itemIdentifier": kinesis["sequenceNumber"]}]}
    return {"batchItemFailures": []}
