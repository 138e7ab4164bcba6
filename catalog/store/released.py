"""What a release reads of a catalogue, block by block of galaxies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.store.matrices import read_matrices, read_rows
from zoolens.catalog.store.ranking import all_ranks
from zoolens.catalog.store.shown import shown
from zoolens.catalog.store.store import Store

_MAP = "on_target, centroid_offset, entropy, increase, decrease, peak_x, peak_y"
_OF_FRACTION = "on_galaxy, on_neighbours, on_sky"
# Queries for values per answer: the job whose run they read, the query, its columns.
_OF_ANSWERS = (
    (
        None,
        "SELECT v.galaxy_id, a.answer_id, v.count, v.total, v.fraction "
        "FROM votes v JOIN answer a ON a.label = v.label",
        {"count", "total", "fraction"},
    ),
    (
        "predict",
        """SELECT galaxy_id, answer_id, concentration, fraction AS pred_frac,
    fraction_sd AS sd, fraction_lo AS lo, fraction_hi AS hi, reach,
    fraction_model_sd AS model_sd
FROM prediction WHERE run_id = ?""",
        {"concentration", "pred_frac", "sd", "lo", "hi", "reach", "model_sd"},
    ),
    ("score", "SELECT galaxy_id, answer_id, ce FROM loss WHERE run_id = ?", {"ce"}),
    (
        "explain",
        f"SELECT galaxy_id, answer_id, {_MAP} FROM saliency_stat "
        "WHERE run_id = ? AND of = 'concentration'",
        {*_MAP.split(", ")},
    ),
    (
        "explain",
        f"SELECT galaxy_id, answer_id, {_OF_FRACTION} FROM saliency_stat "
        "WHERE run_id = ? AND of = 'fraction'",
        {*_OF_FRACTION.split(", ")},
    ),
)
_OF_QUESTIONS = (
    ("score", "SELECT galaxy_id, question_id, nll FROM question_loss WHERE run_id = ?", {"nll"}),
    (
        "predict",
        "SELECT galaxy_id, question_id, mutual_information FROM question_prediction "
        "WHERE run_id = ?",
        {"mutual_information"},
    ),
)
# $1 the names of what is estimated, in order, $2 the run
_OF_ESTIMATES = """SELECT galaxy_id, list_position($1, name) - 1 AS place, value AS estimate,
    value_sd AS estimate_sd, value_lo AS estimate_lo, value_hi AS estimate_hi
FROM estimate WHERE run_id = $2 ORDER BY galaxy_id, place"""
_PLACES = "(SELECT DISTINCT {number}, {by} FROM answer)"
_NO_RANKS = """SELECT galaxy_id, answer_id, 0::BIGINT AS rank, ce, weighted_ce
FROM galaxy_loss WHERE false"""
# As the view does, which looks up the prediction run for each row and takes four times as long.
_QUESTION_LOSSES = f"""SELECT l.galaxy_id, l.question_id, g.iauname, n.question,
    l.total_votes, l.nll, p.mutual_information
FROM question_loss l JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN {_PLACES.format(number="question_id", by="question")} n ON n.question_id = l.question_id
LEFT JOIN question_prediction p ON p.run_id = ? AND p.galaxy_id = l.galaxy_id
    AND p.question_id = l.question_id
WHERE l.run_id = ?"""
# The jobs whose runs a view shows, in the order of the query's parameters.
_JOBS: dict[str, tuple[str, ...]] = {
    "votes": (),
    "predictions": ("predict",),
    "losses": ("score",),
    "question_losses": ("predict", "score"),
    "question_predictions": ("predict",),
    "saliency_stats": ("explain",),
}


@dataclass(frozen=True)
class Runs:
    """The runs that a release is made from.

    predict is None if there are no predictions of votes, but estimates of a classifier or
    regressor; score if no galaxy has both votes and predictions, explain if none is explained,
    estimate if nothing is estimated. estimates: the names of what is.
    """

    predict: int | None
    score: int | None
    explain: int | None
    estimate: int | None = None
    estimates: tuple[str, ...] = ()

    @property
    def numbers(self) -> list[int]:
        """Of all that there are."""
        each = (self.predict, self.score, self.explain, self.estimate)
        return [run for run in each if run is not None]


def newest_explain_run(store: Store, predict_run: int | None) -> int | None:
    """The newest complete run that explains the predictions of a run."""
    run_id: int | None = store.value(
        "SELECT max_by(run_id, asked_at) FROM run WHERE job = 'explain' AND status = 'complete' "
        "AND CAST(json_extract(config, '$.predict_run') AS INTEGER) = ?",
        [predict_run],
    )
    return run_id


def ledger_of(store: Store, runs: Runs) -> list[dict[str, Any]]:
    """Complete runs that a release has data of, oldest first, each as a row of `runs`.

    These are all ingests, all tables of own columns, the newest training, and `runs`; their
    `config` is parsed.
    """
    rows = store.arrow(
        "SELECT run_id, job, started_at, finished_at, config, model_sha256, code_version "
        "FROM run WHERE status = 'complete' AND (job IN ('ingest', 'keep') "
        "OR list_contains($1, run_id) "
        f"OR run_id = ({shown('train')})) ORDER BY run_id",
        [runs.numbers],
    ).to_pylist()
    return [
        {**row, "config": store.facts(row["config"], f"the settings of run {row['run_id']}")}
        for row in rows
    ]


def ledger_state(store: Store) -> tuple[Any, ...]:
    """Changes whenever something is committed, or another run asked for."""
    (state,) = store.rows(
        "SELECT count(*), max(committed_at), (SELECT count(*) FROM run), "
        "(SELECT max(asked_at) FROM run), (SELECT max(finished_at) FROM run) FROM shard"
    )
    return state


def votes_are_whole(store: Store) -> bool:
    """Whether no vote is fractional."""
    sql = "SELECT bool_and(count = floor(count) AND total = floor(total)) FROM vote"
    return bool(store.value(sql))


def galaxy_without_position(store: Store) -> str | None:
    """The first galaxy by name that has no position; None if all have one."""
    name: str | None = store.value(
        "SELECT min(iauname) FROM galaxies WHERE ra IS NULL OR dec IS NULL"
    )
    return name


def galaxy_facts(
    store: Store, min_votes: float, rows: int, *, ranked: bool = True
) -> pa.RecordBatchReader:
    """Columns of galaxies that belong to no answer or question, `rows` rows at a time.

    min_votes: only galaxies with a question that so many volunteers were asked; ranks are
    those of `catalog.store.ranking.all_ranks`, and NULL unless `ranked`.
    """
    ranks, asked = all_ranks(store, min_votes=min_votes) if ranked else (_NO_RANKS, [])
    voted = f"""SEMI JOIN (SELECT galaxy_id FROM votes WHERE total >= {float(min_votes)}) v
    ON v.galaxy_id = g.galaxy_id"""
    sql = f"""SELECT g.galaxy_id, g.iauname, g.ra, g.dec, g.split, r.rank,
    a.label AS worst_answer, r.answer_id, r.weighted_ce AS worst_weighted_ce, r.ce AS worst_ce
FROM galaxies g LEFT JOIN ({ranks}) r ON r.galaxy_id = g.galaxy_id
LEFT JOIN answer a ON a.answer_id = r.answer_id
{voted if min_votes > 0 else ""} ORDER BY g.galaxy_id"""
    return store.batches(sql, asked, rows)


def sorted_rows(store: Store, parquet: str, order: str, rows: int) -> pa.RecordBatchReader:
    """The rows of a Parquet file sorted by `order`, on disk if they do not fit in memory."""
    return store.batches(f"SELECT * FROM read_parquet(?) ORDER BY {order}", [parquet], rows)


def read_images_sha256(store: Store, galaxy_id: Ids) -> pa.Table:
    """Columns galaxy_id and image_sha256 of galaxies (N,), ascending."""
    return read_rows(store, "SELECT galaxy_id, image_sha256 FROM galaxies", galaxy_id)


def read_values(
    store: Store, tree: DecisionTree, runs: Runs, galaxy_id: Ids, wanted: set[str]
) -> dict[str, Floats]:
    """The `wanted` columns as matrices, NaN where missing.

    They are (N, A), or per question (N, Q), or per class that is estimated (N, L).
    """
    found: dict[str, Floats] = {}
    for queries, width in ((_OF_ANSWERS, len(tree.labels)), (_OF_QUESTIONS, len(tree.questions))):
        for job, sql, columns in queries:
            if wanted & columns:
                run = () if job is None else (getattr(runs, job),)
                found |= read_matrices(store, sql, galaxy_id, width, *run)
    if any(name.startswith("estimate") for name in wanted):
        given = ([*runs.estimates], runs.estimate)
        found |= read_matrices(store, _OF_ESTIMATES, galaxy_id, len(runs.estimates), *given)
    return found


def read_view(
    store: Store, name: str, columns: Sequence[str], runs: Runs, galaxy_id: Ids
) -> pa.Table:
    """Rows of a public view about galaxies (N,), ascending, in order of galaxy and answer."""
    by_question = name in ("question_losses", "question_predictions")
    number, by = ("question_id", "question") if by_question else ("answer_id", "label")
    listed = ", ".join(f"x.{column}" for column in columns)
    jobs = _JOBS[name]
    source, one_run = (f"history.{name}", "WHERE x.run_id = ?") if jobs else (name, "")
    sql = (
        f"SELECT x.galaxy_id, n.{number}, {listed} FROM {source} x "
        f"JOIN {_PLACES.format(number=number, by=by)} n USING ({by}) {one_run}"
    )
    if name == "question_losses":
        sql = _QUESTION_LOSSES
    rows = read_rows(store, sql, galaxy_id, *(getattr(runs, job) for job in jobs))
    keys = ["galaxy_id", number, *(["of"] if "of" in columns else [])]
    ordered = rows.sort_by([(key, "ascending") for key in keys])
    return ordered.select(columns)


def has_posteriors(store: Store, predict_run: int | None) -> bool:
    """Whether a run of predictions has dropout samples."""
    sql = "SELECT 1 FROM posterior WHERE run_id = ? LIMIT 1"
    return store.value(sql, [predict_run]) is not None


def answers_of_tree(store: Store) -> pa.Table:
    """Columns question, answer, label, asked_after, in tree order."""
    return store.arrow(
        "SELECT question, answer, label, asked_after FROM answers ORDER BY answer_id"
    )
