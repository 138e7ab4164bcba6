"""Some galaxies of a catalogue in another one: their rows as they show."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.shown import newest, valid
from zoolens.catalog.store.store import Store

_WITHIN = ("answer_id", "question_id")  # a galaxy
_JOBS = ("ingest", "train", "predict", "score", "explain")
_COMPLETE = "SEMI JOIN (FROM run WHERE status = 'complete') r ON r.run_id = t.run_id"
_INGESTED = {
    "galaxy": f"SELECT t.* FROM galaxy t {_COMPLETE}",
    "image": f"""SELECT t.* FROM image t {_COMPLETE}
ANTI JOIN superseded_image s ON s.run_id = t.run_id AND s.galaxy_id = t.galaxy_id""",
    "vote": f"""SELECT t.* FROM vote t JOIN answer a ON a.answer_id = t.answer_id {_COMPLETE}
ANTI JOIN superseded s ON s.run_id = t.run_id AND s.galaxy_id = t.galaxy_id
    AND s.question_id = a.question_id""",
}
_MADE = {
    "train": ("split",),
    "predict": ("prediction", "question_prediction", "posterior"),
    "score": ("loss", "galaxy_loss", "question_loss"),
    "explain": ("saliency_map", "saliency_stat"),
}


def begin_excerpt(store: Store, source: Store) -> dict[str, int]:
    """Give a new catalogue the tree and the runs of another; the runs that show, by job."""
    with store.transaction():
        for table, which in (("answer", ""), ("run", ""), ("setting", "WHERE name = 'tree'")):
            store.insert(table, source.arrow(f"SELECT * FROM {table} {which}"))
    return _shown(source)


def rows_of(
    source: Store, galaxies: Ids, numbers: Ids, runs: Mapping[str, int]
) -> dict[str, pa.Table]:
    """What a catalogue shows of galaxies (N,), ascending, by table.

    numbers: of all galaxies that the other catalogue will have, ascending; they are numbered by
    their places, from 1. runs: of the other catalogue, by job, for the rows that show here.
    """
    own = _shown(source)
    tables = {name: (sql, "ingest") for name, sql in _INGESTED.items()}
    for job, made in _MADE.items():
        if job in own and job in runs:
            some = f"WHERE run_id = {own[job]}"
            tables |= {name: (f"SELECT * FROM {valid(name)} {some}", job) for name in made}
    found = {}
    for name, (sql, job) in tables.items():
        rows = read_rows(source, sql, galaxies)
        place = np.searchsorted(numbers, rows["galaxy_id"].to_numpy()) + 1
        rows = _with(rows, "galaxy_id", pa.array(place, pa.int64()))
        found[name] = _with(rows, "run_id", pa.array([runs[job]] * len(rows), pa.int32()))
    return found


def insert_rows(store: Store, parts: Sequence[Mapping[str, pa.Table]]) -> None:
    """Insert the rows of several catalogues, in the order of galaxies."""
    for name in dict.fromkeys(name for part in parts for name in part):
        rows = pa.concat_tables([part[name] for part in parts if name in part])
        keys = [key for key in ("galaxy_id", *_WITHIN) if key in rows.column_names]
        store.insert(name, rows.sort_by([(key, "ascending") for key in keys]))


def _with(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, values)


def _shown(store: Store) -> dict[str, int]:
    found = {job: store.shown_run(job) for job in _JOBS[1:]}
    shown = {job: run.run_id for job, run in found.items() if run is not None}
    return {"ingest": int(store.value(newest("ingest"))), **shown}
