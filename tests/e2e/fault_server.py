"""The fault server as a child process: a generated table and a stream that misbehave on demand."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Dict, List, Sequence

import boto3
from botocore.config import Config
from running import REGION, ROOT, Everyitem

FAULT_SERVER = Path(
    os.environ.get("EVERYITEM_FAULT_SERVER", ROOT / "build/release/tests/emulator/fault_server")
)

ACCESS_KEY_ID = "AKIDFAULTS"
SECRET_ACCESS_KEY = "not-a-secret"


class FaultServer:
    """All services on one free loopback port. Use it in a `with`.

    Faults and options are those of the `fault_server` program, for example
    FaultServer("Scan:throttling=0.1", items=1000, scan_latency_ms=20). `within` is a command that
    starts it somewhere else, such as the one of PrivateNetwork.
    """

    def __init__(self, *faults: str, within: Sequence[str] = (), **options: Any) -> None:
        assert FAULT_SERVER.exists(), f"build it first, there is no {FAULT_SERVER}"
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        words += [f"--fault={fault}" for fault in faults]
        self._process = subprocess.Popen(
            # The server ends with this process, however that ends.
            [*within, "setpriv", "--pdeathsig=KILL", str(FAULT_SERVER), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,  # so that interrupting the tests does not interrupt the server
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the fault server did not start: {' '.join(words)}"
        self.url: str = json.loads(line)["url"]
        self.pid = self._process.pid

    def __enter__(self) -> "FaultServer":
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.communicate()

    def report(self) -> Dict[str, Any]:
        """What has arrived so far."""
        with urllib.request.urlopen(f"{self.url}/report", timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> Dict[str, Any]:
        """Ends the server and returns its last report."""
        self._process.send_signal(signal.SIGTERM)
        output, _ = self._process.communicate(timeout=10)
        return json.loads(output)

    def client(self, service: str) -> Any:
        """A client for one of its services, from the official SDK."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(proxies={}),
        )

    def everyitem(self, home: Path, url: str = "") -> Everyitem:
        """everyitem with all services here, or at `url` if there is a proxy in between."""
        runner = Everyitem(home, dict.fromkeys(("dynamodb", "kinesis", "ssm", "sts"), url or self.url))
        runner.extra_env.update(
            AWS_ACCESS_KEY_ID=ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY
        )
        return runner


def scan_of(*more: Any) -> List[Any]:
    """The command for its table and stream, which answer to any name."""
    return ["scan", "--table", "generated", "--stream", "backfill", *more]
