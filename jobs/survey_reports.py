"""What a job did with all pieces of a survey, as if they were one catalogue."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from zoolens.catalog.store.ingests import Replaced
from zoolens.catalog.survey.folder import Survey
from zoolens.catalog.survey.routing import Routed
from zoolens.jobs.keep import KeepReport
from zoolens.jobs.reports import IngestReport, replaced_note


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
    replaced: Counter[str] = Counter()
    for one in reports:
        replaced.update(one.replaced)
    return KeepReport(
        _same(one.run_id for one in reports),
        reports[0].columns,
        sum(one.galaxies for one in reports),
        sum((Counter(one.rejects) for one in reports), Counter[str]()),
        replaced,
        any(one.changed for one in reports),
    )


def _same(numbers: Iterable[int | None]) -> int | None:
    """The number of all runs; None if they differ."""
    found = {*numbers}
    return found.pop() if len(found) == 1 else None
