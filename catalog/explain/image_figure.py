"""The figure of one image that belongs to no catalogue: what speaks for its predictions."""

import warnings
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from zoolens.catalog.explain.one_image import ImageExplained
from zoolens.catalog.explain.panels import (
    BETWEEN,
    DOTS,
    GREY,
    KEY,
    LINE,
    PANEL,
    TOP,
    UNITS,
    WIDTH,
    WORDS,
    foot,
    panels,
    text,
    titles,
)
from zoolens.catalog.output.figures import STYLE, shown


def image_figure(
    name: str, explained: ImageExplained, answers: Sequence[int], provenance: str
) -> Figure:
    """One row per answer, as in `catalog.explain.figure`: image, increase map, decrease map.

    name: of the image; provenance: one line for the foot.
    """
    lines = [KEY.format(WORDS[explained.of]), *([] if explained.sd is None else [DOTS]), provenance]
    height = TOP + len(answers) * (PANEL + BETWEEN) + len(lines) * LINE + 0.02
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a foreign script
        figure = Figure(figsize=(WIDTH, height))
        text(figure, 0.02, height - 0.06, shown(name, 60), fontsize=9, fontweight="bold")
        titles(figure, height, UNITS[explained.of])
        for row, answer in enumerate(answers):
            bottom = height - TOP - (row + 1) * PANEL - row * BETWEEN
            _words(figure, explained, answer, bottom + PANEL)
            panels(figure, explained.picture(answer), bottom)
        foot(figure, lines)
        return figure


def _words(figure: Figure, explained: ImageExplained, answer: int, top: float) -> None:
    tree, summary = explained.tree, explained.summary
    question = tree.questions[tree.question_of[answer]]
    chosen = tree.labels[answer].removeprefix(f"{question.name}_")
    text(figure, 0.02, top, shown(question.name, 28), fontsize=6.5, color=GREY)
    text(figure, 0.02, top - 0.13, shown(chosen, 22), fontsize=8, fontweight="bold")
    interval = f"[{summary.lo[0, answer]:.2f}, {summary.hi[0, answer]:.2f}]"
    facts = [
        ("predicted", f"{summary.fraction[0, answer]:.2f}  {interval}"),
        ("asked", f"{summary.reach[0, answer]:.2f} of all"),
    ]
    for index, (what, value) in enumerate(facts):
        y = top - 0.36 - 0.125 * index
        text(figure, 0.02, y, what, color=GREY, fontsize=6.5)
        text(figure, 0.68, y, value, fontsize=6.5)
