"""everyitem behind a proxy: HTTPS_PROXY, HTTP_PROXY, NO_PROXY."""

from pathlib import Path
from typing import Any, Dict, Optional
from urllib.parse import quote

from fault_server import FaultServer, scan_of
from forward_proxy import ForwardProxy
from running import Everyitem

ITEMS = 3000
PASSWORD = "p@ss/word:1"


def behind(
    server: FaultServer, home: Path, authority: Optional[Path] = None, **variables: Any
) -> Everyitem:
    """everyitem with these variables, and with NO_PROXY only if it is one of them."""
    everyitem = server.everyitem(home)
    env: Dict[str, Optional[str]] = {"NO_PROXY": None, **variables}
    if authority:
        env["AWS_CA_BUNDLE"] = str(authority)
    everyitem.extra_env.update(env)
    return everyitem


def test_tls_through_tunnel(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    with FaultServer(items=ITEMS, tls="true", tls_ca=authority) as server:
        with ForwardProxy(user=f"me:{PASSWORD}") as proxy:
            url = f"http://me:{quote(PASSWORD, safe='')}@{proxy.authority}"
            everyitem = behind(server, tmp_path / "home", authority, HTTPS_PROXY=url)
            result = everyitem.run(*scan_of())
            assert result.code == 0, result.stderr
            assert PASSWORD not in result.stderr
            target = server.url.replace("https://", "")
            assert set(proxy.asked) == {f"CONNECT {target}"}
            assert proxy.refused == 0
        report = server.stop()
    assert report["distinct"] == ITEMS
    assert report["missing"] == report["altered"] == report["signatures_refused"] == 0
    assert report["tls_sessions"]


def test_plain_requests_through_proxy(tmp_path: Path) -> None:
    with FaultServer(items=ITEMS) as server, ForwardProxy(user=f"me:{PASSWORD}") as proxy:
        url = f"http://me:{quote(PASSWORD, safe='')}@{proxy.authority}"
        result = behind(server, tmp_path / "home", http_proxy=url).run(*scan_of())
        assert result.code == 0, result.stderr
        assert set(proxy.asked) == {f"POST {server.url}/"}
        report = server.stop()
    assert report["distinct"] == ITEMS
    assert report["signatures_refused"] == 0


def test_no_proxy_exempts(tmp_path: Path) -> None:
    with FaultServer(items=ITEMS) as server, ForwardProxy() as proxy:
        for number, exempt in enumerate(("127.0.0.1", "example.com, 127.0.0.0/8", "*")):
            everyitem = behind(
                server, tmp_path / str(number), HTTP_PROXY=f"http://{proxy.authority}", NO_PROXY=exempt
            )
            result = everyitem.run(*scan_of())
            assert result.code == 0, result.stderr
        assert proxy.asked == []


def test_wrong_proxy_password(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    with FaultServer(items=1, tls="true", tls_ca=authority) as server:
        with ForwardProxy(user=f"me:{PASSWORD}") as proxy:
            url = f"http://me:wrong-one@{proxy.authority}"
            everyitem = behind(server, tmp_path / "home", authority, HTTPS_PROXY=url)
            result = everyitem.run(*scan_of())
    assert result.code == 1
    assert f"the proxy {proxy.authority} does not accept the user name and the password" in result.stderr
    assert "HTTPS_PROXY" in result.stderr
    assert "wrong-one" not in result.stderr
    assert proxy.asked == []


def test_unsupported_proxy_is_refused(tmp_path: Path) -> None:
    with FaultServer(items=1) as server:
        everyitem = behind(server, tmp_path, HTTP_PROXY="socks5://me:hush@127.0.0.1:1080")
        result = everyitem.run(*scan_of())
    assert result.code == 2
    assert "HTTP_PROXY: a SOCKS proxy is not supported" in result.stderr
    assert "hush" not in result.stderr


def test_ipv6_addresses(tmp_path: Path) -> None:
    for scheme in ("http", "https"):
        authority = tmp_path / "authority.pem"
        tls = {"tls": "true", "tls_ca": authority} if scheme == "https" else {}
        with FaultServer(items=ITEMS, address="::1", **tls) as server:
            assert server.url.startswith(f"{scheme}://[::1]:")
            bundle = authority if tls else None
            with ForwardProxy(address="::1") as proxy:
                variable = {f"{scheme}_proxy": f"http://{proxy.authority}"}
                direct = behind(
                    server, tmp_path / f"{scheme}-direct", bundle, **variable, NO_PROXY="[::1]"
                )
                result = direct.run(*scan_of())
                assert result.code == 0, result.stderr
                assert proxy.asked == []
                through = behind(server, tmp_path / f"{scheme}-through", bundle, **variable)
                result = through.run(*scan_of())
                assert result.code == 0, result.stderr
                assert proxy.asked
            report = server.stop()
        assert report["distinct"] == ITEMS
