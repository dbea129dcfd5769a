"""A single run of one contender, against its own fault server on a different core."""

import json
import os
import resource
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Set, Tuple

from contenders import SERVER, Contender, Target, Setting
from processor_share import processor_share

SERVER_CORE = 0
MAX_SECONDS = 120
BUSY = 0.95  # a core that is busier than this limits the run
DISTURBED = 0.05  # other processes using more than this slow a run down

TLS = "TLSv1.3 TLS_AES_128_GCM_SHA256"  # the same for all contenders

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDFAULTS", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


class NotAllArrived(Exception):
    """The contender did not deliver everything, so its run does not count."""


@dataclass(frozen=True)
class Run:
    items: int
    bytes: int  # size of the items' JSON
    seconds: float
    client_seconds: float  # processor time
    server_seconds: float
    others_busy: float  # other processes' share of the cores
    peak_bytes: int

    def without(self, start: "Run") -> "Run":
        """This run minus the cost of starting the program."""
        return Run(
            self.items,
            self.bytes,
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
        return self.bytes / self.seconds / 1e6

    @property
    def client_seconds_per_gigabyte(self) -> float:
        return self.client_seconds / self.bytes * 1e9

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
    # User and system time, counted from after the program's name, which may contain spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cores_of(setting: Setting) -> List[int]:
    """The client's cores; it gets the server's core last."""
    others = sorted(os.sched_getaffinity(0) - {SERVER_CORE})
    return [*others, SERVER_CORE][: setting.client_cores]


def seconds_of_cores(cores: Set[int]) -> float:
    """Processor time of all processes on these cores, without interrupts."""
    names = [f"cpu{core}" for core in cores]
    lines = [line.split() for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines()]
    ticks = sum(sum(map(int, line[1:4])) for line in lines if line and line[0] in names)
    return ticks / os.sysconf("SC_CLK_TCK")


def pinned(cores: Iterable[int], *more: Callable[[], None]) -> Any:
    def begin() -> None:
        os.sched_setaffinity(0, cores)
        for step in more:
            step()

    return begin


@contextmanager
def client_share(setting: Setting) -> Iterator[List[Callable[[], None]]]:
    """Steps the client runs before it starts, so that it gets only its share of the cores."""
    if setting.core_share == 1:
        yield []
        return
    with processor_share(setting.client_cores * setting.core_share) as enter:
        yield [enter]


@contextmanager
def fault_server(setting: Setting, items: int, directory: Path) -> Iterator[Tuple[int, Target]]:
    """The server's process id, and where to reach it."""
    size = str(setting.item_bytes)
    authority = directory / "authority.pem"
    command = [
        *(str(SERVER), "--items", str(items), "--item-bytes", size, "--max-item-bytes", size),
        *("--shards", str(setting.shards)),
        *("--scan-latency-ms", str(setting.scan_ms), "--put-latency-ms", str(setting.put_ms)),
    ]
    if setting.transport == "tls":
        command += ["--tls", "--tls-ca", str(authority)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, preexec_fn=pinned([SERVER_CORE])
    )
    try:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        yield server.pid, Target(url, authority, directory)
    finally:
        server.terminate()
        server.communicate()


def environment_of(setting: Setting, target: Target) -> Dict[str, str]:
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "LANG")},
        **CREDENTIALS,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(target.directory),
    }
    if setting.transport == "tls":
        # The variable for boto3 and everyitem, for Node, and for Go.
        names = ("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
        environment.update(dict.fromkeys(names, str(target.authority)))
    return environment


def report_of(setting: Setting, target: Target) -> Dict[str, Any]:
    handlers: List[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if setting.transport == "tls":
        trust = ssl.create_default_context(cafile=str(target.authority))
        handlers.append(urllib.request.HTTPSHandler(context=trust))
    with urllib.request.build_opener(*handlers).open(f"{target.url}/report", timeout=10) as response:
        report: Dict[str, Any] = json.load(response)
        return report


def check(
    contender: Contender, setting: Setting, items: int, report: Dict[str, Any], output: str
) -> None:
    """Raises NotAllArrived if the run does not count."""
    sessions = list(report["tls_sessions"])
    if sessions != ([TLS] if setting.transport == "tls" else []):
        raise NotAllArrived(f"TLS sessions: {sessions}")
    if contender.kind == "floor":
        relayed = json.loads(output)
        if relayed["items"] != items or relayed["bytes"] != report["sunk_bytes"]:
            raise NotAllArrived(f"relayed {output}, but {report['sunk_bytes']:,} bytes arrived")
    elif report["distinct"] != items or report["altered"] or report["unknown"]:
        raise NotAllArrived(
            f"of {items:,} items {report['missing']:,} are missing; "
            f"{report['altered']:,} records are altered, {report['unknown']:,} unknown"
        )


def wait(process: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    """The resources the process used. Kills it if it takes too long."""
    killer = threading.Timer(MAX_SECONDS, process.kill)
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


def run(contender: Contender, setting: Setting, items: int) -> Run:
    with tempfile.TemporaryDirectory(prefix="everyitem-bench.") as made, fault_server(
        setting, items, Path(made)
    ) as (server, target):
        command = contender.command(setting, target)
        directory = target.directory
        cores = cores_of(setting)
        used_cores = {SERVER_CORE, *cores}
        with client_share(setting) as share, open(directory / "output", "wb+") as output, open(directory / "errors", "wb+") as errors:
            server_before = processor_seconds(server)
            all_before = seconds_of_cores(used_cores)
            begin = time.monotonic()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment_of(setting, target),
                preexec_fn=pinned(cores, *share),
            )
            used = wait(process)
            seconds = time.monotonic() - begin
            server_seconds = processor_seconds(server) - server_before
            all_seconds = seconds_of_cores(used_cores) - all_before
            output.seek(0)
            errors.seek(0)
            printed = output.read().decode()
            if process.returncode != 0:
                end = errors.read().decode()[-500:].strip()
                raise NotAllArrived(f"exit code {process.returncode}: {end}")
        check(contender, setting, items, report_of(setting, target), printed)
    client_seconds = used.ru_utime + used.ru_stime
    return Run(
        items,
        items * setting.item_bytes,
        seconds,
        client_seconds,
        server_seconds,
        max(all_seconds - client_seconds - server_seconds, 0) / (len(used_cores) * seconds),
        used.ru_maxrss * 1024,
    )
