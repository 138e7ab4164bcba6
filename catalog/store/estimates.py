"""The ranking of estimates: galaxies by how far a classifier or regressor is from their labels."""

from collections.abc import Sequence

import pyarrow as pa

from zoolens.catalog.errors import CatalogError, UnknownName, few, nearest, tell
from zoolens.catalog.store.row_filter import galaxies_where
from zoolens.catalog.store.shown import valid
from zoolens.catalog.store.store import Run, Store

# By what a model's outputs are: how galaxies can be ranked, the first unless another is asked for.
_BY = {"probability": ("ce",), "value": ("error", "deviation"), "share": ("error", "deviation")}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "BOOLEAN")

# $1 the run, $2 the names of its classes: the label of each galaxy as a class, from 0 on
_CLASSES = """SELECT l.galaxy_id, l.label, c.place FROM ({labels}) l
JOIN (SELECT unnest($2) AS name, generate_subscripts($2, 1) - 1 AS place) c ON {same}"""
_CROSS_ENTROPIES = """SELECT row_number() OVER (ORDER BY ce DESC, iauname) AS rank, * FROM (
    SELECT g.iauname, any_value(CAST($2[l.place + 1] AS VARCHAR)) AS label,
        max_by(e.name, e.value) AS estimated, max(e.value) AS probability,
        any_value(e.value) FILTER (e.name = $2[l.place + 1]) AS of_label,
        CASE WHEN of_label > 0 THEN -ln(of_label) ELSE 'inf'::DOUBLE END AS ce
    FROM {estimate} e JOIN ({classes}) l ON l.galaxy_id = e.galaxy_id
    JOIN galaxy g ON g.galaxy_id = e.galaxy_id WHERE e.run_id = $1 GROUP BY g.iauname
) ORDER BY rank LIMIT {limit}"""
_ERRORS = """SELECT row_number() OVER (ORDER BY {by} DESC NULLS LAST, iauname) AS rank, * FROM (
    SELECT g.iauname, CAST(l.label AS DOUBLE) AS label, e.value, e.value_sd,
        abs(e.value - label) AS error, error / nullif(e.value_sd, 0) AS deviation
    FROM {estimate} e JOIN ({labels}) l ON l.galaxy_id = e.galaxy_id
    JOIN galaxy g ON g.galaxy_id = e.galaxy_id WHERE e.run_id = $1 AND isfinite(label)
) WHERE {by} IS NOT NULL ORDER BY rank LIMIT {limit}"""


def rank_estimates(
    store: Store, against: str, limit: int, *, by: str | None = None, where: str | None = None
) -> pa.Table:
    """The `limit` galaxies whose estimates are furthest from their labels, worst first.

    against: a column of the view `own`, the labels. A classifier's are the names of its classes, or
    their numbers from 0 on, as Zoobot is trained with; galaxies rank by the cross-entropy
    -ln p, nat, 0 or more, p the estimated probability of the label (inf where it is 0). Columns
    rank, iauname, label, estimated (the most probable class), probability (its), of_label, ce. A
    regressor's are numbers; galaxies rank by error, |value - label| in the labels' units, or by
    deviation, error / value_sd: how many standard deviations of the dropout samples. Columns rank,
    iauname, label, value, value_sd, error, deviation. where: only galaxies of this condition
    (`catalog.store.row_filter`).

    Warns (`Told`) of labels that are no class. Raises `UnknownName` for a column that is not there,
    `CatalogError` if there are no estimates, labels of the wrong type, or no such ranking.
    """
    run = store.shown_run("estimate")
    if run is None:
        raise CatalogError(
            f"{store.path} has no estimates; do first: zoolens predict --model CHECKPOINT, of a "
            "classifier or regressor"
        )
    if limit < 1:
        raise CatalogError("the limit must be 1 or more")
    output = str(run.config["output"])
    by = by or _BY[output][0]
    if by not in _BY[output]:
        raise CatalogError(f"no ranking by {by!r}; choose one of {', '.join(_BY[output])}")
    kind = _type_of(store, against)
    quoted = '"' + against.replace('"', '""') + '"'
    labels = f"SELECT galaxy_id, {quoted} AS label FROM own WHERE {quoted} IS NOT NULL"
    if where is not None:
        labels += f" AND galaxy_id IN {galaxies_where(store, where)}"
    if output == "probability":
        return _of_classes(store, run, labels, kind, limit)
    if kind not in _NUMBERS:
        raise CatalogError(f"{against} holds {kind} and no numbers, which a regressor estimates")
    sql = _ERRORS.format(by=by, estimate=valid("estimate"), labels=labels, limit=limit)
    return store.arrow(sql, [run.run_id])


def _of_classes(store: Store, run: Run, labels: str, kind: str, limit: int) -> pa.Table:
    names = list(run.config["names"])
    same = "CAST(l.label AS DOUBLE) = c.place" if kind in _NUMBERS else "l.label = c.name"
    classes = _CLASSES.format(labels=labels, same=same)
    _tell_of_others(store, labels, classes, names)
    sql = _CROSS_ENTROPIES.format(estimate=valid("estimate"), classes=classes, limit=limit)
    return store.arrow(sql, [run.run_id, names])


def _tell_of_others(store: Store, labels: str, classes: str, names: Sequence[str]) -> None:
    """Warn of labels that are no class."""
    ((count, example),) = store.rows(
        f"SELECT count(*), min(CAST(label AS VARCHAR)) FROM ({labels}) o "
        f"ANTI JOIN ({classes.replace('$2', '$1')}) k ON k.galaxy_id = o.galaxy_id",
        [names],
    )
    if count:
        known = few(list(names))
        some = "the label of 1 galaxy is" if count == 1 else f"the labels of {count:,} galaxies are"
        tell(
            f"{some} no class and left out, such as {example!r}; "
            f"the classes are {known}, or 0 to {len(names) - 1}"
        )


def _type_of(store: Store, column: str) -> str:
    """The SQL type of a column of the view `own`."""
    rows = store.rows(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main' "
        "AND table_name = 'own' AND column_name NOT IN ('galaxy_id', 'iauname')"
    )
    types = dict(rows)
    if column not in types:
        close = f"; nearest: {nearest(column, [*types])}" if types else ""
        raise UnknownName(f"no column {column!r} of your own in {store.path}{close}")
    return str(types[column])
