"""A typical corporate HTTP proxy: it opens tunnels (CONNECT) and forwards plain requests."""

import base64
import http.client
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, List
from urllib.parse import urlsplit

CHUNK = 64 * 1024


class ForwardProxy:
    """Listens on a free port of `address`. Use it in a `with`.

    With `user` ("name:password") it requires these credentials and answers 407 to everyone else. `asked`
    lists the requests in order, as "CONNECT host:port" or "POST http://host:port/"; `refused` counts
    rejected ones.
    """

    def __init__(self, user: str = "", address: str = "127.0.0.1") -> None:
        self.asked: List[str] = []
        self.refused = 0
        self.wanted = "Basic " + base64.b64encode(user.encode()).decode() if user else ""
        proxy = self

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # a client that hangs up is not an error

        class Handler(_Handler):
            owner = proxy

        self._server = Server((address, 0), Handler)
        self.port: int = self._server.server_address[1]
        self.authority = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> "ForwardProxy":
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: ForwardProxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def _may_pass(self) -> bool:
        if self.headers.get("Proxy-Authorization", "") != self.owner.wanted:
            self.owner.refused += 1
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="tests"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False
        self.owner.asked.append(f"{self.command} {self.path}")
        return True

    def do_CONNECT(self) -> None:
        if not self._may_pass():
            return
        target = urlsplit(f"//{self.path}")
        with socket.create_connection((target.hostname, target.port)) as other:
            self.send_response(200, "Connection established")
            self.end_headers()
            _relay(self.connection, other)
        self.close_connection = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._may_pass():
            return
        target = urlsplit(self.path)
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        onward = http.client.HTTPConnection(target.hostname or "", target.port or 80)
        onward.request("POST", target.path, body, headers)
        answer = onward.getresponse()
        content = answer.read()
        onward.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _relay(client: socket.socket, server: socket.socket) -> None:
    """Forwards bytes until either side closes."""
    others = {client: server, server: client}
    try:
        while True:
            for side in select.select([client, server], [], [])[0]:
                part = side.recv(CHUNK)
                if not part:
                    return
                others[side].sendall(part)
    except OSError:
        pass
