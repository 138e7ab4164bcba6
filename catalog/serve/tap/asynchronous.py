"""/async: jobs that are asked for, waited for and fetched later (UWS 1.1, section 2.2)."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.votable_stream import error_document
from zoolens.catalog.serve.errors import VOTABLE
from zoolens.catalog.serve.service import Service
from zoolens.catalog.serve.tap import uws
from zoolens.catalog.serve.tap.jobs import COMPLETED, ERROR, PENDING, Job, stamp
from zoolens.catalog.serve.tap.parameters import BadRequest, Parameters, read
from zoolens.catalog.serve.tap.running import Running
from zoolens.catalog.serve.tap.uploads import take_in

_XML = "text/xml"
_KEPT = ("REQUEST", "LANG", "QUERY", "MAXREC", "FORMAT", "RESPONSEFORMAT", "RUNID", "UPLOAD")
_LONGEST_WAIT = 60.0  # seconds


class Asynchronous:
    """The resource /async and those below it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """What is where."""
        job, both = "/async/{number}", ["GET", "POST"]
        return [
            Route("/async", self.jobs, methods=both),
            Route(job, self.job, methods=["GET", "POST", "DELETE"]),
            Route(f"{job}/phase", self.phase, methods=both),
            Route(f"{job}/executionduration", self.duration, methods=both),
            Route(f"{job}/destruction", self.destruction, methods=both),
            Route(f"{job}/parameters", self.parameters, methods=both),
            Route(f"{job}/quote", self.nothing),
            Route(f"{job}/owner", self.nothing),
            Route(f"{job}/error", self.error),
            Route(f"{job}/results", self.results),
            Route(f"{job}/results/result", self.result),
        ]

    @property
    def _running(self) -> Running:
        return self._service.running

    def _job(self, request: Request) -> Job:
        return self._running.store.get(request.path_params["number"])

    def _address(self, request: Request, job: Job | None = None) -> str:
        base = f"{self._service.base(request)}/async"
        return base if job is None else f"{base}/{job.number}"

    def _to(self, request: Request, job: Job | None = None) -> Response:
        return RedirectResponse(self._address(request, job), 303)

    async def jobs(self, request: Request) -> Response:
        """All jobs; or a new one."""
        if request.method == "POST":
            return await self._made(request)
        jobs = self._running.store.all() if self._service.is_private else []
        phases = request.query_params.getlist("PHASE")
        jobs = [job for job in jobs if not phases or job.phase in phases]
        if (last := request.query_params.get("LAST")) is not None and last.isdecimal():
            jobs = jobs[-int(last) :] if int(last) else []
        return Response(uws.listed(jobs, self._address(request)), media_type=_XML)

    async def _made(self, request: Request) -> Response:
        settings = self._service.settings
        given = await read(request, settings)
        kept = {name: value for name in _KEPT if (value := given.get(name)) is not None}
        job = self._running.store.make(settings.later.seconds, settings.keep)
        job.links = self._service.links(request)
        try:
            await self._set(job, given, kept, request)
        except (CatalogError, OSError):
            self._running.store.delete(job)
            raise
        if (given.get("PHASE") or "").upper() == "RUN":
            await self._running.run(job)
        return self._to(request, job)

    async def _set(
        self, job: Job, given: Parameters, kept: dict[str, str], request: Request
    ) -> None:
        store = self._running.store
        uploads = await take_in(given, store.folder(job), self._service.settings, request)
        if uploads:
            store.take(job)
            store.check_room()
        job.uploads |= uploads
        job.parameters |= kept
        store.save(job)

    async def job(self, request: Request) -> Response:
        """A job; or its end, or other parameters."""
        job = self._job(request)
        given = await read(request, self._service.settings)
        if request.method == "DELETE" or given.get("ACTION") == "DELETE":
            await self._running.delete(job)
            return self._to(request)
        if request.method == "POST":
            return await self._changed(request, job, given)
        if (wait := request.query_params.get("WAIT")) is not None:
            seconds = min(_number(wait, "WAIT"), _LONGEST_WAIT)
            seconds = _LONGEST_WAIT if seconds < 0 else seconds
            await self._running.wait(job, seconds, request.query_params.get("PHASE"))
        return Response(uws.described(job, self._address(request, job)), media_type=_XML)

    async def _changed(self, request: Request, job: Job, given: Parameters) -> Response:
        kept = {name: value for name in _KEPT if (value := given.get(name)) is not None}
        if kept and job.phase != PENDING:
            raise BadRequest(f"the job is {job.phase}; only one that is PENDING can be changed")
        await self._set(job, given, kept, request)
        phase = (given.get("PHASE") or "").upper()
        if phase == "RUN":
            await self._running.run(job)
        elif phase == "ABORT":
            await self._running.abort(job)
        elif phase:
            raise BadRequest(f"PHASE={phase:.20}; it is RUN or ABORT")
        if (seconds := given.get("EXECUTIONDURATION")) is not None:
            most = self._service.settings.later.seconds
            asked = _number(seconds, "EXECUTIONDURATION")
            job.seconds = min(asked, most) if asked > 0 else most
        if (moment := given.get("DESTRUCTION")) is not None:
            job.destruction = self._until(moment)
        self._running.store.save(job)
        return self._to(request, job)

    def _until(self, moment: str) -> str:
        try:
            asked = datetime.fromisoformat(moment)
        except ValueError:
            raise BadRequest(f"DESTRUCTION={moment:.40}; it is a moment in ISO 8601") from None
        asked = asked if asked.tzinfo is not None else asked.replace(tzinfo=UTC)
        last = datetime.now(UTC) + timedelta(seconds=self._service.settings.keep)
        return stamp(min(asked, last))

    async def _text(self, request: Request, text: str) -> Response:
        """A property of a job; or its change."""
        if request.method == "POST":
            return await self.job(request)
        return PlainTextResponse(text)

    async def phase(self, request: Request) -> Response:
        """How far a job is; or its beginning or end."""
        return await self._text(request, self._job(request).phase)

    async def duration(self, request: Request) -> Response:
        """The seconds that a job may take."""
        return await self._text(request, str(round(self._job(request).seconds)))

    async def destruction(self, request: Request) -> Response:
        """When a job goes."""
        moment = self._job(request).destruction.replace("+00:00", "Z")
        return await self._text(request, moment)

    async def nothing(self, request: Request) -> Response:
        """What a job has not."""
        self._job(request)
        return PlainTextResponse("")

    async def parameters(self, request: Request) -> Response:
        """What a job was asked; or other parameters."""
        if request.method == "POST":
            return await self.job(request)
        return Response(uws.parameters(self._job(request)), media_type=_XML)

    async def error(self, request: Request) -> Response:
        """Why a job failed."""
        job = self._job(request)
        if job.phase != ERROR:
            return PlainTextResponse("")
        return Response(error_document(job.error or ""), media_type=VOTABLE)

    async def results(self, request: Request) -> Response:
        """Where a job's result is."""
        job = self._job(request)
        return Response(uws.results(job, self._address(request, job)), media_type=_XML)

    async def result(self, request: Request) -> Response:
        """The result of a job."""
        job = self._job(request)
        if job.phase != COMPLETED:
            raise UnknownName(f"the job is {job.phase}; only one that is COMPLETED has a result")
        return FileResponse(self._running.store.result(job), media_type=job.mime)


def _number(text: str, name: str) -> float:
    try:
        return float(int(text))
    except ValueError:
        raise BadRequest(f"{name}={text:.20}; it is a number of seconds") from None
