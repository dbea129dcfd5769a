#!/usr/bin/python3
"""Kills one run at many random instants, resumes it each time, and looks for what is missing.

    tests/e2e/kill_many.py --kills 50

Runs everyitem over the demo's table into a stream of 4 shards, ends it with SIGKILL at a random
instant, starts it again, and so on; then lets it finish, reads the stream back and compares every
item. A proxy before Kinesis slows deliveries down, at random before a batch is stored or between
that and its acknowledgement, so that the kills fall all over one run. Exit code 1 if an item is
missing or changed.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))
os.environ.update(AWS_ACCESS_KEY_ID="AKIDE2E", AWS_SECRET_ACCESS_KEY="boto3", AWS_REGION="us-east-1")

from demodata import services  # noqa: E402
from demodata.compare import Comparison, compare  # noqa: E402
from demodata.items import HASH, items  # noqa: E402
from fault_proxy import FaultProxy, Forward, Request, Response  # noqa: E402
from running import Everyitem  # noqa: E402
from servers import Server  # noqa: E402

LONGEST_LIFE = 0.8  # seconds between a start and its kill, at most
BATCH = 500  # items; about as many as a PutRecords request holds


class Outcome(NamedTuple):
    kills: int  # of a process that was running
    resumed: int  # starts that found progress of the one before
    compared: Comparison

    def __str__(self) -> str:
        return f"{self.kills} kills, {self.resumed} starts resumed: {self.compared}"


def run(kills: int, count: int, seed: int, home: Path) -> Outcome:
    rng = random.Random(seed)
    with Server("dynamodb") as dynamodb, Server("kinesis") as kinesis:
        client = services.client("dynamodb", dynamodb.endpoint)
        services.create_table(client, "orders")
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb.endpoint
        services.load("orders", seed, count)
        stream_client = services.client("kinesis", kinesis.endpoint)
        services.create_stream(stream_client, "backfill", 4)
        with FaultProxy(kinesis.endpoint) as proxy:
            proxy.rule = slowed(rng, seconds=kills * LONGEST_LIFE / 2 / (count / BATCH))
            everyitem = Everyitem(
                home, {"dynamodb": dynamodb.endpoint, "kinesis": proxy.endpoint}
            )
            scan = ("scan", "--table", "orders", "--stream", "backfill", "--segments", 4)
            killed = resumed = 0
            for _ in range(kills):
                process = everyitem.start(*scan)
                time.sleep(rng.uniform(0, LONGEST_LIFE))  # the instant is what is random here
                killed += process.running
                process.kill()
                resumed += "resum" in process.stderr.lower()
            everyitem.endpoints["kinesis"] = kinesis.endpoint
            result = everyitem.run(*scan)
            assert result.code == 0, result.stderr
        records = services.read_stream(stream_client, "backfill")
        loaded = items(seed, count)
        return Outcome(killed, resumed, compare(loaded, (r.data for r in records), HASH))


def slowed(rng: random.Random, seconds: float):
    """A rule that lets batches pass one after the other, each taking so long."""
    one_at_a_time = threading.Lock()

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation != "PutRecords":
            return forward(request)
        with one_at_a_time:
            before = rng.uniform(0, seconds)
            time.sleep(before)
            response = forward(request)
            time.sleep(seconds - before)
            return response

    return rule


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="everyitem-kills.") as home:
        outcome = run(arguments.kills, arguments.items, arguments.seed, Path(home))
    print(outcome)
    return 0 if outcome.compared.complete and outcome.kills == arguments.kills else 1


if __name__ == "__main__":
    sys.exit(main())
