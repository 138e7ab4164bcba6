"""`status`: the runs of a catalogue, how far each step has come, what is next."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.store.steps import interrupted, rejects, runs, steps
from zoolens.catalog.store.store import Store


@dataclass(frozen=True)
class StatusReport:
    """What `status` shows.

    steps: step, run, galaxies done, galaxies that could be done. runs: one row per
    run. advice: what to do next, one sentence each.
    """

    catalog: Path
    tree: str
    steps: pa.Table
    runs: pa.Table
    rejects: int
    advice: tuple[str, ...]


def status(catalog: Path) -> StatusReport:
    """Look at a catalogue without changing it, also while a job writes to it."""
    with Store.look(catalog) as store:
        rows = steps(store)
        return StatusReport(
            catalog=catalog,
            tree=store.tree.name,
            steps=pa.Table.from_pylist(rows),
            runs=runs(store),
            rejects=rejects(store),
            advice=tuple(_advice(store, rows)),
        )


def _advice(store: Store, rows: list[dict[str, object]]) -> list[str]:
    advice = [
        f"{job} run {run_id} was interrupted; the same command again resumes it"
        for run_id, job in interrupted(store)
    ]
    step = {row["step"]: row for row in rows}
    if not step["predict"]["of"] and not step["predict"]["galaxies"]:
        advice.append("no galaxy has an image; zoolens ingest VOTES --images FOLDER adds them")
    for job in ("predict", "score"):
        missing = int(str(step[job]["of"])) - int(str(step[job]["galaxies"]))
        if missing > 0:
            advice.append(f"{missing:,} galaxies wait for: zoolens {job}")
    return advice
