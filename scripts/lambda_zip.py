#!/usr/bin/python3
"""Creates the zip of the Lambda function: lambda_zip.py PROGRAM ZIP

The zip contains the loader, the C library and all other libraries the program was built with, because
Lambda's image has other versions or none at all (docs/adr/2026-11-24-lambda-package.md). The same files
always produce the same zip.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Dict, List, Tuple

BOOTSTRAP = """\
#!/bin/sh
# Starts everyitem with the libraries it was built with, and none of the system's.
here=${{0%/*}}
exec "$here/lib/{loader}" --inhibit-cache --library-path "$here/lib" --argv0 "$0" "$here/lib/everyitem" "$@"
"""


def libraries(program: Path) -> List[Path]:
    """The libraries the program needs, with the loader first."""
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    if "not found" in listed:
        raise SystemExit(f"{program} has missing libraries:\n{listed}")
    paths = [Path(path) for path in re.findall(r"(/\S+) \(0x", listed)]
    loaders = [path for path in paths if path.name.startswith("ld-")]
    if len(loaders) != 1:
        raise SystemExit(f"expected exactly one loader in:\n{listed}")
    return loaders + sorted(path for path in paths if path not in loaders)


def stripped(program: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "stripped"
        subprocess.run(["strip", "--strip-all", "-o", copy, program], check=True)
        return copy.read_bytes()


def contents(program: Path) -> Dict[str, bytes]:
    needed = libraries(program)
    files = {"bootstrap": BOOTSTRAP.format(loader=needed[0].name).encode()}
    files["lib/everyitem"] = stripped(program)
    files.update({f"lib/{path.name}": path.read_bytes() for path in needed})
    return files


def write(files: Dict[str, bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    unfinished.rename(target)


def main(arguments: Tuple[str, ...]) -> None:
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    program, target = Path(arguments[0]), Path(arguments[1])
    write(contents(program), target)
    print(f"{target.name}, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
