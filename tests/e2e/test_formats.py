"""Records in the formats of docs/formats.md: what a stream, an aggregated record and a file hold of an item."""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from conftest import Backend
from demodata.items import Keys
from fault_server import FaultServer, scan_of
from running import ROOT, Everyitem

PLAIN = ("--format", "plain")
EVERY_TYPE: List[Dict[str, Any]] = [
    {"id": {"S": "numbers"}, "a": {"N": "-0.5"}, "b": {"N": "12345678901234567890123456789012345678"}, "c": {"N": "1E+100"}},
    {"id": {"S": "sets"}, "a": {"SS": ["b", "a"]}, "b": {"NS": ["2", "1.5"]}, "c": {"BS": ["AAE=", "AA=="]}, "d": {"SS": [""]}},
    {"id": {"S": "escapes \"\\/\n\u00e9\U0001f600"}, "a/b": {"B": "AAEC"}, "~": {"B": "AAED"}, "": {"S": ""}},
    {"id": {"S": "nested"}, "a": {"L": [{"M": {"x": {"L": [{"B": "AA=="}, {"NULL": True}]}}}, {"SS": ["s"]}, {"BOOL": False}]}},
    {"id": {"S": "names"}, "$types": {"B": "AAEC"}, "$$types": {"S": "x"}, "types": {"N": "1"}},
    {"id": {"S": "empty"}, "a": {"M": {}}, "b": {"L": []}, "c": {"BOOL": True}},
]


class Number(str):
    """The digits of a number in JSON."""


def parsed(line: bytes) -> Dict[str, Any]:
    result: Dict[str, Any] = json.loads(line, parse_int=Number, parse_float=Number)
    return result


def typed(value: Any, types: Dict[str, str], path: str) -> Dict[str, Any]:
    """As docs/formats.md says that a value is restored."""
    known = types.get(path)
    if known is not None:
        return {known: value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, Number):
        return {"N": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [typed(one, types, f"{path}/{i}") for i, one in enumerate(value)]}
    return {"M": members(value, types, path + "/")}


def members(plain: Dict[str, Any], types: Dict[str, str], within: str) -> Dict[str, Any]:
    return {
        name: typed(value, types, within + name.replace("~", "~0").replace("/", "~1"))
        for name, value in plain.items()
    }


def restored(line: bytes) -> Dict[str, Any]:
    plain = parsed(line)
    types = plain.pop("$types", {})
    item = members(plain, types, "")
    return {re.sub(r"^\$(\$*\$types)$", r"\1", name): value for name, value in item.items()}


def by_id(items: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return sorted(items, key=lambda item: json.dumps(item["id"]))


@pytest.mark.parametrize("numbers", ["number", "string"])
def test_plain_file_is_restored(backend: Backend, everyitem: Everyitem, tmp_path: Path, numbers: str) -> None:
    generated, every_type = backend.table(300), backend.table(loaded=EVERY_TYPE)
    for table in (generated, every_type):
        file = tmp_path / table.name
        scan = ("scan", "--table", table.name, "--to", file, *PLAIN, "--numbers", numbers, "--with-types")
        result = everyitem.run(*scan)
        assert result.code == 0, result.stderr
        lines = file.read_bytes().splitlines()
        assert len(lines) == len(table.items)
        raw = [json.loads(item) for item in backend.raw_items(table.name)]
        keys = sorted(json.dumps(restored(line), sort_keys=True) for line in lines)
        assert keys == sorted(json.dumps(item, sort_keys=True) for item in raw)
        assert result.summary["bytes"] == file.stat().st_size - len(lines)
        again = everyitem.run(*scan)
        assert again.summary["status"] == "already-complete", again.stderr
        file.write_bytes(file.read_bytes()[:-1])
        cut = everyitem.run(*scan)
        assert cut.code == 1 and "delivered to it" in cut.stderr, cut.stderr


@pytest.mark.parametrize("more", [(), ("--kinesis-wire", "json")])
def test_plain_records(backend: Backend, everyitem: Everyitem, more: Tuple[str, ...]) -> None:
    table, stream = backend.table(loaded=EVERY_TYPE), backend.stream()
    result = everyitem.run("scan", "--table", table.name, "--stream", stream, *PLAIN, "--with-types", *more)
    assert result.code == 0, result.stderr
    records = [restored(data) for data in backend.data(stream)]
    raw = [json.loads(item) for item in backend.raw_items(table.name)]
    assert by_id(records) == by_id(raw)


def test_documented_examples(backend: Backend, everyitem: Everyitem) -> None:
    """Those of docs/formats.md, in their order: item, plain, with types."""
    text = (ROOT / "docs" / "formats.md").read_text()
    item, plain, with_types = re.findall(r"```json\n(.*)\n```", text)
    table = backend.table(keys=Keys({"id": "N"}), loaded=[json.loads(item)])
    for flags, example in (((), item), (PLAIN, plain), ((*PLAIN, "--with-types"), with_types)):
        result = everyitem.run("scan", "--table", table.name, "--to", "-", *flags)
        assert result.code == 0, result.stderr
        (line,) = result.lines
        assert parsed(line) == parsed(example.encode())


def test_other_format_is_refused(tmp_path: Path) -> None:
    with FaultServer(items=2000) as server:
        everyitem = server.everyitem(tmp_path)
        scan = scan_of("--checkpoint", tmp_path / "state", "--limit", 10)
        assert everyitem.run(*scan, *PLAIN).code == 0
        other = everyitem.run(*scan)
        assert other.code == 2 and "format: was \"plain\", is now none" in other.stderr, other.stderr
        types = everyitem.run(*scan, *PLAIN, "--with-types")
        assert types.code == 2 and "plain, with types" in types.stderr, types.stderr
        assert everyitem.run(*scan, *PLAIN).code == 0
