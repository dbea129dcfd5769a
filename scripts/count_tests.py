#!/usr/bin/python3
"""Sums up the results ./test left in a directory: prints the failures, then one line of counts.

Each part NAME has NAME.status with its exit code, NAME.log, and, if it is a suite, its tests in
NAME.xml (JUnit). A part without an XML file counts as one test. So does a suite that failed without
naming a test, for example because it did not build or crashed.
"""

import sys
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import List, Tuple

SHOWN = 40  # lines shown per failure


def show(title: str, text: str) -> None:
    lines = text.strip().splitlines()
    print(f"\nFAILED {title}")
    print("\n".join(f"    {line}" for line in lines[-SHOWN:]))


def count_suite(name: str, path: Path) -> Tuple[int, int, int]:
    passed = failed = skipped = 0
    for case in xml.parse(path).getroot().iter("testcase"):
        problem = case.find("failure")
        problem = case.find("error") if problem is None else problem
        if problem is not None or case.get("status") == "fail":
            failed += 1
            output = [case.findtext("system-out") or "", "" if problem is None else problem.text or ""]
            title = ".".join(filter(None, [case.get("classname"), case.get("name")]))
            show(f"{name}: {title}", "\n".join(output))
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(arguments: List[str]) -> int:
    results = Path(arguments[1])
    total = [0, 0, 0]
    for status in sorted(results.glob("*.status")):
        name = status.stem
        code = int(status.read_text())
        suite = results / f"{name}.xml"
        try:
            counts = count_suite(name, suite) if suite.exists() else (0, 0, 0)
        except xml.ParseError:
            counts = (0, 0, 0)  # the suite crashed while writing the file
        if code != 0 and counts[1] == 0:
            show(name, (results / f"{name}.log").read_text(errors="replace"))
            counts = (counts[0], 1, counts[2])
        elif not suite.exists():
            counts = (1, 0, 0)
        total = [sum(pair) for pair in zip(total, counts)]
    passed, failed, skipped = total
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
