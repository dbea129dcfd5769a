"""HTTPS, with a server whose certificate comes from a private authority."""

import socket
import ssl
import subprocess
import threading
import warnings
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest
from fault_server import FaultServer, scan_of
from forward_proxy import ForwardProxy
from running import Everyitem

ITEMS = 5000


def test_scan_over_tls(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    with FaultServer(items=ITEMS, tls="true", tls_ca=authority) as server:
        assert server.url.startswith("https://")
        everyitem = server.everyitem(tmp_path / "home")
        refused = everyitem.run(*scan_of())
        assert refused.code == 1
        assert "AWS_CA_BUNDLE" in refused.stderr
        everyitem.extra_env["AWS_CA_BUNDLE"] = str(authority)
        assert everyitem.run(*scan_of()).code == 0
        report = server.stop()
    assert report["distinct"] == ITEMS
    assert list(report["tls_sessions"]) == ["TLSv1.3 TLS_AES_128_GCM_SHA256"]
    assert report["missing"] == report["altered"] == 0


class Authority:
    """Issues certificates for 127.0.0.1, or for whatever a case needs. Keeps its files in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.key = folder / "key.pem"
        self.certificate = folder / "authority.pem"
        self._config = folder / "ca.cnf"
        self._config.write_text(
            "[ca]\ndefault_ca=d\n[d]\n"
            f"database={folder}/index\nnew_certs_dir={folder}\nrand_serial=yes\n"
            f"certificate={self.certificate}\nprivate_key={self.key}\n"
            "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        )
        (folder / "index").touch()
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        openssl(
            *("req", "-x509", "-key", self.key, "-subj", f"/CN={folder.name}"),
            *("-days", 2, "-out", self.certificate),
        )

    def issue(self, names: str = "IP:127.0.0.1", start: int = -1, end: int = 1) -> Path:
        """A certificate for `names`, valid from `start` to `end`, in days from now."""
        request, extensions, made = (self._folder / name for name in ("r.csr", "x.cnf", "made.pem"))
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("req", "-new", "-key", self.key, "-subj", "/CN=server", "-out", request)
        openssl(
            *("ca", "-batch", "-notext", "-config", self._config, "-extfile", extensions),
            *("-startdate", asn1_time(start), "-enddate", asn1_time(end)),
            *("-in", request, "-out", made),
        )
        return made


def openssl(*words: Any) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def asn1_time(days: int) -> str:
    time = datetime.now(timezone.utc) + timedelta(days=days)
    return time.strftime("%Y%m%d%H%M%SZ")


@contextmanager
def listening(certificate: Path, key: Path, version: Optional[ssl.TLSVersion]) -> Iterator[str]:
    """The URL of a server that completes every TLS handshake and then stays silent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if version:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old versions are used on purpose
            context.minimum_version = context.maximum_version = version
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


# The certificate, the TLS version, and the expected message.
REFUSED = {
    "expired": ({"start": -3, "end": -1}, None, "certificate has expired"),
    "not-yet-valid": ({"start": 1, "end": 3}, None, "certificate is not valid yet"),
    "wrong-host": ({"names": "DNS:localhost,IP:127.0.0.2"}, None, "host name mismatch"),
    "self-signed": ("self-signed", None, "certificate is self-signed"),
    "unknown-root": ("unknown", None, "certificate is from an unknown issuer"),
    "tls-1.0": ({}, ssl.TLSVersion.TLSv1, "does not speak TLS 1.2 or later"),
    "tls-1.1": ({}, ssl.TLSVersion.TLSv1_1, "does not speak TLS 1.2 or later"),
}


@pytest.mark.parametrize("through_a_proxy", [False, True], ids=["direct", "proxy"])
@pytest.mark.parametrize("case", REFUSED)
def test_untrusted_servers(
    tmp_path: Path, case: str, through_a_proxy: bool
) -> None:
    wanted, version, words = REFUSED[case]
    authority = Authority(tmp_path / "trusted")
    issuer = Authority(tmp_path / "other") if isinstance(wanted, str) else authority
    if wanted == "self-signed":
        shown = issuer.certificate
    else:
        shown = issuer.issue(**(wanted if isinstance(wanted, dict) else {}))
    with listening(shown, issuer.key, version) as url, ForwardProxy() as proxy:
        everyitem = Everyitem(tmp_path / "home", dict.fromkeys(("dynamodb", "kinesis"), url))
        everyitem.extra_env["AWS_CA_BUNDLE"] = str(authority.certificate)
        if through_a_proxy:
            everyitem.extra_env.update(HTTPS_PROXY=f"http://{proxy.authority}", NO_PROXY=None)
        result = everyitem.run(*scan_of())
        assert result.code == 1
        assert words in result.stderr
        assert url in result.stderr
        assert (f"through the proxy {proxy.authority}" in result.stderr) == through_a_proxy
        assert bool(proxy.asked) == through_a_proxy
