"""The balance measure by hand, and figures that show what they should."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from tests.made.catalogues import TOY, expected_fractions, random_concentrations
from zoolens.catalog.output.figures import shown
from zoolens.catalog.scoring.histograms import (
    BINS,
    FEWEST,
    balance,
    count,
    histogram_figure,
    shares,
)
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow


def test_bins_hold_their_left_edge_and_the_last_one_too() -> None:
    tenths = np.arange(11)[:, None] / 10  # 0.3 is 3/10: the bin that begins there
    expected = np.full(BINS, 1 / 11)
    expected[-1] = 2 / 11
    np.testing.assert_allclose(shares(count(tenths))[0], expected)


def test_balance_by_hand() -> None:
    fractions = np.full((20, 4), np.nan)
    fractions[:, 0] = 0.05  # all in one bin
    fractions[:, 1] = (np.arange(20) % 10 + 0.5) / 10  # two in each
    fractions[:4, 2] = [0.0, 1.0, 0.55, 0.55]
    measured = balance(count(fractions))
    assert measured.galaxies.tolist() == [20, 20, 4, 0]
    entropy = -(0.25 * math.log(0.25) * 2 + 0.5 * math.log(0.5)) / math.log(10)
    np.testing.assert_allclose(measured.evenness, [0, 1, entropy, np.nan])
    np.testing.assert_allclose(measured.extreme, [1, 0.2, 0.5, np.nan])


def test_few_galaxies_suggest_nothing() -> None:
    even = np.linspace(0, 1, FEWEST)[:, None]
    assert balance(count(even)).suggested.tolist() == [True]
    assert balance(count(even[:-1])).suggested.tolist() == [False]


def panels_of(figure: Figure) -> list[tuple[str, ...]]:
    """Of each panel its answer, its question and how many galaxies."""
    return [
        (panel.get_title(loc="left"), *(text.get_text() for text in panel.texts))
        for panel in figure.axes
    ]


def test_panels_of_a_figure() -> None:
    observed = expected_fractions(random_concentrations(50))
    observed[:10, TOY.slices[2]] = np.nan
    labels = ["bar_no", "shape_smooth", "bar_weak"]
    figure = histogram_figure(TOY, labels, count(observed), count(observed))
    assert panels_of(figure) == [
        ("smooth", "shape", "N = 50"),
        ("weak", "bar", "N = 40"),
        ("no", "bar", "N = 40"),
    ]
    assert len({panel.get_ylim() for panel in figure.axes}) == 1
    drawn = shares(count(observed))[TOY.answer_id("bar_weak")]
    patches = figure.axes[1].patches
    assert len(patches) == 2  # votes and model, here the same
    for patch in patches:
        assert isinstance(patch, StepPatch)
        np.testing.assert_allclose(patch.get_data()[0], drawn)


def test_shares_go_by_their_square_root() -> None:
    figure = histogram_figure(TOY, ["bar_no"], count(np.full((5, 10), 0.5)))
    (panel,) = figure.axes
    scale = panel.yaxis.get_transform()
    np.testing.assert_allclose(scale.transform([0, 0.01, 0.25, 1]), [0, 0.1, 0.5, 1])
    figure.draw_without_rendering()
    ticks = [text.get_text() for text in panel.get_yticklabels()]
    assert ticks == ["0 %", "10 %", "50 %", "100 %"]


def test_what_nobody_was_asked_has_no_panel_but_is_named() -> None:
    observed = np.full((5, 10), 0.5)
    observed[:, TOY.slices[2]] = np.nan
    figure = histogram_figure(TOY, TOY.labels, count(observed))
    assert len(figure.axes) == 10 - len(TOY.questions[2].answers)
    assert "Of bar no galaxy has a fraction." in [text.get_text() for text in figure.texts]
    predicted = histogram_figure(TOY, TOY.labels, count(observed), count(np.full((5, 10), 0.5)))
    assert len(predicted.axes) == 10, "the model's fractions are drawn where there are no votes"
    nothing = histogram_figure(TOY, ["bar_no"], count(np.full((5, 10), np.nan)))
    assert not nothing.axes
    assert [text.get_text() for text in nothing.texts] == ["Of bar no galaxy has a fraction."]


@pytest.mark.parametrize("name", ["gzd5", "gz2"])
def test_every_answer_has_a_panel_and_no_words_collide(name: str) -> None:
    tree = get_tree(name)
    figure = histogram_figure(tree, tree.labels, count(np.full((5, len(tree.labels)), 0.5)))
    found = panels_of(figure)
    assert len(found) == len(tree.labels)
    assert list(dict.fromkeys(question for _, question, _ in found)) == [
        shown(question.name, 20) for question in tree.questions
    ]
    width, height = figure.get_size_inches()
    assert width <= 8.27  # A4
    assert height <= 11.69
    figure.draw_without_rendering()
    places = [
        text.get_window_extent()
        for panel in figure.axes
        for text in (*panel.texts, panel._left_title)  # type: ignore[attr-defined]
    ]
    apart = [(a, b) for i, a in enumerate(places) for b in places[i + 1 :] if a.overlaps(b)]
    assert not apart
    assert all(place.x1 <= figure.bbox.x1 and place.y1 <= figure.bbox.y1 for place in places)
