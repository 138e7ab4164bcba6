"""The arithmetic of plans, by hand."""

import pytest

from benchmarks import cost
from benchmarks.cost import Plan, of_one_machine, on_cores, on_gpus, taken_in

TAKEN = {"core": 1e-4, "part_bytes": 2e6}


def test_a_plan_asks_for_what_its_rate_does() -> None:
    plan = Plan("predict", "ten", 51_200, "cores", 1e-4, 2e6)
    assert plan.hours(51_200 * 7200) == pytest.approx(2)
    assert plan.parts_a_second == 200
    assert plan.written() == pytest.approx(4e8)
    assert plan.writers == pytest.approx(5.12)
    assert plan.read("PNG") == pytest.approx(51_200 * 318_000)


def test_cores_are_busy_for_most_of_the_time() -> None:
    plan = on_cores("predict", 0.02, TAKEN)
    assert plan.galaxies_a_second == pytest.approx(1000 / 0.02 * 0.93)
    assert plan.limited_by == "cores"


@pytest.mark.parametrize(
    ("at_most", "rate", "limited_by"),
    [
        (3_000, 16 * 1_000, "GPUs"),
        (300_000, 256 / 0.01, "cores beside the GPUs"),
    ],
)
def test_the_slower_of_gpus_and_their_cores_counts(
    at_most: float, rate: float, limited_by: str
) -> None:
    plan = on_gpus("predict", 0.02, at_most, TAKEN)
    assert plan.galaxies_a_second == pytest.approx(rate)
    assert plan.limited_by == limited_by
    explained = on_gpus("explain", 0.02, 3_000, TAKEN)
    assert explained.galaxies_a_second == pytest.approx(16_000 / cost.PASSES["explain"])


def test_what_one_more_galaxy_takes_is_of_the_newest() -> None:
    def row(commit: str, step: str, galaxies: int, seconds: float) -> dict[str, object]:
        return {"commit": commit, "step": step, "galaxies": galaxies, "core_seconds": seconds}

    rows = [row("old", "predict", 10_000, 900), row("old", "explain", 10_000, 900)]
    for step, each in (("predict", 0.02), ("explain", 0.1)):
        rows += [row("new", step, n, 5 + each * n) for n in (100, 200)]
    assert of_one_machine(rows) == pytest.approx({"predict": 0.02, "explain": 0.1})
    taking = [
        {"job": "predict", "galaxies": n, "core_seconds": 1 + n * 1e-4, "part_bytes": 9}
        for n in (100, 200)
    ]
    assert taken_in(taking, "predict") == pytest.approx({"core": 1e-4, "part_bytes": 9})
