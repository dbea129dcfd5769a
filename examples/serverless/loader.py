"""Fills the table with made-up orders: {"items": 1000} creates 1,000."""

import os
from decimal import Decimal
from typing import Any, Dict

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def order(number: int) -> Dict[str, Any]:
    price = Decimal(number % 500 + 99) / 100
    lines = [
        {"article": f"article-{(number + line) % 97}", "quantity": 1 + line, "price": price}
        for line in range(1 + number % 3)
    ]
    return {"id": f"order-{number:07}", "lines": lines, "signature": number.to_bytes(4, "big")}


def load(event: Dict[str, Any], _context: Any) -> Dict[str, int]:
    count = event.get("items", 1000)
    with table.batch_writer() as writer:
        for number in range(count):
            writer.put_item(Item=order(number))
    return {"items": count}
