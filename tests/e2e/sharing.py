"""Processes that share a run, two of which are killed."""

from typing import Any, Callable, List

from running import Everyitem, Result, wait_for


def two_of_four_are_killed(everyitem: Everyitem, scan: List[Any], arrived: Callable[[], int]) -> List[Result]:
    """How those end that are left, and one that joins late. `arrived`: records in the stream so far."""
    processes = [everyitem.start(*scan) for _ in range(4)]
    wait_for(lambda: arrived() > 500, "some records")
    for process in processes[:2]:
        assert process.running, "it was complete before it was killed"
        process.kill()
    processes = [*processes[2:], everyitem.start(*scan)]
    return [process.finish(180) for process in processes]
