"""What all requests share: the snapshot that is asked, the queries and jobs at work."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request

from zoolens.catalog.serve.opening import opened_to_ask
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.jobs import JobStore
from zoolens.catalog.serve.workers import Workers
from zoolens.catalog.store.published import Published

if TYPE_CHECKING:
    from zoolens.catalog.serve.tap.running import Running

_MEMORY = 1 << 28  # bytes, enough to look at the names of columns
_HERE = ("127.0.0.1", "::1", "localhost")
PATH = "/tap"


class Service:
    """A catalogue that is served.

    catalog: a file that nobody writes to, which may be replaced by another, or a survey of such;
    jobs: the folder of the asynchronous ones; `scratch`, beside it, is for what is at work.
    """

    workers: Workers
    running: "Running"

    def __init__(self, catalog: Path, jobs: Path, settings: Settings) -> None:
        self.catalog, self.settings = catalog, settings
        self.since = datetime.now(UTC)
        self._jobs, self.scratch = jobs, jobs.with_name("scratch")
        self.look_again()

    def look_again(self) -> None:
        """Read which tables there are, of a catalogue that is another now."""
        with opened_to_ask(self.catalog, "galaxies", memory=_MEMORY, threads=1) as (found, _):
            self.tables: list[Published] = found.tables
        self.as_of = datetime.now(UTC)

    async def begin(self) -> None:
        """Start what answers queries, and go on with jobs that had not ended."""
        from zoolens.catalog.serve.tap.running import Running

        shutil.rmtree(self.scratch, ignore_errors=True)  # of a server that was killed
        self.scratch.mkdir(parents=True)
        self.workers = Workers(self.settings.workers, scratch=self.scratch)
        self.running = Running(self, JobStore(self._jobs, disk=self.settings.disk))

    async def end(self) -> None:
        """End what is at work."""
        await self.running.close()
        self.workers.close()

    def base(self, request: Request) -> str:
        """The address of TAP as the one who asks has it, without a slash at its end."""
        url = self.settings.url or str(request.base_url)
        return url.rstrip("/").removesuffix(PATH) + PATH

    @property
    def is_private(self) -> bool:
        """Whether all who ask may see each other's jobs: they know a token, or sit here."""
        return self.settings.token is not None or self.settings.host in _HERE
