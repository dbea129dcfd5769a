#!/usr/bin/python3
"""How many megabytes of items one core of the fault server serves: its processor time for a scan.

`scan`: Scan alone, to standard output. `put`: Scan and PutRecords, in JSON, of the same items.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import List, Tuple

BUILD = Path(__file__).resolve().parent.parent.parent / "build" / "release"
ITEM_BYTES = 400


def processor_seconds(pid: int) -> float:
    # The fields behind the program's name, which may hold spaces: user and system time.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0


def measure(server_program: Path, items: int, destination: List[str]) -> Tuple[float, float]:
    """The server's processor time, in seconds, and its peak memory, in megabytes."""
    server = subprocess.Popen(
        [str(server_program), "--items", str(items), "--item-bytes", str(ITEM_BYTES)],
        stdout=subprocess.PIPE,
        text=True,
    )
    home = tempfile.TemporaryDirectory()  # there would be dead letters
    try:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        subprocess.run(
            [str(BUILD / "src/cli/everyitem"), "scan", "--table", "table", "--segments", "4"]
            + ["--endpoint-url", url, "--checkpoint", "none", "--quiet", *destination],
            env={
                "HOME": home.name,
                "AWS_ACCESS_KEY_ID": "AKIDFAULTS",
                "AWS_SECRET_ACCESS_KEY": "not-a-secret",
                "AWS_REGION": "us-east-1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return processor_seconds(server.pid), peak_megabytes(server.pid)
    finally:
        server.terminate()
        server.wait()
        home.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--server", type=Path, nargs="+", default=[BUILD / "tests/emulator/fault_server"]
    )
    options = parser.parse_args()
    megabytes = options.items * ITEM_BYTES / 1e6
    for _ in range(options.rounds):
        for server in options.server:
            for name, destination in (("scan", ["--to", "-"]), ("put", ["--stream", "stream"])):
                seconds, peak = measure(server, options.items, destination)
                print(
                    f"{server.name} {name}: {megabytes:.0f} MB of items in {seconds:.2f} s of one "
                    f"core, {megabytes / seconds:.0f} MB/s; peak memory {peak:.0f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
