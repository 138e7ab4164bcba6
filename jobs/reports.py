"""What jobs report, so that every report can be shown in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol


class Report(Protocol):
    """What a job did, for people.

    job: its name; run_id: of the run in the catalogue, None for a job that records none;
    changed: False if all was done before; summary: what there is now, in one line; notes:
    what else to know, one sentence each.
    """

    @property
    def job(self) -> str: ...

    @property
    def run_id(self) -> int | None: ...

    @property
    def changed(self) -> bool: ...

    @property
    def summary(self) -> str: ...

    @property
    def notes(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Brief:
    """A report with a summary of fewer words, and without its notes."""

    report: Report
    summary: str
    notes: ClassVar[tuple[str, ...]] = ()

    @property
    def job(self) -> str:
        return self.report.job

    @property
    def run_id(self) -> int | None:
        return self.report.run_id

    @property
    def changed(self) -> bool:
        return self.report.changed


@dataclass(frozen=True)
class PredictReport:
    """What a run of predictions did, by a model or from a published table.

    galaxies: predicted now; total: by the run, earlier ones included; rejects: images
    or rows refused or reported now; samples: dropout samples per galaxy, 0 if
    dropout was off, None from a table; missing_questions: those of the tree that are
    not predicted; changed: False if the same run was complete and shown before. remarks: what
    else to know, one sentence each.
    """

    job: ClassVar[str] = "predict"
    run_id: int
    galaxies: int
    total: int
    rejects: int
    samples: int | None
    missing_questions: tuple[str, ...]
    changed: bool
    remarks: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        done = f"{self.galaxies:,} galaxies, {self.total:,} in all; {self.rejects:,} refused"
        again = self.changed and not self.galaxies and not self.rejects
        return done + ("; its predictions show again" if again else "")

    @property
    def notes(self) -> tuple[str, ...]:
        missing = ", ".join(self.missing_questions)
        return (*([f"no predictions for {missing}"] if missing else []), *self.remarks)
