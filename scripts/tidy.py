#!/usr/bin/python3
"""Runs clang-tidy over the project's own files, two at a time or as many as there are processors.

Most of what clang-tidy takes goes into the headers of Boost: files are looked at together, those of
one folder as the preset `tidy` groups them (CMAKE_UNITY_BUILD), and these with other folders'. They
stand in one text, not included: the static analyzer does not follow what is included. Through tests
it takes fewer paths, which is most of its time. A group that passed is not looked at again until a
file of it, a header of the project, its compile command or .clang-tidy changes: build/tidy/passed/
remembers. Exit code 1 if any file has a finding.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Set, Tuple

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

SHALLOW = [f"--extra-arg={argument}" for argument in ("-Xclang", "-analyzer-config", "-Xclang", "mode=shallow")]


def digest_of_headers() -> bytes:
    digest = hashlib.sha256(" ".join([*COMMAND, *SHALLOW]).encode())
    headers = [path for folder in ("src", "include", "tests") for path in (ROOT / folder).rglob("*.h")]
    for path in [ROOT / ".clang-tidy", *sorted(headers)]:
        digest.update(path.read_bytes())
    return digest.digest()


class Unit:
    """What one compile command takes: a file of the project, or several that CMake groups."""

    def __init__(self, entry: Dict[str, str]) -> None:
        taken = Path(entry["file"])
        self.files = [taken]
        if BUILD in taken.parents:  # CMake's own, which has one #include a line, with whole paths
            self.files = [Path(name) for name in re.findall(r'^#include "(.*)"$', taken.read_text(), re.MULTILINE)]
        self.compiler, *self.options = shlex.split(entry["command"].split(" -o ")[0])

    def length(self) -> int:
        return sum(path.stat().st_size for path in self.files)

    def tests(self) -> bool:
        return any(path.name.endswith("_test.cc") or ROOT / "tests" in path.parents for path in self.files)

    def names(self) -> Set[str]:
        """Within which the files' private names must differ: their folders, and the one for all `main`s."""
        names = {path.parent.as_posix() for path in self.files}
        if any(re.search(r"^int main\(", path.read_text(), re.MULTILINE) for path in self.files):
            names.add("main")
        return names


class Group:
    """Units of different folders, which clang-tidy looks at as one text."""

    def __init__(self, tests: bool) -> None:
        self.options_of_tests = SHALLOW if tests else []
        self.length = 0
        self.files: List[Path] = []
        self.taken: Set[str] = set()
        self.options: List[str] = []
        self.compiler = ""

    def add(self, unit: Unit) -> None:
        self.length += unit.length()
        self.files += unit.files
        self.taken |= unit.names()
        self.compiler = unit.compiler
        # They differ in definitions and folders of headers, of which one takes the other's too.
        self.options += [option for option in unit.options if option not in self.options]

    def write(self, number: int) -> Dict[str, str]:
        """Writes the text, and returns its compile command."""
        self.names = [path.relative_to(ROOT).as_posix() for path in self.files]
        self.text = "".join(f'#line 1 "{path}"\n{path.read_text()}' for path in self.files)
        self.path = GROUPS / f"{number}.cc"
        self.path.write_text(self.text)
        self.command = shlex.join([self.compiler, *self.options, "-c", str(self.path)])
        return {"directory": str(BUILD), "command": self.command, "file": str(self.path)}

    def tidy(self, headers: bytes) -> Tuple[bool, str]:
        """Whether the files are clean, and what clang-tidy said."""
        state = hashlib.sha256(headers + self.command.encode() + self.text.encode()).hexdigest()
        stamp = PASSED / self.path.name
        if stamp.exists() and stamp.read_text() == state:
            return True, ""
        done = subprocess.run([*COMMAND, *self.options_of_tests, str(self.path)], capture_output=True, text=True, check=False)
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


def without_repeats(units: List[Unit]) -> List[Unit]:
    """Each file once: some are compiled for several programs."""
    seen: Set[Path] = set()
    for unit in units:
        unit.files = [path for path in unit.files if path not in seen]
        seen.update(unit.files)
    return [unit for unit in units if unit.files]


def grouped(units: List[Unit]) -> List[Group]:
    """As few groups as the folders allow, about as much in each. All units are tests, or none is."""
    units = sorted(units, key=lambda unit: -unit.length())
    count = max(Counter(name for unit in units for name in unit.names()).values())
    groups = [Group(units[0].tests()) for _ in range(count)]
    for unit in units:
        free = [group for group in groups if not group.taken & unit.names()]
        if not free:
            groups.append(Group(units[0].tests()))
            free = groups[-1:]
        min(free, key=lambda group: group.length).add(unit)
    return groups


def main() -> int:
    subprocess.run(["cmake", "--preset", "tidy"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    units = [Unit(entry) for entry in json.loads((BUILD / "compile_commands.json").read_text())]
    units = [unit for unit in units if unit.files[0].relative_to(ROOT).parts[0] in ("src", "tests", "bench")]
    if not units:
        print("no files to look at: does the preset tidy still make compile commands?")
        return 1
    for folder in (GROUPS, PASSED):
        folder.mkdir(parents=True, exist_ok=True)
    units = without_repeats(units)
    groups = [group for tests in (False, True) for group in grouped([unit for unit in units if unit.tests() == tests])]
    commands = [group.write(number) for number, group in enumerate(groups)]
    (GROUPS / "compile_commands.json").write_text(json.dumps(commands))
    headers = digest_of_headers()
    # The largest first: the last ones end together.
    groups.sort(key=lambda group: -group.length)
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
