"""Who takes part: each reads the fault server's table and fills its stream, or its sink."""

from dataclasses import dataclass
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


def everyitem(setting: Setting, place: Place) -> List[str]:
    return [
        str(BUILD / "src/cli/everyitem"),
        *("scan", "--table", "table", "--stream", "stream", "--segments", str(SEGMENTS)),
        *("--endpoint-url", place.url, "--checkpoint", str(place.directory / "checkpoint")),
        "--quiet",
    ]


def peer(*program: str) -> Callable[[Setting, Place], List[str]]:
    # Two dashes: Go's flags take them as they take one.
    return lambda setting, place: [
        *program,
        *("--endpoint-url", place.url, "--table", "table", "--stream", "stream"),
        *("--segments", str(SEGMENTS)),
    ]


def floor(items_a_post: int) -> Callable[[Setting, Place], List[str]]:
    return lambda setting, place: [
        str(BUILD / "bench/floor"),
        *("--port", place.url.rpartition(":")[2], "--segments", str(SEGMENTS)),
        *("--item-bytes", str(setting.item_bytes), "--items-a-post", str(items_a_post)),
        *(("--ca", str(place.authority)) if setting.transport == "tls" else ()),
    ]


PEERS = ROOT / "bench" / "peers"
FLOOR_OF_500 = "floor, a POST per 500"
CONTENDERS = [
    Contender("everyitem", "everyitem", everyitem),
    Contender("Go SDK", "peer", peer(str(GO_PEER))),
    Contender("Node SDK", "peer", peer("node", str(PEERS / "node_peer.mjs"))),
    Contender("boto3", "peer", peer("/usr/bin/python3", str(PEERS / "boto3_peer.py"))),
    Contender(FLOOR_OF_500, "floor", floor(500)),
    Contender("floor, a POST a page", "floor", floor(0)),
]
