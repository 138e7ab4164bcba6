"""How vote fractions are distributed, answer by answer: figures and a balance measure.

Su et al. 2023, appendix C, figures 5 and 6: answers whose fractions spread evenly over
0..1 deserve weight, since disagreement on them is not just chance from a few votes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.output.figures import STYLE, shown

BINS = 10
# Evenness from which an answer is balanced. Chosen to agree with the paper's list (appendix C) on
# 1,088 GZ DECaLS galaxies: of the 30 answers that were asked, 27 are on the same side, and none
# lies between 0.68 and 0.77. (Above but not in the list: can't tell of the arm count, medium
# winding; in the list but below: large bulges.)
EVEN = 0.72
FEWEST = 10 * BINS  # with fewer galaxies a histogram's evenness means little

_VOTES, _MODEL, _GREY = "#7fa6c9", "#b3262e", "#595959"
_WIDE = 8.27  # inch: A4
_ROW, _ROOM, _LINE = 1.35, 0.55, 0.16  # inch: of panels; the margins around them; a line of words
_COLUMNS = (6, 5, 4)  # as many panels side by side, whichever leave the last row fullest
_LONGEST = 20  # characters of a name
_TICKS = (0, 0.1, 0.5, 1)  # shares
_TITLE = {"loc": "left", "fontsize": 7, "fontweight": "bold", "pad": 2}
_EVEN = "Dashes: as many galaxies in every bin."


@dataclass(frozen=True)
class Balance:
    """Per answer, all (A,).

    galaxies: how many have a fraction. evenness: entropy of the fractions' histogram
    over ten equal bins of 0..1, divided by log 10: 0 all in one bin, 1 as many in each;
    NaN without galaxies. extreme: share of galaxies in the first and last bin, 0..1.
    """

    galaxies: npt.NDArray[np.int64]
    evenness: Floats
    extreme: Floats

    @property
    def suggested(self) -> npt.NDArray[np.bool_]:
        """Answers that are balanced enough to deserve weight."""
        return (self.galaxies >= FEWEST) & (self.evenness >= EVEN)


Counts = npt.NDArray[np.int64]  # galaxies by answer and bin, (A, BINS); those of parts add up


def count(fractions: npt.ArrayLike) -> Counts:
    """How many galaxies each bin has: (N, A) in 0..1, NaN missing -> (A, BINS).

    Bins include their left edge, the last one also 1.
    """
    values = np.asarray(fractions, np.float64)
    known = ~np.isnan(values)
    bins = np.minimum((np.where(known, values, 0) * BINS).astype(np.int64), BINS - 1)
    bins += BINS * np.arange(values.shape[1])
    counted: Counts = np.bincount(bins[known], minlength=BINS * values.shape[1])
    return counted.reshape(-1, BINS)


def shares(counts: Counts) -> Floats:
    """Share of the galaxies in each bin, (A, BINS); NaN without galaxies."""
    with np.errstate(invalid="ignore"):
        found: Floats = counts / counts.sum(axis=1, keepdims=True)
    return found


def balance(counts: Counts) -> Balance:
    """How evenly each answer's fractions spread over 0..1."""
    share = shares(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(share == 0, 0.0, -share * np.log(share))
    return Balance(
        counts.sum(axis=1),
        terms.sum(axis=1) / np.log(BINS),
        share[:, 0] + share[:, -1],
    )


def histogram_figure(
    tree: DecisionTree,
    labels: Sequence[str],
    observed: Counts,
    predicted: Counts | None = None,
) -> Figure:
    """Histograms of `labels`, one panel per answer, in tree order.

    observed, predicted: as `count` has them: bars are the shares of the galaxies that
    were asked, N of them; the line is the shares of the predicted fractions, over all
    galaxies that have them; dashes are what each bin of an even spread would have. Questions of
    which there is neither have no panels, but are named. All panels have the same axes, so they
    can be compared. Shares go by their square root, as in Tukey's rootograms: a bin that nearly
    all galaxies are in leaves the others to be seen, and bars still begin at 0, as on a logarithmic
    axis they cannot.
    """
    votes = shares(observed)
    model = None if predicted is None else shares(predicted)
    missing = np.isnan(votes[:, 0])
    if model is not None:
        missing &= np.isnan(model[:, 0])
    wanted = sorted(tree.answer_id(label) for label in labels)
    drawn = [answer for answer in wanted if not missing[answer]]
    lines = [_EVEN] if drawn else []
    lines += _unasked(tree, [answer for answer in wanted if missing[answer]])
    columns = _columns(len(drawn))
    rows = -(-len(drawn) // columns)
    height = _ROOM + _ROW * rows + _LINE * len(lines)
    with rc_context(STYLE):
        figure = _page(height, lines)
        if not drawn:
            return figure
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        asked = observed.sum(axis=1)
        for panel, answer in zip(axes.flat, drawn, strict=False):
            _panel(panel, votes[answer], None if model is None else model[answer])
            _name(panel, tree, answer, asked[answer])
        for panel in axes.flat[len(drawn) :]:
            panel.remove()
        shown_shares = votes[drawn] if model is None else np.stack([votes[drawn], model[drawn]])
        _share_axes(axes, len(drawn), float(np.nanmax(shown_shares)))
        figure.supxlabel("vote fraction", fontsize=8.5)
        figure.supylabel("share of galaxies, square-root scale", fontsize=8.5)
        if model is not None:
            handles, names = axes[0, 0].get_legend_handles_labels()
            look = {"frameon": False, "fontsize": 8}
            figure.legend(handles, names, loc="outside upper right", ncols=2, **look)
        return figure


def _page(height: float, lines: Sequence[str]) -> Figure:
    """A figure with lines at its foot."""
    foot = _LINE * len(lines) / height
    layout = ConstrainedLayoutEngine(rect=(0, foot, 1, 1 - foot), wspace=0.03)
    figure = Figure(figsize=(_WIDE, height), layout=layout)
    for place, line in enumerate(reversed(lines)):
        y = (0.04 + _LINE * place) / height
        figure.text(0.01, y, line, fontsize=7, color=_GREY, va="bottom")
    return figure


def _columns(panels: int) -> int:
    """How many of so many panels stand side by side."""
    if panels <= _COLUMNS[-1]:
        return max(panels, 1)
    return min(_COLUMNS, key=lambda columns: -panels % columns)


def _unasked(tree: DecisionTree, answers: Sequence[int]) -> list[str]:
    """What is to be said of answers without a panel, in lines."""
    if not answers:
        return []
    questions = dict.fromkeys(tree.questions[tree.question_of[answer]].name for answer in answers)
    return wrap(f"Of {', '.join(map(_short, questions))} no galaxy has a fraction.", 130)


def _short(name: str) -> str:
    return shown(name, _LONGEST)


def _panel(panel: Any, votes: Floats, model: Floats | None) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    panel.stairs(np.nan_to_num(votes), edges, fill=True, color=_VOTES, label="votes")
    if model is not None:
        panel.stairs(np.nan_to_num(model), edges, color=_MODEL, lw=1.1, label="model")
    panel.axhline(1 / BINS, color=_GREY, lw=0.5, ls=(0, (3, 3)))
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=7, length=2, width=0.5)


def _name(panel: Any, tree: DecisionTree, answer: int, asked: int) -> None:
    """The question above the answer, left of how many galaxies have a fraction."""
    where = tree.question_of[answer]
    question = tree.questions[where]
    title = panel.set_title(_short(question.answers[answer - tree.slices[where].start]), **_TITLE)
    above = {"xycoords": title, "xytext": (0, 1), "textcoords": "offset points"}
    style = {"fontsize": 6.5, "color": _GREY, "va": "bottom", "annotation_clip": False}
    panel.annotate(_short(question.name), (0, 1), **above, **style)
    corner = {"transform": panel.transAxes, "ha": "right", "va": "top"}
    panel.text(1, 1, f"N = {asked:,}", fontsize=6.5, color=_GREY, **corner)


def _share_axes(axes: Any, panels: int, highest: float) -> None:
    """Give all panels the same limits, room for words, and numbers below every column."""
    ticks = [tick for tick in _TICKS if tick <= highest] or [0]
    for place, panel in enumerate(axes.flat[:panels]):
        panel.set_yscale("function", functions=(np.sqrt, np.square))
        panel.set(xlim=(0, 1), ylim=(0, max(1.35 * highest, 0.1)), xticks=[0, 0.5, 1])
        panel.set_xticklabels(["0", "½", "1"])
        panel.set_yticks(ticks, [f"{tick:.0%}".replace("%", " %") for tick in ticks])
        if place + axes.shape[1] >= panels:
            panel.tick_params(labelbottom=True)
