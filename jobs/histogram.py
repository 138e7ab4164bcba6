"""`histogram`: distributions of the vote fractions, and which answers deserve weight."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.output.figures import save
from zoolens.catalog.paths import histogram_stem
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.scoring.histograms import balance, histogram_figure
from zoolens.catalog.scoring.weights import in_paper
from zoolens.catalog.store.matrices import (
    compared_galaxies,
    read_predictions,
    read_votes,
    voted_galaxies,
)
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.store import Store

_DPI = 200


@dataclass(frozen=True)
class HistogramReport:
    """The files drawn, and how many galaxies have votes."""

    figures: tuple[Path, ...]
    galaxies: int


def histogram(
    catalog: Path, out: Path, *, predicted: bool = False, min_votes: float = 0
) -> HistogramReport:
    """Draw figures 5 (the paper's emphasised answers) and 6 (all answers) into `out`.

    Each as PNG and PDF. predicted: also the newest predicted fractions. The folder is
    created if absent. min_votes: only questions asked of so many volunteers.
    Raises `CatalogError` if the folder cannot be written.
    """
    with Store.look(catalog) as store:
        store.needs_votes("a histogram of vote fractions")
        tree = store.tree
        observed = _observed(store, min_votes)
        fractions = None
        if predicted:
            warn_of(store, "predict")
            run = store.newest_run("predict")
            fractions, _ = read_predictions(store, tree, run, compared_galaxies(store, run))
    emphasised = in_paper(tree)
    make_folder(out)
    drawn: list[Path] = []
    for name, labels in (("emphasised", emphasised), ("all", list(tree.labels))):
        if not labels:
            continue  # a tree that shares no answer with the paper's list
        figure = histogram_figure(tree, labels, observed, fractions)
        drawn += sorted(save(figure, histogram_stem(out, name), dpi=_DPI))
    return HistogramReport(tuple(drawn), len(observed))


def suggest(catalog: Path, *, min_votes: float = 0) -> pa.Table:
    """Every answer and how balanced its vote fractions are, the most even first.

    Columns label, galaxies, evenness, extreme_share (see `catalog.scoring.histograms.Balance`),
    suggested, and in_paper: whether it is among the paper's emphasised answers.
    min_votes: a fraction of fewer votes does not count.
    """
    with Store.look(catalog) as store:
        store.needs_votes("a histogram of vote fractions")
        tree = store.tree
        measured = balance(_observed(store, min_votes))
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


def _observed(store: Store, min_votes: float) -> Floats:
    votes = read_votes(store, store.tree, voted_galaxies(store))
    asked = votes.totals[:, store.tree.question_of] >= min_votes
    return np.where(asked, votes.observed, np.nan)
