#!/usr/bin/python3
"""The demo's data: loads the table, creates the stream, or reads the stream back and compares it.

Endpoints and credentials come from the environment, as for everyitem itself. The last line of
output is a summary; the exit code is 1 if an item is missing or differs.
"""

import argparse
import sys
import time

from demodata import services
from demodata.compare import compare
from demodata.items import HASH, items

SHOWN = 10  # at most this many keys of wrong items are printed


def load(arguments: argparse.Namespace) -> int:
    dynamodb = services.client("dynamodb")
    services.create_table(dynamodb, arguments.table)
    start = time.monotonic()
    services.load(arguments.table, arguments.seed, arguments.items)
    seconds = time.monotonic() - start
    print(f"{arguments.items:,} items in {seconds:.1f} s, seed {arguments.seed}")
    return 0


def create_stream(arguments: argparse.Namespace) -> int:
    services.create_stream(services.client("kinesis"), arguments.stream, arguments.shards)
    print(f"{arguments.shards} shards")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    records = services.read_stream(services.client("kinesis"), arguments.stream)
    shards = len({record.shard for record in records})
    loaded = items(arguments.seed, arguments.items)
    result = compare(loaded, (record.data for record in records), HASH)
    for what, keys in (
        ("missing", result.missing),
        ("changed", result.changed),
        ("unexpected", result.unexpected),
    ):
        for key in keys[:SHOWN]:
            print(f"{what}: {key}")
        if len(keys) > SHOWN:
            print(f"{what}: and {len(keys) - SHOWN:,} more")
    print(f"{result}, from {shards} shards")
    return 0 if result.complete else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("load", help="create the table and load it")
    command.add_argument("table")
    command.set_defaults(run=load)
    command = commands.add_parser("create-stream")
    command.add_argument("stream")
    command.add_argument("--shards", type=int, default=4)
    command.set_defaults(run=create_stream)
    command = commands.add_parser("verify", help="read the stream back and compare every item")
    command.add_argument("stream")
    command.set_defaults(run=verify)
    arguments = parser.parse_args()
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
