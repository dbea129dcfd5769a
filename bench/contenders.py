"""The contenders. Each reads the fault server's table and writes to its stream, or to its byte counter."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, List

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
GO_PEER = BUILD / "peers" / "go_peer"
SERVER = BUILD / "tests" / "emulator" / "fault_server"
SEGMENTS = 8


@dataclass(frozen=True)
class Setting:
    """The parameters of a run, the same for every contender."""

    item_bytes: int = 400
    transport: str = "http"  # or "tls"
    segments: int = SEGMENTS
    shards: int = 4
    scan_ms: int = 0  # delay of each Scan response
    put_ms: int = 0  # delay of each PutRecords response
    client_cores: int = 1
    core_share: float = 1  # share of each core's time

    @property
    def without_latency(self) -> "Setting":
        return replace(self, scan_ms=0, put_ms=0)

    def __str__(self) -> str:
        parts = [f"{self.item_bytes} bytes, {self.transport}, segments: {self.segments}"]
        if self.scan_ms or self.put_ms:
            parts.append(f"latency: {self.scan_ms} and {self.put_ms} ms")
        if self.client_cores > 1:
            parts.append(f"cores: {self.client_cores}")
        if self.core_share < 1:
            parts.append(f"share of each core: {self.core_share:.0%}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Target:
    """Where a run reads and writes."""

    url: str
    authority: Path  # the CA certificate of the server
    directory: Path  # used by this run only


@dataclass(frozen=True)
class Contender:
    name: str
    kind: str  # "everyitem", "peer" or "floor"
    command: Callable[[Setting, Target], List[str]]


def everyitem(*more: str) -> Callable[[Setting, Target], List[str]]:
    return lambda setting, target: [
        str(BUILD / "src/cli/everyitem"),
        *("scan", "--table", "table", "--stream", "stream", "--segments", str(setting.segments)),
        *("--endpoint-url", target.url, "--checkpoint", str(target.directory / "checkpoint")),
        *("--quiet", *more),
    ]


def peer(*program: str) -> Callable[[Setting, Target], List[str]]:
    # Go's flags accept two dashes as well as one.
    return lambda setting, target: [
        *program,
        *("--endpoint-url", target.url, "--table", "table", "--stream", "stream"),
        *("--segments", str(setting.segments)),
    ]


def floor(items_per_post: int) -> Callable[[Setting, Target], List[str]]:
    return lambda setting, target: [
        str(BUILD / "bench/floor"),
        *("--port", target.url.rpartition(":")[2], "--segments", str(setting.segments)),
        *("--item-bytes", str(setting.item_bytes), "--items-per-post", str(items_per_post)),
        *(("--ca", str(target.authority)) if setting.transport == "tls" else ()),
    ]


PEERS = ROOT / "bench" / "peers"
FLOOR_OF_500 = "floor, a POST per 500"
FLOOR_OF_PAGES = "floor, a POST per page"
CONTENDERS = [
    Contender("everyitem", "everyitem", everyitem()),
    Contender("everyitem, aggregated", "everyitem", everyitem("--aggregate")),
    Contender("Go SDK", "peer", peer(str(GO_PEER))),
    Contender("Node SDK", "peer", peer("node", str(PEERS / "node_peer.mjs"))),
    Contender("boto3", "peer", peer("/usr/bin/python3", str(PEERS / "boto3_peer.py"))),
    Contender(FLOOR_OF_500, "floor", floor(500)),
    Contender(FLOOR_OF_PAGES, "floor", floor(0)),
]
