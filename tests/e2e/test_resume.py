"""However a run is stopped, it resumes where it was, and finished work is not repeated."""

import json
import re
import shlex
import signal
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import SEED, Backend, Table
from demodata.items import item
from fault_proxy import Gate, with_page_limit
from running import INTERRUPTED, Everyitem, Process, resume_command, wait_for

COUNT = 6000  # several pages of 1 MB, and more batches


@pytest.fixture(scope="module")
def table(backend: Backend) -> Table:
    return backend.table(COUNT)


@pytest.fixture
def stream(backend: Backend) -> str:
    return backend.stream(shards=2)


def changed_since(directory: Path, time_ns: int) -> bool:
    return any(f.stat().st_mtime_ns > time_ns for f in directory.rglob("*") if f.is_file())


def test_finished_run_does_nothing(
    backend: Backend, everyitem: Everyitem, stream: str
) -> None:
    table = backend.table(100)
    everyitem.scan("--table", table.name, "--stream", stream)
    result = everyitem.scan("--table", table.name, "--stream", stream)
    assert result.summary["status"] == "already-complete"
    assert re.search("already|finished|complete", "\n".join(result.notices)), result.stderr
    assert "--restart" in result.stderr
    assert len(backend.data(stream)) == 100


def test_restart_starts_over(backend: Backend, everyitem: Everyitem, stream: str) -> None:
    table = backend.table(100)
    everyitem.scan("--table", table.name, "--stream", stream, "--limit", 40)
    everyitem.scan("--table", table.name, "--stream", stream, "--restart")
    everyitem.scan("--table", table.name, "--stream", stream, "--restart")
    compared = backend.compared(table, stream)
    assert compared.complete and compared.records == 240, compared


def test_killed_run_resumes(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 1)
    gate = Gate("PutRecords", passing=6)
    kinesis, dynamodb = proxy("kinesis"), proxy("dynamodb")
    kinesis.rule = gate
    dynamodb.rule = with_page_limit(250)
    process = everyitem.start(*scan)
    gate.wait_until_held()
    wait_for(lambda: changed_since(everyitem.state, gate.first_passed_ns), "a checkpoint")
    process.kill()
    gate.open()

    before = len(dynamodb.bodies("Scan"))
    kinesis.rule = None
    result = everyitem.run(*scan)
    assert result.code == 0, result.stderr
    assert "resum" in result.stderr.lower(), result.stderr
    assert "ExclusiveStartKey" in dynamodb.bodies("Scan")[before], "it started over"
    compared = backend.compared(table, stream)
    assert compared.complete, compared
    assert compared.duplicates <= 1500, f"repeated more than was open: {compared}"


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name
)
def test_signal_drains(
    backend: Backend,
    everyitem: Everyitem,
    proxy: Callable,
    table: Table,
    stream: str,
    number: signal.Signals,
) -> None:
    gate = Gate("PutRecords", passing=1)
    proxy("kinesis").rule = gate
    proxy("dynamodb").rule = with_page_limit(250)  # so that there are pages left to read
    process = everyitem.start("scan", "--table", table.name, "--stream", stream, "--segments", 2)
    gate.wait_until_held()
    before = process.stderr
    process.signal(number)
    wait_for(lambda: process.stderr != before, "a word about the interrupt")
    assert process.running, "it did not wait for what it had sent"
    gate.open()
    result = process.finish()
    assert result.code == INTERRUPTED, result.stderr
    assert result.summary["status"] == "interrupted"
    delivered = len(backend.data(stream))
    assert 0 < delivered < COUNT, "this no longer tests what it says"
    assert result.summary["items"] == delivered

    done = everyitem.shell(resume_command(result))
    assert done.returncode == 0, done.stderr
    compared = backend.compared(table, stream)
    # After draining, everything sent is in the checkpoint, so nothing is sent twice.
    assert compared.complete and compared.duplicates == 0, compared


def test_second_interrupt(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 2)
    gate = Gate("PutRecords", passing=4)
    proxy("kinesis").rule = gate
    process = everyitem.start(*scan)
    gate.wait_until_held()
    before = process.stderr
    process.signal(signal.SIGINT)
    wait_for(lambda: process.stderr != before, "a word about the interrupt")
    process.signal(signal.SIGINT)
    result = process.finish(timeout=5)
    assert result.code == INTERRUPTED, result.stderr
    gate.open()
    result = everyitem.run(*scan)
    assert result.code == 0, result.stderr
    assert backend.compared(table, stream).complete


def test_interrupt_before_first_item(
    backend: Backend, everyitem: Everyitem, proxy: Callable, stream: str
) -> None:
    table = backend.table(50)
    gate = Gate("Scan", passing=0)
    proxy("dynamodb").rule = gate
    process = everyitem.start("scan", "--table", table.name, "--stream", stream)
    gate.wait_until_held()
    process.signal(signal.SIGINT)
    result = process.finish(timeout=10)
    assert result.code == INTERRUPTED, result.stderr
    gate.open()
    everyitem.scan("--table", table.name, "--stream", stream)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_interrupt_during_describe(
    backend: Backend, everyitem: Everyitem, proxy: Callable, stream: str
) -> None:
    table = backend.table(50)
    gate = Gate("DescribeTable", passing=0)
    proxy("dynamodb").rule = gate
    process = everyitem.start("scan", "--table", table.name, "--stream", stream)
    gate.wait_until_held()
    process.signal(signal.SIGINT)
    result = process.finish(timeout=10)
    assert result.code == INTERRUPTED, result.stderr
    assert "interrupted before anything was read" in result.stderr
    gate.open()
    done = everyitem.shell(resume_command(result))
    assert done.returncode == 0, done.stderr
    assert backend.compared(table, stream).complete


def test_restart_before_it_began(
    backend: Backend, everyitem: Everyitem, proxy: Callable, stream: str
) -> None:
    table = backend.table(50)
    scan = ("scan", "--table", table.name, "--stream", stream)
    assert everyitem.run(*scan).code == 0
    gate = Gate("DescribeTable", passing=0)
    proxy("dynamodb").rule = gate
    process = everyitem.start(*scan, "--restart")
    gate.wait_until_held()
    process.signal(signal.SIGINT)
    result = process.finish(timeout=10)
    assert result.code == INTERRUPTED, result.stderr
    assert "--restart" in resume_command(result)
    gate.open()
    done = everyitem.shell(resume_command(result))
    assert done.returncode == 0, done.stderr
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 50, compared


def test_two_processes(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    scan = ("scan", "--table", table.name, "--stream", stream)
    gate = Gate("PutRecords", passing=1)
    proxy("kinesis").rule = gate
    first = everyitem.start(*scan)
    gate.wait_until_held()
    second = everyitem.run(*scan)
    assert second.code == 1, second.stderr
    assert re.search("another|other process|in use|already running", second.stderr), second.stderr
    assert first.running
    gate.open()
    assert first.finish().code == 0
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def start_a_run(everyitem: Everyitem, table: Table, stream: str, *more: Any) -> Path:
    """An unfinished run with its own checkpoint file."""
    checkpoint = everyitem.home / "run.checkpoint"
    everyitem.scan(
        *("--table", table.name, "--stream", stream, "--segments", 2, "--limit", 10),
        *("--checkpoint", checkpoint, *more),
    )
    assert checkpoint.exists()
    return checkpoint


@pytest.mark.parametrize(
    "what", ["table", "stream", "segments", "index", "filter", "projection", "values"]
)
def test_different_settings_are_refused(
    backend: Backend, everyitem: Everyitem, what: str
) -> None:
    indexed = {
        "AttributeDefinitions": [{"AttributeName": "status", "AttributeType": "S"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-status",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    }
    loaded = [{"id": {"S": f"{n}"}, "status": {"S": "new"}} for n in range(100)]
    table, other_table = (backend.table(loaded=loaded, **indexed) for _ in range(2))
    stream, other_stream = backend.stream(), backend.stream()
    filtered = ("--filter", "id <> :id", "--values", '{":id": {"S": "not-shown-1"}}')
    checkpoint = start_a_run(everyitem, table, stream, *(filtered if what == "values" else ()))
    changed = {
        "table": ("--table", other_table.name, "--stream", stream, "--segments", 2),
        "stream": ("--table", table.name, "--stream", other_stream, "--segments", 2),
        "segments": ("--table", table.name, "--stream", stream, "--segments", 3),
    }
    same = ("--table", table.name, "--stream", stream, "--segments", 2)
    changed["index"] = (*same, "--index", "by-status")
    changed["filter"] = (*same, "--filter", "attribute_exists(id)")
    changed["projection"] = (*same, "--projection", "id")
    changed["values"] = (*same, *filtered[:3], '{":id": {"S": "not-shown-2"}}')
    result = everyitem.run("scan", *changed[what], "--checkpoint", checkpoint)
    assert result.code in (1, 2), result.stderr
    assert what in result.stderr and "not-shown" not in result.stderr, result.stderr
    named = {"table": other_table.name, "stream": other_stream, "segments": "3"}
    assert named.get(what, "") in result.stderr, result.stderr
    assert len(backend.data(stream)) == 10 and backend.data(other_stream) == []
    everyitem.scan(*same, "--checkpoint", checkpoint, *(filtered if what == "values" else ()))
    assert len(set(backend.data(stream))) == 100


def test_segments_from_checkpoint(
    backend: Backend, everyitem: Everyitem, stream: str
) -> None:
    table = backend.table(200)
    checkpoint = start_a_run(everyitem, table, stream)
    everyitem.scan("--table", table.name, "--stream", stream, "--checkpoint", checkpoint)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_checkpoint_none_keeps_nothing(
    backend: Backend, everyitem: Everyitem, stream: str
) -> None:
    table = backend.table(60)
    for records in (60, 120):
        everyitem.scan("--table", table.name, "--stream", stream, "--checkpoint", "none")
        assert len(backend.data(stream)) == records
    assert not everyitem.state.exists() or not list(everyitem.state.rglob("*"))


@pytest.mark.parametrize("prefix", ["", "sqlite:"])
def test_checkpoint_at_a_path(
    backend: Backend, everyitem: Everyitem, stream: str, prefix: str
) -> None:
    table = backend.table(60)
    path = everyitem.home / "of my own"
    scan = ("--table", table.name, "--stream", stream, "--checkpoint", f"{prefix}{path}")
    everyitem.scan(*scan)
    assert path.read_bytes().startswith(b"SQLite format 3\0")
    assert everyitem.scan(*scan).summary["status"] == "already-complete"


def test_checkpoint_below_home(
    backend: Backend, everyitem: Everyitem, stream: str
) -> None:
    table = backend.table(5)
    everyitem.extra_env["XDG_STATE_HOME"] = None
    result = everyitem.scan("--table", table.name, "--stream", stream)
    checkpoint = Path(result.summary["checkpoint"])
    assert checkpoint.exists()
    assert checkpoint.parent == everyitem.home / ".local/state/everyitem"


def test_added_items(
    backend: Backend, everyitem: Everyitem, stream: str
) -> None:
    table = backend.table(300)
    scan = ("--table", table.name, "--stream", stream, "--segments", 3)
    everyitem.scan(*scan, "--limit", 100)
    for index in range(300, 330):
        backend.dynamodb.put_item(
            TableName=table.name, Item={"id": item(SEED, index)["id"], "late": {"BOOL": True}}
        )
    everyitem.scan(*scan)
    seen = {json.loads(line)["id"]["S"] for line in backend.data(stream)}
    assert seen >= {one["id"]["S"] for one in table.items}


def test_spaces_and_quotes(
    backend: Backend, everyitem: Everyitem, proxy: Callable, stream: str
) -> None:
    table = backend.table(2000)
    gate = Gate("PutRecords", passing=1)
    proxy("kinesis").rule = gate
    proxy("dynamodb").rule = with_page_limit(250)  # so that there are pages left to read
    text = "it's \"quoted\" $HOME `id`"
    values = json.dumps({":x": {"S": "which value is nobody's business"}})
    process: Process = everyitem.start(
        *("scan", "--table", table.name, "--stream", stream, "--segments", 2),
        *("--filter", "id <> :x", "--values", values),
        *("--checkpoint", everyitem.home / f"a {text} checkpoint"),
    )
    gate.wait_until_held()
    before = process.stderr
    process.signal(signal.SIGINT)
    wait_for(lambda: process.stderr != before, "a word about the interrupt")
    gate.open()
    result = process.finish()
    assert result.code == INTERRUPTED, result.stderr
    command = resume_command(result)
    assert str(everyitem.home / f"a {text} checkpoint") in shlex.split(command)
    assert "nobody" not in result.log and "with the same --values" in result.stderr
    # Another way to write the same values.
    spaced = values.replace("{", "{ ").replace("}", " }")
    done = everyitem.shell(command.replace("--values ...", f"--values {shlex.quote(spaced)}"))
    assert done.returncode == 0, done.stderr
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
