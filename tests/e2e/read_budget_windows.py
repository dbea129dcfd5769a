#!/usr/bin/python3
"""Measures how a read budget is kept, in real time, by what the fault server charged.

    tests/e2e/read_budget_windows.py --read-units 50 --segments 200 --seconds 150

Looks ten times a second. Prints the least and the most of the budget that was read in any minute;
exit code 1 if that is not within 3 percent.
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import List, Tuple

from fault_server import FaultServer, scan_of

MINUTE = 60.0
ITEM_BYTES = 4_000  # half a unit each


def charged(read_units: float, segments: int, seconds: float) -> List[Tuple[float, float]]:
    """By the time in seconds, the units that were charged until then."""
    items = int(2 * read_units * seconds * 1.5) + 1000  # more than is read
    looks = []
    with FaultServer(
        items=items, item_bytes=ITEM_BYTES, scan_latency_ms=20
    ) as server, tempfile.TemporaryDirectory(prefix="everyitem-budget.") as home:
        scan = scan_of("--segments", segments, "--read-units", read_units)
        process = server.everyitem(Path(home)).start(*scan)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            looks.append((time.monotonic() - began, server.report()["read_units"]))
            time.sleep(0.1)
        assert process.running, process.stderr
        process.signal(signal.SIGTERM)
        process.finish()
    return looks


def extremes(looks: List[Tuple[float, float]], read_units: float) -> Tuple[float, float]:
    """The least and the most of the budget, over each minute that begins with a look."""
    first_page = next(i for i, (_, units) in enumerate(looks) if units > 0)
    shares = []
    for i, (begin, before) in enumerate(looks[first_page:], first_page):
        ended = next((look for look in looks[i:] if look[0] >= begin + MINUTE), None)
        if ended is None:
            break
        shares.append((ended[1] - before) / (ended[0] - begin) / read_units)
    return min(shares), max(shares)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--read-units", type=float, default=50)
    parser.add_argument("--segments", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=150, help="more than 60")
    options = parser.parse_args()
    looks = charged(options.read_units, options.segments, options.seconds)
    least, most = extremes(looks, options.read_units)
    print(f"any minute: {least:.4f} to {most:.4f} of {options.read_units:g} read units/s")
    return 0 if 0.97 <= least and most <= 1.03 else 1


if __name__ == "__main__":
    sys.exit(main())
