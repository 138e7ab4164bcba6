"""How far each step of a catalogue is, and which runs there are."""

import pyarrow as pa

from zoolens.catalog.store.shown import shown, valid
from zoolens.catalog.store.store import Store

# By job: queries for how many galaxies the run that shows has done, and how many it could do.
_STEPS = {
    "ingest": ("SELECT count(*) FROM galaxies", "SELECT count(*) FROM galaxies"),
    "predict": (
        f"SELECT count(DISTINCT galaxy_id) FROM {valid('prediction')} WHERE run_id = $run",
        "SELECT count(*) FROM galaxies WHERE image IS NOT NULL",
    ),
    "score": (
        f"SELECT count(DISTINCT galaxy_id) FROM {valid('loss')} WHERE run_id = $run",
        "SELECT count(*) FROM (SELECT galaxy_id FROM predictions INTERSECT "
        "SELECT galaxy_id FROM votes)",
    ),
    "explain": (
        f"SELECT count(DISTINCT galaxy_id) FROM {valid('saliency_stat')} WHERE run_id = $run",
        "SELECT count(*) FROM galaxies WHERE image IS NOT NULL",
    ),
}

_RUNS = """SELECT run_id, job,
    CASE WHEN status = 'running' AND run_id IS DISTINCT FROM ? THEN 'interrupted' ELSE status
    END AS status,
    started_at, finished_at, (SELECT count(*) FROM shard s WHERE s.run_id = r.run_id) AS shards,
    (SELECT count(*) FROM rejects j WHERE j.run_id = r.run_id AND refused) AS refused,
    (SELECT count(*) FROM rejects j WHERE j.run_id = r.run_id AND NOT refused) AS remarks,
    coalesce(json_array_length(config, '$.models') || ' models', left(model_sha256, 12))
    || coalesce(', ' || json_extract_string(config, '$.orientations') || ' orientations', '')
    AS model,
    code_version AS code FROM run r ORDER BY run_id"""


# Of a catalogue whose galaxies a classifier or regressor has seen.
_ESTIMATE = (
    f"SELECT count(DISTINCT galaxy_id) FROM {valid('estimate')} WHERE run_id = $run",
    "SELECT count(*) FROM galaxies WHERE image IS NOT NULL",
)


def steps(store: Store) -> list[dict[str, object]]:
    """The run of each step that shows, how many galaxies it has done, and how many it could do."""
    others = {} if store.shown_run("estimate") is None else {"estimate": _ESTIMATE}
    return [_step(store, job, *counts) for job, counts in (_STEPS | others).items()]


def _step(store: Store, job: str, done: str, possible: str) -> dict[str, object]:
    run = store.value(shown(job))
    return {
        "step": job,
        "run": run,
        "galaxies": store.value(done.replace("$run", str(run or 0))),
        "of": store.value(possible),
    }


def runs(store: Store) -> pa.Table:
    """One row per run, for people: what it did, when, what it refused and remarked on.

    A run that is not complete is called running if a process is at work on it, or interrupted.
    """
    return store.arrow(_RUNS, [store.run_at_work])


def interrupted(store: Store) -> list[tuple[int, str]]:
    """Number and job of the runs that are not complete, and that no process is at work on."""
    return store.rows(
        "SELECT run_id, job FROM run WHERE status = 'running' AND run_id IS DISTINCT FROM ? "
        "ORDER BY run_id",
        [store.run_at_work],
    )


def rejects(store: Store) -> tuple[int, int]:
    """How many rows, values and images were refused, and how many kept with a remark.

    As they were read last: a table that was corrected and ingested again counts once.
    """
    sql = (
        "SELECT count(*) FILTER (refused), count(*) FILTER (NOT refused) FROM rejects WHERE latest"
    )
    ((refused, remarks),) = store.rows(sql)
    return refused, remarks
