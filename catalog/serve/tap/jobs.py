"""Asynchronous jobs on disk: a folder each, with what was asked, how far it is, and its result.

They outlive the server: one that waited or was at work when it ended is asked again by the next.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.serve.telling import is_full
from zoolens.catalog.serve.workers import Failed, Full

PENDING, QUEUED, EXECUTING = "PENDING", "QUEUED", "EXECUTING"
COMPLETED, ERROR, ABORTED = "COMPLETED", "ERROR", "ABORTED"
ENDED = (COMPLETED, ERROR, ABORTED)
_RECORD = "job.json"


@dataclass
class Job:
    """A job: its number, phase and parameters, and when it was made, began, ended and goes.

    Times are ISO 8601, UTC; seconds: those that it may take; uploads: files by the name of their
    table; links: the address of DataLink as who made it has it; size: bytes of its result.
    """

    number: str
    destruction: str
    seconds: float
    parameters: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    links: str = ""
    phase: str = PENDING
    created: str = ""
    started: str | None = None
    ended: str | None = None
    error: str | None = None
    mime: str | None = None
    size: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it is to be destroyed by now."""
        return datetime.fromisoformat(self.destruction) <= datetime.now(UTC)


class JobStore:
    """The jobs of a folder; most: how many there may be, disk: bytes of all together."""

    def __init__(self, folder: Path, most: int = 10_000, disk: int = 20 * 10**9) -> None:
        self._folder, self._most, self._disk = folder, most, disk
        self._taken: dict[str, int] = {}  # bytes by job
        folder.mkdir(parents=True, exist_ok=True)
        self._jobs = {job.number: job for job in self._read()}
        for job in self._jobs.values():
            self.take(job)

    def _read(self) -> Iterator[Job]:
        for record in sorted(self._folder.glob(f"*/{_RECORD}")):
            try:
                yield Job(**json.loads(record.read_text("utf-8")))
            except (ValueError, TypeError, OSError):  # damaged: nobody can ask for it
                shutil.rmtree(record.parent, ignore_errors=True)

    def all(self) -> list[Job]:
        """All jobs, oldest first."""
        return sorted(self._jobs.values(), key=lambda job: job.created)

    def get(self, number: str) -> Job:
        """The job of a number. Raises `UnknownName` if there is none."""
        if number not in self._jobs:
            raise UnknownName(f"no job {number:.40}; it was deleted, or its time is over")
        return self._jobs[number]

    def make(self, seconds: float, keep: float) -> Job:
        """A new job. Raises `CatalogError` if there are too many, or they take too much disk."""
        if len(self._jobs) >= self._most:
            raise CatalogError(f"there are {self._most:,} jobs already; delete some")
        self.check_room()
        now = datetime.now(UTC)
        job = Job(token_hex(8), stamp(now + timedelta(seconds=keep)), seconds, created=stamp(now))
        self.folder(job).mkdir()
        self._jobs[job.number] = job
        return job

    def save(self, job: Job) -> None:
        """Keep a job as it is now. Raises `Failed` if the disk does not allow it."""
        if job.number in self._jobs:
            record = self.folder(job) / _RECORD
            try:
                with replacing(record) as part:
                    part.write_text(json.dumps(asdict(job)), "utf-8")
            except CatalogError as error:
                kind = Full if is_full(error) else Failed
                raise kind(str(error).replace(str(record), "the job")) from None

    def check_room(self) -> None:
        """Raises `CatalogError` if all jobs take as much of the disk as they may."""
        if sum(self._taken.values()) >= self._disk:
            first = min((job.destruction for job in self._jobs.values()), default="")
            raise CatalogError(
                f"the jobs that are kept here take all of {self._disk / 1e9:,.3g} GB; delete some "
                f"of yours, or wait: the first of them goes at {first[:19]}Z"
            )

    def grow(self, job: Job, size: int) -> None:
        """Count that a job takes so many bytes more. Raises `CatalogError` if that is too much."""
        self._taken[job.number] = self._taken.get(job.number, 0) + size
        self.check_room()

    def take(self, job: Job) -> None:
        """Count the bytes of a job's files again."""
        if job.number in self._jobs:
            files = self.folder(job).glob("*")
            self._taken[job.number] = sum(file.stat().st_size for file in files if file.is_file())

    def delete(self, job: Job) -> None:
        """Remove a job, with its result."""
        self._jobs.pop(job.number, None)
        self._taken.pop(job.number, None)
        shutil.rmtree(self.folder(job), ignore_errors=True)

    def folder(self, job: Job) -> Path:
        """Where a job's files are."""
        return self._folder / job.number

    def result(self, job: Job) -> Path:
        """Where a job's result is."""
        return self.folder(job) / "result"


def stamp(moment: datetime) -> str:
    """A moment as records have it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def now() -> str:
    """The present as records have it."""
    return stamp(datetime.now(UTC))
