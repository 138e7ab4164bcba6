"""What a notebook shows: escaped whatever a name holds, without script, in a terminal's digits."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoolens.catalog.output.notebook import (
    ROWS,
    WIDEST,
    Markup,
    beside,
    figure,
    fractions,
    picture,
    sentence,
    table,
)

HOSTILE = '<script>alert("1")</script>\x1b[2J&\'"'


def _hrefs(html: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', html)


def test_whatever_a_name_holds_is_text() -> None:
    shown = "".join(
        [
            table([HOSTILE], [[HOSTILE]], units={HOSTILE: HOSTILE}),
            sentence(HOSTILE, strong=HOSTILE),
            picture(np.zeros((2, 2, 3), np.uint8), HOSTILE, width=9),
        ]
    )
    assert "<script" not in shown
    assert "\x1b" not in shown
    assert "&lt;script&gt;alert(&quot;1&quot;)" in shown
    (alternative,) = re.findall(r'alt="([^"]*)"', shown)
    assert alternative.startswith("&lt;script&gt;")


def test_values_are_those_of_a_terminal() -> None:
    nan = np.float64("nan")
    shown = table(["ra", "x"], [[180.0, np.float32(0.123456)], [None, nan]], units={"ra": "deg"})
    assert re.findall(r"<td[^>]*>([^<]*)</td>", shown) == ["180.000000", "0.1235", "-", "-"]
    assert re.search(r">ra<br><span[^>]*>deg</span></th>", shown)
    assert shown.count("text-align:right") == 6


def test_of_many_rows_the_first_are_shown() -> None:
    shown = table(["n"], ([n] for n in range(ROWS + 5)), of=1234)
    assert shown.count("<tr>") == ROWS
    assert f"… {1234 - ROWS:,} more rows of 1,234" in shown
    assert "more rows" not in table(["n"], [[1]])


def test_addresses_of_the_web_are_links_and_no_others() -> None:
    good, bad = 'https://x.org/?a=1&b="2', "javascript:alert(1)"
    shown = table(["at"], [[good], [bad], [f" {good}"]])
    assert _hrefs(shown) == ["https://x.org/?a=1&amp;b=&quot;2"]


def test_a_figure_is_small_and_whole(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 2 * WIDEST, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    shown = figure(tmp_path / "a.png", "a")
    (data,) = re.findall(r"data:image/webp;base64,([^\"]+)", shown)
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.size == (WIDEST, 150)


@pytest.mark.parametrize(
    ("predicted", "lo", "hi", "marks"),
    [(None, None, None, 2), (0.5, None, None, 3), (0.5, 0, 1, 4)],
)
def test_fractions_are_drawn_where_they_are(
    predicted: float | None, lo: float | None, hi: float | None, marks: int
) -> None:
    shown = fractions(0.25, predicted, lo, hi)
    assert shown.count("position:absolute") == marks
    assert "left:0.0%;width:25.0%" in shown
    assert fractions(None, 2.0, -1.0, 3.0).count("width:100.0%") == 2  # outside nothing is drawn
    assert Markup(shown) in table(["a"], [[Markup(shown)]])
    assert beside("a", "b").count("<div>") == 2
