"""`status`: the runs of a catalogue, how far each step has come, what is next."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import newest

# Every step of the way: its job, the galaxies it has done in the newest run, and
# those that it could do.
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


@dataclass(frozen=True)
class StatusReport:
    """What `status` shows.

    steps: step, run, galaxies done, galaxies that could be done. runs: one row a
    run. advice: what to do next, one sentence each.
    """

    catalog: Path
    tree: str
    steps: pa.Table
    runs: pa.Table
    rejects: int
    advice: tuple[str, ...]


def status(catalog: Path) -> StatusReport:
    """Look at a catalogue without changing it.

    A run that is not complete was interrupted: whoever works on a catalogue holds
    it, so that nobody else could look.
    """
    with Store.open(catalog, read_only=True) as store:
        runs = store.arrow(
            """SELECT run_id, job,
    CASE status WHEN 'running' THEN 'interrupted' ELSE status END AS status,
    started_at, finished_at, (SELECT count(*) FROM shard s WHERE s.run_id = r.run_id) AS shards,
    (SELECT count(*) FROM reject j WHERE j.run_id = r.run_id) AS rejects, left(model_sha256, 12)
    AS model, code_version AS code FROM run r ORDER BY run_id"""
        )
        rows = [_step(store, job) for job in _STEPS]
        return StatusReport(
            catalog=catalog,
            tree=store.tree.name,
            steps=pa.Table.from_pylist(rows),
            runs=runs,
            rejects=int(store.value("SELECT count(*) FROM reject")),
            advice=tuple(_advice(store, rows)),
        )


def _step(store: Store, job: str) -> dict[str, object]:
    run = store.value(newest(job))
    done, possible = _STEPS[job]
    return {
        "step": job,
        "run": run,
        "galaxies": store.value(done.replace("$run", str(run or 0))),
        "of": store.value(possible),
    }


def _advice(store: Store, rows: list[dict[str, object]]) -> list[str]:
    interrupted = store.arrow("SELECT run_id, job FROM run WHERE status = 'running'").to_pylist()
    advice = [
        f"{row['job']} run {row['run_id']} was interrupted; the same command again resumes it"
        for row in interrupted
    ]
    step = {row["step"]: row for row in rows}
    if not step["predict"]["of"] and not step["predict"]["galaxies"]:
        advice.append("no galaxy has an image; zoolens ingest VOTES --images FOLDER adds them")
    for job in ("predict", "score"):
        missing = int(str(step[job]["of"])) - int(str(step[job]["galaxies"]))
        if missing > 0:
            advice.append(f"{missing:,} galaxies wait for: zoolens {job}")
    return advice
