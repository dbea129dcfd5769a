"""Outages during a run, some longer than any timeout: the run continues by itself until it is complete."""

import re
import signal
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Set

import pytest
from conftest import Backend
from fault_proxy import Forward, Request, Response, error_response, with_page_limit
from fault_server import FaultServer, scan_of
from private_network import PrivateNetwork
from running import Everyitem, Process, Result, wait_for
from tcp_proxy import TcpProxy

pytestmark = pytest.mark.full

ITEMS = 60_000
ITEM_BYTES = 400
PAGE_BYTES = 65_536
SEGMENTS = 4
# Undisturbed, a run takes about 14 s. There is a progress line every 5 s, so at the first one the run is
# well under way.
SHAPE = {
    "items": ITEMS,
    "item_bytes": ITEM_BYTES,
    "page_bytes": PAGE_BYTES,
    "scan_latency_ms": 150,
}
# Each lost response can cause everything that is not yet in the checkpoint, two pages per segment, to be
# sent again.
OPEN_ITEMS = 2 * SEGMENTS * (PAGE_BYTES // ITEM_BYTES + 1)

STOPPED = 30  # seconds: the longest a connection may be silent
BLACK = 60  # seconds: two such silences, plus failing connection attempts
DOWN = 10  # seconds
THROTTLED = 30  # seconds
LONGEST = 240  # seconds, including the longest waits between attempts


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(**SHAPE) as one:
        yield one


@pytest.fixture
def network(server: FaultServer) -> Iterator[TcpProxy]:
    """The network between everyitem and the server."""
    with TcpProxy(server.url) as proxy:
        yield proxy


def start_amid(everyitem: Everyitem) -> Process:
    """A run that has delivered some items, but not all."""
    process = everyitem.start(*scan_of("--segments", SEGMENTS))
    wait_for(lambda: delivered(process) > 0, "a progress line that counts items")
    assert process.running and delivered(process) < ITEMS, "this no longer tests what it says"
    return process


def delivered(process: Process) -> int:
    return int((re.findall(r'"progress","items":(\d+)', process.stderr) or ["0"])[-1])


def finished(process: Process) -> Result:
    """Waits for the run to complete by itself, and checks the result."""
    assert process.running, f"it gave up:\n{process.stderr}"
    result = process.finish(timeout=LONGEST)
    assert result.code == 0, result.stderr
    assert result.summary["status"] == "complete"
    assert result.summary["items_before"] == 0
    return result


def assert_all_arrived(report: Dict[str, Any], answers_lost: int) -> None:
    print(report)
    assert report["missing"] == report["altered"] == report["unknown"] == 0, report
    assert report["duplicates"] <= answers_lost * OPEN_ITEMS, report


def test_stopped_beyond_every_timeout(server: FaultServer, tmp_path: Path) -> None:
    process = start_amid(server.everyitem(tmp_path))
    process.signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    process.signal(signal.SIGCONT)
    finished(process)
    assert_all_arrived(server.report(), answers_lost=1)


def test_stopped_and_disconnected(
    server: FaultServer, network: TcpProxy, tmp_path: Path
) -> None:
    process = start_amid(server.everyitem(tmp_path, network.url))
    process.signal(signal.SIGSTOP)
    time.sleep(STOPPED / 2)
    network.reset_connections()
    time.sleep(STOPPED / 2)
    process.signal(signal.SIGCONT)
    finished(process)
    assert_all_arrived(server.report(), answers_lost=1)


def test_black_hole_delivers_late(
    server: FaultServer, network: TcpProxy, tmp_path: Path
) -> None:
    process = start_amid(server.everyitem(tmp_path, network.url))
    network.hold()
    before = server.report()["distinct"]
    time.sleep(BLACK)
    assert server.report()["distinct"] == before < ITEMS, "the hole was not black"
    network.release()
    finished(process)
    # The request that was held back arrives late, and so does its retry.
    assert_all_arrived(server.report(), answers_lost=2)


def test_black_hole_loses_data(
    server: FaultServer, network: TcpProxy, tmp_path: Path
) -> None:
    process = start_amid(server.everyitem(tmp_path, network.url))
    network.hold()
    time.sleep(BLACK)
    network.reset_connections()
    network.release()
    finished(process)
    assert_all_arrived(server.report(), answers_lost=1)


def test_network_drops_packets(tmp_path: Path) -> None:
    with PrivateNetwork() as network, FaultServer(within=network.within, **SHAPE) as server:
        everyitem = server.everyitem(tmp_path)
        everyitem.within = network.within
        process = start_amid(everyitem)
        network.drop_everything()
        time.sleep(BLACK)
        network.pass_again()
        finished(process)
        assert_all_arrived(server.stop(), answers_lost=2)


def test_server_away(
    server: FaultServer, network: TcpProxy, tmp_path: Path
) -> None:
    process = start_amid(server.everyitem(tmp_path, network.url))
    network.go_down()
    time.sleep(DOWN)
    network.come_up()
    finished(process)
    assert_all_arrived(server.report(), answers_lost=1)


def test_both_services_throttle(
    backend: Backend, everyitem: Everyitem, proxy: Callable
) -> None:
    table, stream = backend.table(6000), backend.stream()
    until = 0.0
    throttled: Set[str] = set()

    def rule(request: Request, forward: Forward) -> Response:
        """Starts with the second batch."""
        nonlocal until
        if not until and request.operation == "PutRecords" and request.number > 0:
            until = time.monotonic() + THROTTLED
        if time.monotonic() < until:
            throttled.add(request.operation)
            return error_response("ProvisionedThroughputExceededException", "Rate exceeded")
        return forward(request)

    proxy("dynamodb").rule = with_page_limit(250, rule)
    proxy("kinesis").rule = rule
    process = everyitem.start("scan", "--table", table.name, "--stream", stream, "--segments", 2)
    wait_for(lambda: until and time.monotonic() > until, "the end of the throttling", seconds=90)
    summary = finished(process).summary
    assert throttled == {"Scan", "PutRecords"}, "this no longer tests what it says"
    assert summary["throttled_requests"] > 0 and summary["retried_requests"] == 0, summary
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared
