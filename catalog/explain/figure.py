"""The paper's figure: a galaxy, and what raised and lowered a concentration.

Su et al. 2023, figures 1 to 3, as one figure: the selected galaxy and its observed and
predicted counterparts, each as image, increase map and decrease map.
"""

import textwrap
import warnings

from matplotlib import rc_context
from matplotlib.figure import Figure

from zoolens.catalog.explain.panels import (
    BETWEEN,
    DOTS,
    GAP,
    GREY,
    KEY,
    LINE,
    PANEL,
    TOP,
    UNITS,
    WIDTH,
    WORDS,
    axes_at,
    column,
    foot,
    number,
    panels,
    text,
    titles,
)
from zoolens.catalog.explain.portraits import Explanation, Portrait, outside_votes
from zoolens.catalog.output.figures import STYLE, shown
from zoolens.catalog.store.facts import AnswerFacts
from zoolens.catalog.store.matrices import ROUNDING_VOTES


def explanation_figure(explanation: Explanation, provenance: str) -> Figure:
    """The figure of an explanation: one row per galaxy; image, increase map, decrease map.

    The maps of a row (`catalog.explain.panels`) have a scale that other rows do not share.
    provenance: one line for the foot.
    """
    key = [KEY.format(WORDS[explanation.of])]
    if explanation.of == "concentration":
        key.append(DOTS)
    lines = [*explanation.notes, *key, provenance]
    rows = len(explanation.portraits)
    height = TOP + rows * (PANEL + BETWEEN) + len(lines) * LINE + 0.02
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a foreign script
        figure = Figure(figsize=(WIDTH, height))
        _head(figure, explanation, height)
        for row, portrait in enumerate(explanation.portraits):
            bottom = height - TOP - (row + 1) * PANEL - row * BETWEEN
            _words(figure, portrait, explanation.answer_id, bottom)
            if portrait.picture is None:
                _absent(figure, portrait.missing, bottom)
            else:
                panels(figure, portrait.picture, bottom)
        foot(figure, lines)
        return figure


def _head(figure: Figure, explanation: Explanation, height: float) -> None:
    label = shown(explanation.fact.label, 60)
    text(figure, 0.02, height - 0.06, label, fontsize=9, fontweight="bold")
    titles(figure, height, UNITS[explanation.of])


def _words(figure: Figure, portrait: Portrait, answer_id: int, bottom: float) -> None:
    fact = portrait.facts[answer_id]
    top = bottom + PANEL
    text(figure, 0.02, top, portrait.role, fontsize=6.5, color=GREY)
    text(figure, 0.02, top - 0.13, shown(portrait.iauname, 22), fontsize=8, fontweight="bold")
    lines = _fact_lines(fact)
    if (outside := outside_votes(portrait, fact.question)) > ROUNDING_VOTES:
        lines.insert(1, ("outside tree", f"{votes(outside)} votes"))
    if portrait.similarity is not None:
        lines.append(("similarity", f"{number(portrait.similarity)} nat"))
    for index, (name, value) in enumerate(lines):
        y = top - 0.36 - 0.125 * index
        text(figure, 0.02, y, name, color=GREY, fontsize=6.5)
        text(figure, 0.68, y, value, fontsize=6.5)


def _fact_lines(fact: AnswerFacts) -> list[tuple[str, str]]:
    """What is known of an answer from votes and model, as names and values."""
    if fact.observed is None:
        nobody = "no votes" if fact.total is None else "nobody was asked"
        lines = [("observed", "asked otherwise" if fact.total else nobody)]
    else:
        given = f"{votes(fact.count)} of {votes(fact.total)}"
        lines = [("observed", f"{fact.observed:.2f}  ({given})")]
    predicted = "none" if fact.predicted is None else f"{fact.predicted:.2f}"
    if fact.lo is not None and fact.hi is not None:
        predicted += f"  [{fact.lo:.2f}, {fact.hi:.2f}]"
    lines.append(("predicted", predicted))
    if fact.ce is not None:
        lines.append(("loss", f"{fact.ce:.2f} nat"))
    return lines


def _absent(figure: Figure, why: str, bottom: float) -> None:
    width = 3 * PANEL + 2 * GAP
    panel = axes_at(figure, column(0), bottom, width, PANEL)
    panel.set_facecolor("#f3f3f3")
    words = textwrap.fill(shown(why, 400), 75)
    panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", va="center", color=GREY)


def votes(count: float | None) -> str:
    """A number of votes in words: whole ones without decimals, weighted ones with one."""
    return "0" if count is None else f"{count:.1f}".removesuffix(".0")
