"""The sheet of a figure of saliency: a row per map, with words, on one scale of colours."""

import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from zoolens.catalog.explain.panels import (
    GAP,
    GREY,
    INK,
    PANEL,
    SMALL,
    axes_at,
    colour_bar,
    column,
    panels,
)
from zoolens.catalog.explain.portraits import Picture
from zoolens.catalog.explain.scale import largest_sum, scale_end
from zoolens.catalog.explain.wording import BASELINE, amount, pale
from zoolens.catalog.output.figures import STYLE, shown
from zoolens.catalog.saliency.arithmetic import Of

# inch: a page's text width; heading; between two rows; a line at the foot, of words on the left
WIDTH, _TOP, _BETWEEN, _FOOT, _LINE = 7.1, 0.42, 0.25, 0.11, 0.115
_VALUES = 0.62  # inch: where values of facts begin
_LONGEST = 150  # characters of a line at the foot
_FAINT = 0.25  # of the scale: no cell of a pale map reaches it

# What a map can be of, in words; the units of its cells.
WORDS: dict[Of, str] = {
    "concentration": "predicted concentration",
    "fraction": "predicted fraction",
    "cross_entropy": "loss",
}
UNITS: dict[Of, str] = {
    "concentration": "concentration",
    "fraction": "vote fraction",
    "cross_entropy": "nat",
}
_KEY = (
    "Colours: red pixels raised the {}, blue ones lowered it, all rows on one scale. "
    "Line: the central galaxy. Ticks: the map's cells."
)
_PALE = "No map has pixels of one colour that add up to {}: colours are as much paler."
_DOTS = "Dots: cells whose mean is below its standard deviation."
_MARKS = {
    "predicted": "the grey bar the prediction's 90 % interval around its mean",
    "observed": "the dot the observed fraction",
    "asked": "the triangle what was asked for",
}


@dataclass(frozen=True)
class Marks:
    """Fractions in 0..1 beside each other; None where there is none.

    observed; predicted in lo to hi, its interval; asked: what was asked for of a counterpart.
    """

    observed: float | None
    predicted: float | None
    lo: float | None
    hi: float | None
    asked: float | None = None


@dataclass(frozen=True)
class Row:
    """A row of a sheet.

    above: small, over the name; facts: names and values, or sentences and ""; picture, or missing:
    why there is none.
    """

    above: str
    name: str
    facts: Sequence[tuple[str, str]]
    picture: Picture | None
    missing: str = ""
    marks: Marks | None = None


def sheet(
    title: str, what: str, unit: str, rows: Sequence[Row], floor: float, notes: Sequence[str]
) -> Figure:
    """One row each: image, increase map, decrease map; all maps on one scale (`scale_end`).

    what: the maps are of, in words; unit: of their cells; floor: as of `scale_end`, 0 for none;
    notes: lines for the foot, the last at the bottom, below what the drawing means.
    """
    maps = [row.picture.mean for row in rows if row.picture is not None]
    end = scale_end(maps, floor)
    said = [*_legend(rows, what, floor, end), *notes]
    lines = [part for line in said for part in textwrap.wrap(line, _LONGEST)]
    known = any(row.picture is not None and row.picture.baseline is not None for row in rows)
    between = _BETWEEN + _FOOT * known
    height = _TOP + len(rows) * (PANEL + between) + len(lines) * _FOOT + 0.02
    bottoms = [height - _TOP - (n + 1) * PANEL - n * between for n in range(len(rows))]
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a foreign script
        figure = Figure(figsize=(WIDTH, height))
        _text(figure, 0.02, height - 0.06, shown(title, 60), fontsize=9, fontweight="bold")
        norm = TwoSlopeNorm(0, -end, end)
        for row, bottom in zip(rows, bottoms, strict=True):
            _words(figure, row, bottom)
            if row.picture is None:
                _absent(figure, row.missing, bottom)
            else:
                panels(figure, row.picture, norm, bottom, least=floor / 10)
        if maps:
            _titles(figure, height, unit)
            colour_bar(figure, norm, bottoms[-1], bottoms[0] + PANEL - bottoms[-1])
        for index, line in enumerate(reversed(lines)):
            place = {"fontsize": SMALL, "color": GREY, "va": "bottom"}
            _text(figure, 0.02, 0.03 + index * _FOOT, line, **place)
        return figure


def _legend(rows: Sequence[Row], what: str, floor: float, end: float) -> list[str]:
    """What the drawing means."""
    pictures = [row.picture for row in rows if row.picture is not None]
    lines = []
    if pictures:
        lines.append(_KEY.format(what))
        if largest_sum([picture.mean for picture in pictures]) < floor:
            lines.append(_PALE.format(amount(floor)))
    if any(picture.baseline is not None for picture in pictures):
        lines.append(BASELINE)
    if faint := [shown(row.name, 22) for row in rows if _is_pale(row.picture, floor, end)]:
        lines.append(pale([f"“{name}”" for name in faint]))
    if any(picture.sd is not None for picture in pictures):
        lines.append(_DOTS)
    marks = [row.marks for row in rows if row.marks is not None]
    drawn = [
        words
        for name, words in _MARKS.items()
        if any(getattr(mark, name) is not None for mark in marks)
    ]
    if drawn:
        lines.append(f"Left: {', '.join(drawn)}.")
    return lines


def _is_pale(picture: Picture | None, floor: float, end: float) -> bool:
    """Whether a map has little colour since the prediction is nearly the baseline."""
    if picture is None or picture.baseline is None or picture.predicted is None:
        return False
    changed = abs(picture.predicted - picture.baseline)
    little = changed < floor and largest_sum([picture.mean]) < 2 * floor  # not two that cancel
    return little and float(np.abs(picture.mean).max()) < _FAINT * end


def _text(figure: Figure, x: float, y: float, words: str, **style: Any) -> None:
    """Words at a place in inches."""
    across, up = figure.get_size_inches()
    figure.text(x / across, y / up, words, **{"color": INK, "va": "top", **style})


def _titles(figure: Figure, height: float, unit: str) -> None:
    """What is in each column of panels, and the unit of the bar; height: inches."""
    for index, title in enumerate(("image", "increase", "decrease")):
        _text(figure, column(index), height - _TOP + 0.14, title, fontsize=7.5)
    style = {"ha": "right", "va": "bottom", "fontsize": SMALL, "color": GREY}
    _text(figure, WIDTH - 0.02, height - _TOP + 0.04, f"{unit}\nper cell", **style)


def _words(figure: Figure, row: Row, bottom: float) -> None:
    top = bottom + PANEL
    _text(figure, 0.02, top, shown(row.above, 28), fontsize=6.5, color=GREY)
    _text(figure, 0.02, top - 0.13, shown(row.name, 22), fontsize=8, fontweight="bold")
    for index, (name, value) in enumerate(row.facts):
        y = top - 0.34 - _LINE * index
        _text(figure, 0.02, y, name, color=GREY, fontsize=6.5)
        if value:
            _text(figure, _VALUES, y, value, fontsize=6.5)
    if row.marks is not None:
        _draw(figure, row.marks, bottom)


def _draw(figure: Figure, marks: Marks, bottom: float) -> None:
    """The fractions on a line from 0 to 1, at the foot of a row's words."""
    axes = axes_at(figure, 0.1, bottom + 0.1, 1.35, 0.15)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
    axes.tick_params(labelsize=SMALL, length=1.5, width=0.4, pad=1, labelcolor=GREY, color=GREY)
    over = {"clip_on": False}
    if marks.lo is not None and marks.hi is not None:
        axes.plot([marks.lo, marks.hi], [0.45, 0.45], color="#bdbdbd", lw=4, solid_capstyle="butt")
    if marks.predicted is not None:
        axes.plot([marks.predicted], [0.45], "|", color=GREY, ms=6, mew=1.2, **over)
    if marks.observed is not None:
        axes.plot([marks.observed], [0.45], "o", color=INK, ms=3.2, mew=0, **over)
    if marks.asked is not None:
        axes.plot([marks.asked], [1.15], "v", mfc="white", mec=INK, ms=3.6, mew=0.7, **over)


def _absent(figure: Figure, why: str, bottom: float) -> None:
    width = 3 * PANEL + 2 * GAP
    panel = axes_at(figure, column(0), bottom, width, PANEL)
    panel.set_facecolor("#f3f3f3")
    words = textwrap.fill(shown(why, 400), 75)
    panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", va="center", color=GREY)
