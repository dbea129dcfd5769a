"""everyitem against moto, an implementation of AWS that shares no code with the servers of tests/e2e.

moto answers CBOR with 500 and no code, so the run falls back to JSON by itself: no setting is needed.
"""

import json
from typing import Any

import pytest
from conftest import HASH, Moto
from demodata.compare import compare
from running import Everyitem
from sharing import two_of_four_are_killed

COUNT = 1000


@pytest.mark.parametrize("segments", [1, 8])
def test_every_item_arrives_unchanged(moto: Moto, everyitem: Everyitem, segments: int) -> None:
    table, stream = moto.table(COUNT), moto.stream()
    scan = ("--table", table.name, "--stream", stream, "--segments", segments)
    assert everyitem.scan(*scan).summary["items"] == COUNT
    records = moto.records(stream)
    compared = compare(table.items, [record.data for record in records], HASH)
    assert compared.complete and compared.duplicates == 0, compared
    assert len({record.shard for record in records}) == 4


@pytest.mark.parametrize("store", ["sqlite", "dynamodb", "ssm"])
def test_run_resumes(moto: Moto, everyitem: Everyitem, store: str) -> None:
    checkpoint = {
        "sqlite": lambda: "sqlite:run.sqlite",
        "dynamodb": lambda: f"dynamodb:{moto.checkpoint_table()}",
        "ssm": lambda: "ssm:/backfill",
    }[store]()
    table, stream = moto.table(COUNT), moto.stream()
    scan = ("--table", table.name, "--stream", stream, "--checkpoint", checkpoint, "--segments", 4)
    for status, delivered in (("limit-reached", 600), ("complete", COUNT), ("already-complete", COUNT)):
        result = everyitem.scan(*scan, "--limit", 600)
        assert result.summary["status"] == status, result.stderr
        assert len(moto.records(stream)) == delivered
    compared = compare(table.items, [record.data for record in moto.records(stream)], HASH)
    assert compared.complete and compared.duplicates == 0, compared


def test_killed_sharers(moto: Moto, everyitem: Everyitem) -> None:
    table, stream = moto.table(5 * COUNT), moto.stream()
    checkpoint = ("--checkpoint", f"dynamodb:{moto.checkpoint_table()}")
    scan = ["scan", "--table", table.name, "--stream", stream, *checkpoint, "--segments", 40, "--share"]
    scan += ["--read-units", 5]
    for result in two_of_four_are_killed(everyitem, scan, lambda: len(moto.records(stream))):
        assert result.code == 0, result.stderr
        assert result.summary["items_total"] == 5 * COUNT
    assert compare(table.items, [record.data for record in moto.records(stream)], HASH).complete


def test_whoami_names_the_account(everyitem: Everyitem) -> None:
    result = everyitem.run("whoami", "--json")
    assert result.code == 0, result.stderr
    said: Any = json.loads(result.stdout)
    assert "123456789012" in json.dumps(said)
