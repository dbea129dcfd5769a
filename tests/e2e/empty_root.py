"""A root file system that contains only a shell and what it needs."""

import shutil
import subprocess
from pathlib import Path
from typing import List, Sequence

import pytest


class EmptyRoot:
    """Created in `folder`. Skips the test if the kernel does not let users have their own root."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        for name in ("bin", "etc", "tmp", "var/task"):
            (folder / name).mkdir(parents=True)
        shutil.copy("/bin/sh", folder / "bin/sh")  # copies the target of the link
        listed = subprocess.run(["ldd", "/bin/sh"], check=True, capture_output=True, text=True).stdout
        for word in listed.split():
            if word.startswith("/"):
                target = folder / word.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, target)
        tried = subprocess.run(
            self.command("/bin/sh", "-c", "exit 7"), capture_output=True, text=True, check=False
        )
        if tried.returncode != 7:
            pytest.skip(f"no root of its own can be made here: {tried.stderr.strip()}")

    def command(self, *words: str, within: Sequence[str] = ()) -> List[str]:
        """Starts a program in it, under the process id of the command. `within` is a command that starts
        it somewhere else, as root there."""
        if within:
            return [*within, "/usr/sbin/chroot", str(self.path), *words]
        return ["unshare", "--user", "--map-root-user", f"--root={self.path}", *words]

    def write(self, name: str, text: str) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
