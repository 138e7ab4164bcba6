"""The long tables of a release: one row per answer, question or map of a galaxy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from zoolens.catalog.formats.columns import column
from zoolens.catalog.release.arrays import answer_names, posteriors, saliency
from zoolens.catalog.release.columns import described
from zoolens.catalog.release.galaxies import ERROR_RATE, Block
from zoolens.catalog.release.holdings import Holdings
from zoolens.catalog.store.dictionary import COLUMNS
from zoolens.catalog.store.matrices import read_predictions
from zoolens.catalog.store.released import answers_of_tree, read_view
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import VIEWS

_NUMBERS = ("run_id", "galaxy_id")  # of the catalogue, which mean nothing outside it
_VIEWS = {view.name: view for view in VIEWS}
_OF_MAPS = "saliency_stats"
_NAMES = [described(COLUMNS["losses"][name]) for name in ("iauname", "question", "answer", "label")]


@dataclass(frozen=True)
class LongTable:
    """A table of a release beside that of the galaxies.

    row: what one row is; read: gives its rows for a block of galaxies, in their order; order:
    of the whole table, in SQL, if it is not that of the galaxies.
    """

    name: str
    row: str
    columns: pa.Schema
    read: Callable[[Block], pa.Table]
    order: str = ""


def long_tables(held: Holdings) -> list[LongTable]:
    """The tables for which there are rows."""
    # the views released as they are
    views = ["votes"] if held.votes else []
    if held.predictions:
        views += ["predictions"]
        views += ["losses", "question_losses"] if held.losses else ["question_predictions"]
    tables = [_view(name) for name in (*views, *([_OF_MAPS] if held.maps else []))]
    if held.posteriors:
        tables.append(LongTable("posteriors", "galaxy", *posteriors(_NAMES[0], held.answers)))
        tables += [_label_noise()] if held.votes else []
    if held.maps:
        tables.append(LongTable("saliency", "galaxy and answer", *saliency(_NAMES)))
    return tables


def answers_table(store: Store, weights: Mapping[str, float] | None) -> pa.Table:
    """The answers of the tree, and the factors of their losses in the ranking if there is one."""
    rows = answers_of_tree(store)
    if weights is None:
        return rows.cast(pa.schema([described(COLUMNS["answers"][n]) for n in rows.schema.names]))
    said = [*(COLUMNS["answers"][name] for name in rows.schema.names), COLUMNS["losses"]["weight"]]
    columns = pa.schema([described(column) for column in said])
    factors = [weights[label] for label in rows["label"].to_pylist()]
    table = rows.append_column("weight", pa.array(factors, pa.float64()))
    return table.cast(columns)


def _view(name: str) -> LongTable:
    """A public view, without the numbers of the catalogue."""
    view = _VIEWS[name]
    columns = pa.schema(
        [described(said) for name, said in view.columns.items() if name not in _NUMBERS]
    )

    def read(block: Block) -> pa.Table:
        return read_view(block.store, name, columns.names, block.runs, block.ids).cast(columns)

    return LongTable(name, view.row.removeprefix("run, "), columns, read)


def _label_noise() -> LongTable:
    """Every answer that somebody gave, and how far such a vote can be believed."""
    votes, losses = COLUMNS["votes"], COLUMNS["losses"]
    columns = pa.schema(
        [
            *_NAMES,
            *(described(votes[name]) for name in ("count", "total")),
            *(described(losses[name]) for name in ("observed", "predicted")),
            column(
                "vote_weight",
                pa.float32(),
                "suggested weight of one of these votes in training: the probability that it "
                "is meant, given the model and the other votes on the question, if "
                f"{100 * ERROR_RATE:g} % of all votes are errors, 0..1",
                ucd="stat.weight",
            ),
        ]
    )

    def read(block: Block) -> pa.Table:
        tree, votes, weights = block.tree, block.votes, block.vote_weights
        run = int(block.runs.predict or 0)  # there is one, or there would be no such table
        predicted, _ = read_predictions(block.store, tree, run, block.ids)
        galaxy, answer = np.nonzero(~np.isnan(weights))
        arrays = [
            block.names[galaxy],
            *answer_names(tree, answer),
            votes.counts[galaxy, answer],
            votes.totals[galaxy, tree.question_of[answer]],
            votes.observed[galaxy, answer],
            predicted[galaxy, answer],
            weights[galaxy, answer].astype(np.float32),
        ]
        return pa.Table.from_arrays([pa.array(a) for a in arrays], columns.names).cast(columns)

    row = "galaxy and answer that somebody gave, the most doubtful first"
    return LongTable("label_noise", row, columns, read, "vote_weight, iauname, label")
