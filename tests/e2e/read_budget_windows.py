#!/usr/bin/python3
"""Measures in real time how closely a read rate is kept, by what the fault server charged.

    tests/e2e/read_budget_windows.py --read-units 50 --segments 200 --seconds 150
    tests/e2e/read_budget_windows.py --read-units 500 --segments 60 --sharers 3

Samples ten times per second. Prints the lowest and highest fraction of the rate read in any minute;
exit code 1 if that is not within 3 percent.
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, List, Tuple

from fault_server import FaultServer, scan_of

MINUTE = 60.0
ITEM_BYTES = 4_000  # half a unit each


def charged(
    read_units: float, segments: int, seconds: float, sharers: int = 1
) -> List[Tuple[float, float]]:
    """Pairs of a time in seconds and the units charged until then.

    With several sharers, the first one is ended by a signal after half the time.
    """
    items = int(2 * read_units * seconds * 1.5) + 1000  # more than can be read
    looks = []
    with FaultServer(
        items=items, item_bytes=ITEM_BYTES, scan_latency_ms=20
    ) as server, tempfile.TemporaryDirectory(prefix="everyitem-budget.") as home:
        scan = scan_of("--segments", segments, "--read-units", read_units)
        everyitem = server.everyitem(Path(home))
        sharing = ("--checkpoint", "dynamodb:checkpoints", "--share") if sharers > 1 else ()
        processes = [everyitem.start(*scan, *sharing) for _ in range(sharers)]
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            looks.append((time.monotonic() - began, server.report()["read_units"]))
            time.sleep(0.1)
            if len(processes) == sharers > 1 and time.monotonic() - began > seconds / 2:
                end(processes.pop(0))
        for process in processes:
            end(process)
    return looks


def end(process: Any) -> None:
    assert process.running, process.stderr
    process.signal(signal.SIGTERM)
    process.finish()


def extremes(looks: List[Tuple[float, float]], read_units: float) -> Tuple[float, float]:
    """The lowest and highest fraction of the rate, over each minute that begins with a sample."""
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
    parser.add_argument("--sharers", type=int, default=1, help="processes that share the run")
    options = parser.parse_args()
    looks = charged(options.read_units, options.segments, options.seconds, options.sharers)
    least, most = extremes(looks, options.read_units)
    print(f"any minute: {least:.4f} to {most:.4f} of {options.read_units:g} read units/s")
    return 0 if 0.97 <= least and most <= 1.03 else 1


if __name__ == "__main__":
    sys.exit(main())
