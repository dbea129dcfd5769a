#!/usr/bin/python3
"""Kills one run at many random moments, resumes it each time, and checks that nothing is missing.

    tests/e2e/kill_many.py --kills 50

Scans the demo's table into a stream of 4 shards, kills everyitem with SIGKILL at a random moment,
starts it again, and so on; then lets it finish, reads the stream back and compares every item. Pages
are small, and a proxy in front of Kinesis slows deliveries down, at random either before a batch is
stored or between storing and acknowledging it, so that the kills are spread over the whole run. Exit
code 1 if an item is missing or changed, if more than two pages per segment were repeated per kill, or
if either half of the run saw no kill.
"""

import argparse
import os
import random
import re
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import List, NamedTuple, Optional, Set

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))
os.environ.update(AWS_ACCESS_KEY_ID="AKIDE2E", AWS_SECRET_ACCESS_KEY="boto3", AWS_REGION="us-east-1")

from demodata import services  # noqa: E402
from demodata.compare import Comparison, compare  # noqa: E402
from demodata.items import HASH, items  # noqa: E402
from fault_proxy import Drop, FaultProxy, Forward, Request, Response, with_page_limit  # noqa: E402
from running import Everyitem  # noqa: E402
from servers import Server  # noqa: E402

LONGEST_LIFE = 1.5  # the longest time between a start and its kill, in seconds
DELIVERING = 0.5  # the fraction of its life in which a process delivers; before that it is starting up
SEGMENTS = 4
PAGE = 50  # items, so few that each process delivers and checkpoints some pages
REPEATED = 2 * SEGMENTS * PAGE  # the largest number of items a kill may cause to be delivered again


class Outcome(NamedTuple):
    kills: List[int]  # kills of a running process, in each quarter of the run
    resumed: int  # starts that found progress of a previous process
    compared: Comparison

    @property
    def acceptable(self) -> bool:
        both_halves = min(sum(self.kills[:2]), sum(self.kills[2:])) > 0
        bounded = self.compared.duplicates <= sum(self.kills) * REPEATED
        return self.compared.complete and bounded and both_halves and self.resumed > 0

    def __str__(self) -> str:
        return (
            f"{sum(self.kills)} kills, {self.kills} in the quarters of the run, "
            f"{self.resumed} starts resumed: {self.compared}"
        )


class Pace:
    """A rule that lets batches pass one at a time, so slowly that all kills happen during the run.

    Whatever a killed process had already sent passes at once, except for batches that would end the
    run before its last kill, which are lost.
    """

    def __init__(self, rng: random.Random, kills: int, count: int) -> None:
        self._rng = rng
        self._lives_left = kills
        self._count = count
        self._arrived: Set[str] = set()
        self._one_at_a_time = threading.Lock()
        self._killed = threading.Condition()

    @property
    def share(self) -> float:
        """The fraction of the table that has arrived, below 1."""
        return min(len(self._arrived) / self._count, 0.999)

    def next_life(self) -> None:
        with self._killed:
            self._lives_left -= 1
            self._killed.notify_all()

    def __call__(self, request: Request, forward: Forward) -> Response:
        if request.operation != "PutRecords":
            return forward(request)
        life = self._lives_left
        records = request.body["Records"]
        with self._one_at_a_time:
            data = {record["Data"] for record in records}
            if life > 0 and len(self._arrived | data) >= self._count:
                # These would end the run, but there are kills left.
                self._wait(None, life)
                raise Drop
            missing = max(self._count - len(self._arrived), 1)
            seconds = len(records) * life * LONGEST_LIFE / 2 * DELIVERING / missing
            before = self._rng.uniform(0, seconds)
            self._wait(before, life)
            response = forward(request)
            self._arrived |= data
            self._wait(seconds - before, life)
            return response

    def _wait(self, seconds: Optional[float], life: int) -> None:
        with self._killed:
            self._killed.wait_for(lambda: self._lives_left != life, seconds)


def run(kills: int, count: int, seed: int, home: Path) -> Outcome:
    rng = random.Random(seed)
    with Server("dynamodb") as dynamodb, Server("kinesis") as kinesis:
        client = services.client("dynamodb", dynamodb.endpoint)
        services.create_table(client, "orders")
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb.endpoint
        services.load("orders", seed, count)
        stream_client = services.client("kinesis", kinesis.endpoint)
        services.create_stream(stream_client, "backfill", 4)
        scan = ("scan", "--table", "orders", "--stream", "backfill", "--segments", SEGMENTS)
        everyitem = Everyitem(home, {})
        pace = Pace(rng, kills, count)
        quarters, resumed = [0] * 4, 0
        with FaultProxy(dynamodb.endpoint) as pages, FaultProxy(kinesis.endpoint) as batches:
            pages.rule, batches.rule = with_page_limit(PAGE), pace
            everyitem.endpoints = {"dynamodb": pages.endpoint, "kinesis": batches.endpoint}
            for _ in range(kills):
                process = everyitem.start(*scan)
                time.sleep(rng.uniform(0, LONGEST_LIFE))  # only the moment is random
                quarters[int(4 * pace.share)] += process.running
                process.kill()
                pace.next_life()
                resumed += bool(re.search("resuming after [1-9]", process.stderr))
        everyitem.endpoints = {"dynamodb": dynamodb.endpoint, "kinesis": kinesis.endpoint}
        result = everyitem.run(*scan)
        assert result.code == 0, result.stderr
        records = services.read_stream(stream_client, "backfill")
        loaded = items(seed, count)
        return Outcome(quarters, resumed, compare(loaded, (r.data for r in records), HASH))


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
    return 0 if outcome.acceptable and sum(outcome.kills) == arguments.kills else 1


if __name__ == "__main__":
    sys.exit(main())
