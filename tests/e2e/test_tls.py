"""HTTPS, with a server whose certificate is of an authority of its own."""

from pathlib import Path

from fault_server import FaultServer, scan_of

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
