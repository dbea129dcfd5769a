"""Memory stays bounded whatever goes wrong, and a stalled destination stops the reading."""

import re
import time
from pathlib import Path

import pytest
from fault_server import FaultServer, scan_of
from peak_memory import MAX_MEGABYTES, SEGMENTS, peak_megabytes
from running import wait_for

# All faults a run recovers from quickly, at 12 percent of all requests.
FAULTS = (
    *("throttling=0.02", "internal_error=0.02", "reset_in_body=0.02", "cut_short=0.02"),
    *("wrong_crc=0.02", "slow_drip=0.02"),
    *("PutRecords:partial_throttle=0.2", "PutRecords:partial_failure=0.05"),
)
ITEM_BYTES = 2000
ITEMS = 150_000  # 300 MB


@pytest.mark.slow
def test_memory_bounded_under_faults(tmp_path: Path) -> None:
    with FaultServer(*FAULTS, items=ITEMS, item_bytes=ITEM_BYTES) as server:
        everyitem = server.everyitem(tmp_path)
        peak = peak_megabytes(everyitem, list(map(str, scan_of("--segments", SEGMENTS))))
        report = server.report()
    print(f"peak {peak:.0f} MB, {report}")
    assert sum(report["faults"].values()) > 50, "this no longer tests what it says"
    assert report["missing"] == report["altered"] == 0, report
    assert peak <= MAX_MEGABYTES


# All segments have asked for a page before the first shows how large they are: of NULLs, 7 MB of JSON.
@pytest.mark.parametrize("page_bytes", [1_000_000, 7_000_000])
def test_stalled_destination_stops_reading(tmp_path: Path, page_bytes: int) -> None:
    # The service never responds, and the client does not give up during this test.
    table = {"items": 2 * ITEMS, "item_bytes": ITEM_BYTES, "page_bytes": page_bytes}
    with FaultServer("PutRecords:stall=1", **table) as server:
        process = server.everyitem(tmp_path).start(*scan_of("--segments", 64))
        seen = [(0, time.monotonic())]

        def reads_no_more() -> bool:
            """Returns once something was read and nothing more for two seconds."""
            pages = server.report()["requests"].get("Scan", 0)
            if pages != seen[-1][0]:
                seen.append((pages, time.monotonic()))
            return pages > 0 and time.monotonic() - seen[-1][1] > 2

        wait_for(reads_no_more, "the end of the reading")
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.kill()
    pages = seen[-1][0]
    print(f"{pages} pages read")
    # 64 pages in flight, plus 24 MiB of batches: base64 turns three bytes into four.
    assert pages <= 64 + 24 * 3 // 4 + 8, "reading continued"
    assert int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1000 <= MAX_MEGABYTES
