"""Limits a process to a share of the processors' time, using the kernel's control groups."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, Optional

V1 = Path("/sys/fs/cgroup/cpu")
V2 = Path("/sys/fs/cgroup")
NAME = "everyitem-bench"
PERIOD_US = 10_000  # short compared with a run, so the time is spread evenly


def parent_group() -> Optional[Path]:
    """The control group to create ours in, or None if there is none or no permission."""
    controllers = V2 / "cgroup.subtree_control"
    if (V1 / "cpu.shares").exists():
        parent = V1
    elif controllers.exists() and "cpu" in controllers.read_text(encoding="utf-8").split():
        parent = V2
    else:
        return None
    return parent if os.access(parent, os.W_OK) else None


@contextmanager
def processor_share(cores: float) -> Iterator[Callable[[], None]]:
    """Yields a function for the process to call before it starts; it then gets the time of `cores` cores."""
    parent = parent_group()
    assert parent is not None
    group = parent / NAME
    group.mkdir(exist_ok=True)
    quota = int(PERIOD_US * cores)
    if parent == V1:
        (group / "cpu.cfs_period_us").write_text(f"{PERIOD_US}")
        (group / "cpu.cfs_quota_us").write_text(f"{quota}")
    else:
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")

    def enter() -> None:
        (group / "cgroup.procs").write_text(f"{os.getpid()}")

    try:
        yield enter
    finally:
        group.rmdir()
