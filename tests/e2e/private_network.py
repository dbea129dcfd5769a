"""A private network for the processes of one test, which can be made to drop every packet."""

import os
import shutil
import subprocess
from typing import Any, List

import pytest

# Debian keeps ip and tc in a directory that is not in a user's PATH.
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
# Ways to drop every packet silently; a kernel may lack some of them.
BLACK_HOLES = (["blackhole"], ["netem", "loss", "100%"])


class PrivateNetwork:
    """A network namespace. Use it in a `with`; skips the test if the kernel does not allow it.

    `within` is the command that starts a program in it. The program keeps the process id of the
    command.
    """

    def __init__(self) -> None:
        for tool in ("unshare", "nsenter", "ip", "tc"):
            if not shutil.which(tool, path=PATH):
                pytest.skip(f"no network of its own can be made here: there is no {tool}")
        self._keeper = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--net"]
            + ["sh", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE,  # it ends with this process
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": PATH},
            start_new_session=True,
        )
        assert self._keeper.stdout
        if not self._keeper.stdout.readline():
            _, said = self._keeper.communicate()
            pytest.skip(f"no network of its own can be made here: {said.decode().strip()}")
        self.within: List[str] = [
            *("nsenter", f"--target={self._keeper.pid}"),
            *("--user", "--net", "--preserve-credentials"),
        ]

    def __enter__(self) -> "PrivateNetwork":
        return self

    def __exit__(self, *_: Any) -> None:
        self._keeper.kill()
        self._keeper.communicate()

    def drop_everything(self) -> None:
        """From now on every packet is dropped silently."""
        complaints = []
        for discipline in BLACK_HOLES:
            complaint = self._tc("add", *discipline)
            if not complaint:
                return
            complaints.append(complaint)
        pytest.skip(f"no black hole can be made here: {'; '.join(complaints)}")

    def pass_again(self) -> None:
        assert self._tc("del") == ""

    def _tc(self, verb: str, *discipline: str) -> str:
        """The error message of tc; empty if it succeeded."""
        done = subprocess.run(
            [*self.within, "tc", "qdisc", verb, "dev", "lo", "root", *discipline],
            capture_output=True,
            text=True,
            env={"PATH": PATH},
            check=False,
        )
        return done.stderr.strip() if done.returncode else ""
