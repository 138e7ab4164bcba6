"""The balance measure by hand, and figures that show what they should."""

import math

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from tests.made.catalogues import TOY, expected_fractions, random_concentrations
from zoolens.catalog.scoring.histograms import BINS, FEWEST, balance, histogram_figure, shares
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow


def test_bins_hold_their_left_edge_and_the_last_one_too() -> None:
    tenths = np.arange(11)[:, None] / 10  # 0.3 is 3/10: the bin that begins there
    expected = np.full(BINS, 1 / 11)
    expected[-1] = 2 / 11
    np.testing.assert_allclose(shares(tenths)[0], expected)


def test_balance_by_hand() -> None:
    fractions = np.full((20, 4), np.nan)
    fractions[:, 0] = 0.05  # all in one bin
    fractions[:, 1] = (np.arange(20) % 10 + 0.5) / 10  # two in each
    fractions[:4, 2] = [0.0, 1.0, 0.55, 0.55]
    measured = balance(fractions)
    assert measured.galaxies.tolist() == [20, 20, 4, 0]
    entropy = -(0.25 * math.log(0.25) * 2 + 0.5 * math.log(0.5)) / math.log(10)
    np.testing.assert_allclose(measured.evenness, [0, 1, entropy, np.nan])
    np.testing.assert_allclose(measured.extreme, [1, 0.2, 0.5, np.nan])


def test_few_galaxies_suggest_nothing() -> None:
    even = np.linspace(0, 1, FEWEST)[:, None]
    assert balance(even).suggested.tolist() == [True]
    assert balance(even[:-1]).suggested.tolist() == [False]


def test_panels_of_a_figure() -> None:
    observed = expected_fractions(random_concentrations(50))
    observed[:10, TOY.slices[2]] = np.nan
    labels = ["bar_no", "shape_smooth", "bar_weak"]
    figure = histogram_figure(TOY, labels, observed, observed)
    panels = [panel for panel in figure.axes if panel.get_visible()]
    words = [[text.get_text() for text in panel.texts] for panel in panels]
    assert words == [["smooth", "N = 50"], ["weak", "N = 40"], ["no", "N = 40"]]
    titles = [panel.get_title(loc="left") for panel in panels]
    assert titles == ["shape", "bar", ""]
    assert len({panel.get_ylim() for panel in panels}) == 1
    drawn = shares(observed)[TOY.answer_id("bar_weak")]
    assert len(panels[1].patches) == 2  # votes and model, here the same
    for patch in panels[1].patches:
        assert isinstance(patch, StepPatch)
        np.testing.assert_allclose(patch.get_data()[0], drawn)


def test_nobody_asked_draws_an_empty_panel() -> None:
    figure = histogram_figure(TOY, ["bar_no"], np.full((5, 10), np.nan))
    assert [text.get_text() for text in figure.axes[0].texts] == ["no", "N = 0"]


@pytest.mark.parametrize("name", ["gzd5", "gz2"])
def test_every_answer_has_one_panel_and_questions_stay_whole(name: str) -> None:
    tree = get_tree(name)
    figure = histogram_figure(tree, tree.labels, np.full((5, len(tree.labels)), 0.5))
    panels = [panel for panel in figure.axes if panel.get_visible()]
    assert len(panels) == len(tree.labels)
    titles = [title for panel in panels if (title := panel.get_title(loc="left"))]
    assert titles == [question.name for question in tree.questions]
    width, height = figure.get_size_inches()
    assert width <= 8.27  # A4
    assert height <= 11.69
