"""scripts/steps.sh: what runs alongside other steps, how it fails, and that a signal ends all of it."""

import signal
import subprocess
import time
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
set -euo pipefail
source "$1/scripts/steps.sh"
trap 'end_child; end_alongside; exit 143' TERM
cd "$2"
{body}
"""


def start(tmp_path: Path, body: str) -> subprocess.Popen:
    script = SCRIPT.replace("{body}", body)
    return subprocess.Popen(
        ["bash", "-c", script, "test", str(ROOT), str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_in(tmp_path: Path) -> List[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve() == tmp_path.resolve():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            pass  # it has ended in the meantime
    return found


def test_steps_run_alongside(tmp_path: Path) -> None:
    # Each waits for the other, so neither would end if one ran after the other.
    body = """
    back() { quiet_step back: back.log bash -c 'echo ready >ready; cat <here'; }
    mkfifo ready here
    alongside back
    quiet_step front: front.log bash -c 'cat ready; echo done >here'
    join back
    """
    output, _ = start(tmp_path, body).communicate(timeout=30)
    assert "front: ready" in output and "back: done" in output


def test_join_returns_result(tmp_path: Path) -> None:
    body = """
    back() { quiet_step back back.log bash -c 'exit 3' || return; }
    alongside back
    status=0
    join back || status=$?
    echo "status $status"
    """
    output, _ = start(tmp_path, body).communicate(timeout=30)
    assert "status 3" in output


def test_signal_ends_both(tmp_path: Path) -> None:
    body = """
    back() { quiet_step back back.log sleep 1000; }
    alongside back
    quiet_step front front.log sleep 1000
    """
    process = start(tmp_path, body)
    while sum("sleep" in one for one in processes_in(tmp_path)) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not processes_in(tmp_path)
