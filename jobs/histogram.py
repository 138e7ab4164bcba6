"""`histogram`: distributions of the vote fractions, and which answers deserve weight."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from matplotlib.figure import Figure

from catalog.fractions import (
    Floats,
    compared_galaxies,
    read_predictions,
    read_votes,
    voted_galaxies,
)
from catalog.histograms import balance, histogram_figure
from catalog.paths import histogram_path
from catalog.store import Store
from catalog.weights import PAPER_LABELS
from catalog.whole_files import make_folder, replacing

_METADATA = {"pdf": {"CreationDate": None}, "png": {}}  # the same votes, the same file


@dataclass(frozen=True)
class HistogramReport:
    """The files drawn, and how many galaxies have votes."""

    figures: tuple[Path, ...]
    galaxies: int


def histogram(catalog: Path, out: Path, *, predicted: bool = False) -> HistogramReport:
    """Draw figures 5 (the paper's emphasised answers) and 6 (all answers) into `out`.

    Each as PNG and PDF. predicted: also the newest predicted fractions. The folder is
    made where there is none. Raises `CatalogError` where it cannot be written.
    """
    with Store.open(catalog, read_only=True) as store:
        tree = store.tree
        observed = _observed(store)
        fractions = None
        if predicted:
            run = store.newest_run("predict")
            fractions, _ = read_predictions(store, tree, run, compared_galaxies(store, run))
    emphasised = [label for label in PAPER_LABELS if label in tree.labels]
    drawn: list[Path] = []
    for name, labels in (("emphasised", emphasised), ("all", list(tree.labels))):
        if not labels:
            continue  # a tree that shares no answer with the paper's list
        figure = histogram_figure(tree, labels, observed, fractions)
        drawn += [_save(figure, histogram_path(out, name, form)) for form in _METADATA]
    return HistogramReport(tuple(drawn), len(observed))


def _save(figure: Figure, path: Path) -> Path:
    form = path.suffix.removeprefix(".")
    make_folder(path.parent)
    with replacing(path) as part:
        figure.savefig(part, format=form, dpi=200, metadata=_METADATA[form])
    return path


def suggest(catalog: Path) -> pa.Table:
    """Every answer and how balanced its vote fractions are, the most even first.

    Columns label, galaxies, evenness, extreme_share (see `catalog.histograms.Balance`),
    suggested, and in_paper: whether it is among the paper's emphasised answers.
    """
    with Store.open(catalog, read_only=True) as store:
        tree = store.tree
        measured = balance(_observed(store))
    table = pa.table(
        {
            "label": list(tree.labels),
            "galaxies": measured.galaxies,
            "evenness": pa.array(measured.evenness, from_pandas=True),
            "extreme_share": pa.array(measured.extreme, from_pandas=True),
            "suggested": measured.suggested,
            "in_paper": [label in PAPER_LABELS for label in tree.labels],
        }
    )
    return table.sort_by([("evenness", "descending"), ("label", "ascending")])


def _observed(store: Store) -> Floats:
    return read_votes(store, store.tree, voted_galaxies(store)).observed
