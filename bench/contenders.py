"""Who takes part: each reads the fault server's table and fills its stream, or its sink."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, List

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
GO_PEER = BUILD / "peers" / "go_peer"
SERVER = BUILD / "tests" / "faults" / "fault_server"
SEGMENTS = 8


@dataclass(frozen=True)
class Setting:
    """What a run is about, whoever runs."""

    item_bytes: int = 400
    transport: str = "http"  # or "tls"
    segments: int = SEGMENTS
    shards: int = 4
    scan_ms: int = 0  # before each answer to Scan
    put_ms: int = 0  # and to PutRecords
    client_cores: int = 1
    core_share: float = 1  # of the time of each of these

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
            parts.append(f"of each: {self.core_share:.0%}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Place:
    """Where a run reads and writes."""

    url: str
    authority: Path  # that signed the certificate of its TLS
    directory: Path  # of this run alone


@dataclass(frozen=True)
class Contender:
    name: str
    kind: str  # "everyitem", "peer" or "floor"
    command: Callable[[Setting, Place], List[str]]


def everyitem(*more: str) -> Callable[[Setting, Place], List[str]]:
    return lambda setting, place: [
        str(BUILD / "src/cli/everyitem"),
        *("scan", "--table", "table", "--stream", "stream", "--segments", str(setting.segments)),
        *("--endpoint-url", place.url, "--checkpoint", str(place.directory / "checkpoint")),
        *("--quiet", *more),
    ]


def peer(*program: str) -> Callable[[Setting, Place], List[str]]:
    # Two dashes: Go's flags take them as they take one.
    return lambda setting, place: [
        *program,
        *("--endpoint-url", place.url, "--table", "table", "--stream", "stream"),
        *("--segments", str(setting.segments)),
    ]


def floor(items_a_post: int) -> Callable[[Setting, Place], List[str]]:
    return lambda setting, place: [
        str(BUILD / "bench/floor"),
        *("--port", place.url.rpartition(":")[2], "--segments", str(setting.segments)),
        *("--item-bytes", str(setting.item_bytes), "--items-a-post", str(items_a_post)),
        *(("--ca", str(place.authority)) if setting.transport == "tls" else ()),
    ]


PEERS = ROOT / "bench" / "peers"
FLOOR_OF_500 = "floor, a POST per 500"
FLOOR_OF_PAGES = "floor, a POST a page"
CONTENDERS = [
    Contender("everyitem", "everyitem", everyitem()),
    Contender("everyitem, aggregated", "everyitem", everyitem("--aggregate")),
    Contender("Go SDK", "peer", peer(str(GO_PEER))),
    Contender("Node SDK", "peer", peer("node", str(PEERS / "node_peer.mjs"))),
    Contender("boto3", "peer", peer("/usr/bin/python3", str(PEERS / "boto3_peer.py"))),
    Contender(FLOOR_OF_500, "floor", floor(500)),
    Contender(FLOOR_OF_PAGES, "floor", floor(0)),
]
