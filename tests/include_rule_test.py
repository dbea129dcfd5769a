"""Checks the include rule of ARCHITECTURE.md by reading every #include under src/.

    cli, lambda -> options -> run -> pipeline -> {checkpoint, sink, batch, pace, source} -> aws -> http -> base
    pipeline, lambda, cli -> identity -> aws

Tests include doubles from tests/: support/ (which may include any of src/) and emulator/ (which plays AWS).
A stage may only include the value headers of an upstream stage: headers with data and no behavior.
Run by pytest, or alone: python3 tests/include_rule_test.py
"""

import re
from pathlib import Path
from typing import Dict, List, Set, Tuple

TESTS = Path(__file__).resolve().parent
SOURCES = TESTS.parent / "src"

# The folders a folder may include from without restriction, in addition to its own headers.
MAY_INCLUDE: Dict[str, Set[str]] = {
    "base": set(),
    "http": {"base"},
    "aws": {"http", "base"},
    "identity": {"aws", "http", "base"},
    "source": {"aws", "http", "base"},
    "pace": {"base"},
    "batch": {"base"},
    "sink": {"aws", "http", "base"},
    "checkpoint": {"aws", "http", "base"},
    "pipeline": {"checkpoint", "sink", "batch", "pace", "source", "identity", "aws", "http", "base"},
    "run": {"pipeline", "checkpoint", "sink", "batch", "pace", "source", "identity", "aws", "http", "base"},
    "options": {"run", "pipeline", "checkpoint", "sink", "batch", "pace", "source", "identity", "aws", "http", "base"},
    "cli": {"options", "run", "pipeline", "checkpoint", "sink", "batch", "pace", "source", "identity", "aws", "http", "base"},
    "lambda": {"options", "run", "pipeline", "checkpoint", "sink", "batch", "pace", "source", "identity", "aws", "http", "base"},
}

# Folders of tests/ that tests and doubles in src/ may include, and what of src/ and tests/ they may include.
DOUBLES: Dict[str, Set[str]] = {
    "support": set(MAY_INCLUDE) - {"cli", "lambda"},
    "emulator": {"support", "batch", "aws", "http", "base"},
}
MAY_INCLUDE_DOUBLES = re.compile(r"(_test\.cc|_conformance\.h|/test_\w+\.h)$")

# The main function chooses between the command line and Lambda, and belongs to neither.
MAIN = "cli/main.cc"
MAIN_MAY_INCLUDE = "lambda"

# The upstream stages of a stage, whose value headers it may include.
UPSTREAM: Dict[str, Set[str]] = {
    "pace": {"source"},
    "batch": {"source"},
    "sink": {"source", "batch"},
    "checkpoint": {"source", "sink"},
}

VALUE_HEADERS: Set[str] = {
    "source/dynamodb_limits.h",
    "source/scan_page.h",
    "source/scan_position.h",
    "source/table_description.h",
    "batch/record_batch.h",
    "batch/kinesis_limits.h",
    "batch/put_records_format.h",
    "batch/record_load.h",
    "batch/shard_map.h",
    "sink/dead_letters.h",
}

# Matched from left to right, so that text that looks like an include inside a comment or a raw
# string is treated as part of it.
TOKENS = re.compile(
    r"""
      ^[ \t]*\#[ \t]*include[ \t]*["<](?P<include>[^">\n]+)[">]
    | //[^\n]*
    | /\*.*?\*/
    | R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"
    | "(?:\\.|[^"\\\n])*"
    | (?<![0-9a-zA-Z])'(?:\\.|[^'\\\n])*'
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def includes(text: str) -> List[str]:
    """The headers that a source file includes, as written."""
    return [match["include"] for match in TOKENS.finditer(text) if match["include"]]


def violation(folder: str, header: str) -> str:
    """Why a file in `folder` may not include `header`, or nothing."""
    other = header.split("/")[0]
    if ".." in header.split("/"):
        return "goes through .., include from src/ on"
    if other == folder or other not in MAY_INCLUDE:
        return ""  # its own, or not one of the project's folders
    if other in MAY_INCLUDE[folder]:
        return ""
    if other not in UPSTREAM.get(folder, set()):
        return f"{folder}/ may not include from {other}/"
    if header not in VALUE_HEADERS:
        return f"{folder}/ may include only value headers from {other}/"
    return ""


def violations(files: Dict[str, str]) -> List[str]:
    """One line per forbidden include; `files` maps paths below src/ to their text."""
    found = []
    for path, text in sorted(files.items()):
        folder = path.split("/")[0]
        if folder not in MAY_INCLUDE:
            found.append(f"src/{path}: the folder {folder}/ has no rule yet")
            continue
        for header in includes(text):
            if header.split("/")[0] in DOUBLES and not MAY_INCLUDE_DOUBLES.search(path):
                found.append(f'src/{path}: "{header}": only tests include what tests share')
            if path == MAIN and header.split("/")[0] == MAIN_MAY_INCLUDE:
                continue
            reason = violation(folder, header)
            if reason:
                found.append(f'src/{path}: "{header}": {reason}')
    return found


def violations_of_doubles(files: Dict[str, str]) -> List[str]:
    """The same for the folders of DOUBLES; `files` maps paths below tests/ to their text."""
    found = []
    for path, text in sorted(files.items()):
        folder = path.split("/")[0]
        for header in includes(text):
            other = header.split("/")[0]
            if ".." in header.split("/"):
                found.append(f'tests/{path}: "{header}": goes through ..')
            elif other in {*MAY_INCLUDE, *DOUBLES, "faults"} - DOUBLES[folder] - {folder}:
                found.append(f'tests/{path}: "{header}": {folder}/ may not include from {other}/')
    return found


def read_folders(root: Path, *folders: str) -> Dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for folder in folders
        for pattern in (f"{folder}/**/*.h", f"{folder}/**/*.cc")
        for path in root.glob(pattern)
    }


def read_sources() -> Dict[str, str]:
    return read_folders(SOURCES, "*")


def test_sources_keep_rule() -> None:
    sources = read_sources()
    assert sources, f"no sources under {SOURCES}"
    found = violations(sources)
    assert not found, "\n" + "\n".join(found)


def test_doubles_keep_rule() -> None:
    for folder in DOUBLES:
        files = read_folders(TESTS, folder)
        assert files, f"no sources in tests/{folder}"
        found = violations_of_doubles(files)
        assert not found, "\n" + "\n".join(found)


def test_value_headers_exist() -> None:
    sources = read_sources()
    folders = {path.split("/")[0] for path in sources}
    gone = [h for h in VALUE_HEADERS if h.split("/")[0] in folders and h not in sources]
    assert not gone, f"in the table, but not in src/: {gone}"


def check(path: str, *lines: str) -> List[str]:
    return violations({path: "\n".join(lines) + "\n"})


def test_upward_include_is_found() -> None:
    assert check("aws/client.cc", '#include "base/error.h"') == []
    assert check("base/error.cc", '#include "aws/client.h"') != []
    assert check("aws/client.cc", '#include "http/client.h"') == []
    assert check("http/client.cc", '#include "aws/sigv4.h"') != []
    assert check("source/scan.cc", '  #  include "pipeline/pipeline.h"  // up') != []
    assert check("pipeline/pipeline.cc", '#include "cli/main.h"') != []


def test_sideways_include_is_found() -> None:
    assert check("source/scan.cc", '#include "batch/record_batch.h"') != []
    assert check("batch/batch.cc", '#include "sink/kinesis_sink.h"') != []
    assert check("checkpoint/store.h", '#include "sink/kinesis_sink.h"') != []
    assert check("lambda/main.cc", '#include "cli/main.h"') != []
    assert check("cli/scan_command.cc", '#include "lambda/bootstrap.h"') != []
    assert check("cli/main.cc", '#include "lambda/bootstrap.h"') == []


def test_only_tests_include_doubles() -> None:
    include = '#include "support/fake_clock.h"'
    assert check("aws/client_test.cc", include) == []
    assert check("aws/client.cc", include) != []
    assert check("aws/client.h", '#include "emulator/fault_server.h"') != []
    assert violations_of_doubles({"support/fake_clock.h": '#include "base/clock.h"\n'}) == []
    assert violations_of_doubles({"support/fake_clock.h": '#include "cli/main.h"\n'}) != []
    assert violations_of_doubles({"support/fake_clock.h": '#include "emulator/fault_plan.h"\n'}) != []
    assert violations_of_doubles({"emulator/fault_plan.h": '#include "support/../faults/fault_run.h"\n'}) != []


def test_upstream_value_header() -> None:
    assert check("batch/batch.h", '#include "source/scan_page.h"') == []
    assert check("batch/batch.h", '#include "source/segment_scanner.h"') != []
    assert check("batch/batch.h", '#include "aws/client.h"') != []


def test_brackets_and_dots() -> None:
    assert check("base/error.h", "#include <aws/client.h>") != []
    assert check("base/error.h", '#include "../aws/client.h"') != []
    assert check("base/error.h", "#include <string>", "#include <sys/stat.h>") == []


def test_comments_and_strings() -> None:
    include = '#include "cli/main.h"'
    assert check("base/a.h", f"// {include}") == []
    assert check("base/a.h", "/*", include, "*/") == []
    assert check("base/a.h", 'const char* text = R"x(', include, ')x";') == []
    assert check("base/a.h", 'const char* text = "/*";', include) != []
    assert check("base/a.h", "constexpr int n = 1'000'000;", include, "char c = '\"';") != []


def test_folder_without_rule() -> None:
    assert check("utils/strings.h", "") != []


def main() -> int:
    found: Tuple[str, ...] = (
        *violations(read_sources()),
        *violations_of_doubles(read_folders(TESTS, *DOUBLES)),
    )
    print("\n".join(found) or "the include rule is kept")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
