"""What was asked for beside what was found: how far off, whether close, and in words."""

import math

import pytest

from zoolens.catalog.similarity.target import CLOSE, Target

ANSWERS = ("smooth", "featured", "artifact")


def target(asked: tuple, found: tuple, votes: float | None = 40.0, place: int = 1) -> Target:
    return Target(ANSWERS, place, asked, found, votes)


def test_the_distance_is_the_largest_difference() -> None:
    found = target((0.20, 0.70, 0.10), (0.22, 0.66, 0.12))
    assert (found.fraction, found.found_fraction) == (0.70, 0.66)
    assert found.distance == pytest.approx(0.04)
    assert found.close
    assert found.words == "close, at most 0.04 off"


def test_far_is_said_and_in_which_answer() -> None:
    far = target((0.1, 0.85, 0.05), (0.1, 0.49, 0.41))
    assert not far.close
    # 0.36 off are both; that of the smaller fraction is further beyond the chance of votes
    assert far.words == "not close: artifact 0.41, asked for 0.05"
    alone = target((None, 0.85, None), (0.1, 0.49, 0.41))
    assert alone.words == "not close: featured 0.49, asked for 0.85"


@pytest.mark.parametrize("votes", [10.0, 40.0, 1000.0])
@pytest.mark.parametrize("asked", [0.0, 0.3, 1.0])
def test_chance_is_two_deviations_of_so_many_votes(votes: float, asked: float) -> None:
    p = (votes * asked + 0.5) / (votes + 1)
    allowed = max(0.1, 2 * math.sqrt(p * (1 - p) / votes))
    sign = -1 if asked == 1 else 1
    for off, close in ((allowed - 1e-9, True), (allowed + 1e-9, False)):
        found = target((None, asked, None), (None, asked + sign * off, None), votes)
        assert found.close is close
        if off > CLOSE and close:
            assert found.words.endswith(f"within the chance of {votes:.0f} votes")


def test_without_votes_only_nearness_counts() -> None:
    assert target((0.5, 0.5, 0.0), (0.4, 0.6, 0.0), None).close
    assert not target((0.5, 0.5, 0.0), (0.39, 0.61, 0.0), None).close


def test_what_is_unknown_is_said() -> None:
    nothing = target((None, 0.5, None), (0.5, None, 0.5))
    assert nothing.distance is None
    assert not nothing.close
    assert nothing.words == "how close is not known"


def test_what_was_allowed_stands_beside_the_largest_difference() -> None:
    near = target((0.5, 0.5, 0.0), (0.62, 0.38, 0.0), votes=10.0)
    off, allowed = near.furthest or (0, 0)
    assert near.close
    assert off == near.distance == pytest.approx(0.12)
    assert allowed == pytest.approx(2 * math.sqrt(0.25 / 10))
    far = target((0.5, 0.5, 0.0), (0.1, 0.9, 0.0), votes=10.0)
    assert not far.close
    assert far.furthest == pytest.approx((0.4, allowed))
    assert target((None, None, None), (0.1, 0.1, 0.8)).furthest is None
