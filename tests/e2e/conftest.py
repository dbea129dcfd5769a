"""Fixtures: the servers, tables, streams, and everyitem itself."""

import http.client
import itertools
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))

# Debian 12's boto3 takes endpoints only as arguments, and its credentials from here.
os.environ.update(AWS_ACCESS_KEY_ID="AKIDE2E", AWS_SECRET_ACCESS_KEY="boto3", AWS_REGION="us-east-1")

from demodata import services  # noqa: E402
from demodata.compare import Comparison, compare  # noqa: E402
from demodata.items import HASH, Item, Keys, items  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from fault_server import FaultServer  # noqa: E402
from lambda_host import SECRET_ACCESS_KEY, LambdaHost, Start  # noqa: E402
from running import BINARY, ROOT, Everyitem  # noqa: E402
from servers import Server  # noqa: E402

SEED = int(os.environ.get("EVERYITEM_SEED", random.SystemRandom().randrange(10**6)))

_numbers = itertools.count()


def pytest_report_header() -> List[str]:
    return [f"everyitem: {BINARY}", f"seed: EVERYITEM_SEED={SEED}"]


def pytest_configure(config: Any) -> None:
    config.addinivalue_line("markers", "slow: takes many seconds; left out by ./test --quick")
    config.addinivalue_line("markers", "full: takes minutes; only ./test --full runs it")


def pytest_sessionstart() -> None:
    if not BINARY.exists():
        pytest.exit(f"build everyitem first, there is no {BINARY}", returncode=1)


@pytest.fixture(autouse=True)
def shown_seed() -> None:
    """Shown by pytest with the output of a failing test."""
    print(f"EVERYITEM_SEED={SEED}")


class Table(NamedTuple):
    name: str
    keys: Keys
    items: List[Item]


class Backend:
    """The two servers, and operations that tests need on them."""

    def __init__(self, dynamodb: Server, kinesis: Server) -> None:
        self.endpoints = {"dynamodb": dynamodb.endpoint, "kinesis": kinesis.endpoint}
        self.dynamodb = services.client("dynamodb", dynamodb.endpoint)
        self.kinesis = services.client("kinesis", kinesis.endpoint)

    def table(
        self,
        count: int = 0,
        keys: Keys = HASH,
        loaded: Optional[List[Item]] = None,
        **more: Any,
    ) -> Table:
        """A new table with `count` generated items, or with the given ones."""
        name = f"table-{next(_numbers)}"
        services.create_table(self.dynamodb, name, keys, **more)
        loaded = list(items(SEED, count, keys)) if loaded is None else loaded
        services.put_items(self.dynamodb, name, loaded)
        return Table(name, keys, loaded)

    def stream(self, shards: int = 2) -> str:
        name = f"stream-{next(_numbers)}"
        services.create_stream(self.kinesis, name, shards)
        return name

    def records(self, stream: str) -> List[services.Record]:
        return services.read_stream(self.kinesis, stream)

    def data(self, stream: str) -> List[bytes]:
        return [record.data for record in self.records(stream)]

    def compared(self, table: Table, stream: str) -> Comparison:
        return compare(table.items, self.data(stream), table.keys)

    def raw_items(self, table: str, **request: Any) -> List[bytes]:
        """Every item of a table, as the exact bytes the server sends."""
        found: List[bytes] = []
        body = {"TableName": table, **request}
        while True:
            connection = http.client.HTTPConnection(self.endpoints["dynamodb"].split("//")[1])
            headers = {
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": "DynamoDB_20120810.Scan",
                "X-Amz-Date": "20250101T000000Z",  # dynalite requires a signature but does not check it
                "Authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
            }
            connection.request("POST", "/", json.dumps(body), headers)
            text = connection.getresponse().read().decode()
            connection.close()
            page = json.loads(text)
            found += split_items(text)
            assert len(page["Items"]) == page["Count"]
            if "LastEvaluatedKey" not in page:
                return found
            body["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def split_items(page: str) -> List[bytes]:
    """The items of a Scan response, cut out of its text."""
    decoder = json.JSONDecoder()
    position = page.index('"Items":[') + len('"Items":[')
    found = []
    while page[position] != "]":
        _, end = decoder.raw_decode(page, position)
        found.append(page[position:end].encode())
        position = end + (page[end] == ",")
    return found


@pytest.fixture(scope="session")
def backend() -> Iterator[Backend]:
    with Server("dynamodb") as dynamodb, Server("kinesis") as kinesis:
        yield Backend(dynamodb, kinesis)


@pytest.fixture
def everyitem(tmp_path: Path, backend: Backend) -> Everyitem:
    everyitem = Everyitem(tmp_path, backend.endpoints)
    everyitem.endpoints["sts"] = "http://127.0.0.1:1"  # nobody is there
    return everyitem


@pytest.fixture
def proxy(backend: Backend, everyitem: Everyitem) -> Iterator[Callable[[str], FaultProxy]]:
    """Puts a proxy between everyitem and a service: proxy("kinesis")."""
    proxies: Dict[str, FaultProxy] = {}

    def between(service: str) -> FaultProxy:
        if service not in proxies:
            proxies[service] = FaultProxy(backend.endpoints[service])
            everyitem.endpoints[service] = proxies[service].endpoint
        return proxies[service]

    yield between
    for one in proxies.values():
        one.__exit__()


@pytest.fixture(scope="session")
def lambda_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Lambda package of the program under test, built the way ./package-lambda builds it."""
    path = tmp_path_factory.mktemp("lambda") / "everyitem-lambda.zip"
    subprocess.run([ROOT / "scripts/lambda_zip.py", BINARY, path], check=True)
    return path


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks a Lambda package as Lambda does, and returns its bootstrap."""
    with zipfile.ZipFile(archive) as entries:
        entries.extractall(folder)
        for entry in entries.infolist():
            (folder / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    return folder / "bootstrap"


@pytest.fixture(scope="session")
def lambda_bootstrap(lambda_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(lambda_zip, tmp_path_factory.mktemp("task"))


@pytest.fixture
def start(lambda_bootstrap: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a host whose function scans the fault server's table: start(server, [2.0, 30.0])."""
    hosts: List[LambdaHost] = []

    def start_host(server: FaultServer, time_limits: List[float], **settings: Any) -> LambdaHost:
        env = {
            "TABLE_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/generated",
            "STREAM_ARN": "arn:aws:kinesis:us-east-1:123456789012:stream/backfill",
            "CHECKPOINT": f"sqlite:{tmp_path}/run",
            "SEGMENTS": "4",
            "HANDOVER_SECONDS": "1",
            "AWS_ENDPOINT_URL_DYNAMODB": server.url,
            "AWS_ENDPOINT_URL_KINESIS": server.url,
            "AWS_ENDPOINT_URL_STS": server.url,
            **{name: str(value) for name, value in settings.items()},
        }
        hosts.append(LambdaHost([str(lambda_bootstrap)], tmp_path, env, time_limits))
        return hosts[-1]

    yield start_host
    for host in hosts:
        host.__exit__()
        assert SECRET_ACCESS_KEY not in host.log_file.read_text()
