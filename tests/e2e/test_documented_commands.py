"""Every `everyitem` command in README, docs and --help runs as it is written there."""

import re
from pathlib import Path
from typing import Dict, List

import pytest
from conftest import Backend
from running import ROOT, Everyitem

from demodata import services
from demodata.items import Keys

COUNT = 200
ORDERS = [
    {"id": {"S": f"order-{n}"}, "status": {"S": "open" if n % 2 else "done"}} for n in range(COUNT)
]
# What the commands deliver: `--filter` lets the open half pass.
DELIVERED = {"--filter": COUNT // 2}


def commands_in(text: str) -> List[str]:
    """Those of code blocks and examples, with continued lines joined and comments cut off."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = re.findall(r"^\s*(?:\$ )?(everyitem (?:scan|whoami)\b.*)$", joined, re.MULTILINE)
    return [re.sub(r"\s+#\s.*$", "", line).strip() for line in lines if "--table" in line]


def documented() -> Dict[str, List[str]]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {page.name: commands_in(page.read_text()) for page in pages}


@pytest.fixture(scope="module")
def orders(backend: Backend) -> None:
    """What the commands name. Other tests number their tables and streams."""
    provisioned = {"ReadCapacityUnits": 4000, "WriteCapacityUnits": 4000}
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    backend.dynamodb.create_table(
        TableName="orders",
        KeySchema=key,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput=provisioned,
    )
    backend.dynamodb.get_waiter("table_exists").wait(
        TableName="orders", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    services.put_items(backend.dynamodb, "orders", ORDERS)
    services.create_table(backend.dynamodb, "checkpoints", Keys({"run": "S", "item": "S"}))
    for stream in ("orders-backfill", "s"):
        services.create_stream(backend.kinesis, stream, 2)


def run_as_written(everyitem: Everyitem, command: str, home: Path) -> None:
    everyitem.home = home
    everyitem.state = home / "state"
    home.mkdir()
    done = everyitem.shell(f"set -o pipefail; {command}")
    text = done.stderr.decode() + "".join(log.read_text() for log in home.glob("*.log"))
    assert done.returncode == 0, f"{command}: {text}"
    flags = [flag for flag in DELIVERED if flag in command]
    expected = DELIVERED[flags[0]] if flags else COUNT
    if expected is not None:
        assert f'"items":{expected},' in text, f"{command}: {text}"


def test_commands_of_the_documents(orders: None, everyitem: Everyitem, tmp_path: Path) -> None:
    pages = documented()
    assert len(pages["README.md"]) >= 5, pages
    for page, commands in pages.items():
        for number, command in enumerate(commands):
            run_as_written(everyitem, command, tmp_path / f"{page}-{number}")


def test_examples_of_the_help(orders: None, everyitem: Everyitem, tmp_path: Path) -> None:
    examples = commands_in(everyitem.run("scan", "--help").stdout.decode())
    examples = [example for example in examples if "Usage" not in example]
    assert len(examples) >= 4, examples
    for number, command in enumerate(examples):
        run_as_written(everyitem, command, tmp_path / f"help-{number}")
