"""What all requests share: the snapshot that is asked, the queries and jobs at work."""

from datetime import UTC, datetime
from pathlib import Path

from starlette.requests import Request

from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.workers import Workers
from zoolens.catalog.store.foreign import opened
from zoolens.catalog.store.published import Published

_MEMORY = 1 << 28  # bytes, enough to look at the names of columns
PATH = "/tap"


class Service:
    """A catalogue that is served; `catalog` is a file that nobody writes to."""

    def __init__(self, catalog: Path, settings: Settings) -> None:
        self.catalog, self.settings = catalog, settings
        self.since = datetime.now(UTC)
        self.tables: list[Published] = []
        self.look_again()
        self._workers: Workers | None = None

    def look_again(self) -> None:
        """Read which tables there are, of a catalogue that is another now."""
        with opened(self.catalog, memory=_MEMORY, threads=1) as found:
            self.tables = found.tables
        self.as_of = datetime.now(UTC)

    @property
    def workers(self) -> Workers:
        """The processes that answer queries, which the first request starts."""
        if self._workers is None:
            self._workers = Workers(self.settings.workers)
        return self._workers

    def base(self, request: Request) -> str:
        """The address of TAP as the one who asks has it, without a slash at its end."""
        url = self.settings.url or str(request.base_url)
        return url.rstrip("/") + PATH

    def close(self) -> None:
        """End what is at work."""
        if self._workers is not None:
            self._workers.close()
