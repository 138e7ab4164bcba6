"""A compiled loop computes what Python computes, with and without a place to be kept."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from zoolens.catalog.runtime.compiled import _made, compiled


def _collatz(numbers: np.ndarray, steps: np.ndarray) -> None:
    """Fill `steps` with how often a number is halved or tripled until it is 1."""
    for i in range(len(numbers)):
        n = numbers[i]
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps[i] += 1


def test_a_loop_is_that_of_python_in_threads_too() -> None:
    numbers, expected = np.arange(1, 200), np.zeros(199, np.int64)
    _collatz(numbers, expected)
    fast = compiled(_collatz)
    _made.cache_clear()

    def run(_: int) -> list[int]:
        steps = np.zeros(199, np.int64)
        fast(numbers, steps)
        return steps.tolist()

    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected.tolist() for found in pool.map(run, range(8)))


def test_additions_are_not_reordered() -> None:
    @compiled
    def total(values: np.ndarray) -> float:
        found = 0.0
        for i in range(len(values)):
            found += values[i]
        return found

    values = (
        np.random.default_rng(0).normal(size=1001) * 10.0 ** np.arange(-20, 21).repeat(25)[:1001]
    )
    one_by_one = 0.0
    for value in values.tolist():
        one_by_one += value
    assert total(values) == one_by_one


_HALF = """
import numpy as np
from zoolens.catalog.runtime.compiled import compiled

@compiled
def half(values):
    return values[0] / 2

print(half(np.array([5.0])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False])
def test_it_works_where_nothing_can_be_kept(tmp_path: Path, kept: bool) -> None:
    """From a module, whose folder can be written; and from standard input, which has no place."""
    (tmp_path / "halves.py").write_text(_HALF)
    command = [sys.executable, "halves.py"] if kept else [sys.executable, "-"]
    done = subprocess.run(
        command, input=_HALF, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2.5\n"
    assert any(tmp_path.rglob("*.nbi")) == kept
