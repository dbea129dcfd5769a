"""Output: NDJSON to files and pipes, progress, summaries."""

import json
import os
import re
import signal
from typing import Any, Callable, Tuple

import pytest
from conftest import Backend, Table
from fault_proxy import Gate, with_page_limit
from running import INTERRUPTED, Everyitem, wait_for
from terminal import Terminal

COUNT = 3000


@pytest.fixture(scope="module")
def table(backend: Backend) -> Table:
    return backend.table(COUNT)


def test_file_of_every_item(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    path = everyitem.home / "items.ndjson"
    result = everyitem.scan("--table", table.name, "--to", path, "--segments", 4)
    text = path.read_bytes()
    assert text.endswith(b"\n") and result.stdout == b""
    assert sorted(text.splitlines()) == sorted(backend.raw_items(table.name))


def test_standard_output_only_items(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    result = everyitem.scan("--table", table.name, "--to", "-")
    assert sorted(result.stdout.split(b"\n")[:-1]) == sorted(backend.raw_items(table.name))
    # No checkpoint is kept, because standard output cannot be resumed.
    assert result.summary["checkpoint"] is None
    assert len(everyitem.scan("--table", table.name, "--to", "-").lines) == COUNT


def test_closed_pipe(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    done = everyitem.shell(
        f"everyitem scan --table {table.name} --to - | head -n 1; exit ${{PIPESTATUS[0]}}"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip(b"\n") in backend.raw_items(table.name)
    assert not re.search(rb"(?i)error|broken|pipe.*fail|terminate", done.stderr), done.stderr


def test_file_with_content_kept(everyitem: Everyitem, table: Table) -> None:
    path = everyitem.home / "precious.txt"
    path.write_text("precious\n")
    result = everyitem.run("scan", "--table", table.name, "--to", path)
    assert result.code == 2, result.stderr
    assert f'--to is "{path}": the file exists and is not empty' in result.stderr
    assert path.read_text() == "precious\n"


def test_resumed_file_grows(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    path = everyitem.home / "items.ndjson"
    scan = ("--table", table.name, "--to", path, "--segments", 4)
    everyitem.scan(*scan, "--limit", 1000)
    assert len(path.read_bytes().splitlines()) == 1000
    everyitem.scan(*scan)
    assert sorted(path.read_bytes().splitlines()) == sorted(backend.raw_items(table.name))


def test_torn_last_line(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    path = everyitem.home / "items.ndjson"
    scan = ("--table", table.name, "--to", path, "--segments", 4)
    everyitem.scan(*scan, "--limit", 1000)
    with path.open("ab") as file:
        file.write(b'{"id":{"S":"half a li')
    everyitem.scan(*scan)
    lines = path.read_bytes().splitlines()
    assert sorted(lines) == sorted(backend.raw_items(table.name))


def test_killed_file_run(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    path = everyitem.home / "items.ndjson"
    scan = ("scan", "--table", table.name, "--to", path, "--segments", 4)
    gate = Gate("Scan", passing=2)
    proxy("dynamodb").rule = gate
    process = everyitem.start(*scan)
    gate.wait_until_held()
    process.kill()
    gate.open()
    result = everyitem.run(*scan)
    assert result.code == 0, result.stderr
    assert set(path.read_bytes().splitlines()) == set(backend.raw_items(table.name))


def test_restart_truncates_the_file(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    path = everyitem.home / "items.ndjson"
    everyitem.scan("--table", table.name, "--to", path, "--limit", 500)
    everyitem.scan("--table", table.name, "--to", path, "--restart")
    assert sorted(path.read_bytes().splitlines()) == sorted(backend.raw_items(table.name))


@pytest.mark.parametrize("wrong", [("--filter", "id ="), ("--index", "none")])
def test_failed_restart_keeps_file(
    backend: Backend, everyitem: Everyitem, table: Table, wrong: Tuple[str, str]
) -> None:
    path = everyitem.home / "items.ndjson"
    scan = ("scan", "--table", table.name, "--to", path)
    assert everyitem.run(*scan).code == 0
    before = path.read_bytes()
    result = everyitem.run(*scan, "--restart", *wrong)
    assert result.code in (1, 2), result.stderr
    assert path.read_bytes() == before
    assert everyitem.run(*scan).summary["status"] == "already-complete"


def test_killed_restart_keeps_file(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    path = everyitem.home / "items.ndjson"
    scan = ("scan", "--table", table.name, "--to", path, "--segments", 4)
    assert everyitem.run(*scan, "--limit", 100).code == 0
    before = path.read_bytes()
    gate = Gate("Scan", passing=1)  # the one that only tries to read
    proxy("dynamodb").rule = gate
    process = everyitem.start(*scan, "--restart")
    gate.wait_until_held()
    process.kill()
    gate.open()
    assert path.read_bytes() == before
    result = everyitem.run(*scan)  # the restart has begun: it is not asked for again
    assert result.code == 0, result.stderr
    assert sorted(path.read_bytes().splitlines()) == sorted(backend.raw_items(table.name))
    assert [file.name for file in path.parent.glob("items.ndjson*")] == ["items.ndjson"]


def test_standard_error_lines(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    stream = backend.stream()
    gate = Gate("PutRecords", passing=2)
    proxy("kinesis").rule = gate
    process = everyitem.start("scan", "--table", table.name, "--stream", stream)
    gate.wait_until_held()
    wait_for(lambda: '"progress"' in process.stderr, "a progress line")
    gate.open()
    result = process.finish()
    assert result.code == 0, result.stderr
    progress = next(event for event in result.events if event["event"] == "progress")
    assert set(progress) >= {
        *("items", "bytes", "items_per_second", "bytes_per_second", "read_units"),
        *("read_units_per_second", "segments_done", "segments"),
        *("percent_estimated", "seconds_left_estimated"),
    }
    assert 0 <= progress["items"] <= COUNT and progress["segments_done"] <= progress["segments"]
    summary = result.summary
    assert summary["status"] == "complete"
    assert summary["items"] == summary["records"] == COUNT
    assert summary["bytes"] == sum(map(len, backend.data(stream)))
    assert summary["seconds"] > 0 and summary["read_units"] > 0
    assert os.path.exists(summary["checkpoint"])
    assert all(notice.startswith("everyitem: ") for notice in result.notices), result.stderr


def test_first_lines(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    stream = backend.stream()
    scan = ("--table", table.name, "--stream", stream)
    said = everyitem.scan(*scan).notices
    assert re.fullmatch(
        rf"everyitem: from table {table.name} in .*, account \d+: "
        "(about 3,000 items, .* MB|no items when DynamoDB last counted them)",
        said[0],
    ), said
    assert re.fullmatch(
        rf"everyitem: to stream {stream} in us-east-1, account \d+: 2 shards, keeps records for 24 h",
        said[1],
    ), said
    assert "read rate" in said[2], said
    assert any(line.startswith("everyitem: checkpoint: /") for line in said), said
    said = everyitem.scan("--table", table.name, "--to", "-").notices
    assert said[1] == "everyitem: to standard output", said
    assert "everyitem: no checkpoint: a run that is stopped starts over" in said


def test_values_written_otherwise(
    backend: Backend, everyitem: Everyitem, table: Table
) -> None:
    scan = ("--table", table.name, "--stream", backend.stream())
    values = '{":a":{"S":"none"},":b":{"N":"1"}}'
    first = everyitem.scan(*scan, "--filter", "id=:a OR id=:b", "--values", values)
    assert re.search(f"0 of {COUNT:,} items matched the filter", first.stderr), first.stderr
    spaced = '{ ":b" : { "N" : "1" }, ":a" : {"S": "none"} }'
    again = everyitem.scan(*scan, "--filter", " id = :a  OR\nid = :b", "--values", spaced)
    assert again.summary["status"] == "already-complete"


def test_quiet_prints_one_line(backend: Backend, everyitem: Everyitem, table: Table) -> None:
    result = everyitem.scan("--table", table.name, "--stream", backend.stream(), "--quiet")
    assert result.stdout == b""
    assert len(result.log.splitlines()) == 1, result.log
    assert result.summary["items"] == COUNT
    text = everyitem.scan("--table", table.name, "--to", "-", "--quiet", "--log", "text").log
    assert re.fullmatch(r"everyitem: complete: 3,000 items .*\n", text), text


def test_terminal_updates_one_line(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    gate = Gate("PutRecords", passing=2)
    proxy("kinesis").rule = gate
    terminal = Terminal(
        everyitem, "scan", "--table", table.name, "--stream", backend.stream(), "--segments", 3
    )
    gate.wait_until_held()
    terminal.read_until("items/s")
    gate.open()
    assert terminal.finish() == 0, terminal.text
    assert '"event"' not in terminal.text
    # An update returns to the start of the line without a line break.
    updates = [part for part in re.split(r"\r(?!\n)", terminal.text) if "items/s" in part]
    assert updates, terminal.text
    assert re.search(r"3,?000 items", terminal.text), terminal.text


def test_interrupt_typed(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    stream = backend.stream()
    gate = Gate("PutRecords", passing=2)
    proxy("kinesis").rule = gate
    proxy("dynamodb").rule = with_page_limit(50)  # there are pages left to read
    terminal = Terminal(everyitem, "scan", "--table", table.name, "--stream", stream)
    gate.wait_until_held()
    terminal.press(b"\x03")
    terminal.read_until("stopping: ")
    gate.open()
    assert terminal.finish() == INTERRUPTED, terminal.text
    assert "everyitem scan --table" in terminal.text
    everyitem.scan("--table", table.name, "--stream", stream)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_interrupted_standard_output(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    gate = Gate("Scan", passing=2)  # the first only tries to read
    proxy("dynamodb").rule = with_page_limit(500, gate)
    process = everyitem.start("scan", "--table", table.name, "--to", "-", "--segments", 1)
    gate.wait_until_held()
    process.signal(signal.SIGINT)
    result = process.finish(timeout=10)
    gate.open()
    assert result.code == INTERRUPTED, result.stderr
    assert result.stdout.endswith(b"\n")
    assert set(result.lines) <= set(backend.raw_items(table.name))


@pytest.mark.parametrize(
    "arguments",
    [
        *(("-h",), ("--help",), ("help",), ("scan", "-h"), ("scan", "--help"), ("help", "scan")),
        *(("-V",), ("--version",), ("version",)),
    ],
    ids=" ".join,
)
def test_help_and_version(everyitem: Everyitem, arguments: Any) -> None:
    result = everyitem.run(*arguments)
    assert result.code == 0 and result.stderr == ""
    text = result.stdout.decode()
    if arguments in (("-V",), ("--version",), ("version",)):
        assert re.search(r"\d+\.\d+\.\d+", text), text
    else:
        assert "scan" in text
    if "scan" in arguments:
        for option in (
            *("--table", "--stream", "--to", "--segments", "--index", "--consistent", "--filter"),
            *("--projection", "--names", "--values", "--limit", "--partition-key", "--checkpoint"),
            *("--restart", "--profile", "--region", "--endpoint-url", "--quiet"),
        ):
            assert option in text
        assert "130" in text, "the exit codes are not documented"


def test_expressions_from_files(backend: Backend, everyitem: Everyitem, table: Table) -> None:
    wanted = table.items[0]["id"]
    (everyitem.home / "filter.txt").write_text("#id = :id\n")
    (everyitem.home / "values.json").write_text(json.dumps({":id": wanted}) + "\n")
    result = everyitem.scan(
        *("--table", table.name, "--to", "-", "--names", '{"#id": "id"}'),
        *("--filter", f"file://{everyitem.home}/filter.txt", "--values", "file://~/values.json"),
    )
    assert [json.loads(line)["id"] for line in result.lines] == [wanted]
    (everyitem.home / "values.json").write_text('{":id": "no type"}')
    result = everyitem.run(
        *("scan", "--table", table.name, "--to", "-", "--filter", "id = :id"),
        *("--values", "file://~/values.json"),
    )
    assert result.code == 2
    assert f"--values was read from {everyitem.home}/values.json." in result.stderr
