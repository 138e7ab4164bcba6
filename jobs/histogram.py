"""`histogram`: distributions of the vote fractions, and which answers deserve weight."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.output.figures import save
from zoolens.catalog.output.notebook import figure as figure_of
from zoolens.catalog.paths import histogram_stem
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.scoring.histograms import Counts, balance, count, histogram_figure
from zoolens.catalog.scoring.weights import in_paper
from zoolens.catalog.store.matrices import (
    compared_galaxies,
    read_predictions,
    read_votes,
    voted_galaxies,
)
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.asking import ask_each
from zoolens.catalog.survey.folder import is_survey

_DPI = 200
_READ = 2**14  # galaxies whose fractions are in memory at a time


@dataclass(frozen=True)
class HistogramReport:
    """What `histogram` drew. figures: the files, PNG and PDF; galaxies: how many have votes."""

    figures: tuple[Path, ...]
    galaxies: int

    def _repr_html_(self) -> str:
        drawn = [file for file in self.figures if file.suffix == ".png"]
        return "".join(figure_of(file, file.stem) for file in drawn)


def histogram(
    catalog: Path, out: Path, *, predicted: bool = False, min_votes: float = 0
) -> HistogramReport:
    """Draw figures 5 (the paper's emphasised answers) and 6 (all answers) into `out`.

    Each as PNG and PDF. predicted: also the newest predicted fractions. The folder is
    created if absent. min_votes: only questions asked of so many volunteers.
    Raises `CatalogError` if the folder cannot be written.
    """
    counted = _count(catalog, min_votes, predicted=predicted)
    tree, observed, fractions = counted.tree, counted.observed, counted.predicted
    emphasised = in_paper(tree)
    make_folder(out)
    drawn: list[Path] = []
    for name, labels in (("emphasised", emphasised), ("all", list(tree.labels))):
        if not labels:
            continue  # a tree that shares no answer with the paper's list
        figure = histogram_figure(tree, labels, observed, fractions)
        drawn += sorted(save(figure, histogram_stem(out, name), dpi=_DPI))
    return HistogramReport(tuple(drawn), counted.galaxies)


def suggest(catalog: Path, *, min_votes: float = 0) -> pa.Table:
    """Every answer and how balanced its vote fractions are, the most even first.

    Columns label, galaxies, evenness, extreme_share (see `catalog.scoring.histograms.Balance`),
    suggested, and in_paper: whether it is among the paper's emphasised answers.
    min_votes: a fraction of fewer votes does not count.
    """
    counted = _count(catalog, min_votes)
    tree, measured = counted.tree, balance(counted.observed)
    table = pa.table(
        {
            "label": list(tree.labels),
            "galaxies": measured.galaxies,
            "evenness": pa.array(measured.evenness, from_pandas=True),
            "extreme_share": pa.array(measured.extreme, from_pandas=True),
            "suggested": measured.suggested,
            "in_paper": [label in in_paper(tree) for label in tree.labels],
        }
    )
    return table.sort_by([("evenness", "descending"), ("label", "ascending")])


@dataclass(frozen=True)
class _Counted:
    """How fractions are distributed; galaxies: how many have votes."""

    tree: DecisionTree
    galaxies: int
    observed: Counts
    predicted: Counts | None

    def __add__(self, other: "_Counted") -> "_Counted":
        both = None
        if self.predicted is not None and other.predicted is not None:
            both = self.predicted + other.predicted
        galaxies = self.galaxies + other.galaxies
        return _Counted(self.tree, galaxies, self.observed + other.observed, both)


def _count(catalog: Path, min_votes: float, *, predicted: bool = False) -> _Counted:
    """Of a catalogue, or of all pieces of a survey."""
    count_one = partial(_count_one, min_votes=min_votes, predicted=predicted)
    if is_survey(catalog):
        jobs = ("predict",) if predicted else ()
        return reduce(add, ask_each(catalog, count_one, *jobs))
    with Store.look(catalog) as store:
        if predicted:
            warn_of(store, "predict")
        return count_one(store)


def _count_one(store: Store, *, min_votes: float, predicted: bool) -> _Counted:
    store.needs_votes("a histogram of vote fractions")
    tree, voted = store.tree, voted_galaxies(store)
    observed = count(np.empty((0, len(tree.labels))))
    for ids in _blocks(voted):
        votes = read_votes(store, tree, ids)
        asked = votes.totals[:, tree.question_of] >= min_votes
        observed += count(np.where(asked, votes.observed, np.nan))
    fractions = None
    if predicted:
        run = store.newest_run("predict")
        fractions = np.zeros_like(observed)
        for ids in _blocks(compared_galaxies(store, run)):
            fractions += count(read_predictions(store, tree, run, ids)[0])
    return _Counted(tree, len(voted), observed, fractions)


def _blocks(galaxy_id: Ids) -> Iterator[Ids]:
    return (galaxy_id[start : start + _READ] for start in range(0, len(galaxy_id), _READ))
