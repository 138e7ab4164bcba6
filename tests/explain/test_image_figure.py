"""The figure of one image: a row an answer, with what is predicted for it."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from tests.explain.test_one_image import WIDE, explained
from zoolens.catalog.explain.image_figure import image_figure

pytestmark = pytest.mark.slow


def test_each_answer_has_a_row_with_its_numbers() -> None:
    found = explained(WIDE, [5, 5, 9, 1, 6, 4, 1, 30, 8, 2, 5, 6])
    figure = image_figure("m51\x1b.png", found, [2, 7], "model m")
    words = [text.get_text() for text in figure.findobj(Text)]
    named = {"m51\N{REPLACEMENT CHARACTER}.png", "q1", "q3", "yes", "no", "model m"}
    assert named <= set(words)
    summary = found.summary
    for answer in (2, 7):
        lo, hi = summary.lo[0, answer], summary.hi[0, answer]
        assert f"{summary.fraction[0, answer]:.2f}  [{lo:.2f}, {hi:.2f}]" in words
    assert len(figure.axes) == 2 * 4 + 1, "image, increase, decrease, fractions; one bar"
    assert not any("standard deviation" in word for word in words)
    (legend,) = (word for word in words if word.startswith("Left: "))
    assert "grey bar" in legend
    assert "dot" not in legend, "nobody voted on it"
    spread = replace(found, sd=np.ones_like(found.maps))
    dotted = image_figure("m51.png", spread, [2], "model m")
    assert any("standard deviation" in text.get_text() for text in dotted.findobj(Text))
