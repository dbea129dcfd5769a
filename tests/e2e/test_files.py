"""Files as outputs and for what a run keeps: pipes, links, and what others have put there."""

import os
import signal
import stat
import subprocess
import threading
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from fault_server import FaultServer
from running import INTERRUPTED, Everyitem, wait_for

COUNT = 300
DEAD_LETTERS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(items=COUNT) as started:
        yield started


@pytest.fixture
def everyitem(server: FaultServer, tmp_path: Path) -> Everyitem:
    home = tmp_path / "home"
    home.mkdir()
    return server.everyitem(home)


def scan(*more: Any) -> List[Any]:
    return ["scan", "--table", "generated", *more]


class Reader:
    """Reads a named pipe to its end, in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.data = b""
        self._path = path
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        self.data = self._path.read_bytes()

    def lines(self) -> List[bytes]:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.data.splitlines()


def test_named_pipe_without_checkpoint(everyitem: Everyitem) -> None:
    pipe = everyitem.home / "pipe"
    os.mkfifo(pipe)
    for _ in range(2):  # the second run delivers everything again
        reader = Reader(pipe)
        result = everyitem.run(*scan("--to", pipe))
        assert result.code == 0, result.stderr
        assert result.summary["checkpoint"] is None
        assert len(set(reader.lines())) == COUNT


def test_named_pipe_awaits_reader(everyitem: Everyitem) -> None:
    pipe = everyitem.home / "pipe"
    os.mkfifo(pipe)
    process = everyitem.start(*scan("--to", pipe))
    wait_for(lambda: "as soon as something reads it" in process.stderr, "the notice")
    assert process.running
    reader = Reader(pipe)
    assert process.finish().code == 0
    assert len(reader.lines()) == COUNT


def test_interrupted_awaiting_reader(everyitem: Everyitem) -> None:
    pipe = everyitem.home / "pipe"
    os.mkfifo(pipe)
    process = everyitem.start(*scan("--to", pipe))
    wait_for(lambda: "as soon as something reads it" in process.stderr, "the notice")
    process.signal(signal.SIGTERM)
    assert process.finish(timeout=10).code == INTERRUPTED


@pytest.mark.parametrize(
    "redirected",
    [
        "--to /dev/stdout > items",
        "--to /dev/stdout | cat > items",
        "--to /dev/fd/3 3> items",
        "--to /proc/self/fd/3 3>> items",
        "--to >(cat > items); while [ $(wc -l < items) -lt 300 ]; do :; done",
    ],
)
def test_descriptors_are_not_reopened(everyitem: Everyitem, redirected: str) -> None:
    for _ in range(2):
        (everyitem.home / "items").write_text("")
        done = everyitem.shell(f"everyitem scan --table generated {redirected}")
        assert done.returncode == 0, done.stderr
        assert b'"checkpoint":null' in done.stderr
        assert len(set((everyitem.home / "items").read_bytes().splitlines())) == COUNT


def test_closed_named_pipe(everyitem: Everyitem) -> None:
    done = everyitem.shell(
        "mkfifo pipe; head -n 1 pipe & everyitem scan --table generated --to pipe"
    )
    assert done.returncode == 0, done.stderr


def test_stream_refuses_restart(everyitem: Everyitem) -> None:
    pipe = everyitem.home / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/stdout", "-"):
        result = everyitem.run(*scan("--to", path, "--restart"))
        assert result.code == 2 and "--restart" in result.stderr, result.stderr
        assert result.stdout == b""


def test_complete_run_without_file(everyitem: Everyitem) -> None:
    path = everyitem.home / "items"
    assert everyitem.run(*scan("--to", path)).code == 0
    again = everyitem.run(*scan("--to", path))
    assert again.code == 0 and "already (since 20" in again.stderr, again.stderr
    assert again.summary["finished_at"].startswith("20")
    path.unlink()
    for _ in range(2):
        result = everyitem.run(*scan("--to", path))
        assert result.code == 1, result.stderr
        assert "was complete at 20" in result.stderr and "the file is gone" in result.stderr
        assert "--restart" in result.stderr
        assert not path.exists()
    assert everyitem.run(*scan("--to", path, "--restart")).code == 0
    assert len(path.read_bytes().splitlines()) == COUNT


def test_links_are_not_followed(everyitem: Everyitem) -> None:
    precious = everyitem.home / "precious"
    precious.write_text("precious\n")
    link = everyitem.home / "link"
    link.symlink_to(precious)
    stream = ("--stream", "backfill")
    for more in (
        ("--to", link, "--restart"),
        ("--to", link),
        (*stream, "--checkpoint", link),
        (*stream, "--dead-letters", link),
        (*stream, "--dead-letters", link, "--restart"),
    ):
        result = everyitem.run(*scan(*more))
        assert result.code == 1 and "symbolic link" in result.stderr, result.stderr
        assert precious.read_text() == "precious\n" and link.is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_others_made(everyitem: Everyitem) -> None:
    theirs = everyitem.home / "theirs"
    theirs.write_text("")
    theirs.chmod(0o600)
    os.chown(theirs, 12345, 12345)
    for more in (
        ("--to", theirs),
        ("--stream", "backfill", "--checkpoint", theirs),
        ("--stream", "backfill", "--dead-letters", theirs),
    ):
        result = everyitem.run(*scan(*more))
        assert result.code == 1 and "belongs to another user" in result.stderr, result.stderr
    assert theirs.stat().st_size == 0


def test_folder_others_can_write(everyitem: Everyitem) -> None:
    shared = everyitem.home / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    result = everyitem.run(*scan("--stream", "backfill", "--checkpoint", shared / "run"))
    assert result.code == 1 and "other users can write to the folder" in result.stderr
    assert list(shared.iterdir()) == []


def test_dead_letters_spare_files(everyitem: Everyitem) -> None:
    notes = everyitem.home / "notes"
    notes.write_text("no line break at the end")
    notes.chmod(0o600)
    for restart in ((), ("--restart",)):
        result = everyitem.run(
            *scan("--stream", "backfill", "--dead-letters", notes, *restart)
        )
        assert result.code == 1 and "something else than dead letters" in result.stderr
        assert notes.read_text() == "no line break at the end"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_restart_over_mounted_file(everyitem: Everyitem) -> None:
    below, path = everyitem.home / "below", everyitem.home / "items"
    below.write_text("precious\n")
    path.write_text("")
    if subprocess.run(["mount", "--bind", below, path], check=False).returncode != 0:
        pytest.skip("no right to mount here")
    try:
        result = everyitem.run(*scan("--to", path, "--restart"))
        assert result.code == 1 and "mount point" in result.stderr, result.stderr
        assert path.read_text() == "precious\n"
        assert list(everyitem.home.glob("items.restart-*")) == []
    finally:
        subprocess.run(["umount", path], check=True)


def test_restart_keeps_mode(everyitem: Everyitem) -> None:
    path = everyitem.home / "items"
    path.write_text("precious\n")
    path.chmod(0o644)
    (everyitem.home / "items.restart-0123456789abcdef").write_text("")
    assert everyitem.run(*scan("--to", path, "--restart")).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [left.name for left in everyitem.home.glob("items*")] == ["items"]


def test_output_is_not_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with FaultServer(items=100) as server:
        everyitem = server.everyitem(tmp_path)
        scan = ("scan", "--table", "generated")
        same = everyitem.run(*scan, "--to", tmp_path / "run", "--checkpoint", tmp_path / "." / "run")
        assert server.report()["requests"] == {}
        by_link = ("--to", tmp_path / "folder" / "run", "--checkpoint", tmp_path / "link" / "run")
        linked = [everyitem.run(*scan, *by_link), everyitem.run(*scan, *by_link, "--restart")]
    assert same.code == 2 and "--to and --checkpoint name the same file" in same.stderr
    for result in linked:
        assert result.code != 0 and "SQLite database, such as a checkpoint" in result.stderr


def test_restart_replaces_no_checkpoint(tmp_path: Path) -> None:
    with FaultServer(items=2000, page_bytes=10_000) as server:
        everyitem = server.everyitem(tmp_path)
        scan = ("scan", "--table", "generated")
        checkpoint = tmp_path / "run.sqlite"
        everyitem.run(*scan, "--to", tmp_path / "items", "--checkpoint", checkpoint, "--limit", 100)
        other = everyitem.run(*scan, "--to", checkpoint, "--restart")
        resumed = everyitem.run(*scan, "--to", tmp_path / "items", "--checkpoint", checkpoint)
    assert other.code != 0 and "SQLite database, such as a checkpoint" in other.stderr
    assert resumed.code == 0 and resumed.summary["items_total"] == 2000, resumed.stderr
    assert len((tmp_path / "items").read_text().splitlines()) == 2000
