"""Whatever happens, no secret and no item appears where others can read it."""

import base64
import hashlib
import html
import http.server
import json
import os
import re
import signal
import threading
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple
from urllib.parse import quote, unquote

import pytest
from conftest import Backend, Table
from fault_proxy import (
    Forward,
    Gate,
    Request,
    Response,
    error_response,
    json_response,
    with_page_limit,
)
from fault_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, FaultServer, scan_of
from running import SECRET, Everyitem, Process, wait_for
from terminal import Terminal
from test_checkpoint_stores import CheckpointTable

KEY_ID = "AKIDTHATMUSTNOTSHOW0"
TOKEN = "tokenThatMustNotShow//+0123456789=="
KEY_VALUE = "keyThatMustNotShow"
VALUE = "valueThatMustNotShow"
# The item's first key starts 12 bytes into a record's data, at the start of a base64 group.
IN_BASE64 = base64.b64encode(KEY_VALUE.encode()).decode()[:20]

FORBIDDEN = (SECRET, KEY_ID, TOKEN, KEY_VALUE, VALUE, IN_BASE64)
# The generated items, and the credentials of the fault server.
GENERATED = ("item-0", '{"S"', ACCESS_KEY_ID, SECRET_ACCESS_KEY, TOKEN)

MODES = ("lines", "terminal")


def shown(text: str, forbidden: Tuple[str, ...] = FORBIDDEN) -> List[str]:
    return [one for one in forbidden if one in text]


def say(everyitem: Everyitem, mode: str, *arguments: Any) -> Tuple[int, str]:
    """The exit code of a run and everything it printed."""
    if mode == "terminal":
        terminal = Terminal(everyitem, *arguments)
        return terminal.finish(), terminal.text
    result = everyitem.run(*arguments)
    return result.code, result.stdout.decode() + result.stderr


@pytest.fixture(scope="module")
def table(backend: Backend) -> Table:
    return backend.table(
        loaded=[
            {"id": {"S": f"{KEY_VALUE}-{number}"}, "text": {"S": f"{VALUE} {number}"}}
            for number in range(400)
        ]
    )


@pytest.fixture(scope="module")
def stream(backend: Backend) -> str:
    return backend.stream()


@pytest.fixture
def everyitem(everyitem: Everyitem) -> Everyitem:
    """With temporary credentials."""
    everyitem.extra_env.update(AWS_ACCESS_KEY_ID=KEY_ID, AWS_SESSION_TOKEN=TOKEN)
    return everyitem


# Faults

OF_ANY_REQUEST = (
    *("provisioned_throughput", "throttling", "request_limit", "limit_exceeded"),
    *("internal_error", "internal_failure", "unavailable", "unavailable_empty"),
    *("unavailable_html", "expired_token", "wrong_crc", "cut_short", "reset_before"),
    *("reset_in_body", "reset_after", "slow_drip", "garbage"),
)
OF_PUT_RECORDS = (
    *("partial_throttle", "partial_failure", "all_refused", "missing_results"),
    *("null_error_codes", "no_failed_count"),
)


@pytest.mark.parametrize("mode", MODES)
def test_temporary_faults_show_nothing(tmp_path: Path, mode: str) -> None:
    faults = [f"Scan:{fault}@{call}" for call, fault in enumerate(OF_ANY_REQUEST)]
    faults += [f"PutRecords:{f}@{n}" for n, f in enumerate(OF_ANY_REQUEST + OF_PUT_RECORDS)]
    with FaultServer(*faults, items=20_000, page_bytes=20_000, session_token=TOKEN) as server:
        everyitem = server.everyitem(tmp_path)
        everyitem.extra_env["AWS_SESSION_TOKEN"] = TOKEN
        code, text = say(everyitem, mode, *scan_of("--segments", 4))
        report = server.report()
    assert code == 0, text
    assert set(report["faults"]) == {*OF_ANY_REQUEST, *OF_PUT_RECORDS}, report
    assert report["missing"] == report["altered"] == 0, report
    assert not shown(text, GENERATED), text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "fault",
    [
        *("DescribeTable:not_found=1", "DescribeStreamSummary:not_found=1"),
        *("DescribeTable:garbage=1", "DescribeTable:unavailable_html=1"),
        *("Scan:not_found@3", "Scan:access_denied@3", "Scan:expired_token=0.5"),
        *("PutRecords:access_denied@3", "PutRecords:expired_token=0.5"),
    ],
)
def test_fatal_faults_show_nothing(tmp_path: Path, mode: str, fault: str) -> None:
    with FaultServer(fault, items=20_000, page_bytes=20_000, session_token=TOKEN) as server:
        everyitem = server.everyitem(tmp_path)
        everyitem.extra_env["AWS_SESSION_TOKEN"] = TOKEN
        code, text = say(everyitem, mode, *scan_of("--segments", 4, "--max-wait", "2s"))
    # A table or stream that is not there is a wrong setting.
    assert code == (2 if fault.startswith("Describe") and "not_found" in fault else 1), text
    assert not shown(text, GENERATED), text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
)
def test_wrong_credentials_show_nothing(tmp_path: Path, mode: str, wrong: str) -> None:
    with FaultServer(session_token=TOKEN) as server:
        everyitem = server.everyitem(tmp_path)
        everyitem.extra_env["AWS_SESSION_TOKEN"] = TOKEN
        everyitem.extra_env[wrong] = "wrongThatMustNotShow"
        code, text = say(everyitem, mode, *scan_of())
    assert code == 1, text
    assert not shown(text, (*GENERATED, "wrongThatMustNotShow")), text


# Echoes: parts of the request that a service repeats in its response


class Echo(NamedTuple):
    operation: str
    answer: Callable[[Request], Response]


def refusal(code: str, message: Callable[[Request], str]) -> Callable[[Request], Response]:
    return lambda request: error_response(code, message(request))


def signature_mismatch(request: Request) -> str:
    """Worded like the services, including the canonical request they expected."""
    signed = {name.lower(): value for name, value in request.headers.items()}
    names = ("content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target")
    headers = "\n".join(f"{name}:{signed[name]}" for name in names)
    return (
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.\n"
        f"\nThe Canonical String for this request should have been\n'POST\n/\n\n{headers}\n\n"
        f"{';'.join(names)}\n0123456789abcdef'\n"
    )


def authorization(request: Request) -> str:
    header = request.headers["Authorization"]
    return f"Authorization header requires 'Signature' parameter. Authorization={header}"


def start_key(request: Request) -> str:
    return f"The provided starting key is invalid: {json.dumps(request.body['ExclusiveStartKey'])}"


def first_data(request: Request) -> str:
    return str(request.body["Records"][0]["Data"])


def first_item(request: Request) -> str:
    return base64.b64decode(first_data(request)).decode()


def failed_records(code: str, message: Callable[[Request], str]) -> Callable[[Request], Response]:
    """A response that rejects every record."""

    def answer(request: Request) -> Response:
        entry = {"ErrorCode": code, "ErrorMessage": message(request)}
        records = [entry] * len(request.body["Records"])
        return json_response({"FailedRecordCount": len(records), "Records": records})

    return answer


ECHOES = {
    "token": Echo("DescribeTable", refusal("InvalidSignatureException", signature_mismatch)),
    "access-key": Echo("DescribeTable", refusal("IncompleteSignatureException", authorization)),
    "secret": Echo("DescribeTable", refusal("AccessDeniedException", lambda _: f"not {SECRET}")),
    "stream-token": Echo(
        "DescribeStreamSummary", refusal("InvalidSignatureException", signature_mismatch)
    ),
    "code": Echo("DescribeTable", lambda request: error_response(TOKEN, "not that one")),
    "start-key": Echo("Scan", refusal("ValidationException", start_key)),
    "item": Echo(
        "PutRecords",
        refusal("ValidationException", lambda r: f"Value '{first_item(r)}' is too large"),
    ),
    "data": Echo(
        "PutRecords", refusal("SerializationException", lambda r: f"at {first_data(r)}")
    ),
    "record-item": Echo(
        "PutRecords",
        failed_records("KMSAccessDeniedException", lambda r: f"cannot encrypt {first_item(r)}"),
    ),
    "record-code": Echo("PutRecords", failed_records(TOKEN, lambda _: "no")),
    "given-up": Echo("DescribeTable", refusal("InternalServerError", signature_mismatch)),
    "status-page": Echo(
        "DescribeTable", lambda r: Response(403, authorization(r).encode(), {"server": TOKEN})
    ),
    "page": Echo("DescribeTable", lambda r: Response(200, authorization(r).encode(), {})),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ECHOES)
def test_echoes_not_shown(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str, mode: str, name: str
) -> None:
    echo = ECHOES[name]
    echoed = 0

    def rule(request: Request, forward: Forward) -> Response:
        nonlocal echoed
        first = request.operation == "Scan" and "ExclusiveStartKey" not in request.body
        if request.operation != echo.operation or first:
            return forward(request)
        echoed += 1
        answer = echo.answer(request)
        assert shown(answer.body.decode()), "this no longer tests what it says"
        return answer

    proxy("dynamodb").rule = with_page_limit(50, rule)
    proxy("kinesis").rule = rule
    scan = ("scan", "--table", table.name, "--stream", stream, "--max-wait", "1s")
    code, text = say(everyitem, mode, *scan)
    assert echoed, "nothing was echoed"
    # A table that may not be described is read all the same.
    assert code == (0 if name == "secret" else 1), text
    assert not shown(text), text


def test_expression_values_not_shown(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    """Neither when a service repeats them, nor when a run is refused or resumed."""
    values = {":t": {"S": VALUE}, ":n": {"N": "4711"}, ":l": {"L": [{"S": KEY_VALUE}]}}
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 1)
    filtered = (*scan, "--filter", "a = :t OR b = :n OR c = :l", "--values", json.dumps(values))
    gate = Gate("Scan", passing=2)
    proxy("dynamodb").rule = with_page_limit(50, gate)
    process = everyitem.start(*filtered)
    gate.wait_until_held()
    process.signal(signal.SIGINT)
    wait_for(lambda: "stopping" in process.stderr, "a word about the interrupt")
    gate.open()
    said = process.finish().log
    assert "with the same --values" in said
    said += everyitem.run(*scan).log
    said += everyitem.run(*filtered[:-1], json.dumps(values)[:-1]).log
    assert "belongs to another run" in said and "is not the JSON object" in said

    def refuse(request: Request, forward: Forward) -> Response:
        if request.operation != "Scan":
            return forward(request)
        repeated = f"not a number: 4711, {VALUE}, {json.dumps(request.body)}"
        return error_response("ValidationException", repeated)

    proxy("dynamodb").rule = refuse
    said += everyitem.run(*filtered).log
    assert "not a number" in said
    assert not shown(said, (VALUE, KEY_VALUE, "4711")), said


# Who looks for credentials sends secrets, too.

LONG = "ThatMustNotShow//+AndIsAsLongAsTokensAre0123456789=="

ENCODINGS: Dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "percent-twice": lambda text: quote(quote(text, safe=""), safe=""),
    "json": lambda text: json.dumps(text).replace("/", "\\/"),
    "json-numbers": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "xml": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-url": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode()).decode(),
}


def traces(secret: str) -> List[str]:
    """What would show a part of the secret in one of the encodings."""
    found = [encode(secret[8:32]) for name, encode in ENCODINGS.items() if "base64" not in name]
    for before in (b"", b"x", b"xy"):
        for encode64 in (base64.b64encode, base64.urlsafe_b64encode):
            found.append(encode64(before + secret.encode()).decode()[8:32])
    return [one.strip('"') for one in found]


class EchoServer:
    """Refuses every request with a message that repeats its secrets, encoded."""

    def __init__(self, encode: Callable[[str], str]) -> None:
        self.requests: List[str] = []
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                values = " ".join(self.headers.values())
                requests.append(f"{values} {unquote(body)} {self.path}")
                # A form's own encoding is in its parts.
                parts = re.findall(r"[^&\s\"]*MustNotShow[^&\s\"]*", f"{body} {values}")
                text = " ".join(map(encode, parts))
                if "sts" in self.headers.get("Content-Type", "") or "Action=" in body:
                    answer = (
                        "<ErrorResponse><Error><Code>InvalidThing</Code><Message>"
                        + html.escape(text)
                        + "</Message></Error></ErrorResponse>"
                    ).encode()
                else:
                    names = ("message", "error_description", "Message")
                    answer = json.dumps({"error": "invalid_grant", **dict.fromkeys(names, text)}).encode()
                self.send_response(400)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "EchoServer":
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()


def write_login(home: Path, expires: str) -> None:
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    (cache / (hashlib.sha1(b"corp").hexdigest() + ".json")).write_text(
        json.dumps(
            {
                "accessToken": "access" + LONG,
                "expiresAt": expires,
                "refreshToken": "refresh" + LONG,
                "clientId": "clientId" + LONG,
                "clientSecret": "clientSecret" + LONG,
                "registrationExpiresAt": "2099-01-01T00:00:00Z",
            }
        )
    )
    (home / ".aws" / "config").write_text(
        "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://x/start\n"
    )


def container(home: Path, url: str) -> Dict[str, str]:
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container" + LONG,
    }


def web_identity(home: Path, url: str) -> Dict[str, str]:
    (home / "token").write_text("web" + LONG)
    return {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(home / "token"),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
        "AWS_ENDPOINT_URL_STS": url,
    }


def role(home: Path, url: str) -> Dict[str, str]:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = keys\n"
        f"external_id = external{LONG}\n"
        f"[profile keys]\naws_access_key_id = AKIDTHATMUSTNOTSHOW0\n"
        f"aws_secret_access_key = key{LONG}\naws_session_token = session{LONG}\n"
    )
    return {"AWS_ENDPOINT_URL_STS": url}


def login(home: Path, url: str) -> Dict[str, str]:
    write_login(home, "2099-01-01T00:00:00Z")
    return {"AWS_ENDPOINT_URL_SSO": url}


def expired_login(home: Path, url: str) -> Dict[str, str]:
    write_login(home, "2020-01-01T00:00:00Z")
    return {"AWS_ENDPOINT_URL_SSO_OIDC": url}


SENT = {
    container: ["container"],
    web_identity: ["web"],
    role: ["external", "session"],
    login: ["access"],
    expired_login: ["refresh", "clientId", "clientSecret"],
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("source", SENT, ids=lambda source: source.__name__)
def test_echoes_to_credential_sources(
    everyitem: Everyitem, source: Callable[[Path, str], Dict[str, str]], encoding: str
) -> None:
    with EchoServer(ENCODINGS[encoding]) as server:
        everyitem.extra_env = dict.fromkeys(
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        )
        everyitem.extra_env.update(source(everyitem.home, server.url))
        result = everyitem.run("whoami")
    sent = "\n".join(server.requests)
    for name in SENT[source]:
        secret = name + LONG
        assert secret in sent, (name, "this no longer tests what it says", result.stderr)
        assert not shown(result.log, tuple(traces(secret))), result.log
    assert result.code == 1 and "***" in result.log, result.log


# Files and processes


def started_amid(
    everyitem: Everyitem, proxy: Callable, table: Table, *destination: Any
) -> Tuple[Process, Gate]:
    """A run that has written a checkpoint and has stopped reading."""
    everyitem.extra_env["TMPDIR"] = str(everyitem.home)
    # Only the program itself restricts access to what it creates.
    everyitem.within = ["sh", "-c", 'umask 0; exec "$@"', "sh"]
    gate = Gate("Scan", passing=3)
    proxy("dynamodb").rule = with_page_limit(50, gate)
    process = everyitem.start("scan", "--table", table.name, *destination, "--segments", 1)
    gate.wait_until_held()
    return process, gate


def test_process_hides_secrets(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    process, gate = started_amid(everyitem, proxy, table, "--stream", stream)
    seen = ""
    root = Path(f"/proc/{process.pid}")
    for path in (*root.glob("cmdline"), *root.glob("task/*/comm"), *root.glob("task/*/stat")):
        seen += path.read_text() + "\n"
    for link in (root / "cwd", root / "exe", *root.glob("fd/*")):
        seen += os.readlink(link) + "\n"
    gate.open()
    result = process.finish()
    assert result.code == 0, result.stderr
    assert table.name in seen and "everyitem" in seen, "this no longer tests what it says"
    assert not shown(seen), seen


def files_of(everyitem: Everyitem) -> List[Path]:
    """The files a run has created, apart from its output captured by the tests."""
    runs = everyitem.home / "runs"
    return [path for path in everyitem.home.rglob("*") if runs not in (path, *path.parents)]


def permissions(path: Path) -> str:
    return f"{path.name} {path.stat().st_mode & 0o777:04o}"


@pytest.mark.parametrize("destination", ["stream", "file"])
def test_files_are_private(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str, destination: str
) -> None:
    to = {"stream": ("--stream", stream), "file": ("--to", everyitem.home / "items.ndjson")}
    process, gate = started_amid(everyitem, proxy, table, *to[destination])
    amid = [permissions(path) for path in files_of(everyitem) if path.is_file()]
    gate.open()
    result = process.finish()
    assert result.code == 0, result.stderr
    after = [permissions(path) for path in files_of(everyitem) if path.is_file()]
    assert amid and after
    assert all(one.endswith(" 0600") for one in amid + after), (amid, after)


def test_directories_are_private(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    process, gate = started_amid(everyitem, proxy, table, "--stream", stream)
    gate.open()
    assert process.finish().code == 0
    made = [permissions(path) for path in files_of(everyitem) if path.is_dir()]
    assert made and all(one.endswith(" 0700") for one in made), made


def test_files_hold_no_secret(
    everyitem: Everyitem, proxy: Callable, table: Table, stream: str
) -> None:
    process, gate = started_amid(everyitem, proxy, table, "--stream", stream)
    names, content = "", b""
    for path in files_of(everyitem):
        names += f"{path}\n"
        content += path.read_bytes() if path.is_file() else b""
    gate.open()
    assert process.finish().code == 0
    assert KEY_VALUE.encode() in content, "no key in the checkpoint: this no longer tests it"
    assert not shown(names), names
    # A checkpoint has to contain keys, but nothing else of an item.
    assert not shown(content.decode(errors="replace"), (SECRET, KEY_ID, TOKEN, VALUE))


# Settings


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "text",
    [
        f"[default]\naws_secret_access_key {SECRET}\n",
        f"[default]\n{SECRET}\n",
        f"[default]\n= {SECRET}\n",
        f"[default {SECRET}\n",
        f"aws_secret_access_key = {SECRET}\n",
        f"[default]\naws_secret_access_key = {SECRET}\n",
        f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key =\n  {SECRET}\n",
    ],
    ids=range(7),
)
def test_faulty_credentials_file(
    everyitem: Everyitem, table: Table, stream: str, mode: str, text: str
) -> None:
    path = everyitem.home / "credentials"
    path.write_text(text)
    everyitem.extra_env.update(
        dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")),
        AWS_SHARED_CREDENTIALS_FILE=str(path),
    )
    code, said = say(everyitem, mode, "scan", "--table", table.name, "--stream", stream)
    assert code in (1, 2), said
    assert re.search("credentials", said), said
    assert not shown(said), said


@pytest.mark.parametrize("mode", MODES)
def test_token_with_line_break(
    everyitem: Everyitem, table: Table, stream: str, mode: str
) -> None:
    everyitem.extra_env["AWS_SESSION_TOKEN"] = f"{TOKEN}\r\nX-Other: {TOKEN}"
    code, text = say(everyitem, mode, "scan", "--table", table.name, "--stream", stream)
    assert code in (1, 2), text
    assert not shown(text), text


@pytest.mark.parametrize("mode", MODES)
def test_password_of_endpoint(
    everyitem: Everyitem, table: Table, stream: str, mode: str
) -> None:
    everyitem.endpoints["dynamodb"] = f"http://joe:{SECRET}@127.0.0.1:1"
    code, text = say(everyitem, mode, "scan", "--table", table.name, "--stream", stream)
    assert code == 2, text
    assert not shown(text), text


def test_dead_letters_hold_keys(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    """Of an item that a stream refuses and quotes, nothing is shown, and only its key is kept."""

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation != "PutRecords":
            return forward(request)
        taken = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
        results: List[Any] = [taken] * len(request.body["Records"])
        data = base64.b64decode(request.body["Records"][0]["Data"]).decode()
        results[0] = {"ErrorCode": "InvalidArgumentException", "ErrorMessage": f"no, not {data} now"}
        return json_response({"FailedRecordCount": 1, "Records": results})

    proxy("kinesis").rule = rule
    letters = CheckpointTable(backend)
    code, text = say(
        *(everyitem, "lines", "scan", "--table", table.name, "--stream", backend.stream()),
        *("--kinesis-wire", "json", "--dead-letters", f"dynamodb:{letters.name}"),
    )
    assert code == 3, text
    assert not shown(text)
    kept = letters.items()
    assert kept and {letter["reason"]["S"] for letter in kept} == {"no, not ... now"}
    assert all(KEY_VALUE in letter["key"]["M"]["id"]["S"] for letter in kept)
    assert VALUE not in json.dumps(kept)
