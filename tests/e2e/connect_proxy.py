"""A proxy that terminates TLS for any host name with a generated certificate and forwards everything to
the fault server, so that an unmodified program can call AWS's real host names."""

import base64
import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional

CHUNK = 64 * 1024


class Authority:
    """A certificate authority; clients that use `bundle` trust it. Keeps its files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contexts: Dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self.bundle = folder / "authority.pem"
        self._key = folder / "key.pem"
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self._key)
        self._openssl(
            *("req", "-x509", "-key", self._key, "-subj", "/CN=authority of the tests"),
            *("-days", 2, "-out", self.bundle),
        )

    def context(self, host: str) -> ssl.SSLContext:
        """A TLS context that serves as `host`."""
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self._certificate(host), self._key)
                self._contexts[host] = context
            return self._contexts[host]

    def _certificate(self, host: str) -> Path:
        stem = self._folder / f"host-{len(self._contexts)}"
        request, names, certificate = (stem.with_suffix(s) for s in (".csr", ".cnf", ".pem"))
        names.write_text(f"subjectAltName=DNS:{host}\n")
        self._openssl("req", "-new", "-key", self._key, "-subj", "/CN=host", "-out", request)
        self._openssl(
            *("x509", "-req", "-in", request, "-CA", self.bundle, "-CAkey", self._key),
            *("-set_serial", 2 + len(self._contexts), "-days", 2),
            *("-extfile", names, "-out", certificate),
        )
        return certificate

    @staticmethod
    def _openssl(*words: Any) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class ConnectProxy:
    """Listens on a free loopback port. Use it in a `with`.

    Everything goes to `target` ("127.0.0.1:PORT"). `hosts` lists the requested hosts, in order, as the
    client wrote them. With `user` ("name:password") it requires these credentials.
    """

    def __init__(self, authority: Authority, target: str = "", user: str = "") -> None:
        self._authority = authority
        self._user = user
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = target
        self.hosts: List[str] = []
        self.bundle = authority.bundle
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "ConnectProxy":
        return self

    def __exit__(self, *_: Any) -> None:
        # Wakes the accepting thread, which closing alone does not do.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            host = self._host_asked_for(connection)
            if not host:
                return
            try:
                client = self._authority.context(host).wrap_socket(connection, server_side=True)
            except (OSError, ssl.SSLError):
                return  # the client does not trust it
            name, port = self.target.rsplit(":", 1)
            with client, socket.create_connection((name, int(port))) as server:
                _relay(client, server)

    def _host_asked_for(self, connection: socket.socket) -> Optional[str]:
        """Answers the CONNECT request; returns nothing if there is none to serve."""
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(CHUNK)
            if not part:
                return None
            head += part
        lines = head.decode("latin-1").split("\r\n")
        method, authority, _ = lines[0].split(" ")
        if method != "CONNECT":
            connection.sendall(b"HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n")
            return None
        fields = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
        wanted = "Basic " + base64.b64encode(self._user.encode()).decode()
        if self._user and fields.get("proxy-authorization") != wanted:
            connection.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Basic realm="tests"\r\nContent-Length: 0\r\n\r\n'
            )
            return None
        host = authority.rsplit(":", 1)[0]
        self.hosts.append(host)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return host


def _relay(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Forwards until either side closes. In one thread, because a TLS session can only be used by one."""
    others = {client: server, server: client}
    try:
        while True:
            readable = [client] if client.pending() else select.select([client, server], [], [])[0]
            for side in readable:
                part = side.recv(CHUNK)
                if not part:
                    return
                others[side].sendall(part)
    except (OSError, ValueError):
        pass
