"""Fixtures for what others wrote: moto's server, and the Python of the judges' venv."""

import base64
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT / "tests/e2e"), str(ROOT / "scripts")]

# Debian 12's boto3 takes endpoints as arguments only, and its credentials from here.
os.environ.update(AWS_ACCESS_KEY_ID="AKIDCOMPAT", AWS_SECRET_ACCESS_KEY="boto3", AWS_REGION="us-east-1")

from demodata import services  # noqa: E402
from demodata.items import HASH, Item, Keys, items  # noqa: E402
from running import Everyitem  # noqa: E402

PYTHON = Path(os.environ.get("EVERYITEM_JUDGES_PYTHON", ROOT / "build/judges/venv/bin/python"))

_numbers = itertools.count()


def pytest_sessionstart() -> None:
    if not PYTHON.exists():
        pytest.exit(f"there is no {PYTHON}: run ./test --judges", returncode=1)


class Table(NamedTuple):
    name: str
    items: List[Item]


class Moto:
    """moto's server, with what tests do there through boto3."""

    SERVICES = ("dynamodb", "kinesis", "ssm", "sts")

    def __init__(self, endpoint: str) -> None:
        self.endpoints = {service: endpoint for service in self.SERVICES}
        self.dynamodb = services.client("dynamodb", endpoint)
        self.kinesis = services.client("kinesis", endpoint)
        self.ssm = services.client("ssm", endpoint)

    def table(self, count: int, seed: int = 1) -> Table:
        name = f"table-{next(_numbers)}"
        services.create_table(self.dynamodb, name)
        loaded = list(items(seed, count, HASH))
        services.put_items(self.dynamodb, name, loaded)
        return Table(name, loaded)

    def checkpoint_table(self) -> str:
        name = f"checkpoints-{next(_numbers)}"
        services.create_table(self.dynamodb, name, Keys({"run": "S", "item": "S"}))
        return name

    def stream(self, shards: int = 4) -> str:
        name = f"stream-{next(_numbers)}"
        services.create_stream(self.kinesis, name, shards)
        return name

    def records(self, stream: str) -> List[services.Record]:
        return services.read_stream(self.kinesis, stream)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as errors, subprocess.Popen(
        [PYTHON, "-B", Path(__file__).with_name("moto_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
    ) as process:
        assert process.stdout and process.stdin
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Moto(f"http://127.0.0.1:{json.loads(line)['port']}")
        process.stdin.close()
        process.wait(30)


@pytest.fixture
def everyitem(tmp_path: Path, moto: Moto) -> Everyitem:
    return Everyitem(tmp_path, moto.endpoints)


@pytest.fixture
def deaggregated() -> Any:
    """The user records that aws-kinesis-agg finds in Kinesis records."""

    def take_apart(records: List[services.Record]) -> List[Any]:
        lines = "".join(
            json.dumps(
                {"data": base64.b64encode(one.data).decode(), "partition_key": one.partition_key}
            )
            + "\n"
            for one in records
        )
        done = subprocess.run(
            [PYTHON, "-B", Path(__file__).with_name("deaggregate.py")],
            input=lines,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return take_apart
