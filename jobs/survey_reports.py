"""What a job did with all pieces of a survey, as if they were one catalogue."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from zoolens.catalog.store.ingests import Replaced
from zoolens.catalog.survey.folder import Survey
from zoolens.catalog.survey.routing import Routed
from zoolens.jobs.keep import KeepReport
from zoolens.jobs.reports import IngestReport, InNotebook, Report, replaced_note

Done = TypeVar("Done", bound=Report)

_ADDED = {  # fields of reports
    *("galaxies", "total", "rejects", "voted", "explained", "replaced", "renewed", "unknown"),
}


@dataclass(frozen=True)
class SurveyReport(InNotebook):
    """What a job did on a survey.

    whole: the reports of its pieces as one, of the type that the job has; done, pieces: how many
    were worked on, of how many. lacking: which had nothing to work on, a sentence each; hindered:
    why others were not worked on, a line each: the same call goes on with them. run_id: None, for
    each piece has its own.
    """

    whole: Any
    done: int
    pieces: int
    lacking: tuple[str, ...] = ()
    hindered: tuple[str, ...] = ()
    run_id: None = None

    @property
    def job(self) -> str:
        return str(self.whole.job)

    @property
    def page(self) -> Path | None:
        """The page of what was drawn, if anything was."""
        return getattr(self.whole, "page", None)

    @property
    def changed(self) -> bool:
        return bool(self.whole.changed)

    @property
    def summary(self) -> str:
        of = "all" if self.done == self.pieces else f"{self.done} of"
        return f"{self.whole.summary}; in {of} {self.pieces} pieces"

    @property
    def notes(self) -> Sequence[str]:
        return (*self.whole.notes, *self.lacking)


def merged(reports: Sequence[Done]) -> Done:
    """The reports of one job on several pieces as one: what is counted is added up."""
    first, changes = reports[0], dict[str, Any]()
    for field in fields(cast(Any, first)):
        values = [getattr(report, field.name) for report in reports]
        if field.name == "changed":
            changes["changed"] = any(values)
        elif field.name in _ADDED and isinstance(values[0], Mapping):
            changes[field.name] = dict(sum(map(Counter, values), Counter[str]()))
        elif field.name in _ADDED:
            changes[field.name] = sum(values)
        elif field.name == "codes":
            changes["codes"] = _least(values)
        elif isinstance(values[0], tuple):
            changes[field.name] = tuple(dict.fromkeys(one for some in values for one in some))
    return cast(Done, replace(cast(Any, first), **changes))


def _least(codes: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Mapping[str, float]]:
    """Of the searches of several pieces, by kind, the one that finds least."""
    kinds = dict.fromkeys(kind for one in codes for kind in one)
    return {
        kind: min((one[kind] for one in codes if kind in one), key=lambda found: found["recall"])
        for kind in kinds
    }


def ingested(
    reports: Iterable[IngestReport], routed: Routed, survey: Survey | None
) -> IngestReport:
    """What went into all pieces; survey: as it was before, None if there was none."""
    every = [*reports]
    rejects = sum((Counter(one.rejects) for one in every), Counter[str]())
    new = len(routed.pieces) - (len(survey.pieces) if survey else 0)
    now = _replaced(one for one in every if one.changed)
    where = f"in {len(every):,} of {len(routed.pieces):,} pieces, {new:,} of them new"
    return IngestReport(
        _same(one.run_id for one in every),
        next((one.tree for one in every if one.tree), None),
        sum(one.galaxies for one in every),
        sum(one.new_galaxies for one in every),
        sum(one.votes for one in every),
        sum(one.images for one in every),
        dict(sorted(rejects.items(), key=lambda item: (-item[1], item[0]))),
        tuple(_replaced(every)),
        every[0].unasked,
        (where, *map(replaced_note, now), *_notes_of(every)),
        any(one.voted for one in every),
        any(one.changed for one in every),
    )


def _replaced(reports: Iterable[IngestReport]) -> list[Replaced]:
    found: Counter[tuple[str, str]] = Counter()
    for one in reports:
        found.update({(what, origin): n for what, n, origin in one.replaced})
    return [Replaced(what, n, origin) for (what, origin), n in found.items()]


def _notes_of(reports: Iterable[IngestReport]) -> list[str]:
    """Other notes of all pieces; of those that differ in numbers alone one, and of how many."""
    alike: dict[str, list[str]] = {}
    for one in reports:
        of_replaced = {*map(replaced_note, one.replaced)}
        for note in one.notes:
            if note in of_replaced:
                continue
            alike.setdefault(re.sub(r"\d[\d,]*", "#", note), []).append(note)
    return [
        notes[0] + (f"; likewise in {len(notes) - 1:,} more pieces" if len({*notes}) > 1 else "")
        for notes in alike.values()
    ]


def kept_together(reports: Sequence[KeepReport]) -> KeepReport:
    """What was kept in all pieces."""
    return replace(merged(reports), run_id=_same(one.run_id for one in reports))


def _same(numbers: Iterable[int | None]) -> int | None:
    """The number of all runs; None if they differ."""
    found = {*numbers}
    return found.pop() if len(found) == 1 else None
