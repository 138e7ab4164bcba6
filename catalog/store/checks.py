"""The queries by which `verify` finds what should not be in a catalogue."""

import duckdb

from zoolens.catalog.store.matrices import ROUNDING_VOTES
from zoolens.catalog.store.own_rows import own_columns
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import metadata
from zoolens.catalog.store.views import statements

_BY_GALAXY = [table.name for table in metadata.sorted_tables if "galaxy_id" in table.c]
_BY_ANSWER, _BY_QUESTION = (
    [table.name for table in metadata.sorted_tables if name in table.c and table.name != "answer"]
    for name in ("answer_id", "question_id")
)
_BY_RUN = [table.name for table in metadata.sorted_tables if "run_id" in table.c]

# Columns that identify a row: no two rows of a table may agree in all of them.
KEYS = {
    "run": ["run_id"],
    "shard": ["run_id", "name"],
    "answer": ["answer_id"],
    "galaxy": ["iauname"],
    "image": ["run_id", "galaxy_id"],
    "superseded_image": ["run_id", "galaxy_id"],
    "outdated": ["run_id", "galaxy_id", "image_sha256"],
    "own_column": ["run_id", "name"],
    "own_row": ["run_id", "galaxy_id"],
    "superseded_own": ["run_id", "galaxy_id"],
    "vote": ["run_id", "galaxy_id", "answer_id"],
    "prediction": ["run_id", "galaxy_id", "answer_id"],
    "posterior": ["run_id", "galaxy_id"],
    "question_prediction": ["run_id", "galaxy_id", "question_id"],
    "split": ["run_id", "galaxy_id"],
    "loss": ["run_id", "galaxy_id", "answer_id"],
    "galaxy_loss": ["run_id", "galaxy_id"],
    "question_loss": ["run_id", "galaxy_id", "question_id"],
    "saliency_map": ["run_id", "galaxy_id", "question_id"],
    "saliency_stat": ["run_id", "galaxy_id", "answer_id", "of"],
    "estimate": ["run_id", "galaxy_id", "name"],
    "estimate_map": ["run_id", "galaxy_id", "name"],
}
# Tables whose `run_id` is that of a run whose rows a later one replaced, or made untrue.
_REPLACING = ("superseded", "superseded_image", "superseded_own", "outdated")
_VIEWS = "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal"


def offences(store: Store) -> dict[str, int]:
    """Faults of the catalogue: what was looked for, and how many rows or runs have it."""
    return {
        **_views(store),
        **_doubles(store),
        **_orphans(store),
        **_ledger(store),
        **_contents(store),
    }


def _views(store: Store) -> dict[str, int]:
    """Public views that are gone or have another SQL than they are made with."""
    made = "SELECT sql FROM duckdb_tables() WHERE NOT internal AND schema_name = 'main'"
    ours = {f"CREATE TABLE {table}(" for table in metadata.tables}
    found = set(store.rows(_VIEWS))
    with duckdb.connect() as fresh:
        for (sql,) in store.rows(made):
            if str(sql).startswith(tuple(ours)):
                fresh.execute(sql)
        fresh.execute("CREATE SCHEMA history")
        for statement in statements(own_columns(store)):
            fresh.execute(statement)
        expected = set(fresh.execute(_VIEWS).fetchall())
    return {"views: gone, or not as Zoolens makes them": len(expected - found)}


def _doubles(store: Store) -> dict[str, int]:
    return {
        f"{table}: rows that stand twice": store.value(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY {', '.join(key)} "
            "HAVING count(*) > 1)"
        )
        for table, key in KEYS.items()
    }


def _orphans(store: Store) -> dict[str, int]:
    found = {
        f"{table}: rows without a run": store.value(
            f"SELECT count(*) FROM {table} t ANTI JOIN run r ON r.run_id = t.run_id"
        )
        for table in _BY_RUN
        if table != "run"
    }
    found |= {
        f"{table}: rows without a galaxy": store.value(
            f"SELECT count(*) FROM {table} t ANTI JOIN galaxy g ON g.galaxy_id = t.galaxy_id"
        )
        for table in _BY_GALAXY
        if table != "galaxy"
    }
    for tables, column in ((_BY_ANSWER, "answer_id"), (_BY_QUESTION, "question_id")):
        found |= {
            f"{table}: rows of no {column.removesuffix('_id')} of the tree": store.value(
                f"SELECT count(*) FROM {table} ANTI JOIN answer USING ({column})"
            )
            for table in tables
        }
    return found


def _ledger(store: Store) -> dict[str, int]:
    """A run must have as many rows as its shards committed, and all answers of a galaxy."""
    counted = " UNION ALL ".join(
        f"SELECT run_id, count(*) AS n FROM {table} GROUP BY run_id"
        for table in _BY_RUN
        if table not in ("run", "shard", *_REPLACING)
    )
    tree = store.tree_or_none
    answers = 0 if tree is None else len(tree.labels)
    found = {
        "runs whose rows are not those of their shards": store.value(
            f"""SELECT count(*) FROM (SELECT run_id, sum(n) AS n FROM ({counted}) GROUP BY run_id) t
FULL JOIN (SELECT run_id, sum("rows") AS n FROM shard GROUP BY run_id) s ON s.run_id = t.run_id
WHERE coalesce(t.n, 0) <> coalesce(s.n, 0)"""
        )
    }
    for table in ("prediction", "loss"):
        found[f"{table}: galaxies without a row for each answer"] = store.value(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY run_id, galaxy_id "
            f"HAVING count(*) <> {answers})"
        )
    return found


def _contents(store: Store) -> dict[str, int]:
    # what may pass its limit by rounding has a tolerance
    conditions = {
        "posterior: blobs of the wrong size": "posterior WHERE "
        "octet_length(concentrations) <> 4 * samples * answers",
        "saliency_map: blobs of the wrong size": "saliency_map WHERE "
        "octet_length(mean) <> 4 * answers * height * width "
        "OR octet_length(sd) <> octet_length(mean)",
        "own: galaxies that stand twice": "(SELECT 1 FROM own GROUP BY galaxy_id "
        "HAVING count(*) > 1)",
        "vote: counts that are negative or above their total": "vote WHERE NOT "
        "(count >= 0 AND count <= total + 1e-6)",
        "vote: questions with two totals, or more answers than that": "(SELECT 1 FROM vote "
        "JOIN answer USING (answer_id) GROUP BY run_id, galaxy_id, question_id HAVING "
        f"min(total) < max(total) OR sum(count) > max(total) + {ROUNDING_VOTES})",
        "vote: other_answers that is not as the counts say": "(SELECT 1 FROM vote "
        "JOIN answer USING (answer_id) GROUP BY run_id, galaxy_id, question_id HAVING "
        f"abs(max(total) - sum(count) - {ROUNDING_VOTES}) > 1e-6 AND "
        "bool_or(other_answers IS TRUE) <> "
        f"(max(total) - sum(count) > {ROUNDING_VOTES}))",
        "prediction: fractions of a question that do not add up to 1": "(SELECT 1 FROM prediction "
        "JOIN answer USING (answer_id) WHERE concentration IS NOT NULL "
        "GROUP BY run_id, galaxy_id, question_id HAVING abs(sum(fraction) - 1) > 1e-3)",
        "prediction: fractions outside 0..1": "prediction WHERE fraction NOT BETWEEN 0 AND 1",
        "prediction: intervals that do not enclose": "prediction WHERE "
        "NOT (fraction_lo <= fraction_hi)",
        "prediction: spreads between models where one predicted": "prediction p JOIN run r "
        "ON r.run_id = p.run_id WHERE p.fraction_model_sd IS NOT NULL "
        "AND json_type(r.config, '$.models') IS NULL",
        "loss: cross-entropies that are negative": "loss WHERE ce < 0",
        "galaxy_loss: not the largest of its galaxy": "galaxy_loss w JOIN loss l "
        "USING (run_id, galaxy_id) WHERE l.weighted_ce > w.weighted_ce",
        "estimate: values that are no numbers": "estimate WHERE NOT isfinite(value)",
        "estimate: intervals that do not enclose": "estimate WHERE NOT (value_lo <= value_hi)",
        "estimate_map: blobs of the wrong size": "estimate_map WHERE "
        "octet_length(mean) <> 4 * height * width OR octet_length(sd) <> octet_length(mean)",
        "saliency_stat: sums that are no numbers": "saliency_stat WHERE "
        "NOT (isfinite(increase) AND isfinite(decrease))",
        "saliency_stat: on_target outside 0..1": "saliency_stat WHERE "
        "on_target NOT BETWEEN 0 AND 1.000001",
        "saliency_stat: of something else than a concentration or a fraction": "saliency_stat "
        "WHERE of NOT IN ('concentration', 'fraction')",
        "saliency_stat: sums that are not predicted less baseline": "saliency_stat WHERE "
        "abs(increase + decrease - (predicted - baseline)) > 1e-3",
        **_shares("saliency_stat"),
        **_shares("estimate_map"),
    }
    return {
        check: store.value(f"SELECT count(*) FROM {condition}")
        for check, condition in conditions.items()
    }


def _shares(table: str) -> dict[str, str]:
    """Conditions of shares of a map that do not add up to 1, or to 0 where there is nothing."""
    parts = {
        "": "increase > 0 OR decrease < 0",
        "increase_": "increase > 0",
        "decrease_": "decrease < 0",
    }
    wrong = [
        f"abs({part}on_galaxy + {part}on_neighbours + {part}on_sky - ({some})::INTEGER) > 1e-4"
        for part, some in parts.items()
    ]
    return {f"{table}: shares that do not add up": f"{table} WHERE {' OR '.join(wrong)}"}


def child_totals(store: Store) -> dict[str, int]:
    """Galaxies on which a question has more votes than the answers leading to it."""
    found = {}
    tree = store.tree_or_none
    for question in () if tree is None else tree.questions:
        if not question.asked_after:
            continue
        labels = ", ".join(f"'{label}'" for label in question.asked_after)
        found[f"{question.name}: asked of more volunteers than lead to it"] = store.value(
            f"""SELECT count(*) FROM
(SELECT galaxy_id, max(total) AS n FROM votes WHERE question = '{question.name}' GROUP BY 1) child
JOIN (SELECT galaxy_id, sum(count) AS n FROM votes WHERE label IN ({labels}) GROUP BY 1) parent
ON parent.galaxy_id = child.galaxy_id WHERE child.n > parent.n + 1e-6"""
        )
    return found


def image_files(store: Store) -> list[tuple[str, str]]:
    """Image files, with the SHA-256 each had; images in tar and Parquet files are left out."""
    return store.rows(
        "SELECT image, image_sha256 FROM galaxies WHERE image IS NOT NULL AND image_member IS NULL"
    )
