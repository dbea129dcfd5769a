"""Simulates AWS Lambda on this machine, for a function that invokes itself.

Starts real `bootstrap` processes, passes them invocations through the Runtime API, kills them at their
deadline, and accepts asynchronous invocations through the Invoke API, verifying their signatures. A
failed asynchronous invocation is retried twice, as in Lambda, but without waiting one and two minutes.
There is one sandbox at a time (a reserved concurrency of 1), which lasts as long as its process.
"""

import http.server
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"
FUNCTION = "scanner"
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:{FUNCTION}"

LOG_GROUP = f"/aws/lambda/{FUNCTION}"

ACCESS_KEY_ID = "AKIDFAULTS"
SECRET_ACCESS_KEY = "not-a-secret"

RETRIES = 2  # of a failed asynchronous invocation (Lambda's default)


class Outcome(NamedTuple):
    """One attempt at an invocation."""

    request_id: str
    event: bytes
    attempt: int
    ended: str  # "response", "error", "timeout", or "exit" if the process ended on its own
    body: bytes
    pid: int
    seconds: float

    @property
    def failed(self) -> bool:
        return self.ended != "response"

    @property
    def answer(self) -> Dict[str, Any]:
        return json.loads(self.body)


class Handler(http.server.BaseHTTPRequestHandler):
    """One request, answered by the server's `respond`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body are sent together, immediately
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, headers, answer = self.server.respond(self, body)  # type: ignore[attr-defined]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()
        except OSError:
            self.close_connection = True  # the process is gone

    do_GET = do_POST = _handle

    def log_message(self, *_: Any) -> None:
        pass


Reply = Tuple[int, Dict[str, str], bytes]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # killed processes reset their connections
            super().handle_error(request, client_address)

    def __init__(self, respond: Callable[[Handler, bytes], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.respond = respond
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Sandbox:
    """A process with its own Runtime API."""

    def __init__(self, command: List[str], env: Dict[str, str], log: Path) -> None:
        self._offered: "queue.Queue[Optional[Reply]]" = queue.Queue()
        self._asked = threading.Event()  # the process has asked for its next invocation
        self._answered: Optional[Tuple[str, bytes]] = None
        self.first_request: Optional[float] = None
        self.init_error: Dict[str, Any] = {}
        self._server = Server(self._respond)
        self.started = time.monotonic()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**env, "AWS_LAMBDA_RUNTIME_API": self._server.authority},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._offered.put(None)
        self._server.close()

    def wait_until_asked(self, deadline: float) -> bool:
        while time.time() < deadline and self.running:
            if self._asked.wait(0.005):
                return True
        return False

    def run(self, request_id: str, event: bytes, deadline: float) -> Tuple[str, bytes]:
        """How the invocation ended, and the body of its response."""
        self._answered = None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": f"Root=1-{request_id}",
            "Content-Type": "application/json",
        }
        self._asked.clear()
        self._offered.put((200, headers, event))
        # An invocation is over when its process asks for the next one.
        if self.wait_until_asked(deadline) and self._answered:
            return self._answered
        ended = "timeout" if self.running else "exit"
        self.kill()
        return ended, b""

    def _respond(self, request: Handler, body: bytes) -> Reply:
        self.first_request = self.first_request or time.monotonic()
        if request.path == "/2018-06-01/runtime/invocation/next":
            self._asked.set()
            return self._offered.get() or (500, {}, b"")
        if request.path == "/2018-06-01/runtime/init/error":
            self.init_error = json.loads(body)
            return 202, {}, b'{"status":"OK"}'
        parts = request.path.split("/")
        assert parts[:4] == ["", "2018-06-01", "runtime", "invocation"], request.path
        if parts[5] == "error":
            assert request.headers["Lambda-Runtime-Function-Error-Type"]
        json.loads(body)
        self._answered = (parts[5], body)
        return 202, {}, b'{"status":"OK"}'


class LambdaHost:
    """Use it in a `with`. `time_limits` are those of the attempts, in seconds; the last one is reused."""

    def __init__(
        self, command: List[str], folder: Path, env: Dict[str, str], time_limits: List[float]
    ) -> None:
        self.outcomes: List[Outcome] = []
        self.refusal: Callable[[int], Optional[Reply]] = lambda number: None
        self.during: Callable[[Sandbox, int], None] = lambda sandbox, number: None
        self.sandboxes: List[Sandbox] = []
        self.log_file = folder / "function.log"
        self._command = command
        self._time_limits = time_limits
        self._numbers = itertools.count()
        self._queue: "queue.Queue[Tuple[str, bytes]]" = queue.Queue()
        self._idle = threading.Condition()
        self._open = 0  # asynchronous invocations that are not finished
        self._one_at_a_time = threading.Lock()
        self._server = Server(self._respond)
        self._env = {
            "PATH": os.environ["PATH"],
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": LOG_GROUP,
            "AWS_ENDPOINT_URL_LAMBDA": f"http://{self._server.authority}",
            **env,
        }
        self._invocations = 0
        threading.Thread(target=self._work, daemon=True).start()

    def __enter__(self) -> "LambdaHost":
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.close()
        for sandbox in self.sandboxes:
            sandbox.close()

    @property
    def log(self) -> List[Dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def invoke(self, event: bytes = b"", wait: bool = True) -> Outcome:
        """A synchronous invocation: a round, if `wait`."""
        return self._attempt(str(uuid.uuid4()), waiting(event) if wait else event, 0)

    def wait(self, seconds: float = 60) -> List[Outcome]:
        """Waits until no asynchronous invocation is left; returns all attempts so far."""
        with self._idle:
            assert self._idle.wait_for(lambda: self._open == 0, seconds), self.outcomes
        return self.outcomes

    def send(self, event: bytes = b"", wait: bool = True) -> None:
        """An asynchronous invocation: a round, if `wait`."""
        with self._idle:
            self._open += 1
        self._queue.put((str(uuid.uuid4()), waiting(event) if wait else event))

    def _work(self) -> None:
        while True:
            request_id, event = self._queue.get()
            for attempt in range(1 + RETRIES):
                if not self._attempt(request_id, event, attempt).failed:
                    break
            with self._idle:
                self._open -= 1
                self._idle.notify_all()

    def _attempt(self, request_id: str, event: bytes, attempt: int) -> Outcome:
        with self._one_at_a_time:
            number = next(self._numbers)
            limit = self._time_limits[min(number, len(self._time_limits) - 1)]
            sandbox = self._sandbox()
            began = time.time()
            watcher = threading.Thread(target=self.during, args=(sandbox, number), daemon=True)
            watcher.start()
            ended, body = sandbox.run(request_id, event, began + limit)
            outcome = Outcome(
                request_id, event, attempt, ended, body, sandbox.pid, time.time() - began
            )
            self.outcomes.append(outcome)
            return outcome

    def _sandbox(self) -> Sandbox:
        if not self.sandboxes or not self.sandboxes[-1].running:
            self.sandboxes.append(Sandbox(self._command, self._env, self.log_file))
        sandbox = self.sandboxes[-1]
        assert sandbox.wait_until_asked(time.time() + 10), self.log_file.read_text()
        return sandbox

    def _respond(self, request: Handler, body: bytes) -> Reply:
        path = f"/2015-03-31/functions/{urllib.parse.quote(ARN, safe='')}/invocations"
        assert request.path == path, request.path
        assert request.headers["X-Amz-Invocation-Type"] == "Event"
        self._invocations += 1
        refused = self.refusal(self._invocations)
        if refused:
            return refused
        if not self._signed(request, body):
            answer = {"message": "The request signature we calculated does not match"}
            return 403, {"x-amzn-ErrorType": "SignatureDoesNotMatch"}, json.dumps(answer).encode()
        json.loads(body)
        self.send(body, wait=False)
        return 202, {}, b""

    def _signed(self, request: Handler, body: bytes) -> bool:
        """Whether botocore would have produced the same signature."""
        given = request.headers["Authorization"]
        names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        again = AWSRequest(
            method="POST",
            url=f"http://{self._server.authority}{request.path}",
            headers={name: request.headers[name] for name in names if name != "host"},
            data=body,
        )
        auth = SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY), "lambda", REGION)
        again.context["timestamp"] = request.headers["X-Amz-Date"]
        canonical = auth.canonical_request(again)
        expected = auth.signature(auth.string_to_sign(again, canonical), again)
        return given.endswith(f"Signature={expected}")


def waiting(event: bytes) -> bytes:
    """The event with `wait`, if it can be one."""
    try:
        value = json.loads(event or b"{}")
    except ValueError:
        return event
    value = {} if value is None else value
    return json.dumps({**value, "wait": True}).encode() if isinstance(value, dict) else event


def refused(status: int, code: str) -> Reply:
    """An error of the Invoke API."""
    body = json.dumps({"Type": "User", "message": "in its words"}).encode()
    return status, {"x-amzn-ErrorType": code, "Content-Type": "application/json"}, body


def kill(sandbox: Sandbox) -> None:
    os.kill(sandbox.pid, signal.SIGKILL)


def statuses(outcomes: List[Outcome]) -> List[str]:
    return [outcome.answer["status"] if outcome.body else outcome.ended for outcome in outcomes]


# Starts a host whose function scans a fault server: start(server, [2.0, 30.0], SEGMENTS=8).
Start = Callable[..., LambdaHost]
