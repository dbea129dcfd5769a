#!/usr/bin/python3
"""Makes small changes to the core, one at a time, and says which of them no test notices.

Takes the last commit, not the working tree. Each mutant is a line of src/ changed in one place; its folder is
built, and the folder's own tests run, then those of the folders that use it, until one fails. A mutant whose
optimized machine code is that of the original changes nothing and does not count; nor does one of which a
person wrote a reason that begins with "Equivalent:". Which mutants are tried depends on the seed and on the
code only. May be interrupted: build/mutation/results.jsonl remembers. Writes survivors.md next to this file,
and keeps the reasons that a person wrote there.

Exit code 0 if 95 percent of the mutants that change something were noticed, 1 if not, 130 if interrupted.
"""

import argparse
import concurrent.futures
import hashlib
import io
import json
import os
import queue
import re
import resource
import shlex
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Pattern, Sequence, Set, Tuple

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "mutation"
RESULTS = WORK / "results.jsonl"
SURVIVORS = Path(__file__).resolve().parent / "survivors.md"

WANTED = 0.95
# A test that takes this many times as long as on the original hangs, and so notices the mutant.
PATIENCE = 10
MIN_TIMEOUT_S = 60
MAX_MEMORY_BYTES = 6 << 30

WHOLE_SCANS = ("tests/run/own_kinds_test", "tests/run/power_loss_test", "tests/faults/faults_test")
# The programs that look at a folder, the quickest first.
TESTS: Dict[str, Sequence[str]] = {
    "base": ("src/base/base_test", "src/aws/aws_test", "src/checkpoint/checkpoint_test", "src/run/run_test"),
    "batch": ("src/batch/batch_test", "src/sink/sink_test", "src/pipeline/pipeline_test"),
    "checkpoint": ("src/checkpoint/checkpoint_test", "src/run/run_test", "src/pipeline/pipeline_test"),
    "pace": ("src/pace/pace_test", "src/run/run_test", "src/pipeline/pipeline_test"),
    "pipeline": ("src/pipeline/pipeline_test", "src/run/run_test"),
    "run": ("src/run/run_test",),
    "sink": ("src/sink/sink_test", "src/run/run_test", "src/pipeline/pipeline_test"),
    "source": ("src/source/source_test", "src/run/run_test", "src/pipeline/pipeline_test"),
}


class Change(NamedTuple):
    name: str
    pattern: Pattern[str]
    instead: str


# Binary operators have spaces around them and template brackets have none: clang-format sees to it.
CHANGES = [
    Change(name, re.compile(pattern), instead)
    for name, pattern, instead in (
        ("equal", r" == ", " != "),
        ("unequal", r" != ", " == "),
        ("less", r" < ", " <= "),
        ("less or equal", r" <= ", " < "),
        ("more", r" > ", " >= "),
        ("more or equal", r" >= ", " > "),
        ("and", r" && ", " || "),
        ("or", r" \|\| ", " && "),
        ("plus", r" \+ ", " - "),
        ("minus", r" - ", " + "),
        ("times", r" \* (?=[\w(])", " / "),
        ("add", r" \+= ", " -= "),
        ("subtract", r" -= ", " += "),
        ("increment", r"\+\+(?=\w)", "--"),
        ("true", r"\btrue\b", "false"),
        ("false", r"\bfalse\b", "true"),
        ("not", r"(?<=[( ])!(?=[\w(*])", ""),
        ("never", r"(?<=\bif \()(?!constexpr)(?=[^;]*\) \{$)", "false && "),
        ("number", r"(?<![\w.'\"])(?<!e-)(\d+)(?![\w.'\"])", "(\\1 + 1)"),
        ("min", r"\bstd::min\b", "std::max"),
        ("max", r"\bstd::max\b", "std::min"),
        ("call", r"^(\s+)(?:co_await )?[\w.:>*-]+(?:->[\w.:>-]+)*\([^;]*\);$", "\\1;"),
    )
]

# What is not changed: what cannot be run, what only saves time, and constants, which are tuned: benchmarks and
# simulations look at them, and none of them is right to the last digit.
NO_CODE = re.compile(r"^\s*(//|#|using |namespace |static_assert|template|case |.*\bconstexpr .* k[A-Z]|.*\breserve\()|^\s*[{}]*;?\s*$")
STRING = re.compile(r'R"\w*\(.*?\)\w*"|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'|//.*$')


class Mutant(NamedTuple):
    path: str
    change: str
    line: str  # as it was, without indentation
    mutated: str
    occurrence: int  # of this line in the file
    number: int  # of the line in the file, from 0

    @property
    def folder(self) -> str:
        return self.path.split("/")[1]

    @property
    def key(self) -> str:
        return f"{self.path}|{self.line}|{self.mutated}|{self.occurrence}"


def masked(line: str) -> str:
    """The line with its texts and comments blanked out. Every character keeps its position."""
    return STRING.sub(lambda text: "\x00" * len(text[0]), line)


def mutants_of(path: str, text: str) -> Iterator[Mutant]:
    seen: Dict[str, int] = {}
    for number, line in enumerate(text.splitlines()):
        occurrence = seen.get(line, 0)
        seen[line] = occurrence + 1
        if NO_CODE.match(line):
            continue
        for change in CHANGES:
            for found in change.pattern.finditer(masked(line)):
                instead = found.expand(change.instead)
                mutated = line[: found.start()] + instead + line[found.end() :]
                yield Mutant(path, change.name, line.strip(), mutated.strip(), occurrence, number)


def choose(tree: Path, count: int, seed: int) -> List[Mutant]:
    """The same number from each folder, as long as it has some. A change of the code chooses few others."""
    by_folder: List[List[Mutant]] = []
    for folder in TESTS:
        found: Dict[str, Mutant] = {}
        for source in (tree / "src" / folder).glob("*.cc"):
            if not source.name.endswith("_test.cc"):
                path = source.relative_to(tree).as_posix()
                found.update((mutant.key, mutant) for mutant in mutants_of(path, source.read_text()))
        by_lot = sorted(found, key=lambda key: hashlib.sha256(f"{seed}|{key}".encode()).digest())
        by_folder.append([found[key] for key in reversed(by_lot)])
    chosen: List[Mutant] = []
    while len(chosen) < count and any(by_folder):
        chosen += [folder.pop() for folder in by_folder if folder]
    return chosen[:count]


running: Set[int] = set()


def kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(command: Sequence[str], cwd: Path, timeout_s: Optional[float] = None) -> Optional[int]:
    """The exit code; nothing if it took too long."""
    child = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES)),
    )
    running.add(child.pid)
    try:
        return child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        kill(child.pid)
        child.wait()
        running.discard(child.pid)


class Bench:
    """A copy of the sources with its own build."""

    def __init__(self, number: int) -> None:
        self.tree = WORK / str(number) / "tree"
        self.build = WORK / str(number) / "build"
        self.seconds: Dict[str, float] = {}

    def prepare(self) -> None:
        self.tree.mkdir(parents=True, exist_ok=True)
        self.update()
        options = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g0 -w", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
        subprocess.run(
            ["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", *options],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        programs = sorted({program for tests in TESTS.values() for program in tests} | set(WHOLE_SCANS))
        if self.compile(programs) != 0:
            raise SystemExit(f"cannot build in {self.build}")
        for program in programs:
            started = time.monotonic()
            if run([str(self.build / program)], self.build) != 0:
                raise SystemExit(f"{program} fails on the original")
            self.seconds[program] = time.monotonic() - started

    def update(self) -> None:
        """Makes the tree that of the last commit. Files that did not change keep their times, so that only the
        others are compiled again."""
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
        wanted = set()
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            for member in files:
                content = files.extractfile(member) if member.isfile() else None
                if content is None:
                    continue
                path = self.tree / member.name
                wanted.add(path)
                new = content.read()
                if not path.exists() or path.read_bytes() != new:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(new)
                    path.chmod(member.mode)
        for path in list(self.tree.rglob("*")):
            if path.is_file() and path not in wanted:
                path.unlink()

    def compile(self, programs: Sequence[str]) -> Optional[int]:
        return run(["ninja", "-C", str(self.build), "-k", "0", *programs], self.build)

    def optimized(self, path: str) -> bytes:
        """The machine code of the file, as the optimizer makes it."""
        commands = json.loads((self.build / "compile_commands.json").read_text())
        source = str(self.tree / path)
        command = next(one for one in commands if one["file"] == source)
        words = shlex.split(command["command"])
        output = self.build / "optimized.o"
        words[words.index("-o") + 1] = str(output)
        subprocess.run([*words, "-O2"], cwd=command["directory"], check=True, stderr=subprocess.DEVNULL)
        return output.read_bytes()

    def judge(self, mutant: Mutant) -> Tuple[str, str]:
        """What became of it: noticed, survived, same (as the original) or invalid, and who noticed it."""
        source = self.tree / mutant.path
        original = source.read_text()
        lines = original.splitlines(keepends=True)
        lines[mutant.number] = lines[mutant.number].replace(mutant.line, mutant.mutated)
        try:
            source.write_text("".join(lines))
            for program in (*TESTS[mutant.folder], *WHOLE_SCANS):
                if self.compile([program]) != 0:
                    return "invalid", ""
                limit = max(MIN_TIMEOUT_S, PATIENCE * self.seconds[program])
                if run([str(self.build / program), "--gtest_fail_fast"], self.build, limit) != 0:
                    return "noticed", Path(program).name
            code = self.optimized(mutant.path)
            source.write_text(original)
            return ("same", "") if code == self.optimized(mutant.path) else ("survived", "")
        finally:
            source.write_text(original)


def reasons() -> Dict[str, str]:
    """What a person wrote about survivors, by file, line and change."""
    found = {}
    if SURVIVORS.exists():
        for line in SURVIVORS.read_text().splitlines():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if len(cells) == 4:
                found["|".join(cells[:3])] = cells[3]
    return found


def cell(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def write_survivors(
    outcomes: Dict[str, Tuple[Mutant, str]], known: Dict[str, str], seed: int, commit: str
) -> float:
    counts = {status: 0 for status in ("noticed", "survived", "same", "invalid")}
    survivors = []
    equivalent = 0
    for mutant, status in sorted(outcomes.values()):
        counts[status] += 1
        if status == "survived":
            cells = [mutant.path, cell(mutant.line), cell(mutant.mutated)]
            reason = known.get("|".join(cells), "")
            survivors.append(f"| {' | '.join(cells)} | {reason} |")
            equivalent += reason.startswith("Equivalent:")
    counts["survived"] -= equivalent
    changing = counts["noticed"] + counts["survived"]
    share = counts["noticed"] / changing if changing else 0.0
    lines = [
        "# Mutants that no test notices",
        "",
        "Written by `tests/mutation/mutate.py`; the reasons are written by hand, and kept.",
        "",
        f"Commit {commit}, seed {seed}: {changing} mutants that change behavior, {counts['noticed']} noticed "
        f"({100 * share:.1f} percent), {counts['survived']} survived. Besides, {counts['same']} gave the same "
        f"machine code, {equivalent} are equivalent, and {counts['invalid']} did not compile.",
        "",
        "| file | line | changed to | why no test notices |",
        "|---|---|---|---|",
        *survivors,
    ]
    SURVIVORS.write_text("\n".join([*lines, ""]))
    return share


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=240, help="how many to try (default 240)")
    parser.add_argument("--seed", type=int, default=1, help="chooses them (default 1)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="at the same time (default: cores)")
    arguments = parser.parse_args()

    benches: "queue.Queue[Bench]" = queue.Queue()
    for number in range(arguments.workers):
        print(f"building copy {number + 1} of {arguments.workers}", flush=True)
        bench = Bench(number)
        bench.prepare()
        benches.put(bench)
    tree = WORK / "0" / "tree"
    commit = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    known = {}
    if RESULTS.exists():
        for line in RESULTS.read_text().splitlines():
            result = json.loads(line)
            known[result["key"]] = result["status"]
    outcomes: Dict[str, Tuple[Mutant, str]] = {}
    written = reasons()  # before this run writes any

    def attempt(mutant: Mutant) -> Tuple[Mutant, str, str]:
        if known.get(mutant.key) in ("noticed", "same", "invalid"):
            return mutant, known[mutant.key], "before"
        bench = benches.get()
        try:
            status, noticed_by = bench.judge(mutant)
        finally:
            benches.put(bench)
        with RESULTS.open("a") as results:
            results.write(json.dumps({"key": mutant.key, "status": status, "by": noticed_by}) + "\n")
        return mutant, status, noticed_by

    mutants = choose(tree, arguments.mutants, arguments.seed)
    # Not in a `with`: when interrupted, it would wait for all that are left.
    pool = concurrent.futures.ThreadPoolExecutor(arguments.workers)
    for done, (mutant, status, by) in enumerate(pool.map(attempt, mutants), 1):
        outcomes[mutant.key] = (mutant, status)
        print(f"{done}/{len(mutants)} {status} {by} {mutant.path}: {mutant.mutated}", flush=True)
        share = write_survivors(outcomes, written, arguments.seed, commit)
    print(f"{100 * share:.1f} percent noticed; wanted {100 * WANTED:.0f}; {SURVIVORS.relative_to(ROOT)}")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        for group in list(running):  # a mutant may never end by itself
            kill(group)
        os._exit(130)
