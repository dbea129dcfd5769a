"""One run of one contender: against a fault server of its own, on another core than that."""

import json
import os
import resource
import subprocess
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from contenders import SERVER, Contender, Place

SERVER_CORE = 0
CLIENT_CORE = 1
MOST_SECONDS = 120
BUSY = 0.95  # from here on a core is what limits
DISTURBED = 0.05  # from here on others on the machine make a run slower

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDFAULTS", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


class NotAllArrived(Exception):
    """What the contender failed to do: its run does not count."""


@dataclass(frozen=True)
class Run:
    items: int
    item_bytes: int
    seconds: float
    client_seconds: float  # of processor time
    server_seconds: float
    others_busy: float  # other processes' share of the two cores
    peak_bytes: int

    def without(self, start: "Run") -> "Run":
        """What is left when the start of the program is taken off."""
        return Run(
            self.items,
            self.item_bytes,
            max(self.seconds - start.seconds, 1e-3),
            max(self.client_seconds - start.client_seconds, 1e-3),
            max(self.server_seconds - start.server_seconds, 0),
            self.others_busy,
            self.peak_bytes,
        )

    @property
    def items_per_second(self) -> float:
        return self.items / self.seconds

    @property
    def megabytes_per_second(self) -> float:
        return self.items * self.item_bytes / self.seconds / 1e6

    @property
    def client_seconds_per_gigabyte(self) -> float:
        return self.client_seconds / (self.items * self.item_bytes) * 1e9

    @property
    def peak_megabytes(self) -> float:
        return self.peak_bytes / 1e6

    @property
    def client_busy(self) -> float:
        return self.client_seconds / self.seconds

    @property
    def server_busy(self) -> float:
        return self.server_seconds / self.seconds


def processor_seconds(pid: int) -> float:
    # The fields behind the program's name, which may hold spaces: user and system time.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def seconds_of_both_cores() -> float:
    """Processor time of all processes on the two cores; interrupts are not of any of them."""
    cores = [f"cpu{SERVER_CORE}", f"cpu{CLIENT_CORE}"]
    lines = [line.split() for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines()]
    ticks = sum(sum(map(int, line[1:4])) for line in lines if line and line[0] in cores)
    return ticks / os.sysconf("SC_CLK_TCK")


def pinned(core: int) -> Any:
    return lambda: os.sched_setaffinity(0, {core})


@contextmanager
def fault_server(items: int, item_bytes: int) -> Iterator[Tuple[int, str]]:
    """The server's process and its URL."""
    size = str(item_bytes)
    server = subprocess.Popen(
        [str(SERVER), "--items", str(items), "--item-bytes", size, "--max-item-bytes", size],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=pinned(SERVER_CORE),
    )
    try:
        assert server.stdout is not None
        yield server.pid, json.loads(server.stdout.readline())["url"]
    finally:
        server.terminate()
        server.communicate()


def report_of(url: str) -> Dict[str, Any]:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/report", timeout=10) as answer:
        report: Dict[str, Any] = json.load(answer)
        return report


def check(contender: Contender, items: int, report: Dict[str, Any], output: str) -> None:
    if contender.kind == "floor":
        relayed = json.loads(output)
        if relayed["items"] != items or relayed["bytes"] != report["sunk_bytes"]:
            raise NotAllArrived(f"read {output}, and {report['sunk_bytes']:,} bytes arrived")
    elif report["distinct"] != items or report["altered"] or report["unknown"]:
        raise NotAllArrived(
            f"of {items:,} items {report['missing']:,} are missing; "
            f"{report['altered']:,} records are altered, {report['unknown']:,} unknown"
        )


def wait(process: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    """What the process used; it is ended when it takes too long."""
    killer = threading.Timer(MOST_SECONDS, process.kill)
    killer.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    except KeyboardInterrupt:
        process.kill()
        raise
    finally:
        killer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return used


def run(contender: Contender, items: int, item_bytes: int) -> Run:
    with tempfile.TemporaryDirectory(prefix="everyitem-bench.") as made, fault_server(
        items, item_bytes
    ) as (server, url):
        directory = Path(made)
        command: List[str] = contender.command(Place(url, item_bytes, directory))
        environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "LANG")},
            **CREDENTIALS,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": made,
        }
        with open(directory / "output", "wb+") as output, open(directory / "errors", "wb+") as errors:
            server_before = processor_seconds(server)
            both_before = seconds_of_both_cores()
            begin = time.monotonic()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                preexec_fn=pinned(CLIENT_CORE),
            )
            used = wait(process)
            seconds = time.monotonic() - begin
            server_seconds = processor_seconds(server) - server_before
            both_seconds = seconds_of_both_cores() - both_before
            output.seek(0)
            errors.seek(0)
            said = output.read().decode()
            if process.returncode != 0:
                end = errors.read().decode()[-500:].strip()
                raise NotAllArrived(f"exit code {process.returncode}: {end}")
        check(contender, items, report_of(url), said)
    client_seconds = used.ru_utime + used.ru_stime
    return Run(
        items,
        item_bytes,
        seconds,
        client_seconds,
        server_seconds,
        max(both_seconds - client_seconds - server_seconds, 0) / (2 * seconds),
        used.ru_maxrss * 1024,
    )
