"""How far each step of a catalogue is, and which runs there are."""

import pyarrow as pa

from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import newest

# By job: queries for how many galaxies its newest run has done, and how many it could do.
_STEPS = {
    "ingest": ("SELECT count(*) FROM galaxies", "SELECT count(*) FROM galaxies"),
    "predict": (
        "SELECT count(DISTINCT galaxy_id) FROM prediction WHERE run_id = $run",
        "SELECT count(*) FROM galaxies WHERE image IS NOT NULL",
    ),
    "score": (
        "SELECT count(DISTINCT galaxy_id) FROM loss WHERE run_id = $run",
        "SELECT count(*) FROM (SELECT galaxy_id FROM predictions INTERSECT "
        "SELECT galaxy_id FROM votes)",
    ),
    "explain": (
        "SELECT count(DISTINCT galaxy_id) FROM saliency_stat WHERE run_id = $run",
        "SELECT count(*) FROM galaxies WHERE image IS NOT NULL",
    ),
}

_RUNS = """SELECT run_id, job,
    CASE WHEN status = 'running' AND run_id IS DISTINCT FROM ? THEN 'interrupted' ELSE status
    END AS status,
    started_at, finished_at, (SELECT count(*) FROM shard s WHERE s.run_id = r.run_id) AS shards,
    (SELECT count(*) FROM reject j WHERE j.run_id = r.run_id) AS rejects, left(model_sha256, 12)
    AS model, code_version AS code FROM run r ORDER BY run_id"""


def steps(store: Store) -> list[dict[str, object]]:
    """The newest run of each step, how many galaxies it has done, and how many it could do."""
    return [_step(store, job) for job in _STEPS]


def _step(store: Store, job: str) -> dict[str, object]:
    run = store.value(newest(job))
    done, possible = _STEPS[job]
    return {
        "step": job,
        "run": run,
        "galaxies": store.value(done.replace("$run", str(run or 0))),
        "of": store.value(possible),
    }


def runs(store: Store) -> pa.Table:
    """One row per run, for people: what it did, when, and how much it refused.

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


def rejects(store: Store) -> int:
    """How many input rows, values and images were refused."""
    return int(store.value("SELECT count(*) FROM reject"))
