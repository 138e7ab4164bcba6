"""What jobs report, so that every report can be shown in the same way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from zoolens.catalog.errors import few
from zoolens.catalog.output.notebook import sentence
from zoolens.catalog.store.ingests import Replaced
from zoolens.catalog.store.kinds import is_refused

MANY_QUESTIONS = 12  # of which all are named; GZ Evo has 86


class Report(Protocol):
    """What a job did, for people."""

    @property
    def job(self) -> str:
        """The job's name."""

    @property
    def run_id(self) -> int | None:
        """Number of its run in the catalogue; None if it has none."""

    @property
    def changed(self) -> bool:
        """False if all was done before."""

    @property
    def summary(self) -> str:
        """What there is now, in one line."""

    @property
    def notes(self) -> Sequence[str]:
        """What else to know, one sentence each."""


class InNotebook:
    """A report that a notebook shows as its command says it: what there is now, then the notes."""

    def _repr_html_(self: Report) -> str:
        run = "" if self.run_id is None else f" run {self.run_id}"
        lines = [sentence(self.summary, strong=f"{self.job}{run}"), *map(sentence, self.notes)]
        return "".join(lines)


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


def replaced_note(one: Replaced) -> str:
    """What to say of votes or images that an ingest replaced."""
    galaxies = "1 galaxy" if one.galaxies == 1 else f"{one.galaxies:,} galaxies"
    return f"replaced: {one.what} of {galaxies}, from {one.origin}"


@dataclass(frozen=True)
class IngestReport(InNotebook):
    """What an ingest did.

    run_id: None of a survey whose pieces have runs of different numbers. tree: of the votes, or
    that of the catalogue, None if it has none yet; galaxies: accepted
    rows of the table, or galaxies that the images show; new_galaxies, votes, images: rows that
    the run added. rejects: how many, by kind. replaced: of how many galaxies the run replaced
    votes or images, and which ingest had brought those. unasked: questions of the tree that the
    table does not have. notes: what else to know, one sentence each. voted: whether it was of
    votes. changed: False if the same ingest was complete before.
    """

    job: ClassVar[str] = "ingest"
    run_id: int | None
    tree: str | None
    galaxies: int
    new_galaxies: int
    votes: int
    images: int
    rejects: Mapping[str, int]
    replaced: tuple[Replaced, ...]
    unasked: tuple[str, ...]
    notes: tuple[str, ...]
    voted: bool
    changed: bool

    @property
    def summary(self) -> str:
        new = f" ({self.new_galaxies:,} new)" if self.changed else ""
        tree = f"tree {self.tree}" if self.tree else "no tree yet"
        said = [f"{self.galaxies:,} galaxies{new}, {self.images:,} images, {tree}"]
        if not self.voted:
            said.append("no votes came with them")
        for word, refused in (("refused", True), ("remarks", False)):
            of = {kind: n for kind, n in self.rejects.items() if is_refused(kind) == refused}
            if of:
                said.append(f"{word}: " + ", ".join(f"{n:,} {kind}" for kind, n in of.items()))
        return "; ".join(said)


@dataclass(frozen=True)
class PredictReport(InNotebook):
    """What a run of predictions did, by a model or from a published table.

    run_id: of the run; galaxies: predicted now; total: by the run, earlier ones included; rejects:
    images or rows refused or reported now; samples: dropout samples per galaxy, 0 if
    dropout was off, None from a table; missing_questions: those of the tree that are
    not predicted; changed: False if the same run was complete and shown before; models: how
    many the samples are of, each of which drew `samples`. orientations: that each image was seen
    in. remarks: what else to know, one sentence each.
    """

    job: ClassVar[str] = "predict"
    run_id: int
    galaxies: int
    total: int
    rejects: int
    samples: int | None
    missing_questions: tuple[str, ...]
    changed: bool
    models: int = 1
    orientations: int = 1
    remarks: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        done = f"{self.galaxies:,} galaxies, {self.total:,} in all; {self.rejects:,} refused"
        done += f"; {self.models} models pooled" if self.models > 1 else ""
        done += f"; in {self.orientations} orientations" if self.orientations > 1 else ""
        again = self.changed and not self.galaxies and not self.rejects
        return done + ("; its predictions show again" if again else "")

    @property
    def notes(self) -> tuple[str, ...]:
        missing = few(list(self.missing_questions), MANY_QUESTIONS)
        return (*([f"no predictions for {missing}"] if missing else []), *self.remarks)
