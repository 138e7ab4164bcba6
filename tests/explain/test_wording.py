"""Numbers of votes and of maps in words."""

import pytest

from zoolens.catalog.explain.wording import BASELINE, amount, number, pale, votes, votes_of, way
from zoolens.catalog.saliency.deeplift import BLUR


def test_votes_are_whole_numbers_and_weighted_ones_say_about() -> None:
    assert [votes(count) for count in (3, 2.5, 2.4, 0, None)] == ["3", "3", "2", "0", "0"]
    assert votes_of(28.0, 40.0) == "28 of 40"
    assert votes_of(27.6, 40.0) == "about 28 of 40"
    assert votes_of(28.0, 39.6) == "about 28 of 40"
    assert votes_of(28.004, 40) == "28 of 40", "rounding of weights"
    assert votes_of(None, 0) == "0 of 0"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.237, "0.24"),
        (0.0312, "0.031"),
        (0.00518, "0.005"),
        (0.1, "0.10"),
        (1.0, "1.00"),
        (12.4, "12"),
        (130, "130"),
    ],
)
def test_amounts_have_as_many_digits_as_a_map_bears(value: float, said: str) -> None:
    assert amount(value) == said


def test_numbers_have_three_digits_and_a_minus_sign() -> None:
    assert number(-12.345) == "\N{MINUS SIGN}12.3"
    assert number(0.5, signed=True) == "+0.500"


@pytest.mark.parametrize(
    ("baseline", "predicted", "did"),
    [
        (0.41, 0.13, "took 0.28 away"),
        (0.13, 0.41, "added 0.28"),
        (0.414, 0.126, "took 0.28 away"),  # as a reader who subtracts what is printed finds it
        (0.5, 0.5049, "changed it by less than 0.01"),
    ],
)
def test_what_pixels_did_is_the_difference_of_what_is_printed(
    baseline: float, predicted: float, did: str
) -> None:
    start = f"baseline {baseline:.2f}, this galaxy {predicted:.2f}"
    assert way(baseline, predicted) == f"{start}: these pixels {did}"


def test_the_baseline_is_told_as_it_is_made() -> None:
    assert BLUR == 1 / 16
    assert "blurred by a Gaussian of a sixteenth of its side" in BASELINE


def test_pale_rows_are_named() -> None:
    assert pale(["G1", "G2"]).startswith("Pale by right: G1, G2. Blurred, the network predicts")
