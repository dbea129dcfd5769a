#!/usr/bin/python3
"""Measures everyitem's peak memory for a table and for one ten times as large.

    tests/e2e/peak_memory.py --megabytes 64

Both runs read 16 segments into a stream of 4 shards. Prints the peak resident size of each. Exit code
1 if one is above 150 MB, or if the larger table takes over a quarter more than the smaller one. The
smaller table must be large enough to fill everything in flight, a few pages of 1 MB per segment.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))
os.environ.update(AWS_ACCESS_KEY_ID="AKIDE2E", AWS_SECRET_ACCESS_KEY="boto3", AWS_REGION="us-east-1")

from demodata import services  # noqa: E402
from demodata.items import Item  # noqa: E402
from running import BINARY, Everyitem  # noqa: E402
from servers import Server  # noqa: E402

SEGMENTS = 16
MAX_MEGABYTES = 150
# All buffers are rarely full at the same time. A short run may end before that happens, and a run ten
# times as long comes closer to the bound. Memory that grew with the table would be ten times as large.
MAX_GROWTH = 1.5
ITEM_BYTES = 8_000

# The kernel counts the memory of the starting process as part of the program's peak. This launcher is
# small; the caller, with boto3 loaded, is not.
LAUNCHER = """
import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def numbered_items(megabytes: int) -> Iterator[Item]:
    text = "0123456789" * (ITEM_BYTES // 10)
    for number in range(megabytes * 1_000_000 // ITEM_BYTES):
        yield {"id": {"S": f"{number}"}, "text": {"S": text}}


def outcome_and_peak_megabytes(everyitem: Everyitem, arguments: List[str]) -> Tuple[int, float]:
    """The exit code, and the peak."""
    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-S", "-c", LAUNCHER, str(BINARY), *arguments],
        capture_output=True,
        text=True,
        env=everyitem.env,
        check=True,
    )
    code, kilobytes = map(int, done.stdout.split()[-2:])
    return code, kilobytes / 1000


def peak_megabytes(everyitem: Everyitem, arguments: List[str]) -> float:
    code, peak = outcome_and_peak_megabytes(everyitem, arguments)
    assert code == 0, f"exit {code}"
    return peak


def measure(megabytes: int, home: Path) -> float:
    with Server("dynamodb") as dynamodb, Server("kinesis") as kinesis:
        client = services.client("dynamodb", dynamodb.endpoint)
        services.create_table(client, "large")
        services.put_items(client, "large", numbered_items(megabytes))
        services.create_stream(services.client("kinesis", kinesis.endpoint), "backfill", 4)
        everyitem = Everyitem(home, {"dynamodb": dynamodb.endpoint, "kinesis": kinesis.endpoint})
        return peak_megabytes(
            everyitem,
            ["scan", "--table", "large", "--stream", "backfill", "--segments", str(SEGMENTS)],
        )


def measure_both(megabytes: int) -> List[float]:
    peaks = []
    for size in (megabytes, 10 * megabytes):
        with tempfile.TemporaryDirectory(prefix="everyitem-memory.") as home:
            peaks.append(measure(size, Path(home)))
        print(f"{size} MB in {SEGMENTS} segments: peak {peaks[-1]:.0f} MB", flush=True)
    return peaks


def acceptable(peaks: List[float]) -> bool:
    small, large = peaks
    return max(peaks) <= MAX_MEGABYTES and large <= MAX_GROWTH * small


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=64, help="of the smaller table")
    return 0 if acceptable(measure_both(parser.parse_args().megabytes)) else 1


if __name__ == "__main__":
    sys.exit(main())
