"""Asynchronous jobs at work: begun, ended, waited for, and destroyed when their time is over."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.asking import Asked
from zoolens.catalog.serve.service import Service
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.formats import format_of
from zoolens.catalog.serve.tap.jobs import (
    ABORTED,
    COMPLETED,
    ENDED,
    ERROR,
    EXECUTING,
    PENDING,
    QUEUED,
    Job,
    JobStore,
    now,
)
from zoolens.catalog.serve.tap.parameters import query_of
from zoolens.catalog.serve.workers import Failed

_SWEEP = 30.0  # seconds between two looks at whose time is over


class Running:
    """The jobs of a service at work."""

    def __init__(self, service: Service, store: JobStore) -> None:
        self._service, self.store = service, store
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # jobs may take an hour: one process is left for who waits for an answer
        self._slots = asyncio.Semaphore(max(1, service.settings.workers - 1))
        self._changed = asyncio.Condition()
        self._sweeping = asyncio.create_task(self._sweep())
        for job in store.all():
            if job.phase in (QUEUED, EXECUTING):
                self._begin(job)

    async def run(self, job: Job) -> None:
        """Let a job begin that waits to be begun. Raises `CatalogError` if its query is none."""
        if job.phase != PENDING:
            raise CatalogError(f"the job is {job.phase}; only one that is PENDING can be run")
        self._begin(job)
        await self._note()

    async def abort(self, job: Job) -> None:
        """End a job that has not ended."""
        if job.phase in ENDED:
            return
        await self._stop(job)
        self._end(job, ABORTED)
        await self._note()

    async def delete(self, job: Job) -> None:
        """Remove a job, at work or not."""
        await self._stop(job)
        self.store.delete(job)
        await self._note()

    async def wait(self, job: Job, seconds: float, phase: str | None) -> None:
        """Wait until a job is in another phase than `phase` (that of now), or for some seconds."""
        before = phase or job.phase
        if job.phase != before or job.phase in ENDED:
            return
        async with self._changed:
            try:
                async with asyncio.timeout(None if seconds < 0 else seconds):
                    await self._changed.wait_for(lambda: job.phase != before)
            except TimeoutError:
                pass

    async def close(self) -> None:
        """Leave all jobs as they are; those at work are begun again by the next server."""
        tasks = [self._sweeping, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, job: Job) -> None:
        job.phase, job.started, job.error = QUEUED, None, None
        self.store.save(job)
        self._tasks[job.number] = asyncio.create_task(self._work(job))

    async def _stop(self, job: Job) -> None:
        if (task := self._tasks.pop(job.number, None)) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _end(self, job: Job, phase: str, error: str | None = None) -> None:
        job.phase, job.error, job.ended = phase, error, now()
        if phase != COMPLETED:
            self.store.result(job).unlink(missing_ok=True)
        self.store.take(job)
        with suppress(Failed):  # the next server does it again
            self.store.save(job)

    async def _work(self, job: Job) -> None:
        try:
            asked = query_of(dict.fromkeys(("LANG", "QUERY")) | job.parameters, self._settings)
            asked = replace(asked, uploads=tuple(job.uploads.items()), links=job.links)
            await self._answer(job, asked)
            self._end(job, COMPLETED)
        except CatalogError as error:
            self._end(job, ERROR, str(error))
        except OSError as error:  # no room, say
            self._end(job, ERROR, f"the result could not be kept: {error.strerror}")
        self._tasks.pop(job.number, None)
        await self._note()

    @property
    def _settings(self) -> Settings:
        return self._service.settings

    async def _answer(self, job: Job, asked: Asked) -> None:
        limits = replace(self._settings.later, seconds=job.seconds)
        catalog = self._service.catalog
        at_work = self._service.workers.answering(catalog, asked, limits, patience=float("inf"))
        async with self._slots, at_work as answer:
            job.phase, job.started = EXECUTING, now()
            self.store.save(job)
            await self._note()
            await answer.begin()
            job.mime, job.size = format_of(asked.form).mime, 0
            with self.store.result(job).open("wb") as file:
                async for part in answer.parts():
                    self.store.grow(job, len(part))
                    job.size += file.write(part)

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _sweep(self) -> None:
        while True:
            for job in self.store.all():
                if job.is_over:
                    await self.delete(job)
            await asyncio.sleep(_SWEEP)
