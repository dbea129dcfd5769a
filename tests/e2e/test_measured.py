"""What docs/guarantees.md says was measured, at a size that suits every test run."""

from pathlib import Path

import kill_many
import peak_memory
import pytest
from conftest import SEED


def test_nothing_missing_after_kills(tmp_path: Path) -> None:
    outcome = kill_many.run(kills=10, count=3000, seed=SEED, home=tmp_path)
    print(outcome)
    assert sum(outcome.kills) == 10, "the run was over before the last kill"
    assert outcome.acceptable, outcome


@pytest.mark.slow
def test_memory_of_large_table() -> None:
    assert peak_memory.acceptable(peak_memory.measure_both(megabytes=64))
