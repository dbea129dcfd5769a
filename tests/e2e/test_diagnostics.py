"""Standard input, output and error in every state: what is said about a run never ends it."""

import fcntl
import itertools
import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

import pytest
from fault_server import FaultServer, scan_of
from running import BINARY, INTERRUPTED, ROOT, TIMEOUT, Everyitem, events_of, wait_for
from terminal import Terminal

STDIN, STDOUT, STDERR = 0, 1, 2
ITEMS = 500
# One in 50 can never be delivered, so that there are dead letters.
DEAD_LETTERS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(items=ITEMS, page_bytes=20_000, refused_every=50) as running:
        yield running


@pytest.fixture
def everyitem(server: FaultServer, tmp_path: Path) -> Everyitem:
    runner = server.everyitem(tmp_path)
    runner.endpoints["sts"] = server.url
    return runner


# States of a descriptor, made in the child process before the program starts.


def closed(number: int) -> None:
    os.close(number)


def full(number: int) -> None:
    os.dup2(os.open("/dev/full", os.O_RDWR), number)


def without_reader(number: int) -> None:
    reader, writer = os.pipe()
    os.dup2(writer, number)
    os.close(reader)
    os.close(writer)


def read_only(number: int) -> None:
    os.dup2(os.open("/dev/null", os.O_RDONLY), number)


def hung_up(number: int) -> None:
    """A terminal whose other side is gone."""
    master, slave = pty.openpty()
    os.dup2(slave, number)
    os.close(master)
    os.close(slave)


def stalled(number: int) -> None:
    """A full pipe, whose reader does not read."""
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    os.dup2(writer, number)


State = Callable[[int], None]
BROKEN: Dict[str, State] = {
    state.__name__: state for state in (closed, full, without_reader, read_only, hung_up, stalled)
}


class Verb(NamedTuple):
    arguments: List[Any]
    code: int


TO_FILE = "items.ndjson"
VERBS = {
    "scan-to-stream": Verb(scan_of("--segments", 2), DEAD_LETTERS),
    "scan-to-file": Verb(["scan", "--table", "generated", "--to", TO_FILE], 0),
    "scan-to-stdout": Verb(["scan", "--table", "generated", "--to", "-"], 0),
    "whoami": Verb(["whoami", "--verbose"], 0),
    "whoami-json": Verb(["whoami", "--json"], 0),
    "help": Verb(["scan", "--help"], 0),
    "version": Verb(["--version"], 0),
    "nothing": Verb([], 2),
    "unknown-flag": Verb(["scan", "--tabel", "x"], 2),
    "wrong-setting": Verb(scan_of("--segments", "none"), 2),
    "no-such-profile": Verb(scan_of("--profile", "none"), 2),
}
# What standard output carries; if that cannot be written, the command has failed.
CARRIED = ("scan-to-stdout", "whoami", "whoami-json", "help", "version")


def run_in(everyitem: Everyitem, arguments: Sequence[Any], **states: State) -> Any:
    """Runs it with its descriptors in these states: run_in(e, ["whoami"], stderr=closed)."""

    def prepare() -> None:
        for name, state in states.items():
            state({"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR}[name])

    return subprocess.run(
        [str(BINARY), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=everyitem.env,
        cwd=everyitem.home,
        preexec_fn=prepare,
        timeout=TIMEOUT,
        check=False,
        start_new_session=True,
    )


def assert_files_are_whole(everyitem: Everyitem) -> None:
    """No file of the run has received what was meant for a descriptor."""
    for path in everyitem.home.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for text in (b"everyitem: ", b'"event":', b"items/s", b'"timestamp"'):
            assert text not in content, (path, text)
        if path.suffix == ".sqlite":
            assert content.startswith(b"SQLite format 3\0"), path
        elif path.suffix in (".ndjson", ".jsonl"):
            for line in content.splitlines():
                json.loads(line)


@pytest.mark.parametrize("state", BROKEN)
@pytest.mark.parametrize("verb", VERBS)
def test_standard_error_states(everyitem: Everyitem, verb: str, state: str) -> None:
    good = run_in(everyitem, [*VERBS[verb].arguments, *restart(verb)])
    done = run_in(everyitem, [*VERBS[verb].arguments, *restart(verb)], stderr=BROKEN[state])
    assert good.returncode == VERBS[verb].code, good.stderr
    assert done.returncode == good.returncode
    if verb != "scan-to-stdout":  # whose order is not fixed
        assert done.stdout == good.stdout
    else:
        assert sorted(done.stdout.splitlines()) == sorted(good.stdout.splitlines())
    assert_files_are_whole(everyitem)


def restart(verb: str) -> List[str]:
    return ["--restart"] if verb in ("scan-to-stream", "scan-to-file") else []


@pytest.mark.parametrize("state", ["closed", "full", "without_reader", "read_only", "hung_up"])
@pytest.mark.parametrize("verb", VERBS)
def test_standard_output_states(everyitem: Everyitem, verb: str, state: str) -> None:
    done = run_in(everyitem, VERBS[verb].arguments, stdout=BROKEN[state])
    if verb == "scan-to-stdout" and state == "without_reader":
        assert done.returncode == 0, done.stderr  # it has what it wanted
    elif verb in CARRIED:
        assert done.returncode == 1, done.stderr
        errors = [e["message"] for e in events_of(done.stderr.decode()) if e.get("level") == "ERROR"]
        assert len(errors) == 1 and "standard output" in errors[0], errors
    else:
        assert done.returncode == VERBS[verb].code, done.stderr
    assert_files_are_whole(everyitem)


@pytest.mark.parametrize("verb", ["scan-to-stream", "scan-to-file", "scan-to-stdout", "whoami"])
def test_closed_descriptors(everyitem: Everyitem, verb: str) -> None:
    for count in (0, 1, 2, 3):
        for names in itertools.combinations(("stdin", "stdout", "stderr"), count):
            arguments = [*VERBS[verb].arguments, *restart(verb)]
            done = run_in(everyitem, arguments, **dict.fromkeys(names, closed))
            carried = verb in CARRIED and "stdout" in names
            assert done.returncode == (1 if carried else VERBS[verb].code), (names, done.stderr)
            assert_files_are_whole(everyitem)


@pytest.mark.parametrize("verb", VERBS)
def test_json_lines_with_time(everyitem: Everyitem, verb: str) -> None:
    done = run_in(everyitem, VERBS[verb].arguments)
    events = events_of(done.stderr.decode())
    levels = [event["level"] for event in events if event["event"] == "message"]
    assert ("ERROR" in levels) == (done.returncode in (1, 2)), events


def test_both_streams_into_jq(everyitem: Everyitem) -> None:
    done = everyitem.shell(
        "everyitem scan --table generated --stream s 2>&1 >/dev/null"
        " | jq -r 'select(.event == \"summary\") | .items'"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"490\n"


def test_text_on_request(everyitem: Everyitem) -> None:
    for arguments in (scan_of("--log", "text"), scan_of("--log=text", "--segments", "none")):
        done = run_in(everyitem, arguments)
        lines = done.stderr.decode().splitlines()
        assert lines and all(line.startswith("everyitem: ") for line in lines), lines


def test_wrong_log_format(everyitem: Everyitem) -> None:
    done = run_in(everyitem, ["whoami", "--log", "xml"])
    (error,) = events_of(done.stderr.decode())
    assert done.returncode == 2 and "--log" in error["message"], error


def test_reader_leaves(everyitem: Everyitem) -> None:
    done = everyitem.shell(
        "everyitem scan --table generated --to - 2> >(head -n 1 >/dev/null) | wc -l"
    )
    assert int(done.stdout) == ITEMS


# Terminals


@pytest.mark.parametrize("ignored", [False, True], ids=["stops", "nohup"])
def test_terminal_that_hangs_up(everyitem: Everyitem, tmp_path: Path, ignored: bool) -> None:
    """Without nohup it is told to stop, and stops in order; with it, the run is completed."""
    with FaultServer(items=3000, page_bytes=20_000, scan_latency_ms=20) as slow:
        runner = slow.everyitem(tmp_path)
        pid, master = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
            words = [str(BINARY), *map(str, scan_of("--segments", 1))]
            os.execve(BINARY, words, {**runner.env, "TERM": "xterm"})
        shown = b""
        while b"items/s" not in shown:
            shown += os.read(master, 65536)
        os.close(master)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code == (0 if ignored else INTERRUPTED)
        assert runner.run(*scan_of("--segments", 1)).code == 0
        report = slow.report()
    assert report["missing"] == report["altered"] == report["duplicates"] == 0, report


class SizedTerminal(Terminal):
    def __init__(self, everyitem: Everyitem, columns: int, term: str, *arguments: Any) -> None:
        script = f"stty cols {columns}; TERM={term} exec \"$0\" \"$@\""
        self._script = script
        super().__init__(everyitem, *arguments, within=("sh", "-c", script))


ESCAPE = re.compile(r"\x1b\[K")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_progress_fits_the_terminal(tmp_path: Path, columns: int) -> None:
    with FaultServer(items=3000, page_bytes=20_000, scan_latency_ms=20) as slow:
        terminal = SizedTerminal(slow.everyitem(tmp_path), columns, "xterm", *scan_of("--segments", 1))
        assert terminal.finish() == 0, terminal.text
    updates = [part for part in re.split(r"\r(?!\n)", terminal.text) if part.startswith("\x1b[K")]
    lines = [ESCAPE.sub("", part).rstrip("\r\n") for part in updates]
    progress = [line for line in lines if line and "everyitem:" not in line]
    assert progress and max(map(len, progress)) < columns, progress
    assert any("items of ~3,000" in line or columns == 40 for line in progress), progress


def test_dumb_terminal(tmp_path: Path) -> None:
    with FaultServer(items=3000, page_bytes=20_000, scan_latency_ms=20) as slow:
        terminal = SizedTerminal(
            slow.everyitem(tmp_path), 80, "dumb", *scan_of("--segments", 1, "--progress-interval", "1s")
        )
        assert terminal.finish() == 0, terminal.text
    assert "\x1b" not in terminal.text
    lines = terminal.text.splitlines()
    assert all(line.startswith("everyitem: ") for line in lines), lines
    assert any("items/s" in line for line in lines), lines


# Text from outside

HOSTILE = "a\x1b]0;owned\x07\x9b2J\u202e\u2066\u200b\xad\r\nb"


@pytest.mark.parametrize("mode", ["json", "text"])
def test_hostile_text_made_visible(everyitem: Everyitem, mode: str) -> None:
    for arguments in (
        ["scan", "--table", HOSTILE, "--stream", "s"],
        ["scan", "--table", "t", "--to", f"/no-such-folder/{HOSTILE}"],
        ["scan", f"--{HOSTILE}", "x"],
        ["scan", "--table", "t", "--stream", "s", "--region", HOSTILE],
        ["scan", "--table", "t", "--stream", "s", "--profile", HOSTILE],
        ["whoami", "--profile", HOSTILE],
        [HOSTILE],
        ["scan", "--table", b"t\xff\xc3", "--stream", "s"],
    ):
        words = [a if isinstance(a, bytes) else a.encode() for a in (*arguments, "--log", mode)]
        done = subprocess.run(
            [os.fsencode(BINARY), *words],
            env=everyitem.env,
            cwd=everyitem.home,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode in (1, 2), done.stderr
        shown = done.stderr.decode() + done.stdout.decode()  # valid UTF-8
        unseen = [c for c in shown if c != "\n" and not c.isprintable()]
        assert not unseen, (arguments, unseen, shown)
        assert len(shown.splitlines()) == 1, shown


# One writer


def test_nothing_else_writes() -> None:
    """Whatever prints in another way could throw, or show what printable() does not."""
    allowed = {"src/base/diagnostics.cc", "src/base/standard_streams.cc"}
    forbidden = re.compile(
        r"fmt::print|\bf?printf\(|std::c(out|err|log)\b|std::puts|\bperror\(|\bstd(err|out)\b"
    )
    found = []
    for path in sorted((ROOT / "src").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in (".h", ".cc") or path.stem.endswith("_test") or name in allowed:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if forbidden.search(re.sub(r'"[^"]*"|//.*', "", line)):
                found.append(f"{name}:{number}: {line.strip()}")
    assert not found, "\n".join(found)
