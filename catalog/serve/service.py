"""What all requests share: the snapshot that is asked, the queries and jobs at work."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request

from zoolens.catalog.serve.opening import looked_over
from zoolens.catalog.serve.page.about import about
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.jobs import JobStore
from zoolens.catalog.serve.workers import Workers

if TYPE_CHECKING:
    from zoolens.catalog.serve.tap.running import Running

_MEMORY = 1 << 28  # bytes, enough to look at what there is
_HERE = ("127.0.0.1", "::1", "localhost")
PATH = "/tap"
AS_OF = (
    "Zoolens-As-Of"  # so that the page notices when the catalogue is another than it was told of
)


class Service:
    """A catalogue that is served.

    catalog: a file that nobody writes to, which may be replaced by another, or a survey of such;
    jobs: the folder of the asynchronous ones; `scratch`, beside it, is for what is at work. name:
    what the catalogue is called where it lies; about: what the page is told of it.
    """

    workers: Workers
    running: "Running"

    def __init__(self, catalog: Path, jobs: Path, settings: Settings, name: str = "") -> None:
        self.catalog, self.settings, self.name = catalog, settings, name or catalog.name
        self.since = datetime.now(UTC)
        self._jobs, self.scratch = jobs, jobs.with_name("scratch")
        self.look_again()

    def look_again(self) -> None:
        """Read what a catalogue holds that is another now: its tables, and what the page says."""
        looked = looked_over(self.catalog, memory=_MEMORY)
        self.tables = looked.tables
        self.as_of = datetime.now(UTC)
        self.about = about(self.name, looked, self.as_of, self.settings)

    async def begin(self) -> None:
        """Start what answers queries, and go on with jobs that had not ended."""
        from zoolens.catalog.serve.tap.running import Running

        shutil.rmtree(self.scratch, ignore_errors=True)  # of a server that was killed
        self.scratch.mkdir(parents=True)
        self.workers = Workers(self.settings.workers, scratch=self.scratch)
        self._makers: Workers | None = None
        self.running = Running(self, JobStore(self._jobs, disk=self.settings.disk))

    async def end(self) -> None:
        """End what is at work, and leave nothing of it."""
        await self.running.close()
        self.workers.close()
        if self._makers is not None:
            self._makers.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def makers(self) -> Workers:
        """What makes products of galaxies' pixels: begun when the first may be asked for.

        Beside `workers`, since what it loads takes seconds, in which others' queries would wait.
        """
        if self._makers is None or not self._makers.alive:
            self._makers = Workers(self.settings.workers, scratch=self.scratch, products=True)
        return self._makers

    def root(self, request: Request) -> str:
        """The address of the server as the one who asks has it, without a slash at its end."""
        url = self.settings.url
        if url is None:
            scope = request.scope
            path = scope.get("app_root_path", scope.get("root_path", ""))
            url = f"{request.url.scheme}://{request.url.netloc}{path}"
        return url.rstrip("/").removesuffix(PATH)

    def base(self, request: Request) -> str:
        """The address of TAP as the one who asks has it, without a slash at its end."""
        return self.root(request) + PATH

    def links(self, request: Request) -> str:
        """The address of DataLink's links, likewise."""
        return f"{self.root(request)}/datalink/links"

    @property
    def is_private(self) -> bool:
        """Whether all who ask may see each other's jobs: they know a token, or sit here."""
        return self.settings.token is not None or self.settings.host in _HERE
