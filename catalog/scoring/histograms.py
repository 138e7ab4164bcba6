"""How vote fractions are distributed, answer by answer: figures and a balance measure.

Su et al. 2023, appendix C, figures 5 and 6: answers whose fractions spread evenly over
0..1 deserve weight, since disagreement on them is not just chance from a few votes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree

BINS = 10
# Evenness from which an answer is balanced. Chosen to agree with the paper's list (appendix C) on
# 1,088 GZ DECaLS galaxies: of the 30 answers that were asked, 27 are on the same side, and none
# lies between 0.68 and 0.77. (Above but not in the list: can't tell of the arm count, medium
# winding; in the list but below: large bulges.)
EVEN = 0.72
FEWEST = 10 * BINS  # with fewer galaxies a histogram's evenness means little

_VOTES, _MODEL, _GREY = "#7fa6c9", "#b3262e", "#666666"
_PAGE = (8.27, 11.69)  # inch: A4
_ROW, _ROOM = 1.4, 0.6  # inch: height of a row, and of the margins around the rows


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


def shares(fractions: npt.ArrayLike) -> Floats:
    """Share of the galaxies in each bin: (N, A) in 0..1, NaN missing -> (A, BINS).

    Bins include their left edge, the last one also 1. NaN without galaxies.
    """
    values = np.asarray(fractions, np.float64)
    known = ~np.isnan(values)
    bins = np.minimum((np.where(known, values, 0) * BINS).astype(np.int64), BINS - 1)
    bins += BINS * np.arange(values.shape[1])
    counts = np.bincount(bins[known], minlength=BINS * values.shape[1]).reshape(-1, BINS)
    with np.errstate(invalid="ignore"):
        return counts / counts.sum(axis=1, keepdims=True)


def balance(fractions: npt.ArrayLike) -> Balance:
    """How evenly each answer's fractions (N, A) spread over 0..1."""
    share = shares(fractions)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(share == 0, 0.0, -share * np.log(share))
    return Balance(
        np.count_nonzero(~np.isnan(np.asarray(fractions)), axis=0),
        terms.sum(axis=1) / np.log(BINS),
        share[:, 0] + share[:, -1],
    )


def histogram_figure(
    tree: DecisionTree,
    labels: Sequence[str],
    observed: Floats,
    predicted: Floats | None = None,
) -> Figure:
    """Histograms of `labels`, one panel per answer, the answers of a question together.

    observed, predicted (N, A), NaN missing: bars are the shares of the galaxies that
    were asked, N of them; the line is the shares of the predicted fractions, over all
    galaxies that have them. All panels have the same axes, so they can be compared.
    """
    rows = _rows(tree, labels)
    columns = max(len(row) for row in rows)
    height = min(_ROOM + _ROW * len(rows), _PAGE[1])
    figure = Figure(figsize=(_PAGE[0], height), layout="constrained")
    axes = figure.subplots(len(rows), columns, sharex=True, sharey=True, squeeze=False)
    votes = shares(observed)
    model = None if predicted is None else shares(predicted)
    asked = np.count_nonzero(~np.isnan(observed), axis=0)
    for row, panels in zip(rows, axes, strict=True):
        for panel, answer in zip(panels, row, strict=False):
            _panel(panel, votes[answer], None if model is None else model[answer])
            question = tree.questions[tree.question_of[answer]]
            place = answer - tree.slices[tree.question_of[answer]].start
            _words(panel, question.answers[place], f"N = {asked[answer]:,}")
            if answer == min(a for a in row if tree.question_of[a] == tree.question_of[answer]):
                panel.set_title(question.name, loc="left", fontsize=8.5, fontweight="bold", pad=3)
        for panel in panels[len(row) :]:
            panel.set_visible(False)
    drawn = np.concatenate(rows)
    highest = np.nan_to_num(votes[drawn]).max()
    if model is not None:
        highest = max(highest, np.nan_to_num(model[drawn]).max())
    _share_axes(axes, float(highest))
    figure.supxlabel("vote fraction", fontsize=9)
    figure.supylabel("share of galaxies", fontsize=9)
    if model is not None:
        lines, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(lines, names, loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    return figure


def _rows(tree: DecisionTree, labels: Sequence[str]) -> list[list[int]]:
    """Positions of the labels in tree order, by row: as many complete questions as fit."""
    groups: dict[int, list[int]] = {}
    for answer in sorted(tree.answer_id(label) for label in labels):
        groups.setdefault(int(tree.question_of[answer]), []).append(answer)
    widest = max(4, *(len(group) for group in groups.values()))
    rows: list[list[int]] = [[]]
    for group in groups.values():
        if len(rows[-1]) + len(group) > widest:
            rows.append([])
        rows[-1] += group
    return rows


def _panel(panel: Any, votes: Floats, model: Floats | None) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    panel.stairs(np.nan_to_num(votes), edges, fill=True, color=_VOTES, label="votes")
    if model is not None:
        panel.stairs(np.nan_to_num(model), edges, color=_MODEL, lw=1.1, label="model")
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=7, length=2)


def _words(panel: Any, answer: str, asked: str) -> None:
    where = {"transform": panel.transAxes, "ha": "center", "va": "top"}
    panel.text(0.5, 1.0, answer, fontsize=7.5, **where)
    panel.text(0.5, 0.88, asked, fontsize=6.5, color=_GREY, **where)


def _share_axes(axes: Any, highest: float) -> None:
    """Give all panels the same limits, room for words, and numbers below every column."""
    for panel in axes.flat:
        panel.set(xlim=(0, 1), ylim=(0, max(1.3 * highest, 0.1)), xticks=[0, 0.5, 1])
        panel.set_xticklabels(["0", "½", "1"])
        panel.locator_params(axis="y", nbins=3)
    for column in axes.T:
        lowest = [panel for panel in column if panel.get_visible()][-1]
        lowest.tick_params(labelbottom=True)
