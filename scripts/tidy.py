#!/usr/bin/python3
"""Runs clang-tidy over the project's own files, two at a time or as many as there are processors.

A file that passed is not looked at again until it, a header of the project, its compile command
or .clang-tidy changes: build/tidy/ remembers. Exit code 1 if any file has a finding.
"""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, Tuple

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
PASSED = ROOT / "build" / "tidy"

COMMAND = (
    "clang-tidy",
    f"-p={BUILD}",
    "--quiet",
    # clang 14 has coroutines, but does not say so to GCC's standard library.
    "--extra-arg=-D__cpp_impl_coroutine=201902L",
    # The compile commands hold warnings that only GCC knows.
    "--extra-arg=-Wno-unknown-warning-option",
)


def digest_of_headers() -> bytes:
    digest = hashlib.sha256(" ".join(COMMAND).encode())
    headers = [path for folder in ("src", "include", "tests") for path in (ROOT / folder).rglob("*.h")]
    for path in [ROOT / ".clang-tidy", *sorted(headers)]:
        digest.update(path.read_bytes())
    return digest.digest()


def tidy(entry: Dict[str, str], headers: bytes) -> Tuple[str, bool, str]:
    """The file's name, whether it is clean, and what clang-tidy said."""
    path = Path(entry["file"])
    name = path.relative_to(ROOT).as_posix()
    state = hashlib.sha256(headers + entry["command"].encode() + path.read_bytes()).hexdigest()
    stamp = PASSED / name.replace("/", "_")
    if stamp.exists() and stamp.read_text() == state:
        return name, True, ""
    done = subprocess.run([*COMMAND, str(path)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        stamp.write_text(state)
    return name, done.returncode == 0, done.stdout + done.stderr


def main() -> int:
    entries = [
        entry
        for entry in json.loads((BUILD / "compile_commands.json").read_text())
        if Path(entry["file"]).relative_to(ROOT).parts[0] in ("src", "tests", "bench")
    ]
    if not entries:
        print("no files to look at: is build/release configured?")
        return 1
    PASSED.mkdir(parents=True, exist_ok=True)
    headers = digest_of_headers()
    failed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for name, clean, output in pool.map(lambda entry: tidy(entry, headers), entries):
            print(f"{'ok    ' if clean else 'FAILED'} {name}", flush=True)
            if not clean:
                print(output, flush=True)
                failed.append(name)
    if failed:
        print(f"findings in {len(failed)} files: {' '.join(failed)}")
        return 1
    print(f"{len(entries)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
