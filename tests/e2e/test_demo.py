"""The demo: its output, its exit codes, and that it leaves nothing behind."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict, List

import pytest
from running import INTERRUPTED, ROOT, hear_signals, wait_for

DEMO = ROOT / "demo"
DEADLINE = 300  # seconds, because it may have to build

pytestmark = pytest.mark.slow


@pytest.fixture
def env(tmp_path: Path) -> Dict[str, str]:
    """An environment with its own directory for what the demo creates, and hostile settings."""
    return {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "AWS_PROFILE": "no-such-profile",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_SESSION_TOKEN": "stale",
        "AWS_REGION": "mars-north-1",
    }


def processes_of(tmp_path: Path) -> List[str]:
    """The demo's processes: those whose environment contains the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(tmp_path).encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            pass  # it has ended in the meantime, or belongs to another user
    return found


def assert_nothing_left(tmp_path: Path) -> None:
    wait_for(lambda: not processes_of(tmp_path), "the demo's processes end", 10)
    assert not list(tmp_path.iterdir())


def test_arrives_and_cleans_up(tmp_path: Path, env: Dict[str, str]) -> None:
    done = subprocess.run(
        [str(DEMO)], env=env, cwd="/", capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20,000 items, 20,000 records: 0 missing, 0 changed, 0 unexpected" in done.stdout
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("after", ["Started the servers", "everyitem scan --table"])
@pytest.mark.parametrize("to", ["terminal", "process"])
def test_interrupted_anywhere(
    tmp_path: Path, env: Dict[str, str], after: str, to: str
) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        hear_signals()
        os.execve(DEMO, [str(DEMO)], env)
    text, sent = "", False
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            text += os.read(terminal, 65536).decode(errors="replace")
        except OSError:  # the other side of the terminal has closed
            break
        if not sent and after in text:
            sent = True
            if to == "terminal":
                os.write(terminal, b"\x03")
            else:
                os.kill(pid, signal.SIGINT)
    else:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    assert code == INTERRUPTED, text
    assert_nothing_left(tmp_path)


def test_kept_servers(tmp_path: Path, env: Dict[str, str]) -> None:
    done = subprocess.run(
        [str(DEMO), "--keep"],
        env=env,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    try:
        assert done.returncode == 0, done.stdout
        commands = re.findall(r"^  (source .*|everyitem .*)$", done.stdout, re.M)
        assert len(commands) > 3, done.stdout
        script = "set -e -o pipefail; cd $TMPDIR\n" + "\n".join(commands)
        played = subprocess.run(
            ["bash", "-c", script], env=env, capture_output=True, text=True, check=False
        )
        assert played.returncode == 0, played.stderr
        assert len(played.stdout.splitlines()) == 3
    finally:
        stop = re.search(r"^  (kill .*)$", done.stdout, re.M)
        assert stop, done.stdout
        subprocess.run(["bash", "-c", stop[1]], check=True)
    (tmp_path / "orders.ndjson").unlink()
    assert_nothing_left(tmp_path)


def test_killed_demo_leaves_nothing(tmp_path: Path, env: Dict[str, str]) -> None:
    with subprocess.Popen([str(DEMO)], env=env, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        for line in demo.stdout:
            if "Started the servers" in line:
                break
        demo.kill()
    wait_for(
        lambda: not any("start.js" in one for one in processes_of(tmp_path)), "the servers end", 60
    )


@pytest.mark.parametrize("script", ["demo", "test"])
def test_help_and_wrong_usage(script: str) -> None:
    done = subprocess.run([str(ROOT / script), "--help"], capture_output=True, check=False)
    assert done.returncode == 0 and b"usage:" in done.stdout and done.stderr == b""
    done = subprocess.run([str(ROOT / script), "--no-such"], capture_output=True, check=False)
    assert done.returncode == 2 and b"--no-such" in done.stderr and done.stdout == b""
