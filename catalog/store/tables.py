"""The tables of a catalogue, as SQLAlchemy Core.

Append-only, without primary or foreign keys: keys make bulk loading five to ten
times slower, so `zoolens verify` checks uniqueness and orphans by query instead.
Rows are in galaxy order, and every result row names the run that made it. The migrations
build the same tables from frozen text; a test compares the two.
"""

from functools import cache
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Float,
    Integer,
    LargeBinary,
    String,
)

from zoolens.catalog.store import estimate_tables, own_tables  # noqa: F401 (they declare theirs)
from zoolens.catalog.store.declaring import key as _key
from zoolens.catalog.store.declaring import maps as _maps
from zoolens.catalog.store.declaring import metadata as metadata
from zoolens.catalog.store.declaring import statistics as _statistics
from zoolens.catalog.store.declaring import table as _table

# Facts about the catalogue as a whole, such as its decision tree.
setting = _table("setting", _key("name", String), _key("value", String))

run = _table(
    "run",
    _key("run_id"),
    _key("job", String),
    _key("fingerprint", String),  # of job, config, model and code: the same work is the same run
    _key("status", String),  # running | complete
    _key("started_at", DateTime),
    Column("finished_at", DateTime),
    _key("config", String),  # JSON
    Column("model_sha256", String),
    _key("code_version", String),
    # when the work was last asked for; views show the complete run with the latest
    Column("asked_at", DateTime),
)
# One row per committed piece of work, written in the same transaction.
shard = _table(
    "shard",
    _key("run_id"),
    _key("name", String),
    _key("rows", BigInteger),
    _key("committed_at", DateTime),
)

answer = _table(
    "answer",
    _key("answer_id"),
    _key("question_id"),
    _key("question", String),
    _key("answer", String),
    _key("label", String),
    _key("asked_after", String),  # labels, comma-separated; empty for a first question
)
galaxy = _table(
    "galaxy",
    _key("galaxy_id", BigInteger),
    _key("iauname", String),
    Column("ra", Double),
    Column("dec", Double),
    _key("run_id"),
)
image = _table(
    "image",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("source", String),  # a file, or the shard or table that holds it
    Column("member", String),  # name in the tar, row in the Parquet file
    _key("format", String),
    _key("height"),
    _key("width"),
    _key("sha256", String),  # of the encoded bytes
)
vote = _table(
    "vote",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("answer_id"),
    _key("count", Double),
    # of the question, answers outside the tree included
    _key("total", Double),
    # TRUE where some gave the question an answer outside the tree: it is not the tree's question
    Column("other_answers", Boolean),
)
# Votes that a later ingest of the same galaxy and question replaced.
superseded = _table(
    "superseded", _key("run_id"), _key("galaxy_id", BigInteger), _key("question_id")
)
# Images that a later ingest of the same galaxy replaced.
superseded_image = _table("superseded_image", _key("run_id"), _key("galaxy_id", BigInteger))
# Rows of runs that were made from votes or an image which an ingest replaced since.
outdated = _table(
    "outdated",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    Column("image_sha256", String),  # of the image that the rows were made from; NULL: of votes
)
reject = _table(
    "reject",
    _key("run_id"),
    _key("source", String),
    Column("row", BigInteger),  # in the file, the first data row being 1
    Column("key", String),  # the identifier, column or image it is about
    _key("reason", String),
    Column("kind", String),  # one of `catalog.store.kinds`
)

prediction = _table(
    "prediction",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("answer_id"),
    Column("concentration", Float),
    Column("fraction", Double),
    Column("fraction_sd", Float),
    Column("fraction_lo", Float),
    Column("fraction_hi", Float),
    Column("reach", Float),
    # over the models of an ensemble; NULL of a single one
    Column("fraction_model_sd", Float),
)
# The posterior itself: T samples of A concentrations, float32, row-major.
posterior = _table(
    "posterior",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("samples"),
    _key("answers"),
    _key("concentrations", LargeBinary),
)
question_prediction = _table(
    "question_prediction",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("question_id"),
    Column("mutual_information", Double),
)

# Which galaxies a training used for what: train, validation or test.
split = _table("split", _key("run_id"), _key("galaxy_id", BigInteger), _key("split", String))

loss = _table(
    "loss",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("answer_id"),
    Column("observed", Double),
    Column("predicted", Double),
    Column("ce", Double),
    _key("weight", Double),
    Column("weighted_ce", Double),
    Column("reach_weighted_ce", Double),
    _key("total_votes", Double),
)
# The row of `loss` with the largest weighted_ce of each galaxy that has one, so that a ranking
# need not look at all rows.
galaxy_loss = _table(
    "galaxy_loss",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("answer_id"),
    Column("observed", Double),
    Column("predicted", Double),
    Column("ce", Double),
    _key("weighted_ce", Double),
    _key("total_votes", Double),
)
question_loss = _table(
    "question_loss",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("question_id"),
    Column("nll", Double),
    _key("total_votes", Double),
)

saliency_map = _table(
    "saliency_map",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("question_id"),
    _key("answers"),
    *_maps(),
)
saliency_stat = _table(
    "saliency_stat",
    _key("run_id"),
    _key("galaxy_id", BigInteger),
    _key("answer_id"),
    *_statistics(),
    _key("of", String),  # what the map is of: concentration | fraction
    # what a fraction's map explains: the fraction less that without what the image shows
    Column("predicted", Double),
    Column("baseline", Double),
)

# What an evaluation measured; see the view `evaluations` and `catalog.evaluation.measures`.
evaluation = _table(
    "evaluation",
    _key("run_id"),
    _key("topic", String),
    _key("measure", String),
    Column("value", Double),
    _key("galaxies", BigInteger),
    Column("lo", Double),
    Column("hi", Double),
    Column("question", String),
    Column("label", String),
    Column("method", String),
    Column("level", Double),
    Column("chance", Double),
)


_ARROW = {
    Boolean: pa.bool_(),
    Integer: pa.int32(),
    BigInteger: pa.int64(),
    Float: pa.float32(),
    Double: pa.float64(),
    String: pa.string(),
    LargeBinary: pa.binary(),
    DateTime: pa.timestamp("us"),
}


def _arrow(kind: Any) -> pa.DataType:
    return pa.list_(_arrow(kind.item_type)) if isinstance(kind, ARRAY) else _ARROW[type(kind)]


@cache
def arrow_schema(name: str) -> pa.Schema:
    """The columns of a table as Arrow, without `run_id`, which `Store.commit` adds."""
    return pa.schema(
        [
            pa.field(column.name, _arrow(column.type))
            for column in metadata.tables[name].columns
            if column.name != "run_id"
        ]
    )


def checked(name: str, rows: pa.Table) -> pa.Table:
    """Rows of a table, checked to have its columns, in any order; nullable ones may be absent.

    Raises `ValueError` if a column is missing or unknown.
    """
    declared = {field.name: field.type for field in arrow_schema(name)}
    needed = {column.name for column in metadata.tables[name].c if not column.nullable}
    given = {field.name: field.type for field in rows.schema}
    if not given.items() <= declared.items() or not needed - {"run_id"} <= given.keys():
        raise ValueError(f"rows of {name} have the columns {given}, not {declared}")
    return rows


def unsound(name: str, rows: pa.Table) -> str | None:
    """What is wrong with rows that came from elsewhere; None if a catalogue can take them."""
    columns = [column for column in metadata.tables[name].c if column.name != "run_id"]
    declared = {field.name: field.type for field in arrow_schema(name)}
    if len(rows.column_names) != len(columns) or dict(
        zip(rows.column_names, rows.schema.types, strict=True)
    ) != {column.name: declared[column.name] for column in columns}:
        return f"it has other columns of {name}"
    for column in columns:
        if not column.nullable and rows[column.name].null_count:
            return f"rows of {name} lack {column.name}"
    return None
