"""An HTTP proxy between everyitem and a test server, in which a test can watch and change requests.

By default every request is forwarded. A test sets `rule`, a function of the request and of
`forward`, which sends a request on and returns its response. The rule may change the request, wait,
answer by itself, change the response, or drop the connection by raising Drop. To Kinesis it is an
endpoint that understands JSON only.
"""

import http.client
import json
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, NamedTuple, Optional

DEADLINE = 30  # the longest time, in seconds, that `Gate.wait_for` and a held request wait


class Request(NamedTuple):
    operation: str  # "Scan"
    number: int  # 0 for the first request of this operation
    body: Dict[str, Any]
    headers: Dict[str, str]


class Response(NamedTuple):
    status: int
    body: bytes
    headers: Dict[str, str]


class Drop(Exception):
    """Closes the connection, after `sent` bytes of a response if there are any."""

    def __init__(self, sent: bytes = b"") -> None:
        super().__init__()
        self.sent = sent


Forward = Callable[[Request], Response]
Rule = Callable[[Request, Forward], Response]


def json_response(body: Any, status: int = 200) -> Response:
    """A response as the services send it, including DynamoDB's checksum."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, text, {"x-amz-crc32": str(zlib.crc32(text))})


def error_response(code: str, message: str, status: int = 400) -> Response:
    return json_response({"__type": f"com.amazonaws.fake#{code}", "message": message}, status)


class FaultProxy:
    """Use it in a `with`; `endpoint` is the URL for everyitem."""

    def __init__(self, target: str) -> None:
        self.rule: Optional[Rule] = None
        self.requests: List[Request] = []
        self._lock = threading.Lock()
        self._host = target.split("//")[1]
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # headers and body in one segment

            def do_POST(self) -> None:
                proxy._serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        class HTTPServer(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                pass  # tests kill clients on purpose

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bodies(self, operation: str) -> List[Dict[str, Any]]:
        """The bodies of the requests so far for one operation."""
        with self._lock:
            return [r.body for r in self.requests if r.operation == operation]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        operation = handler.headers.get("X-Amz-Target", ".").split(".")[-1]
        if "cbor" in handler.headers.get("Content-Type", ""):
            handler.send_response(415)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        with self._lock:
            number = sum(r.operation == operation for r in self.requests)
            request = Request(operation, number, json.loads(body), dict(handler.headers))
            self.requests.append(request)
        try:
            rule = self.rule
            response = rule(request, self._forward) if rule else self._forward(request)
        except Drop as drop:
            handler.wfile.write(drop.sent)
            handler.wfile.flush()
            handler.close_connection = True
            return
        handler.send_response(response.status)
        for name, value in response.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(response.body)))
        handler.end_headers()
        handler.wfile.write(response.body)

    def _forward(self, request: Request) -> Response:
        connection = http.client.HTTPConnection(self._host)
        try:
            headers = {
                name: value
                for name, value in request.headers.items()
                if name.lower() not in ("content-length", "host", "connection")
            }
            connection.request("POST", "/", json.dumps(request.body), headers)
            answer = connection.getresponse()
            kept = ("x-amz-crc32", "content-type", "x-amzn-requestid")
            return Response(
                answer.status,
                answer.read(),
                {name: value for name, value in answer.getheaders() if name.lower() in kept},
            )
        finally:
            connection.close()


class Gate:
    """A rule that lets some requests of one operation pass and holds those after them."""

    def __init__(self, operation: str, passing: int) -> None:
        self._operation = operation
        self._passing = passing
        self._held = threading.Event()
        self._open = threading.Event()
        self.first_passed_ns = 0  # when the first response was sent, by the file system's clock

    def __call__(self, request: Request, forward: Forward) -> Response:
        if request.operation == self._operation and request.number >= self._passing:
            self._held.set()
            if not self._open.wait(DEADLINE):
                raise Drop
        response = forward(request)
        if request.operation == self._operation and not self.first_passed_ns:
            self.first_passed_ns = time.time_ns()
        return response

    def wait_until_held(self) -> None:
        """Returns once a request is being held."""
        assert self._held.wait(DEADLINE), f"no {self._operation} after {self._passing} came"

    def open(self) -> None:
        self._open.set()


def pass_on(request: Request, forward: Forward) -> Response:
    return forward(request)


def with_page_limit(limit: int, then: Rule = pass_on) -> Rule:
    """A rule that limits Scan pages to `limit` items, which everyitem has no option for."""

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation == "Scan":
            request = request._replace(body={**request.body, "Limit": limit})
        return then(request, forward)

    return rule
