"""Figures show the measures they are given, and nothing in a name breaks them."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from zoolens.catalog.evaluation.figures import (
    coverage_figure,
    errors_figure,
    faithfulness_figure,
    localisation_figure,
    sanity_figure,
)
from zoolens.catalog.evaluation.measures import Measure

pytestmark = pytest.mark.slow

Draw = Callable[[Sequence[Measure]], Figure | None]

METHODS = ("hirescam", "gradcam", "input gradient")
LABELS = ("bar_strong", "merging_merger")


def coverage() -> list[Measure]:
    off = {None: 0.0, "bar": 0.05, "merging": -0.08, "bulge-size": 0.01}
    return [
        Measure("calibration", "coverage", level + shift, 9, level - 0.1, level + 0.1,
                question=name, level=level)
        for name, shift in off.items()
        for level in (0.9, 0.5, 0.8)  # in whatever order
    ]  # fmt: skip


def errors() -> list[Measure]:
    return [
        Measure(topic, name, value, 9, value - 0.01, value + 0.01, question=q, chance=0.4)
        for q in ("shape", "bar", "merging")
        for topic, name, value in (
            ("error", "mean absolute error", 0.1),
            ("error", "mean absolute error against the truth", 0.05),
            ("accuracy", "accuracy, confident", 0.9),
            ("accuracy", "accuracy against the truth, confident", 0.95),
        )
    ]


def localisation() -> list[Measure]:
    return [
        Measure("localisation", name, value, 9, value / 2, value, label=label, method=m, chance=c)
        for label in LABELS
        for m in METHODS
        for name, value, c in (("inside over area", 3.0, 1.0), ("pointing game", 0.5, 0.05))
    ]


def sanity() -> list[Measure]:
    cascade = [
        Measure("sanity", "rank correlation", 1 / (1 + s), 9, 0.0, 1.0, method=m, level=float(s))
        for m in METHODS
        for s in range(4)
    ]
    other = [
        Measure("sanity", "rank correlation, shuffled votes", 0.1, 9, method=m) for m in METHODS
    ]
    verdict = [Measure("sanity", "sanity passed", 1.0, 9, method=m) for m in METHODS]
    return cascade + other + verdict


def faithfulness() -> list[Measure]:
    return [
        Measure("faithfulness", name, 0.5, 9, 0.4, 0.6, method=m, level=x)
        for name in ("deletion", "insertion")
        for m in (*METHODS, "random")
        for x in (0.0, 0.5, 1.0)
    ]


CASES: list[tuple[Draw, list[Measure]]] = [
    (coverage_figure, coverage()),
    (errors_figure, errors()),
    (localisation_figure, localisation()),
    (sanity_figure, sanity()),
    (faithfulness_figure, faithfulness()),
]


def drawn(draw: Draw, measures: Sequence[Measure]) -> Figure:
    figure = draw(measures)
    assert figure is not None
    return figure


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def lines(panel: Any, name: str) -> list[tuple[list[float], list[float]]]:
    found = [line for line in panel.lines if line.get_label() == name]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in found]


def test_no_name_of_a_question_is_cut_off_at_the_frame() -> None:
    for off in (0.05, -0.08):  # above the diagonal, and below
        long = "t05-bulge-prominence-of-a-survey-with-long-names"
        mine = [
            Measure("calibration", "coverage", level + off, 9, question=long, level=level)
            for level in (0.5, 0.8, 0.9)
        ]
        figure = drawn(coverage_figure, mine)
        (axes,) = figure.axes
        (name,) = [text for text in axes.texts if text.get_text().startswith("t05-bulge")]
        place, frame = name.get_window_extent(), axes.get_window_extent()
        assert frame.x0 <= place.x0
        assert place.x1 <= frame.x1


@pytest.mark.parametrize(("draw", "mine"), CASES)
def test_a_figure_needs_its_own_measures(draw: Draw, mine: list[Measure]) -> None:
    others = [m for other, measures in CASES if other is not draw for m in measures]
    assert draw([]) is None
    assert draw(others) is None
    unknown = [Measure(m.topic, m.measure, float("nan"), 0, level=m.level) for m in mine]
    assert draw(unknown) is None
    assert isinstance(draw(others + mine), Figure)


def test_coverage_lies_against_its_level() -> None:
    figure = drawn(coverage_figure, coverage())
    (axes,) = figure.axes
    ((levels, values),) = lines(axes, "all answers")
    assert levels == values == [0.5, 0.8, 0.9]
    assert len(lines(axes, "a question")) == 3
    said = words(figure)
    assert "bar" in said  # furthest above
    assert "merging" in said  # and below
    assert "bulge-size" not in said
    assert any("overconfident" in text for text in said)


def test_a_calibrated_model_has_no_names_beside_it() -> None:
    close = [m for m in coverage() if m.question in (None, "bulge-size")]
    assert "bulge-size" not in words(drawn(coverage_figure, close))


def test_coverage_of_questions_alone_and_of_a_single_level() -> None:
    alone = [m for m in coverage() if m.question and m.level == 0.5]
    (axes,) = drawn(coverage_figure, alone).axes
    assert lines(axes, "all answers") == []
    assert len(lines(axes, "a question")) == 3


def test_errors_have_a_row_a_question() -> None:
    figure = drawn(errors_figure, errors())
    left, right = figure.axes
    for panel, by_votes, by_truth in ((left, 0.1, 0.05), (right, 0.9, 0.95)):
        for name, value in (("against the votes", by_votes), ("against the truth", by_truth)):
            ((values, places),) = lines(panel, name)
            assert values == pytest.approx([value] * 3)
            np.testing.assert_array_equal(np.round(places), [0, 1, 2])
        assert [x for x, _ in lines(panel, "chance")] == [[0.4] * 3] * 2
        assert len(panel.collections) == 2  # intervals
    assert [t.get_text() for t in left.get_yticklabels()] == ["shape", "bar", "merging"]
    assert left.get_ylim() == (2.5, -0.5)
    (legend,) = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said == ["against the votes", "against the truth", "chance"]


def test_errors_without_a_truth() -> None:
    known = [m for m in errors() if "truth" not in m.measure]
    figure = drawn(errors_figure, known)
    assert "against the truth" not in words(figure)
    # errors of labels are for the table
    label = Measure("error", "mean absolute error", 0.1, 9, label="bar_no")
    assert errors_figure([label]) is None


def test_localisation_has_a_dot_an_answer_and_method() -> None:
    weak = Measure(
        "localisation", "inside over area", 0.0, 9, 0.0, 0.01, label=LABELS[0], method="x"
    )
    figure = drawn(localisation_figure, [*localisation(), weak])
    left, right = figure.axes
    assert left.get_xscale() == "log"
    for method in METHODS:
        assert lines(left, method)[0][0] == [3.0, 3.0]
        assert lines(right, method)[0][0] == [0.5, 0.5]
    assert lines(left, "x")[0][0] == [left.get_xlim()[0]]  # at the edge, where it is seen
    assert [x for x, _ in lines(right, "chance")] == [[0.05] * 2] * 3
    heights = [y for panel in (left,) for m in (*METHODS, "x") for y in lines(panel, m)[0][1]]
    assert len(set(heights)) == len(heights)
    assert [t.get_text() for t in left.get_yticklabels()] == list(LABELS)


def test_sanity_falls_from_left_to_right() -> None:
    figure = drawn(sanity_figure, sanity())
    (axes,) = figure.axes
    for method in METHODS:
        ((stages, values),) = lines(axes, method)
        assert stages == [0, 1, 2, 3]
        assert values == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert "shuffled\nvotes" in words(figure)
    drawn_lines = [np.asarray(line.get_xydata()) for line in axes.lines]
    beyond = [line[0, 0] for line in drawn_lines if line[:, 1].tolist() == [0.1]]
    assert len(beyond) == 3
    assert min(beyond) > 3.6


def test_sanity_of_one_kind_alone() -> None:
    one = drawn(sanity_figure, [m for m in sanity() if m.level is not None])
    other = drawn(sanity_figure, [m for m in sanity() if m.level is None])
    assert "shuffled\nvotes" not in words(one)
    assert "shuffled\nvotes" in words(other)
    assert "0\nuntouched" not in words(other)
    (legend,) = other.legends
    assert [text.get_text() for text in legend.get_texts()] == list(METHODS)


def test_faithfulness_has_two_panels_of_curves() -> None:
    figure = drawn(faithfulness_figure, faithfulness())
    for panel in figure.axes:
        for method in (*METHODS, "random"):
            assert lines(panel, method) == [([0, 0.5, 1], [0.5, 0.5, 0.5])]
        assert len(panel.collections) == 4  # bands
    assert len(drawn(faithfulness_figure, faithfulness()[:12]).axes) == 2


def test_a_method_looks_the_same_in_all_figures() -> None:
    colours: dict[str, set[str]] = {}
    for draw, measures in CASES[2:]:
        for panel in drawn(draw, measures).axes:
            for line in panel.lines:
                colours.setdefault(str(line.get_label()), set()).add(str(line.get_color()))
    assert all(len(colours[method]) == 1 for method in METHODS)
    assert len({colour for method in METHODS for colour in colours[method]}) == len(METHODS)


HOSTILE = (
    "$x^2$ \\frac{",
    "<script>alert(1)</script>",
    "\x00\x1b[31m\n",
    "銀河 🌌",
    "x" * 5000,
    "%s",
)


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_shown_as_they_are(name: str) -> None:
    renamed = [
        Measure(**{**vars(m), "question": m.question and name, "label": m.label and name,
                   "method": m.method and name})
        for _, measures in CASES
        for m in measures
    ]  # fmt: skip
    for draw, _ in CASES[1:3]:
        figure = drawn(draw, renamed)
        figure.savefig(io.BytesIO(), format="svg")  # outside the style that they were made in
        shown = [text for text in words(figure) if text[:3] == name[:3]]
        if name.isprintable() and len(name) < 40:
            assert name in shown
        assert all(len(text) <= 40 and text.isprintable() for text in shown)
    for draw in (coverage_figure, sanity_figure, faithfulness_figure):
        drawn(draw, renamed)
