"""The zip of the Lambda function: it needs nothing from the system; its size, start-up time and memory."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List

from conftest import unpack
from empty_root import EmptyRoot
from fault_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, FaultServer
from lambda_host import REGION, LambdaHost, Sandbox
from private_network import PrivateNetwork

ITEMS = 5000
MAX_ZIPPED = 12_000_000  # bytes
MAX_START_SECONDS = 0.060  # from process start to the first request
MAX_MEMORY = 128_000_000  # bytes; the smallest function has 128 MiB

# How hosts are looked up on Amazon Linux 2023. Two of these modules are not in the package.
NSSWITCH = "hosts: files myhostname resolve [!UNAVAIL=return] dns\n"

# A name server that knows only the address of one name.
NAME_SERVER = r"""
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("up", flush=True)
while True:
    query, client = server.recvfrom(512)
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    known = question == b"\x08services\x09localhost\0\0\1\0\1"
    head = query[:2] + (b"\x81\x80" if b"services" in question else b"\x81\x83") + b"\0\1\0"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if known else b""
    server.sendto(head + (b"\1" if known else b"\0") + b"\0\0\0\0" + question + answer, client)
"""


def settings(url: str, checkpoint: str) -> Dict[str, str]:
    return {
        "TABLE_ARN": "generated",
        "STREAM_ARN": "backfill",
        "CHECKPOINT": checkpoint,
        "SEGMENTS": "8",
        "AWS_ENDPOINT_URL_DYNAMODB": url,
        "AWS_ENDPOINT_URL_KINESIS": url,
    }


def test_size(lambda_zip: Path) -> None:
    assert lambda_zip.stat().st_size <= MAX_ZIPPED


def test_runs_on_bare_system(lambda_zip: Path, tmp_path: Path) -> None:
    """The certificates are where Amazon Linux keeps them, and the server's name is in /etc/hosts."""
    root = EmptyRoot(tmp_path / "root")
    unpack(lambda_zip, root.path / "var/task")
    authority = root.path / "etc/pki/tls/certs/ca-bundle.crt"
    authority.parent.mkdir(parents=True)
    root.write("etc/hosts", "127.0.0.1 localhost\n")
    root.write("etc/nsswitch.conf", NSSWITCH)
    with FaultServer(items=ITEMS, tls="true", tls_ca=authority) as server:
        env = settings(server.url.replace("127.0.0.1", "localhost"), "/tmp/run")
        with LambdaHost(root.command("/var/task/bootstrap"), tmp_path, env, [30.0]) as host:
            outcome = host.invoke()
            assert outcome.body and outcome.answer["status"] == "complete", host.log_file.read_text()
        assert server.stop()["missing"] == 0


def test_looks_up_names(lambda_zip: Path, tmp_path: Path) -> None:
    """Uses a name server, and an nsswitch.conf with modules that do not exist."""
    root = EmptyRoot(tmp_path / "root")
    unpack(lambda_zip, root.path / "var/task")
    root.write("etc/resolv.conf", "nameserver 127.0.0.1\n")
    root.write("etc/nsswitch.conf", NSSWITCH)
    loader = next((root.path / "var/task/lib").glob("ld-*")).name
    with PrivateNetwork() as network, FaultServer(items=10, within=network.within) as server:
        port = server.url.rsplit(":", 1)[1]
        names = subprocess.Popen(
            [*network.within, sys.executable, "-c", NAME_SERVER], stdout=subprocess.PIPE
        )
        try:
            assert names.stdout and names.stdout.readline() == b"up\n"
            command: List[str] = root.command(
                *(f"/var/task/lib/{loader}", "--inhibit-cache", "--library-path", "/var/task/lib"),
                *("/var/task/lib/everyitem", "scan", "--table", "generated", "--to", "-"),
                *("--endpoint-url", f"http://services.localhost:{port}"),
                within=network.within,
            )
            env = {
                "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
                "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            }
            done = subprocess.run(command, env=env, capture_output=True, timeout=30, check=False)
            assert done.returncode == 0, done.stderr.decode()
            assert len(done.stdout.splitlines()) == 10
        finally:
            names.kill()
            names.communicate()


def test_cold_start(lambda_bootstrap: Path, tmp_path: Path) -> None:
    """Takes the fastest of several starts, because the machine is shared."""
    seconds = []
    for _ in range(10):
        sandbox = Sandbox([str(lambda_bootstrap)], {"PATH": "/bin"}, tmp_path / "log")
        assert sandbox.wait_until_asked(time.time() + 10)
        assert sandbox.first_request
        seconds.append(sandbox.first_request - sandbox.started)
        sandbox.close()
    print("cold starts, ms:", " ".join(f"{1000 * one:.0f}" for one in sorted(seconds)))
    assert min(seconds) <= MAX_START_SECONDS


def test_memory_of_eight_segments(lambda_bootstrap: Path, tmp_path: Path) -> None:
    peaks = []

    def peak(sandbox: Sandbox) -> int:
        status = Path(f"/proc/{sandbox.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]

    with FaultServer(items=200_000, item_bytes=1000) as server:
        env = settings(server.url, f"{tmp_path}/run")
        with LambdaHost([str(lambda_bootstrap)], tmp_path, env, [60.0]) as host:
            assert host.invoke().answer["status"] == "complete"
            peaks.append(peak(host.sandboxes[0]))
        assert server.stop()["missing"] == 0
    print(f"peak memory: {peaks[0] / 1e6:.0f} MB")
    assert peaks[0] < MAX_MEMORY
