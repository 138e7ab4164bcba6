"""The figure of estimates: a row each, with the value, its spread, and what the map adds up to."""

import numpy as np
import pytest
from matplotlib.text import Text

from zoolens.catalog.explain.estimate_figure import Estimate, drawn, estimate_figure
from zoolens.catalog.explain.portraits import Picture
from zoolens.catalog.network.heads import Output

MEAN = np.array([[0.5, -0.25], [0.125, 0.0]])


def picture(sd: np.ndarray | None) -> Picture:
    return Picture(np.zeros((8, 8, 3), np.uint8), None, MEAN, sd, None)


def test_each_estimate_has_a_row_with_its_numbers() -> None:
    rows = [
        Estimate("ring", picture(np.ones((2, 2), np.float32)), 0.625, 0.0625, 0.5, 0.75),
        Estimate("disc", picture(None), 0.375, None, None, None),
    ]
    figure = estimate_figure("G0001\x1b", rows, 5, Output.PROBABILITY, "model m")
    words = [text.get_text() for text in figure.findobj(Text)]
    assert len(figure.axes) == 2 * 3 + 1, "image, increase, decrease; one bar"
    for word in ("G0001\N{REPLACEMENT CHARACTER}", "ring", "0.625", "0.0625", "0.500", "0.750"):
        assert words.count(word) == 1
    assert words.count("spread") == words.count("95 %") == 1, "with dropout off there is none"
    assert words.count("+0.375") == 2, "sum of the map"
    assert words.count("raised by 0.62") == 2
    assert words.count("lowered by 0.25") == 2
    assert words.count("probability") == 2
    for said in ("most probable of 5 classes", "raised the estimated probability", "Dots: "):
        assert any(said in word for word in words)
    figure = estimate_figure("G0001", rows[1:], 1, Output.VALUE, "model m")
    words = [text.get_text() for text in figure.findobj(Text)]
    assert "value" in words
    assert not any("classes" in word or "Dots" in word for word in words)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.1, 0.9], [0, 1]), ([0.3], [0]), ([0.1, 0.2, 0.05, 0.3, 0.02, 0.33], [0, 1, 3, 5])],
)
def test_the_most_probable_are_drawn_in_their_order(
    values: list[float], expected: list[int]
) -> None:
    assert drawn(values) == expected
