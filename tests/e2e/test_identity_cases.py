"""Compares everyitem and botocore on every configuration in identity_cases.py."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from connect_proxy import Authority, ConnectProxy
from fault_server import FaultServer
from identity_cases import CASES, Case
from running import BINARY, TIMEOUT

Said = Dict[str, Any]

# In addition to the region; `hosts` are those called through the proxy.
ENDPOINTS = ("dynamodb", "kinesis", "sts")
FIELDS = ("key", "provider", "region", *ENDPOINTS, "hosts")

# The one that is asked: Debian's, or with EVERYITEM_BOTOCORE_PYTHON a current one.
PYTHON = os.environ.get("EVERYITEM_BOTOCORE_PYTHON", "/usr/bin/python3")
# The first that has all that `now` is about.
CURRENT = (1, 41)

# The tools' names for the sources of credentials.
PROVIDERS = {
    "env": "env",
    "assume-role": "role",
    "assume-role-with-web-identity": "web-identity",
    "sso": "sso",
    "shared-credentials-file": "keys",
    "config-file": "keys",
    "custom-process": "process",
    "login": "login",
    "container-role": "container",
    "iam-role": "metadata",
}
EVERYITEM_PROVIDERS = [
    (r"^role .*, assumed with", "role"),
    (r"^role .* web identity", "web-identity"),
    (r"environment variables", "env"),
    (r"credential_process", "process"),
    (r"aws login", "login"),
    (r"sso|single sign-on|Identity Center", "sso"),
    (r"container", "container"),
    (r"metadata", "metadata"),
    (r"profile", "keys"),
]


class Botocore:
    """The driver, one process for all cases."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-B", str(Path(__file__).with_name("botocore_identity.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # without a terminal to prompt on
        )
        version = self.ask(ask="version")["version"]
        self.is_current = tuple(map(int, version.split(".")[:2])) >= CURRENT

    def ask(self, **case: Any) -> Said:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def botocore() -> Iterator[Botocore]:
    driver = Botocore()
    yield driver
    driver.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectProxy]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with ConnectProxy(authority) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def servers() -> Iterator[Dict[str, FaultServer]]:
    """The fault servers by their options; most cases share one."""
    started: Dict[str, FaultServer] = {}
    yield started
    for server in started.values():
        server.__exit__()


def key_of(access_key_id: str) -> str:
    """A session of the fault server as ROLE/SESSION, with "*" for a generated name."""
    if not access_key_id.startswith("ASIA."):
        return access_key_id
    role, session = access_key_id[len("ASIA.") :].rsplit(".", 1)[0].split(".", 1)
    chosen = not re.match(r"(everyitem|botocore-session)-", session)
    return f"{role}/{session if chosen else '*'}"


def provider_of(said: str) -> str:
    for pattern, provider in EVERYITEM_PROVIDERS:
        if re.search(pattern, said):
            return provider
    return said


def everyitem_says(case: Case, env: Dict[str, str], home: Path) -> Said:
    words = ["whoami", "--json", "--offline"]
    words += ["--profile", case.profile] if case.profile else []
    words += ["--region", case.region] if case.region else []
    done = subprocess.run(
        [str(BINARY), *words],
        env=env,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        start_new_session=True,
    )
    assert "secret-of-" not in done.stdout + done.stderr
    assert "token-of-" not in done.stdout + done.stderr
    if done.returncode != 0:
        assert done.returncode in (1, 2), done.stderr
        return {"error": done.stderr}
    return json.loads(done.stdout)


def summary(said: Said, hosts: List[str]) -> Said:
    """The fields to compare; all are None after a failure."""
    if "error" in said:
        return dict.fromkeys(FIELDS)
    provider = said["provider"]
    return {
        "key": key_of(said["access_key_id"]),
        "provider": PROVIDERS.get(provider) or provider_of(provider),
        "region": said["region"],
        **{name: said["endpoints"][name] for name in ENDPOINTS},
        "hosts": sorted(set(hosts)),
    }


def write_files(case: Case, home: Path) -> None:
    files = dict(case.files)
    if case.config is not None:
        files[".aws/config"] = case.config
    if case.credentials is not None:
        files[".aws/credentials"] = case.credentials
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(text.replace(b"@HOME@", str(home).encode()))
        path.chmod(0o600)


def environment(
    case: Case, home: Path, server: FaultServer, proxy: ConnectProxy, is_current: bool
) -> Dict[str, str]:
    given = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CA_BUNDLE": str(proxy.bundle),
        "HTTPS_PROXY": proxy.url,
        "NO_PROXY": "127.0.0.1",
        # Debian's botocore does not know endpoints for an account.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": None if is_current or case.now else "disabled",
        **case.env,
    }
    return {
        name: value.replace("@HOME@", str(home)).replace("@SERVER@", server.url)
        for name, value in given.items()
        if value is not None
    }


def test_enough_distinct_cases() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_same_as_botocore(
    case: Case,
    tmp_path: Path,
    proxy: ConnectProxy,
    servers: Dict[str, FaultServer],
    botocore: Botocore,
) -> None:
    if str(case.server) not in servers:
        servers[str(case.server)] = FaultServer(**case.server)
    server = servers[str(case.server)]
    proxy.target = server.url.split("//")[1]
    said: List[Said] = []
    errors: List[str] = []
    for program in ("everyitem", "botocore"):
        home = tmp_path / program  # a token renewed by one must not be used by the other
        home.mkdir()
        write_files(case, home)
        env = environment(case, home, server, proxy, botocore.is_current)
        proxy.hosts.clear()
        if program == "everyitem":
            answer = everyitem_says(case, env, home)
        else:
            answer = botocore.ask(env=env, cwd=str(home), profile=case.profile, region=case.region)
        errors.append(answer.get("error", ""))
        said.append(summary(answer, proxy.hosts))
    ours, theirs = said

    expected = {
        "key": case.key,
        "provider": case.provider,
        "region": case.in_region,
        "dynamodb": case.endpoint,
        "hosts": case.hosts,
    }
    # Where an old botocore may answer anything.
    unknown = set() if botocore.is_current else set(case.now)
    if case.fails:
        assert ours["key"] is None and ("key" in unknown or theirs["key"] is None), said
        assert case.fails in errors[0], errors
    elif case.differs.get("key", ("some",))[0]:
        assert ours["key"], errors
    for field, value in {**expected, **case.now}.items():
        if value is not None:
            assert ours[field] == value, (field, errors)
            assert field in unknown or theirs[field] == value, (field, errors)
    if case.differs:
        assert case.because, "say why they differ"
        for field, values in case.differs.items():
            assert (ours[field], theirs[field]) == values, (field, errors)
    # If one fails, there is nothing else to compare.
    if not (ours["key"] and theirs["key"]):
        return
    for field in FIELDS:
        follows_region = field in ENDPOINTS and "region" in case.differs
        if field not in case.differs and field not in unknown and not follows_region:
            assert ours[field] == theirs[field], (field, said)
