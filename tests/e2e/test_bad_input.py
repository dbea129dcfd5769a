"""Bad input gets one clear line that names the problem; nothing is started and nothing is lost."""

import json
import os
import random
import re
import shutil
import socket
import sqlite3
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from conftest import SEED, Backend, Table
from demodata import services
from fault_proxy import Forward, Request, Response, error_response
from running import Everyitem, Result
from servers import Server
from small_disk import SmallDisk


@pytest.fixture(scope="module")
def table(backend: Backend) -> Table:
    return backend.table(200)


@pytest.fixture(scope="module")
def stream(backend: Backend) -> Iterator[str]:
    """A stream that must stay empty."""
    name = backend.stream()
    yield name
    assert backend.data(name) == []


FAILED, WRONG_USAGE = 1, 2
EITHER = (FAILED, WRONG_USAGE)  # for settings that may or may not count as usage


def assert_refused(result: Result, *words: str, code: Any = FAILED) -> None:
    """One error, on standard error only, that names what is wrong; no trace of a crash."""
    allowed = code if isinstance(code, tuple) else (code,)
    assert result.code in allowed, f"exit {result.code}: {result.stderr}"
    assert result.stdout == b""
    errors = [n for n in result.notices if any(re.search(word, n, re.I) for word in words)]
    assert errors, f"none of {words} in: {result.stderr}"
    for word in words:
        assert re.search(word, result.stderr, re.I), f"no {word} in: {result.stderr}"
    assert not re.search(r"terminate called|what\(\):|Traceback|core dumped", result.stderr)


def refuse(operation: str, code: str, message: str) -> Callable[[Request, Forward], Response]:
    def rule(request: Request, forward: Forward) -> Response:
        if request.operation == operation:
            return error_response(code, message)
        return forward(request)

    return rule


def test_missing_table(everyitem: Everyitem, stream: str) -> None:
    result = everyitem.run("scan", "--table", "no-such-table", "--stream", stream)
    assert_refused(result, "no-such-table", "ResourceNotFound", "Check --table", code=WRONG_USAGE)


def test_missing_stream(
    everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    dynamodb = proxy("dynamodb")
    result = everyitem.run("scan", "--table", table.name, "--stream", "no-such-stream")
    assert_refused(result, "no-such-stream", "ResourceNotFound", "--stream", code=WRONG_USAGE)
    assert dynamodb.bodies("Scan") == []


def test_inactive_stream(
    everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    dynamodb = proxy("dynamodb")
    with Server("kinesis", createStreamMs=600_000) as slow:
        kinesis = services.client("kinesis", slow.endpoint)
        kinesis.create_stream(StreamName="new-stream", ShardCount=1)
        everyitem.endpoints["kinesis"] = slow.endpoint
        scan = ("scan", "--table", table.name, "--stream", "new-stream", "--max-wait", "1s")
        result = everyitem.run(*scan)
    assert_refused(result, "new-stream", "CREATING", "ACTIVE", "waiting for it")
    assert dynamodb.bodies("Scan") == []


def test_creating_stream_is_awaited(
    backend: Backend, everyitem: Everyitem
) -> None:
    table = backend.table(20)
    with Server("kinesis", createStreamMs=1_500) as slow:
        kinesis = services.client("kinesis", slow.endpoint)
        kinesis.create_stream(StreamName="new-stream", ShardCount=1)
        everyitem.endpoints["kinesis"] = slow.endpoint
        result = everyitem.scan("--table", table.name, "--stream", "new-stream")
    assert result.summary["items"] == 20
    assert "the stream is CREATING, not ACTIVE; waiting for it" in result.stderr


@pytest.mark.parametrize("service", ["dynamodb", "kinesis"])
def test_unreachable_endpoint(
    everyitem: Everyitem, table: Table, stream: str, service: str
) -> None:
    with socket.socket() as unused:  # bound, but not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        everyitem.endpoints[service] = f"http://127.0.0.1:{port}"
        result = everyitem.run(
            "scan", "--table", table.name, "--stream", stream, "--max-wait", "1s"
        )
    assert_refused(result, str(port), "connect|refused|reach")


def test_endpoint_of_another_service(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    page = Response(200, b"<html>Welcome to the login page</html>", {"Content-Type": "text/html"})
    proxy("dynamodb").rule = lambda request, forward: page
    result = everyitem.run("scan", "--table", table.name, "--stream", stream, "--max-wait", "1s")
    assert_refused(result, "DescribeTable|endpoint")


def test_unknown_region(everyitem: Everyitem, table: Table, stream: str) -> None:
    everyitem.endpoints = {}
    result = everyitem.run(
        "scan", "--table", table.name, "--stream", stream, "--region", "nowhere-1", "--max-wait", "1s"
    )
    assert_refused(result, "nowhere-1")


def test_no_region_at_all(everyitem: Everyitem, table: Table, stream: str) -> None:
    everyitem.extra_env["AWS_REGION"] = None
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    assert_refused(result, "region", "AWS_REGION|--region", code=EITHER)


def test_region_of_another_endpoint(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    message = "Credential should be scoped to a valid region, not 'eu-west-9'."
    proxy("dynamodb").rule = refuse("DescribeTable", "InvalidSignatureException", message)
    result = everyitem.run(
        "scan", "--table", table.name, "--stream", stream, "--region", "eu-west-9"
    )
    assert_refused(result, "eu-west-9", "InvalidSignature")


def test_no_credentials_at_all(everyitem: Everyitem, table: Table, stream: str) -> None:
    everyitem.extra_env.update(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    assert_refused(result, "credentials", "AWS_ACCESS_KEY_ID", "--profile", code=EITHER)


def test_half_of_the_credentials(everyitem: Everyitem, table: Table, stream: str) -> None:
    everyitem.extra_env.update(AWS_ACCESS_KEY_ID=None)
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    assert_refused(result, "AWS_ACCESS_KEY_ID is not", code=EITHER)


def test_unknown_credentials(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    proxy("dynamodb").rule = refuse(
        *("DescribeTable", "UnrecognizedClientException"),
        "The security token included in the request is invalid.",
    )
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    assert_refused(result, "UnrecognizedClient", "credentials|access key")


def test_unknown_profile(everyitem: Everyitem, table: Table, stream: str) -> None:
    result = everyitem.run(
        "scan", "--table", table.name, "--stream", stream, "--profile", "no-such-profile"
    )
    assert_refused(result, "no-such-profile", code=EITHER)


@pytest.mark.parametrize(
    ("service", "operation", "resource"),
    [
        ("dynamodb", "Scan", "table"),
        ("kinesis", "PutRecords", "stream"),
    ],
)
def test_no_permission(
    everyitem: Everyitem,
    proxy: Callable,
    table: Table,
    stream: str,
    service: str,
    operation: str,
    resource: str,
) -> None:
    proxy(service).rule = refuse(
        operation, "AccessDeniedException", f"User: joe is not authorized to perform: {operation}"
    )
    result = everyitem.run("scan", "--table", table.name, "--stream", stream)
    name = table.name if resource == "table" else stream
    assert_refused(result, operation, name, "AccessDenied", "permission|allow|policy|authorized")


def test_missing_checkpoint_table(everyitem: Everyitem, table: Table, stream: str) -> None:
    result = everyitem.run(
        *("scan", "--table", table.name, "--stream", stream),
        *("--checkpoint", "dynamodb:no-such-table"),
    )
    assert_refused(result, "no-such-table", "Check --checkpoint", code=WRONG_USAGE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--filter", "size("), ["ValidationException", "Correct --filter"]),
        (("--projection", "id,,id"), ["ValidationException", "Correct --projection"]),
        (
            ("--filter", "status = :s", "--values", '{":s": {"S": "open"}}'),
            ["reserved keyword", "--filter '#status = :s' --names '{\"#status\": \"status\"}'"],
        ),
        (
            ("--projection", "order-id"),
            ["Syntax error", "--projection '#order_id' --names '{\"#order_id\": \"order-id\"}'"],
        ),
        (("--index", "no-such-index"), ["no-such-index", "It has no indexes"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_rejected_scan(
    everyitem: Everyitem, table: Table, stream: str, arguments: Any, words: Any
) -> None:
    result = everyitem.run("scan", "--table", table.name, "--stream", stream, *arguments)
    assert_refused(result, *(re.escape(word) for word in words), code=WRONG_USAGE)
    # The failed attempt does not prevent the corrected scan from running.
    fine = everyitem.run("scan", "--table", table.name, "--to", everyitem.home / "out")
    assert fine.code == 0, fine.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--names", "not JSON"),
        ("--names", "[]"),
        ("--names", '{"#a": 1}'),
        ("--values", "{"),
        ("--values", '"x"'),
        ("--segments", "0"),
        ("--segments", "1000001"),
        ("--segments", "-1"),
        ("--segments", "many"),
        ("--limit", "-1"),
        ("--limit", "0"),
        ("--partition-key", "sideways"),
        ("--no-such-option",),
    ],
    ids=" ".join,
)
def test_wrong_option(everyitem: Everyitem, table: Table, stream: str, arguments: Any) -> None:
    result = everyitem.run("scan", "--table", table.name, "--stream", stream, *arguments)
    assert_refused(result, arguments[0], code=WRONG_USAGE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stream", "s", "--checkpoint", "redis:x"), ["--checkpoint", "redis:x"]),
        (("--stream", "s", "--checkpoint", "ssm:x"), ["--checkpoint", "ssm:/PREFIX"]),
        (("--stream", "s", "--checkpoint", "dynamodb:t/"), ["--checkpoint", "dynamodb:TABLE"]),
        (("--to", "s3://bucket/key"), ["--to", "s3://"]),
        (("--to", "/tmp"), ["--to", "folder"]),
        (("--to", "/nowhere/items"), ["--to", "no folder /nowhere"]),
        (("--to", "-", "--names", '{"#a": "b"}'), ["--names", "#a"]),
        (("--to", "-", "--values", '{":a": {"S": "b"}}'), ["--values", ":a"]),
        (("--to", "-", "--filter", "id = :missing"), ["--values", ":missing"]),
        (("--to", "-", "--projection", "#missing"), ["--names", "#missing"]),
        (("--to", "-", "--filter", "a = 'x'"), ["--filter 'a = :x' --values"]),
        (("--to", "-", "--read-percent", "101%"), ["--read-percent", "such as 25 or 0.5%"]),
        (("--to", "-", "--read-units", "25%"), ["--read-units", "Give --read-percent 25"]),
        (("--to", "-", "--max-wait", "1h30"), ["--max-wait", "1h30m"]),
        (("--to", "-", "--kinesis-wire", "jsn"), ["--kinesis-wire", "Did you mean json"]),
        (("--to", "-", "--aggregate=maybe"), ["--aggregate", "Give true or false"]),
        (("--to", "-", "--filter", "--limit", "5"), ["--filter needs a value"]),
        (("--to", "-", "--values", "fileb://v"), ["--values", "Give file://PATH"]),
        (
            ("--to", "-", "--values", "file://no-such.json"),
            ["--values cannot be read from no-such.json: No such file or directory"],
        ),
        (("--to", "-", "--share"), ["--share", "dynamodb:TABLE/RUN"]),
        (
            ("--to", "f", "--share", "--checkpoint", "dynamodb:table/r"),
            ["--to names a file, which only one process can write"],
        ),
        (("--strem", "s"), ["--strem", "did you mean --stream"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_refused_before_any_call(
    everyitem: Everyitem, proxy: Callable, table: Table, arguments: Any, words: Any
) -> None:
    calls = []

    def record(request: Request, forward: Forward) -> Response:
        calls.append(request.operation)
        return forward(request)

    for service in ("dynamodb", "kinesis"):
        proxy(service).rule = record
    result = everyitem.run("scan", "--table", table.name, *arguments)
    assert_refused(result, *(re.escape(word) for word in words), code=WRONG_USAGE)
    assert len(result.notices) == 1
    assert calls == []


@pytest.mark.parametrize(
    ("option", "arn"),
    [
        ("--table", "arn:aws:s3:::bucket"),
        ("--table", "arn:aws:kinesis:us-east-1:000000000000:stream/backfill"),
        ("--table", "arn:aws:dynamodb:us-east-1:000000000000:global-table/orders"),
        ("--table", "arn:aws:dynamodb"),
        ("--stream", "arn:aws:dynamodb:us-east-1:000000000000:table/orders"),
        ("--stream", "arn:aws:sqs:us-east-1:000000000000:queue"),
        ("--stream", "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2025-01-01T00:00:00"),
    ],
)
def test_arn_of_another_service(
    everyitem: Everyitem, table: Table, stream: str, option: str, arn: str
) -> None:
    names = {"--table": table.name, "--stream": stream, option: arn}
    result = everyitem.run("scan", *(word for pair in names.items() for word in pair))
    assert_refused(result, option, re.escape(arn), code=WRONG_USAGE)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), ""),
        (("no-such-command",), "no-such-command"),
        (("scan",), "--table"),
        (("scan", "--stream", "s"), "--table"),
        (("scan", "--table", "orders"), "--stream"),
        (("scan", "--table", "orders", "--stream", "s", "--to", "f"), "--to"),
        (("scan", "--table", "", "--stream", "s"), "table"),
        (("scan", "--table", "orders", "--stream", ""), "stream"),
        (("scan", "--table", "orders", "--stream", "s", "extra"), "extra"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage(everyitem: Everyitem, arguments: Any, word: str) -> None:
    assert_refused(everyitem.run(*arguments), word, code=WRONG_USAGE)


def test_foreign_or_corrupt_checkpoint(
    everyitem: Everyitem, table: Table, stream: str
) -> None:
    foreign = everyitem.home / "foreign.db"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE photos (name TEXT)")
        database.execute("INSERT INTO photos VALUES ('holiday')")
    database.close()
    noise = everyitem.home / "noise.db"
    noise.write_bytes(random.Random(SEED).randbytes(20_000))
    text = everyitem.home / "notes.txt"
    text.write_text("not a checkpoint\n")
    for path in (foreign, noise, text):
        path.chmod(0o600)
        kept = path.read_bytes()
        for more in ((), ("--restart",)):
            result = everyitem.run(
                *("scan", "--table", table.name, "--stream", stream, "--checkpoint", path, *more)
            )
            assert_refused(result, re.escape(str(path)), "checkpoint")
            assert path.read_bytes() == kept, f"{path.name} was changed"


@pytest.mark.parametrize("damage", ["truncated", "overwritten"])
def test_damaged_checkpoint_is_refused(
    backend: Backend, everyitem: Everyitem, table: Table, damage: str
) -> None:
    own = backend.stream()
    path = everyitem.home / "run.db"
    scan = ("scan", "--table", table.name, "--stream", own, "--checkpoint", path)
    assert everyitem.run(*scan, "--limit", 20).code == 0
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] if damage == "truncated" else content[:half] + b"\xa5" * half)
    result = everyitem.run(*scan)
    assert_refused(result, re.escape(str(path)), "checkpoint")
    assert len(backend.data(own)) == 20


def test_unwritable_checkpoint_path(
    everyitem: Everyitem, table: Table, stream: str
) -> None:
    for path in ("/dev/null/run", everyitem.home, "/proc/everyitem/run"):
        result = everyitem.run(
            "scan", "--table", table.name, "--stream", stream, "--checkpoint", path
        )
        is_folder = path == everyitem.home
        assert_refused(result, re.escape(str(path)), code=WRONG_USAGE if is_folder else FAILED)


def test_unwritable_output_path(everyitem: Everyitem, table: Table) -> None:
    for path in ("/dev/null/out", everyitem.home, "/no/such/directory/out"):
        result = everyitem.run("scan", "--table", table.name, "--to", path)
        assert_refused(result, re.escape(str(path)), code=WRONG_USAGE)


def test_full_standard_output(everyitem: Everyitem, table: Table) -> None:
    done = everyitem.shell(f"everyitem scan --table {table.name} --to - >/dev/full")
    assert done.returncode == 1, done.stderr
    assert b"No space left" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes a user without a home")
@pytest.mark.parametrize(
    ("more", "what", "option"),
    [
        ("", "checkpoint", "--checkpoint"),
        ("--checkpoint none", "dead letters", "--dead-letters"),
    ],
)
def test_missing_home_is_named(
    backend: Backend, everyitem: Everyitem, more: str, what: str, option: str
) -> None:
    everyitem.extra_env["HOME"] = None
    everyitem.extra_env["XDG_STATE_HOME"] = None
    table, own = backend.table(1), backend.stream()
    # A user whom the password database does not know.
    done = everyitem.shell(
        "setpriv --reuid 54321 --clear-groups "
        f"everyitem scan --table {table.name} --stream {own} {more}"
    )
    assert done.returncode == 2, done.stderr
    shown = done.stderr.decode()
    assert f"no folder for the {what}" in shown and option in shown


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="root mounts the disk")
def test_full_disk_below_file(
    backend: Backend, everyitem: Everyitem, tmp_path: Path
) -> None:
    table = backend.table(1000)
    with SmallDisk(tmp_path / "disk", "128k") as disk:
        path = disk.path / "items.ndjson"
        result = everyitem.run("scan", "--table", table.name, "--to", path)
        assert_refused(result, re.escape(str(path)), "No space left")
        disk.grow("64m")
        result = everyitem.run("scan", "--table", table.name, "--to", path)
        assert result.code == 0, result.stderr
        lines = path.read_bytes().splitlines()
    assert set(lines) == set(backend.raw_items(table.name))
    assert all(json.loads(line) for line in lines)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="root mounts the disk")
def test_full_disk_below_checkpoint(
    backend: Backend, everyitem: Everyitem, tmp_path: Path
) -> None:
    table, own = backend.table(1000), backend.stream()
    with SmallDisk(tmp_path / "disk", "64k") as disk:
        everyitem.state = disk.path
        filler = disk.path / "filler"
        filler.write_bytes(b"x" * 60 * 1024)
        result = everyitem.run("scan", "--table", table.name, "--stream", own)
        assert_refused(result, re.escape(str(disk.path)), "full|No space left")
        filler.unlink()
        disk.grow("64m")
        result = everyitem.run("scan", "--table", table.name, "--stream", own)
        assert result.code == 0, result.stderr
    assert backend.compared(table, own).complete


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="root mounts the disk")
def test_read_only_checkpoint(
    backend: Backend, everyitem: Everyitem, tmp_path: Path
) -> None:
    table, own = backend.table(1000), backend.stream()
    scan = ("scan", "--table", table.name, "--stream", own)
    with SmallDisk(tmp_path / "disk", "64m") as disk:
        everyitem.state = disk.path
        assert everyitem.run(*scan, "--limit", 10).code == 0
        disk.make_read_only()
        result = everyitem.run(*scan)
        assert_refused(result, re.escape(str(disk.path)), "[Rr]ead-only")
        assert len(backend.data(own)) == 10
        disk.make_writable()
        assert everyitem.run(*scan).code == 0
    assert backend.compared(table, own).complete
