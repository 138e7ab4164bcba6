"""The long tables of a release: a row an answer, a question or a map of a galaxy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from zoolens.catalog.formats.columns import column
from zoolens.catalog.release.arrays import answer_names, posteriors, saliency
from zoolens.catalog.release.galaxies import ERROR_RATE, Block, Runs
from zoolens.catalog.store.matrices import read_predictions, read_rows
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import VIEWS, PublicView

_NUMBERS = ("run_id", "galaxy_id")  # of the catalogue, which mean nothing outside it
_VIEWS = {view.name: view for view in VIEWS}
# the views released as they are, by what numbers a galaxy's rows
_OF_ANSWERS = {"votes": "answer_id", "predictions": "answer_id", "losses": "answer_id"}
_OF_MAPS = {"saliency_stats": "answer_id"}
_OF_QUESTIONS = {"question_losses": "question_id"}
# whose runs their rows are of, in the order of the query's parameters
_JOBS = {
    "votes": (),
    "predictions": ("predict",),
    "losses": ("score",),
    "question_losses": ("predict", "score"),
    "saliency_stats": ("explain",),
}
_PLACES = "(SELECT DISTINCT {number}, {by} FROM answer)"
# as the view, which looks the prediction run up in each row: four times as long
_QUESTION_LOSSES = f"""SELECT l.galaxy_id, l.question_id, g.iauname, n.question,
    l.total_votes, l.nll, p.mutual_information
FROM question_loss l JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN {_PLACES.format(number="question_id", by="question")} n ON n.question_id = l.question_id
LEFT JOIN question_prediction p ON p.run_id = ? AND p.galaxy_id = l.galaxy_id
    AND p.question_id = l.question_id
WHERE l.run_id = ?"""


def _described(view: PublicView, field: pa.Field) -> pa.Field:
    """A column as the view's dictionary describes it."""
    said = view.columns[field.name]
    return column(field.name, field.type, said.description, unit=said.unit, ucd=said.ucd)


_NAMES = [
    _described(_VIEWS["losses"], pa.field(name, pa.string()))
    for name in ("iauname", "question", "answer", "label")
]


@dataclass(frozen=True)
class LongTable:
    """A table of a release beside that of the galaxies.

    row: what one row is; read: its rows about a block of galaxies, in their order; order:
    that of the whole table, in SQL, where it is not the galaxies'.
    """

    name: str
    row: str
    columns: pa.Schema
    read: Callable[[Block], pa.Table]
    order: str = ""


def long_tables(store: Store, runs: Runs) -> list[LongTable]:
    """The tables that a catalogue has something for."""
    tree = store.tree
    views = _OF_ANSWERS | _OF_QUESTIONS | (_OF_MAPS if runs.explain is not None else {})
    tables = [_view(store, name, number) for name, number in views.items()]
    if store.value("SELECT 1 FROM posterior WHERE run_id = ? LIMIT 1", [runs.predict]):
        tables.append(LongTable("posteriors", "galaxy", *posteriors(_NAMES[0], tree)))
        tables.append(_label_noise())
    if runs.explain is not None:
        tables.append(LongTable("saliency", "galaxy and answer", *saliency(_NAMES)))
    return tables


def answers_table(store: Store, runs: Runs) -> pa.Table:
    """The answers of the tree, and the factors of their losses in the ranking."""
    weights = store.run(runs.score).config["weights"]
    rows = store.arrow(
        "SELECT question, answer, label, asked_after FROM answers ORDER BY answer_id"
    )
    weight = _described(_VIEWS["losses"], pa.field("weight", pa.float64()))
    columns = pa.schema([*(_described(_VIEWS["answers"], field) for field in rows.schema), weight])
    factors = [weights[label] for label in rows["label"].to_pylist()]
    table = rows.append_column("weight", pa.array(factors, pa.float64()))
    return table.cast(columns)


def _view(store: Store, name: str, number: str) -> LongTable:
    """A public view, without the numbers of the catalogue."""
    view = _VIEWS[name]
    shown = [column for column in view.columns if column not in _NUMBERS]
    kinds = store.arrow(f"SELECT {', '.join(shown)} FROM {name} LIMIT 0").schema
    columns = pa.schema([_described(view, kinds.field(kept)) for kept in shown])
    by = "label" if number == "answer_id" else "question"
    listed = ", ".join(f"x.{kept}" for kept in shown)
    jobs = _JOBS[name]
    source, one_run = (f"history.{name}", "WHERE x.run_id = ?") if jobs else (name, "")
    sql = (
        f"SELECT x.galaxy_id, n.{number}, {listed} FROM {source} x "
        f"JOIN {_PLACES.format(number=number, by=by)} n USING ({by}) {one_run}"
    )
    if name == "question_losses":
        sql = _QUESTION_LOSSES

    def read(block: Block) -> pa.Table:
        runs = [getattr(block.runs, job) for job in jobs]
        rows = read_rows(block.store, sql, block.ids, *runs)
        ordered = rows.sort_by([("galaxy_id", "ascending"), (number, "ascending")])
        return ordered.select(shown).cast(columns)

    return LongTable(name, view.row.removeprefix("run, "), columns, read)


def _label_noise() -> LongTable:
    """Every answer that somebody gave, and how far such a vote is to be believed."""
    f64, f32 = pa.float64(), pa.float32()
    votes, losses = _VIEWS["votes"], _VIEWS["losses"]
    columns = pa.schema(
        [
            *_NAMES,
            *(_described(votes, pa.field(name, f64)) for name in ("count", "total")),
            *(_described(losses, pa.field(name, f64)) for name in ("observed", "predicted")),
            column(
                "vote_weight",
                f32,
                "suggested weight of one of these votes in training: the probability that it "
                "is meant, given the model and the other votes on the question, if "
                f"{100 * ERROR_RATE:g} % of all votes are errors, 0..1",
                ucd="stat.weight",
            ),
        ]
    )

    def read(block: Block) -> pa.Table:
        tree, votes, weights = block.tree, block.votes, block.vote_weights
        predicted, _ = read_predictions(block.store, tree, block.runs.predict, block.ids)
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
