#!/usr/bin/python3
"""Runs clang-tidy over the project's own files, two at a time or as many as there are processors.

Most of what clang-tidy takes goes into the headers of Boost: files of one folder are looked at
together, as the preset `tidy` groups them (CMAKE_UNITY_BUILD), but in one text, not included: the
static analyzer does not follow what is included. A group that passed is not looked at again until a
file of it, a header of the project, its compile command or .clang-tidy changes: build/tidy/passed/
remembers. Exit code 1 if any file has a finding.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Tuple

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "tidy"
GROUPS = BUILD / "groups"
PASSED = BUILD / "passed"

COMMAND = (
    "clang-tidy",
    f"-p={GROUPS}",
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


class Group:
    """What one compile command takes: a file of the project, or several that CMake groups."""

    def __init__(self, entry: Dict[str, str]) -> None:
        taken = Path(entry["file"])
        self.files = [taken]
        if BUILD in taken.parents:  # CMake's own, which has one #include a line, with whole paths
            self.files = [Path(name) for name in re.findall(r'^#include "(.*)"$', taken.read_text(), re.MULTILINE)]
        self.names = [path.relative_to(ROOT).as_posix() for path in self.files]
        self.text = "".join(f'#line 1 "{path}"\n{path.read_text()}' for path in self.files)
        self.path = GROUPS / (taken.relative_to(ROOT).as_posix().replace("/", "_") + ".cc")
        command = entry["command"].removesuffix(f" -c {taken}") + f" -c {self.path}"
        self.entry = {"directory": entry["directory"], "command": command, "file": str(self.path)}

    def tidy(self, headers: bytes) -> Tuple[bool, str]:
        """Whether the files are clean, and what clang-tidy said."""
        state = hashlib.sha256(headers + self.entry["command"].encode() + self.text.encode()).hexdigest()
        stamp = PASSED / self.path.name
        if stamp.exists() and stamp.read_text() == state:
            return True, ""
        done = subprocess.run([*COMMAND, str(self.path)], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            stamp.write_text(state)
        places = re.compile(re.escape(str(self.path)) + r":(\d+)")
        said = places.sub(lambda match: self.place(int(match[1])), done.stdout + done.stderr)
        return done.returncode == 0, said

    def place(self, line: int) -> str:
        """Where a line of the text is in the project's files: clang-tidy does not go by #line."""
        for path, name in zip(self.files, self.names):
            length = 1 + path.read_text().count("\n")
            if line <= length:
                return f"{name}:{line - 1}"
            line -= length
        return f"{self.path}:{line}"


def main() -> int:
    subprocess.run(["cmake", "--preset", "tidy"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    groups = [Group(entry) for entry in json.loads((BUILD / "compile_commands.json").read_text())]
    groups = [group for group in groups if group.names[0].split("/")[0] in ("src", "tests", "bench")]
    if not groups:
        print("no files to look at: does the preset tidy still make compile commands?")
        return 1
    for folder in (GROUPS, PASSED):
        folder.mkdir(parents=True, exist_ok=True)
    for group in groups:
        group.path.write_text(group.text)
    (GROUPS / "compile_commands.json").write_text(json.dumps([group.entry for group in groups]))
    headers = digest_of_headers()
    # The largest first: the last ones end together.
    groups.sort(key=lambda group: -len(group.text))
    failed: List[str] = []
    count = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for group, (clean, output) in zip(groups, pool.map(lambda group: group.tidy(headers), groups)):
            count += len(group.names)
            for name in group.names:
                print(f"{'ok    ' if clean else 'FAILED'} {name}", flush=True)
            if not clean:
                print(output, flush=True)
                failed += group.names
    if failed:
        print(f"findings among {len(failed)} files: {' '.join(failed)}")
        return 1
    print(f"{count} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
