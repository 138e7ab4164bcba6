"""The figure of an explanation: what it shows, and that nothing in a name breaks it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from zoolens.catalog.explain.figure import explanation_figure
from zoolens.catalog.explain.portraits import Explanation, Picture, Portrait
from zoolens.catalog.explain.wording import BASELINE, pale
from zoolens.catalog.output.figures import COLOURS, DPI, STYLE, save
from zoolens.catalog.saliency.arithmetic import Of, upsample
from zoolens.catalog.similarity.target import Target
from zoolens.catalog.store.facts import AnswerFacts

FONTTYPE = STYLE["pdf.fonttype"]  # as people get it; that of other tests is cheaper

pytestmark = pytest.mark.slow

FACT = AnswerFacts("how-rounded", "round", "how-rounded_round", 1, 1, 1.0, 0.01, 0.0, 0.043, 4.609)


def picture(seed: int = 0, scale: float = 1.0) -> Picture:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (64, 64, 3), np.uint8)
    segment = np.zeros((64, 64), np.bool_)
    segment[20:40, 20:44] = True
    mean = (scale * random.normal(size=(7, 7))).astype(np.float32)
    return Picture(pixels, segment, mean, (np.abs(mean) / 2).astype(np.float32), 0.84)


def explanation(
    *portraits: Portrait, notes: Sequence[str] = (), name: str = "J113514.30-060216.9"
) -> Explanation:
    return Explanation(
        0, portraits or [Portrait("selected", name, [FACT], picture())], notes, "concentration"
    )


def words(figure: Figure) -> list[str]:
    figure.draw_without_rendering()  # a bar's numbers are made when drawn
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def panels(figure: Figure) -> list[Any]:
    """The images drawn, in order: image, increase, decrease of each row."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_it_says_what_is_known() -> None:
    said = words(explanation_figure(explanation(), "HiResCAM at blocks.6"))
    for expected in (
        *("how-rounded_round", "J113514.30-060216.9", "selected", "increase", "decrease"),
        *("1 of 1", "1.00", "0.01  [0.00, 0.04]", "4.61 nat", "HiResCAM at blocks.6"),
    ):
        assert expected in said
    assert any(", 84 % on galaxy" in text for text in said)


def test_what_is_missing_is_said() -> None:
    unknown = AnswerFacts("bar", "no", "bar_no", None, 0, None, None, None, None, None)
    lacking = Portrait("selected", "G1", [unknown], None, missing="no image of this galaxy")
    said = words(explanation_figure(explanation(lacking, notes=["No counterparts."]), "run 1"))
    for expected in ("nobody was asked", "none", "no image of this galaxy", "No counterparts."):
        assert expected in said


def test_a_question_with_other_answers_was_asked_otherwise() -> None:
    facts = [AnswerFacts("merging", "merger", "merging_merger", 2, 5, *[None] * 5)]
    asked = Portrait("selected", "G1", facts, None, missing="no image")
    said = words(explanation_figure(explanation(asked), "run 1"))
    assert "asked otherwise" in said
    assert "nobody was asked" not in said
    assert "the tree, 3 votes" in said


def test_maps_are_split_by_sign_on_one_scale() -> None:
    shape = (64, 64, 3)
    dark = picture()
    dark = Picture(np.zeros(shape, np.uint8), None, dark.mean, dark.sd, None)
    figure = explanation_figure(explanation(Portrait("selected", "G1", [FACT], dark)), "")
    _, increase, decrease = panels(figure)
    fine = upsample(dark.mean, 64)
    reach = np.abs(dark.mean).max()
    for drawn, part in ((increase, np.clip(fine, 0, None)), (decrease, np.clip(fine, None, 0))):
        # on a black image nothing shades the colours, which are the bar's
        expected = COLOURS(0.5 + part / (2 * reach))[..., :3]
        np.testing.assert_allclose(drawn, expected, atol=1 / 128)
    # red where the map is positive, blue where it is negative, white elsewhere
    assert (increase[fine > 0.2 * reach][:, 0] > increase[fine > 0.2 * reach][:, 2]).all()
    assert (decrease[fine < -0.2 * reach][:, 2] > decrease[fine < -0.2 * reach][:, 0]).all()
    np.testing.assert_allclose(increase[fine < 0], 1, atol=1 / 128)


def test_rows_have_one_scale() -> None:
    blank = np.zeros((64, 64, 3), np.uint8)
    pale, deep = (
        Picture(blank, None, np.full((7, 7), value, np.float32), None, None) for value in (0.5, 10)
    )
    small = Portrait("selected", "G1", [FACT], pale)
    large = Portrait("observed counterpart", "G2", [FACT], deep)
    figure = explanation_figure(explanation(small, large), "")
    figure.draw_without_rendering()
    bars = [axes for axes in figure.axes if axes.get_ylim() == (-10, 10)]
    assert len(bars) == 1, "one bar for all rows"
    drawn = panels(figure)
    assert np.allclose(drawn[4], COLOURS(1.0)[:3], atol=1 / 128), "the largest is at the end"
    assert np.allclose(drawn[1], COLOURS(0.5 + 0.5 / 20)[:3], atol=1 / 128)


def test_maps_that_add_up_to_little_are_pale_and_say_so() -> None:
    blank = np.zeros((64, 64, 3), np.uint8)
    for total, strength in ((0.005, 0.1), (0.05, 1.0), (0.5, 1.0)):
        map_ = np.full((5, 5), total / 25)
        shown_map = Picture(blank, None, map_, None, None)
        about = Explanation(0, [Portrait("selected", "G1", [FACT], shown_map)], (), "fraction")
        figure = explanation_figure(about, "")
        expected = COLOURS(0.5 + strength / 2)[:3]
        np.testing.assert_allclose(panels(figure)[1][0, 0], expected, atol=1 / 128)
        said = any("as much paler" in text for text in words(figure))
        assert said == (total < 0.04)


def test_baseline_and_sums_are_said() -> None:
    blank = np.zeros((64, 64, 3), np.uint8)
    both = np.array([[0.05, -0.33], [0.0, 0.0]])
    seen = Picture(blank, None, both, None, 1.0, 0.25, predicted=0.13, baseline=0.41)
    about = Explanation(0, [Portrait("selected", "G1", [FACT], seen)], (), "fraction")
    said = words(explanation_figure(about, ""))
    assert "raised by 0.05, 100 % on galaxy" in said
    assert "lowered by 0.33, 25 % on galaxy" in said
    assert "baseline 0.41, this galaxy 0.13: these pixels took 0.28 away" in said
    assert BASELINE in said
    without = replace(seen, baseline=None)
    about = Explanation(0, [Portrait("selected", "G1", [FACT], without)], (), "fraction")
    assert BASELINE not in words(explanation_figure(about, ""))


def test_rows_that_are_pale_since_the_blurred_image_is_predicted_alike_are_named() -> None:
    blank = np.zeros((64, 64, 3), np.uint8)
    deep = Picture(blank, None, np.full((2, 2), 0.1), None, None, None, 0.5, 0.1)
    alike = Picture(blank, None, np.full((2, 2), 0.005), None, None, None, 0.5, 0.48)
    balanced = Picture(blank, None, np.array([[0.1, -0.1]]), None, None, None, 0.5, 0.5)
    small = Picture(blank, None, np.full((2, 2), 0.02), None, None, None, 0.5, 0.42)
    cancels = Picture(blank, None, np.tile([[0.02, -0.02]], (6, 1)), None, None, None, 0.5, 0.5)
    pictures = (deep, alike, balanced, small, cancels)
    seen = [Portrait("", f"G{n}", [FACT], p) for n, p in enumerate(pictures)]
    said = words(explanation_figure(Explanation(0, seen, (), "fraction"), ""))
    assert [text for text in said if text.startswith("Pale by right: ")] == [pale(["“G1”"])]
    figure = explanation_figure(Explanation(0, seen[:1], (), "fraction"), "")
    assert not any("Pale" in text for text in words(figure))


def test_long_notes_are_wrapped() -> None:
    note = " ".join(["counterparts"] * 30)
    figure = explanation_figure(explanation(notes=[note]), "run 1")
    figure.draw_without_rendering()
    parts = [text for text in figure.texts if text.get_text().startswith("counterparts")]
    assert " ".join(part.get_text() for part in parts) == note
    assert all(part.get_window_extent().x1 <= figure.bbox.x1 for part in parts)


def test_what_was_asked_for_stands_beside_what_was_found() -> None:
    fact = replace(FACT, count=28.0, total=35.0, observed=0.8)
    target = Target(("round", "in-between"), 0, (0.83, 0.1), (0.8, 0.15), 35)
    for role, after in (
        ("observed counterpart", "observed"),
        ("predicted counterpart", "predicted"),
    ):
        other = Portrait(role, "G2", [fact], picture(), target=target)
        figure = explanation_figure(explanation(other), "")
        said = words(figure)
        assert said[said.index("  asked for") - 2] == after
        assert said[said.index("  asked for") + 1] == "0.83"
        assert set(wrap(target.words, 30, break_on_hyphens=False)) <= set(said)
        marks = {
            str(line.get_marker()): line.get_xdata()[0]  # type: ignore[index]
            for axes in figure.axes
            for line in axes.lines
            if line.get_marker() in ("o", "|", "v")
        }
        assert marks == {"o": 0.8, "|": 0.01, "v": 0.83}
        assert any("triangle what was asked for" in text for text in said)
    assert "  asked for" not in words(explanation_figure(explanation(), ""))
    far = replace(target, found=(0.8, 0.5))
    other = Portrait("observed counterpart", "G2", [fact], picture(), target=far)
    said = words(explanation_figure(explanation(other, notes=["The best is not close."]), ""))
    assert [text for text in said if "not close" in text] == ["The best is not close."]


def test_a_map_of_zeros_and_dropout_off_can_be_drawn() -> None:
    flat = picture()
    none = Picture(flat.pixels, None, 0 * flat.mean, np.zeros((7, 7), np.float32), None)
    said = words(explanation_figure(explanation(Portrait("selected", "G1", [FACT], none)), ""))
    assert {"raised nowhere", "lowered nowhere"} <= set(said)


def test_dots_mark_cells_below_their_spread() -> None:
    shown_map = picture()
    unsure = Picture(
        shown_map.pixels, None, shown_map.mean, np.float32(2) * np.abs(shown_map.mean), None
    )
    for case, expected in ((shown_map, 0), (unsure, 49)):
        figure = explanation_figure(explanation(Portrait("selected", "G1", [FACT], case)), "")
        dots = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "."]
        assert sum(np.size(line.get_xdata()) for line in dots) == expected


HOSTILE = (
    "$x^2$ \\frac{",
    "<script>alert(1)</script>",
    "\x00\x1b[31m\n\r\t",
    "銀河 🌌 \u202e",
    "x" * 5000,
    "%s{0}%d",
    "",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("error")
def test_no_name_breaks_a_figure(name: str, tmp_path: Path) -> None:
    figure = explanation_figure(explanation(name=name), name[:100])
    for path in save(figure, tmp_path / "figure"):
        assert path.stat().st_size > 5_000


def test_files_are_fit_for_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoolens.catalog.output.figures.DPI", DPI)
    monkeypatch.setitem(STYLE, "pdf.fonttype", FONTTYPE)
    drawing = explanation_figure(explanation(), "")
    png, pdf = save(drawing, tmp_path / "J1.5+2_round")
    assert (png.name, pdf.name) == ("J1.5+2_round.png", "J1.5+2_round.pdf")
    with Image.open(png) as image:
        assert image.width == round(7.1 * DPI)
        assert image.info["dpi"][0] == pytest.approx(DPI, abs=0.1)
        assert DPI >= 200
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF")
    assert b"/FontFile2" in data  # letters as outlines of a font, and not as pictures
    again = save(explanation_figure(explanation(), ""), tmp_path / "again")
    assert [path.read_bytes() for path in again] == [png.read_bytes(), data]


def test_it_says_what_the_maps_are_of() -> None:
    bare = picture()
    bare = Picture(bare.pixels, bare.segment, bare.mean, None, None)
    drawn = Explanation(0, [Portrait("selected", "G1", [FACT], bare)], (), "cross_entropy")
    said = words(explanation_figure(drawn, ""))
    assert "nat\nper cell" in said
    assert any("raised the loss" in text and "Dots" not in text for text in said)
    assert any("Dots" in text for text in words(explanation_figure(explanation(), "")))


@pytest.mark.parametrize("of", ["concentration", "fraction", "cross_entropy"])
def test_words_end_within_the_figure(of: Of) -> None:
    line = "HiResCAM at blocks.6, 30 dropout samples, bilinear; efficientnet_b0, SHA-256 0123…"
    wide = replace(
        picture(scale=1e-4), on_target=1.0, lowered_on_target=1.0, predicted=0.13, baseline=0.41
    )
    weighted = replace(FACT, count=27.6, total=133.7, observed=0.21)
    target = Target(("smooth", "more-than-4"), 0, (0.5, 0.9), (0.1, 0.8), 5)
    full = Portrait("observed counterpart", "J" * 40, [weighted], wide, "", target)
    figure = explanation_figure(replace(explanation(full), of=of), line)
    assert "about 28 of 134" in words(figure)  # and drawn
    places = [text.get_window_extent() for text in figure.texts]
    places += [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    assert all(place.x1 <= figure.bbox.x1 for place in places)
    assert not [(a, b) for n, a in enumerate(places) for b in places[n + 1 :] if a.overlaps(b)]
