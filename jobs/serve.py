"""`serve`: a catalogue for others to ask, by TAP, while jobs go on writing to it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zoolens.catalog import paths
from zoolens.catalog.errors import needs

if TYPE_CHECKING:
    from zoolens.catalog.serve.settings import Settings

FOLLOW = 60.0  # seconds between two looks at whether the catalogue has changed


def serve(
    catalog: Path,
    settings: "Settings",
    *,
    say: Callable[[str], object],
    log: Callable[[str], object],
    jobs: Path | None = None,
    follow: float | None = None,
) -> None:
    """Serve a catalogue, or the folder of a survey or a release, until the process is asked to end.

    A copy of it is served, in the folder `jobs` (beside the catalogue unless given), where the
    asynchronous jobs are, too. follow: seconds between two looks at whether it has changed, to
    serve a newer copy; None for never. say: is told what a person should know; log: a line of JSON
    on every request. Raises `CatalogError` if the port is taken, another server has the folder, or
    the catalogue cannot be read.
    """
    needs("zoolens serve", "starlette", "serve")
    from zoolens.catalog.serve import server
    from zoolens.catalog.serve.app import make_app
    from zoolens.catalog.serve.service import PATH, Service
    from zoolens.catalog.serve.snapshots import JOBS, Snapshot, held
    from zoolens.catalog.serve.snapshots import follow as following

    folder = jobs or paths.served_dir(catalog)
    with server.bound(settings.host, settings.port) as listening, held(folder):
        snapshot = Snapshot(catalog, folder)
        service = Service(snapshot.path, folder / JOBS, settings, catalog.name)
        host, port = listening.getsockname()[:2]
        address = settings.url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        moment = f"{service.as_of:%Y-%m-%d %H:%M:%S} UTC"
        say(f"{catalog} as of {moment}; to explore: {address}/, TAP at {address}{PATH}")
        beside = None if follow is None else partial(following, snapshot, service, follow, say)
        server.run(make_app(service, log), listening, settings.patience, beside)
