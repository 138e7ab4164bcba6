"""`status`: the runs of a catalogue, how far each step has come, what is next."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.output.answer import from_arrow
from zoolens.catalog.output.notebook import sentence as line
from zoolens.catalog.output.notebook import table
from zoolens.catalog.release.contributions import EVERYWHERE
from zoolens.catalog.store.outdated import Stale, stale_steps
from zoolens.catalog.store.steps import interrupted, rejects, runs, steps
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.waiting import waits_for
from zoolens.catalog.survey.agreement import ALIKE, Comparison
from zoolens.catalog.survey.folder import check_there, open_survey
from zoolens.catalog.survey.tour import MOST_NAMED, pieces_said

# The command whose runs have another name than it.
_COMMANDS = {"comparison": "explain (another method, layer or model)", "approximate": "index"}
_NUMBER = re.compile(r"\d[\d,]*|\b(galaxy|galaxies|waits|wait)\b")
_WAITING = re.compile(r"([\d,]+) galax(?:y waits|ies wait) for: zoolens (\w+)$")


@dataclass(frozen=True)
class StatusReport:
    """What `status` shows.

    catalog: the file. tree: its name, None if neither votes nor predictions have brought one.
    steps: step, the run that shows, galaxies done, galaxies that could be done, and whether it is
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

    def _repr_html_(self) -> str:
        return _shown(self)


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

    def _repr_html_(self) -> str:
        return _shown(self, f"{self.pieces} pieces, ")


def _shown(report: StatusReport | SurveyStatus, pieces: str = "") -> str:
    """What a notebook shows: a line, the steps, and what to do next."""
    tree = f"tree {report.tree}" if report.tree else "no tree yet"
    told = f"{pieces}{tree}, {report.refused:,} refused, {report.remarks:,} remarks"
    steps = table(report.steps.column_names, from_arrow(report.steps).rows)
    lead = line(told, strong=str(report.catalog))
    return lead + steps + "".join(map(line, report.advice))


def survey_status(folder: Path) -> SurveyStatus:
    """Look at all pieces of a survey; one that cannot be read is told, and keeps none from it."""
    named = open_survey(folder).named
    found: dict[str, StatusReport] = {}
    compared = Comparison(folder, ALIKE)
    faults: dict[str, list[str]] = {}
    for name, path in named.items():
        try:
            check_there(path)
            found[name] = status(path)
            with Store.look(path) as store:
                compared.note(name, store)
        except CatalogError as error:
            said = f"{error}" if name in f"{error}" else f"{name}: {error}"
            faults.setdefault(said.replace(name, ""), []).append(said)
    advice = [line for alike in faults.values() for line in _first_of(alike)]
    advice += compared.differences
    waiting: dict[str, dict[str, str]] = {}
    for name, report in found.items():
        for sentence in report.advice:
            waiting.setdefault(_NUMBER.sub("", sentence), {})[name] = sentence
    advice += map(_together, waiting.values())
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


def _first_of(alike: Sequence[str]) -> list[str]:
    """Lines that say the same of several pieces: of many the first, and how many more."""
    if len(alike) <= MOST_NAMED:
        return [*alike]
    return [f"{alike[0]} (likewise {len(alike) - 1:,} pieces more)"]


def _together(said: Mapping[str, str]) -> str:
    """A sentence, by piece, that differs in nothing but numbers."""
    sentences = [*said.values()]
    first = sentences[0]
    waiting = [one for sentence in sentences if (one := _WAITING.match(sentence))]
    if len(waiting) == len(sentences) > 1:
        first = _waiting(sum(int(one[1].replace(",", "")) for one in waiting), waiting[0][2])
    elif len({*sentences}) > 1:
        first += f" (likewise in {len(said) - 1:,} more, with other numbers)"
    return f"{pieces_said([*said])}: {first}"


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
    advice, vain = [], set()
    for run_id, job in interrupted(store):
        if job in EVERYWHERE and not waits_for(store, job):
            vain.add(job)
            advice.append(
                f"{job} run {run_id} could use no image; the reasons: zoolens sql "
                f"'FROM rejects WHERE run_id = {run_id}'"
            )
        else:
            command = _COMMANDS.get(job, job)
            advice.append(
                f"{command} run {run_id} was interrupted; the same command again resumes it"
            )
    step = {row["step"]: row for row in rows}
    if not step["predict"]["of"] and not step["predict"]["galaxies"]:
        advice.append("no galaxy has an image; zoolens ingest --images FOLDER adds them")
    advice += [step.said for step in stale]
    estimated = step["predict"]["run"] is None and "estimate" in step
    for job in ("estimate" if estimated else "predict", "score"):
        missing = int(str(step[job]["of"])) - int(str(step[job]["galaxies"]))
        if missing > 0 and step[job]["state"] != "outdated" and job not in vain:
            advice.append(_waiting(missing, "score" if job == "score" else "predict"))
    return advice


def _waiting(galaxies: int, command: str) -> str:
    words = "1 galaxy waits" if galaxies == 1 else f"{galaxies:,} galaxies wait"
    return f"{words} for: zoolens {command}"
