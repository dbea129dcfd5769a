"""What the documents name is there: files of this repository, and the tests that show a promise."""

import re
import subprocess
from pathlib import Path
from typing import Iterable, List, Set

ROOT = Path(__file__).resolve().parent.parent
QUOTED = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"(?:src|tests|docs|scripts|bench|deploy|examples)/[\w./-]+")


def tracked(*patterns: str) -> List[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / line for line in listed.stdout.splitlines()]


def documents() -> List[Path]:
    """Without decision records, which say what was so when they were written, and what came from elsewhere."""
    return [path for path in tracked("*.md") if not {"adr", "testdata"} & set(path.parts)]


def known_names() -> Set[str]:
    names: Set[str] = set()
    for path in tracked("src/*_test.cc", "src/*.h", "tests/*.cc", "tests/*.h", "tests/*.py"):
        names |= {path.name, path.stem, *re.findall(r"\w+", path.read_text())}
    return names


def unknown(commands: Iterable[str]) -> List[str]:
    """What these tests, files and filters name and is nowhere: `*Letters*` is a part of a name, others are whole."""
    known = known_names()
    missing = []
    for command in commands:
        for word in re.findall(r"\*\w+\*|\w+\.py|\w+", re.sub(r"--\w+|-\w\b", "", command)):
            part = word.strip("*")
            if not (any(part in one for one in known) if part != word else word in known):
                missing.append(f"{command}: nothing is called {word}")
    return missing


def test_named_files_are_there() -> None:
    named = [(document, name) for document in documents() for name in QUOTED.findall(document.read_text())]
    files = [(document.relative_to(ROOT).as_posix(), name) for document, name in named if FILE.fullmatch(name)]
    assert len(files) > 50
    # Without its ending, it is a file of several kinds: `base/clock` for clock.h and clock.cc.
    assert [(document, name) for document, name in files if not any(ROOT.glob(f"{name.rstrip('/')}*"))] == []


def test_tests_show_kinds() -> None:
    """The last column: `FileRunTest.*`, `test_files.py::test_output`, `faults_test --gtest_filter='*Letters*'`."""
    text = (ROOT / "docs/guarantees.md").read_text()
    section = text.partition("\n## Kinds of failure")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    quoted = [name for row in rows for name in QUOTED.findall(row[-1])]
    assert len(quoted) > 50
    assert unknown(quoted) == []


def test_filters_find_tests() -> None:
    filters = [one for path in documents() for one in re.findall(r"--gtest_filter='([^']+)'", path.read_text())]
    assert len(filters) > 3
    assert unknown(filters) == []
