#!/usr/bin/python3
"""What takes long, or needs what others wrote: `./test --judges [PART...]` runs this.

Without PART it runs every part that has not yet passed at this commit, so it can be interrupted and started
again. Named parts always run. A part whose tools cannot be installed is skipped. Writes
tests/compat/results.json, which keeps the last result of each part wherever it ran, and results.md from it.
Exit code 0 if nothing failed, 1 if something did, 2 if used wrongly, 130 if interrupted.
"""

import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "compat"
BUILD = ROOT / "build" / "judges"
STATE = HERE / "results.json"
RESULTS = HERE / "results.md"
VENV = BUILD / "venv"
RELEASE = ROOT / "build" / "release"
FAULT_RUNS = RELEASE / "tests" / "faults" / "fault_runs"

Command = Sequence[Any]


class Skipped(Exception):
    """Why a part cannot run here."""


class Part(NamedTuple):
    name: str
    what: str
    commands: List[Command]
    figures: str = ""  # regular expression for the lines of output that results.md shows
    needs: Callable[[], None] = lambda: None
    env: Dict[str, str] = {}


def call(command: Command, log: Path, env: Dict[str, str]) -> int:
    """Runs the command with its output appended to the log. When interrupted, ends it and all it started."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
            raise


def install(pinned: Path, folder: Path, commands: List[Command]) -> None:
    """Makes `folder` with the commands, unless it is what `pinned` says already."""
    wanted = pinned.read_text()
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    log = BUILD / f"{folder.name}.log"
    log.unlink(missing_ok=True)
    for command in commands:
        if call(command, log, {}) != 0:
            lines = log.read_text(errors="replace").strip().splitlines()
            what = pinned.relative_to(ROOT)
            raise Skipped(f"cannot install {what}: {lines[-1] if lines else 'no output'}")
    stamp.write_text(wanted)


def install_venv(pinned: Path, venv: Path) -> None:
    """Python packages, exactly as the file pins them."""
    commands: List[Command] = [
        ["/usr/bin/python3", "-m", "venv", "--clear", venv],
        [venv / "bin/pip", "install", "--no-deps", "-r", pinned],
    ]
    install(pinned, venv, commands)


def need_venv() -> None:
    install_venv(HERE / "requirements.txt", VENV)


def need_packaging() -> None:
    """What users package and check the templates with."""
    pinned = ROOT / "tests/packaging"
    install_venv(pinned / "requirements.txt", BUILD / "sam")
    folder = BUILD / "packaging"
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pinned / name, folder)
    npm = ["npm", "ci", "--prefix", folder, "--ignore-scripts", "--omit=optional", "--loglevel=error"]
    install(pinned / "package-lock.json", folder, [[*npm, "--no-audit", "--no-fund"]])


def pytest(*arguments: Any) -> Command:
    return ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]


def simulations(*folders: str) -> List[Command]:
    programs = [RELEASE / "src" / folder / f"{folder}_test" for folder in folders]
    return [[program, "--gtest_filter=*Simulation*"] for program in programs]


PARTS = [
    Part(
        "simulations",
        "pacing of shards and of reading, and shared runs of up to 1,000 processes, in simulated time, all cases",
        simulations("sink", "pace", "run"),
        r"\[  PASSED  \].*|.* of the (rate|budget) in any minute.*|.* used, .* refused.*"
        r"|.* sharers, .* parts, .*|.* more than the ideal .*|.* idle for .*|.*sharing costs .*",
        env={"EVERYITEM_SIMULATIONS": "all"},
    ),
    Part(
        "fault-runs",
        "5,000 scans with seeded faults",
        # A run waits half of its time.
        [["bash", "-c", f"seq 1 1250 5000 | xargs -P 4 -n 1 {FAULT_RUNS} --runs 1250 --seed"]],
        r"\d+ runs .*",
    ),
    Part(
        "shared-runs",
        "200 shared runs in simulated time, with faults, kills, pauses and cut-off sharers",
        [[FAULT_RUNS, "--shared", "--runs", 200]],
        r"\d+ shared runs .*",
    ),
    Part(
        "kills",
        "one scan killed 2,000 times, and one without other faults 500 times",
        [[FAULT_RUNS, "--kills", 2000], [FAULT_RUNS, "--kills", 500, "--calm"]],
        r"seed .*",
    ),
    Part(
        "hard-times",
        "outages, black holes and restarts of up to a minute; rates in real time; every failing call",
        [pytest("-n", 9, "-m", "full", "tests/e2e")],
        r"\d+ passed.*",
        env={"EVERYITEM_FAILING_CALLS": "all"},
    ),
    Part(
        "analyzer",
        "the static analyzer on the tests",
        [["scripts/tidy.py", "--analyze-tests"]],
        r"\d+ files",
    ),
    Part(
        "fuzz",
        "ten minutes of libFuzzer per parser",
        [["scripts/fuzz", 600]],
        r"\d+ targets.*",
    ),
    Part(
        "mutation",
        "240 small changes to the core: do the tests notice them?",
        [["tests/mutation/mutate.py"]],
        r"[\d.]+ percent noticed.*",
    ),
    Part(
        "moto",
        "scan, resume and whoami against moto",
        [pytest("tests/compat/test_moto.py")],
        r"\d+ passed.*",
        need_venv,
    ),
    Part(
        "identity",
        "credentials, regions and endpoints, as a current botocore finds them",
        [pytest("tests/e2e/test_identity_cases.py")],
        r"\d+ passed.*",
        need_venv,
        env={"EVERYITEM_BOTOCORE_PYTHON": str(VENV / "bin/python")},
    ),
    Part(
        "aggregation",
        "aggregated records, read with aws-kinesis-agg",
        [pytest("tests/compat/test_aggregation.py")],
        r"\d+ passed.*",
        need_venv,
    ),
    Part(
        "packaging",
        "the templates, with osls 3 and 4, serverless 3, the SAM CLI and cfn-lint",
        [pytest("tests/packaging")],
        r"\d+ passed.*",
        need_packaging,
    ),
]


class Result(NamedTuple):
    status: str  # passed, failed or skipped
    figures: List[str]
    commit: str
    date: str
    seconds: int


class State:
    """What is known of each part, across runs."""

    def __init__(self) -> None:
        known: Dict[str, Any] = json.loads(STATE.read_text()) if STATE.exists() else {}
        self.results = {name: Result(**result) for name, result in known.items()}

    def keep(self, name: str, result: Result) -> None:
        self.results[name] = result
        written = json.dumps({key: value._asdict() for key, value in self.results.items()}, indent=1)
        unfinished = BUILD / STATE.name
        unfinished.write_text(written + "\n")
        unfinished.replace(STATE)
        RESULTS.write_text(self.table())

    def table(self) -> str:
        lines = [
            "# What the judges said",
            "",
            "Written by `./test --judges` ([what they are](../../CONTRIBUTING.md)).",
            "",
            "| part | what | result | date | commit | took |",
            "|---|---|---|---|---|---|",
        ]
        details = []
        for part in PARTS:
            result = self.results.get(part.name)
            if result is None:
                lines.append(f"| {part.name} | {part.what} | not run yet | | | |")
                continue
            reason = f": {result.figures[0]}" if result.status == "skipped" else ""
            lines.append(
                f"| {part.name} | {part.what} | {result.status}{reason} | {result.date} | "
                f"{result.commit} | {result.seconds} s |"
            )
            if result.figures and result.status != "skipped":
                details += ["", f"## {part.name}", "", "```", *result.figures, "```"]
        return "\n".join([*lines, *details, ""])


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit_under_test() -> Optional[str]:
    """Nothing if files differ from it."""
    written = [f":!{path.relative_to(ROOT)}" for path in (STATE, RESULTS)]
    if git("status", "--porcelain", "--untracked-files=no", "--", ".", *written):
        return None
    return git("rev-parse", "--short=10", "HEAD")


def run(part: Part, commit: str) -> Result:
    log = BUILD / f"{part.name}.log"
    log.unlink(missing_ok=True)
    started = time.monotonic()
    status, figures = "passed", []
    try:
        part.needs()
        for command in part.commands:
            if call(command, log, part.env) != 0:
                status = "failed"
        lines = log.read_text(errors="replace").splitlines()
        figures = [line.strip() for line in lines if re.fullmatch(part.figures, line.strip())]
        if status == "failed":
            print("\n".join(f"      {line}" for line in lines[-25:]), file=sys.stderr)
    except Skipped as skipped:
        status, figures = "skipped", [str(skipped)]
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return Result(status, figures, commit, today, round(time.monotonic() - started))


def main(arguments: List[str]) -> int:
    by_name = {part.name: part for part in PARTS}
    unknown = [name for name in arguments if name not in by_name]
    if unknown:
        print(f"unknown part: {unknown[0]}; there are: {', '.join(by_name)}", file=sys.stderr)
        return 2
    commit = commit_under_test()
    if commit is None:
        print("commit your changes first: a result names the commit it is about", file=sys.stderr)
        return 2
    BUILD.mkdir(parents=True, exist_ok=True)
    state = State()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for part in [by_name[name] for name in arguments] or PARTS:
        known = state.results.get(part.name)
        if not arguments and known and known.commit == commit and known.status == "passed":
            counts["passed"] += 1
            print(f"  {part.name}: passed before, at this commit", flush=True)
            continue
        result = run(part, commit)
        state.keep(part.name, result)
        counts[result.status] += 1
        last = f": {result.figures[-1]}" if result.figures else ""
        print(f"  {part.name}: {result.status} in {result.seconds} s{last}", flush=True)
    print(f"\nwritten: {RESULTS.relative_to(ROOT)}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"\n{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\ninterrupted: start it again to continue", file=sys.stderr)
        sys.exit(130)
