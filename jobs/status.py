"""`status`: the runs of a catalogue, how far each step has come, what is next."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.store.outdated import Stale, stale_steps
from zoolens.catalog.store.steps import interrupted, rejects, runs, steps
from zoolens.catalog.store.store import Store

# The command whose runs have another name than it.
_COMMANDS = {"comparison": "explain (another method, layer or model)", "approximate": "index"}


@dataclass(frozen=True)
class StatusReport:
    """What `status` shows.

    tree: its name, None if neither votes nor predictions have brought one. steps: step, the run
    that shows, galaxies done, galaxies that could be done, and whether it is
    `current`, `incomplete` or `outdated`, made before the present votes, images or predictions.
    runs: one row per run. refused: rows, values and images left out; remarks: those kept although
    something is to be said of them. advice: what to do next, one sentence each.
    """

    catalog: Path
    tree: str | None
    steps: pa.Table
    runs: pa.Table
    refused: int
    remarks: int
    advice: tuple[str, ...]


def status(catalog: Path) -> StatusReport:
    """Look at a catalogue without changing it, also while a job writes to it."""
    with Store.look(catalog) as store:
        stale = stale_steps(store)
        rows = [_with_state(row, stale) for row in steps(store)]
        refused, remarks = rejects(store)
        listed = runs(store)
        tree = store.tree_or_none if len(listed) else store.tree  # which says that it is empty
        return StatusReport(
            catalog=catalog,
            tree=None if tree is None else tree.name,
            steps=pa.Table.from_pylist(rows),
            runs=listed,
            refused=refused,
            remarks=remarks,
            advice=tuple(_advice(store, rows, stale)),
        )


def _with_state(row: dict[str, object], stale: Sequence[Stale]) -> dict[str, object]:
    if row["step"] in {step.job for step in stale}:
        return {**row, "state": "outdated"}
    if row["run"] is None:
        return {**row, "state": None}
    whole = row["step"] == "explain" or int(str(row["galaxies"])) >= int(str(row["of"]))
    return {**row, "state": "current" if whole else "incomplete"}


def _advice(store: Store, rows: list[dict[str, object]], stale: Sequence[Stale]) -> list[str]:
    advice = [
        f"{_COMMANDS.get(job, job)} run {run_id} was interrupted; the same command again resumes it"
        for run_id, job in interrupted(store)
    ]
    step = {row["step"]: row for row in rows}
    if not step["predict"]["of"] and not step["predict"]["galaxies"]:
        advice.append("no galaxy has an image; zoolens ingest --images FOLDER adds them")
    advice += [step.said for step in stale]
    estimated = step["predict"]["run"] is None and "estimate" in step
    for job in ("estimate" if estimated else "predict", "score"):
        missing = int(str(step[job]["of"])) - int(str(step[job]["galaxies"]))
        if missing > 0 and step[job]["state"] != "outdated":
            waiting = "1 galaxy waits" if missing == 1 else f"{missing:,} galaxies wait"
            advice.append(f"{waiting} for: zoolens {'score' if job == 'score' else 'predict'}")
    return advice
