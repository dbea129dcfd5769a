"""Which credentials a run uses, how it continues when they expire, and what it says if there are none."""

import json
import math
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from connect_proxy import Authority, ConnectProxy
from fault_server import FaultServer, scan_of
from identity_cases import LEGACY_SSO, ROLE, SSO_SESSION, START_URL, keys, sso_token
from private_network import PrivateNetwork
from running import REGION, Everyitem, Result
from terminal import Terminal

# Must not appear anywhere: the fault server's secrets and tokens start with this.
SECRETS = ("secret-of-", "token-of-", "sso-live", "refresh-live", "client-live", "web-live", "abc123")

NO_KEYS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))


def shows_nothing(result: Result) -> None:
    for secret in SECRETS:
        assert secret not in result.stderr and secret.encode() not in result.stdout, secret


def everyitem_of(server: FaultServer, home: Path, **env: Any) -> Everyitem:
    """everyitem with all services at the server, and without credentials."""
    runner = server.everyitem(home)
    runner.extra_env.update(NO_KEYS, **env)
    return runner


def as_user(name: str) -> Dict[str, str]:
    key = f"AKIDUSER{name}"
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": f"secret-of-{key}"}


def on_instance(server: FaultServer) -> Dict[str, Any]:
    return {
        "AWS_EC2_METADATA_DISABLED": None,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url,
    }


def write_aws_file(everyitem: Everyitem, name: str, text: str) -> Path:
    path = everyitem.home / ".aws" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def write_files(everyitem: Everyitem, files: Dict[str, str]) -> None:
    for name, text in files.items():
        write_aws_file(everyitem, str(Path(name).relative_to(".aws")), text)


def roles_of(report: Dict[str, Any], operation: str) -> List[str]:
    """The callers: roles of sessions, and access keys of users."""
    return sorted({key.split(".")[1] if "." in key else key for key in report["callers"][operation]})


# Expiry

# Sessions end at whole seconds, so they last for LIFETIME - 1 to LIFETIME seconds.
LIFETIME = 3
EXPIRIES = 5
# Slow pages, read one after another in each segment.
LONG_SCAN: Dict[str, Any] = {
    "items": 36_000,
    "page_bytes": 20_000,
    "scan_latency_ms": 90,
    "session_lifetime_s": LIFETIME,
}


def check_renewals(report: Dict[str, Any], role: str, seconds: float) -> None:
    """Renewed about as often as necessary, and rarely too late."""
    sessions = [one["access_key_id"] for one in report["issued"] if f"/{role}/" in one["arn"]]
    # After two thirds of the lifetime at the earliest.
    most = math.ceil(seconds / ((LIFETIME - 1) * 2 / 3)) + 1
    assert EXPIRIES < len(sessions) <= most, (seconds, report["issued"])
    used = report["callers"]["Scan"]
    assert len([key for key in used if key in sessions]) > EXPIRIES, used
    assert all(times <= 3 for times in report["expired"].values()), report["expired"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["metadata", "role", "container"])
def test_scan_outlives_its_credentials(tmp_path: Path, kind: str) -> None:
    with FaultServer(**LONG_SCAN) as server:
        everyitem = everyitem_of(server, tmp_path)
        more: List[Any] = ["--segments", 4, "--threads", 3]
        if kind == "metadata":
            everyitem.extra_env.update(on_instance(server))
            role = "instance-role"
        elif kind == "container":
            role = "task-role"
            everyitem.extra_env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = (
                f"{server.url}/v2/credentials/{role}"
            )
        else:
            everyitem.extra_env.update(as_user("BOB"))
            role = "deploy"
            more += ["--role-arn", ROLE + role]
        started = time.monotonic()
        result = everyitem.run(*scan_of(*more))
        seconds = time.monotonic() - started
        report = server.stop()
    assert result.code == 0, result.stderr
    assert report["missing"] == report["altered"] == 0, report
    assert report["signatures_refused"] == 0, report
    assert roles_of(report, "Scan") == roles_of(report, "PutRecords") == [role]
    check_renewals(report, role, seconds)
    shows_nothing(result)


@pytest.mark.slow
def test_failing_renewal_keeps_old(tmp_path: Path) -> None:
    scan = {**LONG_SCAN, "items": 15_000, "session_lifetime_s": 6}
    with FaultServer("AssumeRole:access_denied@1", **scan) as server:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"))
        result = everyitem.run(
            *scan_of("--segments", 4, "--threads", 2, "--role-arn", ROLE + "deploy")
        )
        report = server.stop()
    assert result.code == 0, result.stderr
    assert report["missing"] == 0, report
    assert report["faults"] == {"access_denied": 1}, report
    assert len(report["issued"]) >= 2, report["issued"]
    notices = [line for line in result.stderr.splitlines() if "could not be renewed" in line]
    assert len(notices) == 1, result.stderr
    assert "AccessDenied" in notices[0] and "until" in notices[0], notices
    shows_nothing(result)


@pytest.mark.slow
def test_failing_renewal_ends_run(tmp_path: Path) -> None:
    faults = [f"AssumeRole:access_denied@{call}" for call in range(1, 30)]
    with FaultServer(*faults, **LONG_SCAN) as server:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"))
        result = everyitem.run(*scan_of("--segments", 4, "--role-arn", ROLE + "deploy"))
        report = server.stop()
    assert result.code == 1, result.stderr
    assert "AssumeRole" in result.stderr and "AccessDenied" in result.stderr
    assert report["altered"] == report["unknown"] == 0
    assert report["requests"]["AssumeRole"] <= 12, report["requests"]
    shows_nothing(result)


# Two identities


def test_a_role_for_each(tmp_path: Path) -> None:
    with FaultServer(items=2000) as server:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"))
        result = everyitem.run(
            *scan_of("--role-arn", ROLE + "reader", "--stream-role-arn", ROLE + "writer")
        )
        report = server.stop()
    assert result.code == 0, result.stderr
    assert report["missing"] == 0, report
    assert roles_of(report, "Scan") == roles_of(report, "DescribeTable") == ["reader"]
    assert roles_of(report, "PutRecords") == ["writer"]
    assert roles_of(report, "DescribeStreamSummary") == ["writer"]
    assert {one["caller"] for one in report["issued"]} == {"AKIDUSERBOB"}, report["issued"]
    shows_nothing(result)


def test_a_profile_for_each(tmp_path: Path) -> None:
    with FaultServer(items=2000) as server:
        everyitem = everyitem_of(server, tmp_path)
        write_aws_file(everyitem, "credentials", f"[a]\n{keys('READ')}[b]\n{keys('WRITE')}")
        result = everyitem.run(*scan_of("--profile", "a", "--stream-profile", "b"))
        report = server.stop()
    assert result.code == 0, result.stderr
    assert roles_of(report, "Scan") == ["AKIDUSERREAD"]
    assert roles_of(report, "PutRecords") == ["AKIDUSERWRITE"]


def test_same_identity_by_default(tmp_path: Path) -> None:
    with FaultServer(items=100) as server:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"))
        assert everyitem.run(*scan_of("--role-arn", ROLE + "both")).code == 0
        report = server.stop()
    assert roles_of(report, "Scan") == roles_of(report, "PutRecords") == ["both"]
    assert len(report["issued"]) == 1, "asked for twice"


# Single sign-on


@pytest.mark.parametrize("settings, cached", [(LEGACY_SSO, START_URL), (SSO_SESSION, "corp")])
def test_expired_token_names_login(tmp_path: Path, settings: str, cached: str) -> None:
    with FaultServer() as server:
        everyitem = everyitem_of(server, tmp_path)
        write_aws_file(everyitem, "config", "[profile corp-reader]\n" + settings)
        write_files(everyitem, sso_token(cached, expiresAt="2020-01-01T00:00:00Z"))
        result = everyitem.run(*scan_of("--profile", "corp-reader"))
        report = server.report()
    assert result.code in (1, 2)
    assert "aws sso login" in result.stderr, result.stderr
    assert "corp" in result.stderr.split("aws sso login")[1]
    assert "Scan" not in report["requests"]
    shows_nothing(result)


# No credentials


def test_message_lists_every_source(tmp_path: Path) -> None:
    with FaultServer() as server:
        everyitem = everyitem_of(server, tmp_path)
        write_aws_file(everyitem, "config", "[default]\nregion = us-east-1\n")
        result = everyitem.run(*scan_of())
        assert server.report()["requests"] == {}
    assert result.code == 2
    places = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        'profile "default"',
        str(everyitem.home / ".aws/config"),
        str(everyitem.home / ".aws/credentials"),
        "no such file",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_EC2_METADATA_DISABLED",
    ]
    found = [result.stderr.find(place.replace(str(everyitem.home), "")) for place in places]
    assert -1 not in found, (places[found.index(-1)], result.stderr)
    assert "aws configure" in result.stderr


def test_unknown_credentials_are_reported(tmp_path: Path) -> None:
    with FaultServer() as server:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"))
        everyitem.extra_env["AWS_ACCESS_KEY_ID"] = "AKIDUNKNOWN"
        result = everyitem.run("whoami")
    assert result.code == 1
    assert "InvalidClientTokenId" in result.stderr
    shows_nothing(result)


# whoami


@pytest.mark.parametrize("more", [[], ["--verbose"], ["--json"], ["--verbose", "--json"]])
def test_whoami_shows_no_secret(tmp_path: Path, more: List[str]) -> None:
    with FaultServer() as server:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"))
        result = everyitem.run("whoami", "--role-arn", ROLE + "deploy", *more)
    assert result.code == 0, result.stderr
    said = result.stdout.decode()
    assert "111122223333" in said and ":assumed-role/deploy/" in said
    assert "us-east-1" in said and server.url in said
    if "--json" in more:
        assert json.loads(said)["access_key_id"].startswith("ASIA.deploy.")
    shows_nothing(result)


def test_whoami_offline_asks_nobody(tmp_path: Path) -> None:
    with FaultServer() as server:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"))
        result = everyitem.run("whoami", "--offline", "--json")
        assert server.report()["requests"] == {}
    assert json.loads(result.stdout)["access_key_id"] == "AKIDUSERBOB"
    assert "account" not in json.loads(result.stdout)


# MFA


def asked_for_a_code(server: FaultServer, folder: Path) -> Terminal:
    everyitem = everyitem_of(server, folder)
    write_aws_file(
        everyitem,
        "config",
        f"[profile b]\nrole_arn = {ROLE}mfa-123456\nsource_profile = a\n"
        f"mfa_serial = arn:aws:iam::111122223333:mfa/me\n[profile a]\n{keys('BASE')}",
    )
    return Terminal(everyitem, "whoami", "--profile", "b")


def test_code_asked_on_terminal(tmp_path: Path) -> None:
    with FaultServer() as server:
        terminal = asked_for_a_code(server, tmp_path)
        terminal.read_until("mfa/me")
        terminal.wait_until_hidden()
        terminal.press(b"123456\n")
        code = terminal.finish()
    assert code == 0, terminal.text
    assert ":assumed-role/mfa-123456/" in terminal.text
    assert "mfa-123456: 123456" not in terminal.text  # the code is not shown


def test_interrupt_ends_the_question(tmp_path: Path) -> None:
    with FaultServer() as server:
        terminal = asked_for_a_code(server, tmp_path)
        terminal.read_until("mfa-123456: ")
        terminal.wait_until_hidden()
        terminal.press(b"\x03")
        code = terminal.finish()
    assert code == -signal.SIGINT, terminal.text


# External IDs


def test_external_id_of_role(tmp_path: Path) -> None:
    with FaultServer(items=500) as server:
        everyitem = everyitem_of(server, tmp_path)
        write_aws_file(everyitem, "credentials", f"[default]\n{keys('BOB')}")
        of_role = ("--role-arn", ROLE + "external-id-77", "--external-id", "77")
        of_stream = ("--stream-role-arn", ROLE + "external-id-88", "--stream-external-id", "88")
        result = everyitem.run(*scan_of(*of_role, *of_stream))
        assert result.code == 0, result.stderr
        refused = everyitem.run("whoami", "--role-arn", ROLE + "external-id-77", "--external-id", "78")
        alone = everyitem.run("whoami", "--external-id", "77")
        report = server.stop()
    assert report["missing"] == 0
    assert refused.code == 1 and "AccessDenied" in refused.stderr
    assert alone.code == 2 and "--external-id needs --role-arn" in alone.stderr


# What others could read


def test_credential_process_without_secrets(tmp_path: Path) -> None:
    with FaultServer(items=500) as server:
        everyitem = everyitem_of(server, tmp_path)
        program = tmp_path / "give"
        program.write_text(
            "#!/bin/sh\n"
            f"cat /proc/$$/environ /proc/$$/cmdline /proc/$PPID/cmdline > {tmp_path}/seen\n"
            f"echo ran >> {tmp_path}/times\n"
            'echo \'{"Version":1,"AccessKeyId":"AKIDUSERPROC",'
            '"SecretAccessKey":"secret-of-AKIDUSERPROC"}\'\n'
        )
        program.chmod(0o700)
        write_aws_file(everyitem, "config", f"[default]\ncredential_process = {program}\n")
        result = everyitem.run(*scan_of("--role-arn", ROLE + "only-PROC"))
        report = server.stop()
    assert result.code == 0, result.stderr
    assert roles_of(report, "Scan") == ["only-PROC"]
    seen = (tmp_path / "seen").read_bytes()
    assert b"give" in seen and b"everyitem" in seen, "this no longer tests what it says"
    assert not [secret for secret in SECRETS if secret.encode() in seen]
    assert (tmp_path / "times").read_text() == "ran\n"
    shows_nothing(result)


def test_session_hidden_from_others(tmp_path: Path) -> None:
    with FaultServer(items=20_000, page_bytes=20_000, scan_latency_ms=50) as server:
        everyitem = everyitem_of(server, tmp_path, **on_instance(server))
        process = everyitem.start(*scan_of("--segments", 1, "--role-arn", ROLE + "deploy"))
        while server.report()["requests"].get("Scan", 0) < 3:
            assert process.running
        root = Path(f"/proc/{process.pid}")
        seen = root.joinpath("cmdline").read_bytes() + root.joinpath("environ").read_bytes()
        process.kill()
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files, "this no longer tests what it says"
        for path in files:
            seen += path.read_bytes()
    assert not [secret for secret in SECRETS if secret.encode() in seen]


def test_renewed_token_is_private(tmp_path: Path, authority: Authority) -> None:
    with FaultServer() as server, ConnectProxy(authority, server.url.split("//")[1]) as proxy:
        everyitem = everyitem_of(server, tmp_path, **through(proxy))
        write_aws_file(everyitem, "config", "[profile b]\n" + SSO_SESSION)
        cached = sso_token(
            "corp",
            expiresAt="2020-01-01T00:00:00Z",
            clientId="client",
            clientSecret="client-live",
            refreshToken="refresh-live",
            registrationExpiresAt="2099-01-01T00:00:00Z",
        )
        write_files(everyitem, cached)
        everyitem.within = ["sh", "-c", 'umask 0; exec "$@"', "sh"]
        result = everyitem.run("whoami", "--profile", "b")
        requests = server.report()["requests"]
        again = everyitem.run("whoami", "--profile", "b")
        assert server.report()["requests"]["CreateToken"] == 1, "the new token was not kept"
    assert result.code == 0, result.stderr
    assert ":assumed-role/Reader/" in result.stdout.decode()
    assert requests["CreateToken"] == requests["GetRoleCredentials"] == 1
    assert again.code == 0, again.stderr
    for path in (everyitem.home / ".aws/sso/cache").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    kept = json.loads((everyitem.home / next(iter(cached))).read_text())
    assert kept["accessToken"] == "sso-issued-1" and kept["clientId"] == "client"
    assert kept["refreshToken"] == "refresh-live-1"
    shows_nothing(result)


# Through a proxy


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def through(proxy: ConnectProxy, user: str = "") -> Dict[str, Any]:
    """AWS's real host names, through the proxy."""
    url = proxy.url.replace("//", f"//{user}@") if user else proxy.url
    services = ("DYNAMODB", "KINESIS", "SSM", "STS")
    return {
        **dict.fromkeys(f"AWS_ENDPOINT_URL_{service}" for service in services),
        "HTTPS_PROXY": url,
        "AWS_CA_BUNDLE": str(proxy.bundle),
    }


def test_proxy_with_password(tmp_path: Path, authority: Authority) -> None:
    with FaultServer(items=2000) as server, ConnectProxy(
        authority, server.url.split("//")[1], "joe:abc123"
    ) as proxy:
        everyitem = everyitem_of(server, tmp_path, **as_user("BOB"), **through(proxy, "joe:abc123"))
        result = everyitem.run(*scan_of("--role-arn", ROLE + "deploy"))
        report = server.report()
        everyitem.extra_env.update(through(proxy, "joe:other"))
        refused = everyitem.run("whoami")
    assert result.code == 0, result.stderr
    assert report["missing"] == 0 and roles_of(report, "Scan") == ["deploy"]
    # Those of the role's account.
    services = ("sts", *(f"111122223333.{name}" for name in ("ddb", "data-kinesis", "control-kinesis")))
    assert set(proxy.hosts) == {f"{service}.us-east-1.amazonaws.com" for service in services}
    assert refused.code == 1 and "407" in refused.stderr, refused.stderr
    assert "other" not in refused.stderr
    shows_nothing(result)


# The fixed addresses


@pytest.fixture
def network() -> Iterator[PrivateNetwork]:
    with PrivateNetwork() as network:
        yield network


def add_address(network: PrivateNetwork, address: str) -> None:
    command = [*network.within, "ip", "address", "add", f"{address}/32", "dev", "lo"]
    subprocess.run(command, check=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})


@pytest.mark.parametrize(
    "address, env, role",
    [
        (
            "169.254.170.2",
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/task-role"},
            "task-role",
        ),
        ("169.254.169.254", {"AWS_EC2_METADATA_DISABLED": None}, "instance-role"),
    ],
)
def test_fixed_address(
    tmp_path: Path, network: PrivateNetwork, address: str, env: Dict[str, Any], role: str
) -> None:
    add_address(network, address)
    with FaultServer(within=network.within, address=address, port=80) as server:
        everyitem = everyitem_of(server, tmp_path, **env)
        everyitem.within = network.within
        everyitem.endpoints = {}
        result = everyitem.run("whoami", "--offline", "--json")
    assert result.code == 0, result.stderr
    assert json.loads(result.stdout)["access_key_id"].startswith(f"ASIA.{role}.")


# In memory


def memory_of(pid: int) -> bytes:
    """The private, writable memory of the process."""
    seen = bytearray()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            addresses, permissions = line.split()[:2]
            if "w" not in permissions or "[v" in line:
                continue
            first, end = (int(address, 16) for address in addresses.split("-"))
            memory.seek(first)
            try:
                seen += memory.read(end - first)
            except OSError:
                continue  # unmapped in the meantime
    return bytes(seen)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["metadata", "role", "container"])
def test_replaced_secret_is_wiped(tmp_path: Path, kind: str) -> None:
    with FaultServer(**{**LONG_SCAN, "items": 200_000}) as server:
        everyitem = everyitem_of(server, tmp_path)
        more: List[Any] = ["--segments", 8, "--threads", 2]
        if kind == "role":
            everyitem.extra_env.update(as_user("BOB"))
            more += ["--role-arn", ROLE + "deploy"]
        elif kind == "container":
            everyitem.extra_env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = (
                f"{server.url}/v2/credentials/task-role"
            )
        else:
            everyitem.extra_env.update(on_instance(server))
        process = everyitem.start(*scan_of(*more))
        while len(server.report()["issued"]) < 5:
            assert process.running, process.stderr
            time.sleep(0.05)
        issued = [one["access_key_id"] for one in server.report()["issued"]]
        process.signal(signal.SIGSTOP)
        memory = memory_of(process.pid)
        process.kill()
    found = {
        key: len(re.findall(rb"secret-of-" + re.escape(key.encode()) + rb"\b", memory))
        for key in issued
    }
    assert found[issued[-1]] + found[issued[-2]] > 0, "this no longer tests what it says"
    assert not any(found[key] for key in issued[:3]), found


def test_whoami_shows_known(everyitem: Everyitem) -> None:
    """If STS cannot be reached, or there are no credentials, the rest is still shown."""
    text = everyitem.run("whoami")
    assert text.code == 1 and "127.0.0.1:1" in text.stderr, text.stderr
    shown = text.stdout.decode()
    assert "environment variables" in shown and REGION in shown and "http://127.0.0.1:1" in shown, shown
    as_json = json.loads(everyitem.run("whoami", "--json").stdout)
    assert as_json["region"] == REGION and as_json["access_key_id"] and "arn" not in as_json
    everyitem.extra_env.update(dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")))
    without = everyitem.run("whoami", "--json")
    assert without.code == 2 and json.loads(without.stdout)["region"] == REGION, without.stderr
