"""The figure of what a classifier or regressor estimates of an image: what speaks for it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from zoolens.catalog.explain.panels import (
    BETWEEN,
    DOTS,
    GREY,
    KEY,
    LINE,
    PANEL,
    TOP,
    WIDTH,
    foot,
    number,
    panels,
    text,
    titles,
)
from zoolens.catalog.explain.portraits import Picture
from zoolens.catalog.network.heads import Output
from zoolens.catalog.output.figures import STYLE, shown

_MOST_DRAWN = 4  # classes
_WORDS = {Output.PROBABILITY: "probability"}


@dataclass(frozen=True)
class Estimate:
    """What is estimated of an image, and its map.

    name: of the class, or of the value; picture: the image with the map; value, and over dropout
    samples its standard deviation sd and its central 90 % interval lo to hi: in the units of the
    output, None with dropout off.
    """

    name: str
    picture: Picture
    value: float
    sd: float | None
    lo: float | None
    hi: float | None


def drawn(values: Sequence[float]) -> list[int]:
    """Which of a galaxy's estimates are drawn: the most probable classes, in their order."""
    best = sorted(range(len(values)), key=lambda place: -values[place])[:_MOST_DRAWN]
    return sorted(best)


def estimate_figure(
    name: str, estimates: Sequence[Estimate], of: int, output: Output, provenance: str
) -> Figure:
    """One row per estimate, as in `catalog.explain.figure`: image, increase map, decrease map.

    name: of the galaxy or image; of: how many estimates there are; provenance: one line for the
    foot.
    """
    what = _WORDS.get(output, "value")
    lines = [KEY.format(f"estimated {what}")]
    if any(one.picture.sd is not None for one in estimates):
        lines.append(DOTS)
    if len(estimates) < of:
        lines.append(f"Drawn are the {len(estimates)} most probable of {of} classes.")
    lines.append(provenance)
    height = TOP + len(estimates) * (PANEL + BETWEEN) + len(lines) * LINE + 0.02
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a foreign script
        figure = Figure(figsize=(WIDTH, height))
        text(figure, 0.02, height - 0.06, shown(name, 60), fontsize=9, fontweight="bold")
        titles(figure, height, what)
        for row, estimate in enumerate(estimates):
            bottom = height - TOP - (row + 1) * PANEL - row * BETWEEN
            _words(figure, estimate, what, bottom + PANEL)
            panels(figure, estimate.picture, bottom)
        foot(figure, lines)
        return figure


def _words(figure: Figure, estimate: Estimate, what: str, top: float) -> None:
    text(figure, 0.02, top - 0.05, shown(estimate.name, 22), fontsize=8, fontweight="bold")
    facts = [(what, number(estimate.value))]
    if estimate.sd is not None:
        facts.append(("spread", number(estimate.sd)))
    if estimate.lo is not None and estimate.hi is not None:
        facts += [("5 %", number(estimate.lo)), ("95 %", number(estimate.hi))]
    facts.append(("map's sum", number(float(np.sum(estimate.picture.mean)), signed=True)))
    for index, (name, value) in enumerate(facts):
        y = top - 0.28 - 0.125 * index
        text(figure, 0.02, y, name, color=GREY, fontsize=6.5)
        text(figure, 0.68, y, value, fontsize=6.5)
