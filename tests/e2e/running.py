"""Runs the real everyitem, in an environment without the user's own settings."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("EVERYITEM_BIN", ROOT / "build/release/src/cli/everyitem"))

SECRET = "e2eSecretThatMustNotShow0123456789"
REGION = "us-east-1"
TIMEOUT = 60  # seconds per run

INTERRUPTED = 130


def as_text(log: str) -> str:
    """Standard error with the messages of its JSON lines as a terminal shows them."""
    lines = []
    for line in log.splitlines():
        event = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
        if event.get("event") in (None, "progress", "summary"):
            lines.append(line)
        if event.get("message") is not None:
            lines.append(f"everyitem: {event['message']}")
    return "".join(f"{line}\n" for line in lines)


def events_of(log: str) -> List[Dict[str, Any]]:
    """The objects on standard error. Fails if a line is anything else."""
    events = [json.loads(line) for line in log.splitlines()]
    for event in events:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"]), event
        assert event["event"] in ("message", "progress", "summary"), event
    return events


class Result(NamedTuple):
    code: int
    stdout: bytes
    stderr: str  # as_text
    log: str  # the same as it was written

    @property
    def events(self) -> List[Dict[str, Any]]:
        return events_of(self.log)

    @property
    def summary(self) -> Dict[str, Any]:
        return next(event for event in reversed(self.events) if event["event"] == "summary")

    @property
    def notices(self) -> List[str]:
        """The messages on standard error."""
        return [line for line in self.stderr.splitlines() if line and not line.startswith("{")]

    @property
    def lines(self) -> List[bytes]:
        return self.stdout.splitlines()


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Polls until the condition holds, and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def hear_signals() -> None:
    """For a child process: background processes of a shell ignore interrupts, and so do their children."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Process:
    """A running everyitem. Its output goes to files, so that it can be read while it runs."""

    def __init__(
        self,
        arguments: List[str],
        env: Dict[str, str],
        directory: Path,
        within: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        number = len(list(directory.glob("*.stderr")))
        self._stdout = directory / f"{number}.stdout"
        self._stderr = directory / f"{number}.stderr"
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [*within, str(BINARY), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=env,
                cwd=directory,
                preexec_fn=hear_signals,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._stderr.read_text()

    @property
    def stderr(self) -> str:
        log = self.log
        return as_text(log[: log.rfind("\n") + 1])  # a line may just be written

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def finish(self, timeout: float = TIMEOUT) -> Result:
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {timeout} s; it said:\n{self.stderr}") from None
        result = Result(code, self._stdout.read_bytes(), as_text(self.log), self.log)
        assert SECRET not in result.stderr and SECRET.encode() not in result.stdout
        if "--log" not in self._process.args and code >= 0:
            events_of(result.log)
        return result


class Everyitem:
    """Runs everyitem with one home directory, which is also where its checkpoints are."""

    def __init__(self, home: Path, endpoints: Dict[str, str]) -> None:
        self.home = home
        self.state = home / "state"
        self.endpoints = dict(endpoints)
        self.extra_env: Dict[str, Optional[str]] = {}
        self.within: Sequence[str] = ()  # a command that starts it somewhere else

    @property
    def env(self) -> Dict[str, str]:
        """The complete environment; `extra_env` adds variables, and None removes them."""
        env: Dict[str, Optional[str]] = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.state),
            "AWS_ACCESS_KEY_ID": "AKIDE2E",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            **{f"AWS_ENDPOINT_URL_{name.upper()}": url for name, url in self.endpoints.items()},
            **self.extra_env,
        }
        # Keep the variables of sanitizers and valgrind.
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        return {name: value for name, value in env.items() if value is not None}

    def start(self, *arguments: Any) -> Process:
        words = [str(word) for word in arguments]
        return Process(words, self.env, self.home / "runs", self.within)

    def run(self, *arguments: Any, timeout: float = TIMEOUT) -> Result:
        return self.start(*arguments).finish(timeout)

    def scan(self, *arguments: Any) -> Result:
        """A scan that must succeed."""
        result = self.run("scan", *arguments)
        assert result.code == 0, result.stderr
        return result

    def shell(self, command: str, timeout: float = TIMEOUT) -> subprocess.CompletedProcess:
        """Runs a bash command line in which `everyitem` is the program under test."""
        env = {**self.env, "PATH": f"{BINARY.resolve().parent}:{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=env,
            cwd=self.home,
            timeout=timeout,
            check=False,
        )


def resume_command(result: Result) -> str:
    """The command line that an interrupted run prints for resuming it."""
    for line in result.notices:
        if "everyitem scan " in line:
            command = line[line.index("everyitem scan ") :].strip().rstrip("`")
            shlex.split(command)  # it must be valid shell syntax
            return command
    raise AssertionError(f"no command to resume in:\n{result.stderr}")
