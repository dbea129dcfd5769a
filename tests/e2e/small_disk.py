"""A disk that fills up quickly."""

import subprocess
from pathlib import Path
from typing import Any

import pytest


class SmallDisk:
    """A file system of a given size, if this user is allowed to mount one."""

    def __init__(self, path: Path, size: str) -> None:
        self.path = path
        path.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip("no right to mount a small file system here")

    def grow(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.path)], check=True)

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True)

    def make_writable(self) -> None:
        subprocess.run(["mount", "-o", "remount,rw", str(self.path)], check=True)

    def __enter__(self) -> "SmallDisk":
        return self

    def __exit__(self, *_: Any) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)
