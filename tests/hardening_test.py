#!/usr/bin/python3
"""Reads out of the program that users run that it is hardened: hardening_test.py PROGRAM."""

import re
import subprocess
import sys


def readelf(option: str, program: str) -> str:
    return subprocess.run(
        ["readelf", "--wide", option, program], check=True, capture_output=True, text=True
    ).stdout


def faults(program: str) -> list[str]:
    header, segments = readelf("--file-header", program), readelf("--program-headers", program)
    dynamic, symbols = readelf("--dynamic", program), readelf("--dyn-syms", program)
    stack = re.search(r"GNU_STACK .*", segments)
    expected = {
        "position-independent": re.search(r"Type:\s+DYN", header),
        "relocations are read-only": "GNU_RELRO" in segments,
        "all of them are made at the start": re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic),
        "the stack is not executable": stack and not re.search(r"\bRWE\b", stack[0]),
        "stack protector": "__stack_chk_fail" in symbols,
        "_FORTIFY_SOURCE": re.search(r" __(?!stack_)\w+_chk\b", symbols),
        "no path of its own for libraries": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
    }
    return [name for name, holds in expected.items() if not holds]


def main() -> int:
    missing = faults(sys.argv[1])
    for name in missing:
        print(f"{sys.argv[1]}: not so: {name}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
