"""`status`: the runs of a catalogue, how far each step has come, what is next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.store.outdated import Stale, stale_steps
from zoolens.catalog.store.steps import interrupted, rejects, runs, steps
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import ALIKE, Comparison
from zoolens.catalog.survey.folder import check_there, open_survey

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


@dataclass(frozen=True)
class SurveyStatus:
    """What `status` shows of a survey.

    steps: of all pieces together: step, how many pieces show a run of it, galaxies done, and that
    could be done, the state (`outdated` or `incomplete` if any piece is), and `behind`, the pieces
    that are not `current` where others are, at most four by name. advice: what to do next, and
    what is to be said of pieces, one sentence each. refused, remarks: as of one catalogue.
    """

    catalog: Path
    pieces: int
    tree: str | None
    steps: pa.Table
    refused: int
    remarks: int
    advice: tuple[str, ...]


def survey_status(folder: Path) -> SurveyStatus:
    """Look at all pieces of a survey; one that cannot be read is told, and keeps none from it."""
    named = open_survey(folder).named
    found: dict[str, StatusReport] = {}
    compared = Comparison(folder, ALIKE)
    advice: list[str] = []
    for name, path in named.items():
        try:
            check_there(path)
            found[name] = status(path)
            with Store.look(path) as store:
                compared.note(name, store)
        except CatalogError as error:
            advice.append(f"{error}" if name in f"{error}" else f"{name}: {error}")
    advice += compared.differences
    waiting: dict[str, list[str]] = {}
    for name, report in found.items():
        for sentence in report.advice:
            waiting.setdefault(sentence, []).append(name)
    advice += [f"{few(names)}: {sentence}" for sentence, names in waiting.items()]
    trees = [report.tree for report in found.values() if report.tree is not None]
    return SurveyStatus(
        folder,
        len(named),
        trees[0] if trees else None,
        pa.Table.from_pylist(_of_all(named, found), _STEPS),
        sum(report.refused for report in found.values()),
        sum(report.remarks for report in found.values()),
        tuple(advice),
    )


_STEPS = pa.schema(
    {
        "step": pa.string(),
        "pieces": pa.int64(),
        "galaxies": pa.int64(),
        "of": pa.int64(),
        "state": pa.string(),
        "behind": pa.string(),
    }
)


def _of_all(named: Iterable[str], found: Mapping[str, StatusReport]) -> list[dict[str, Any]]:
    """The steps of all pieces together."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for name, report in found.items():
        for row in report.steps.to_pylist():
            rows.setdefault(row["step"], {})[name] = row
    together = []
    for step, by_piece in rows.items():
        some = by_piece.values()
        states = {row["state"] for row in some} - {None}
        current = [name for name, row in by_piece.items() if row["state"] == "current"]
        # a piece in which the step has nothing to do does not lag
        behind = [
            name
            for name in named
            if name not in current and (by_piece.get(name, {"of": 1})["of"] or name not in found)
        ]
        together.append(
            {
                "step": step,
                "pieces": sum(row["run"] is not None for row in some),
                "galaxies": sum(row["galaxies"] for row in some),
                "of": sum(row["of"] for row in some),
                "state": next(
                    (one for one in ("outdated", "incomplete") if one in states),
                    "incomplete" if current and behind else "current" if current else None,
                ),
                "behind": few(behind) if behind and states else None,
            }
        )
    return together


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
