"""The test servers as child processes: see tests/servers/start.js."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

START = Path(__file__).resolve().parent.parent / "servers" / "start.js"


class Server:
    """dynalite ("dynamodb") or kinesalite ("kinesis"), listening on a free loopback port.

    Use it in a `with`. Options go to the library, for example createStreamMs=60000. The server
    ends when the pipe to its standard input closes, so also when this process is killed.
    """

    def __init__(self, service: str, **options: int) -> None:
        node = shutil.which("node")
        assert node, "node is not on PATH: run scripts/setup test"
        arguments = [f"--{name}={value}".split("=") for name, value in options.items()]
        self._process = subprocess.Popen(
            [node, str(START), service, *(word for pair in arguments for word in pair)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # so that interrupting the tests does not interrupt the server
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the {service} server did not start: is tests/servers installed?"
        self.endpoint = f"http://127.0.0.1:{json.loads(line)['port']}"

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.communicate()
