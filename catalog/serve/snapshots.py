"""The copy of a catalogue, survey or release that is served, made anew when that has changed.

Queries read a file of their own, so that jobs can go on writing to the catalogue. A new copy takes
the place of the old one by renaming: who reads the old one reads it to the end.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.paths import CHECKSUMS, index_path
from zoolens.catalog.release.checking import is_release
from zoolens.catalog.release.tables import save_tables
from zoolens.catalog.runtime.files import stamp
from zoolens.catalog.serve.service import Service
from zoolens.catalog.similarity.files import KINDS
from zoolens.catalog.store.release_file import NAME
from zoolens.catalog.store.saved import changed, save
from zoolens.catalog.survey.folder import is_survey, read_survey, write_survey

JOBS = "jobs"  # the folder of the asynchronous ones, in that of a server


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """A folder for what one server keeps: the copy that it serves, and its jobs.

    It goes again if the block made nothing of it. Raises `CatalogError` if another server has it,
    or it cannot be made.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    except OSError as error:
        raise CatalogError(f"{folder} cannot be written to: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CatalogBusy(
                f"another zoolens serve keeps its jobs in {folder}; stop that one, or name another "
                "folder: --jobs"
            ) from None
        try:
            yield folder
        except CatalogError:  # there is nothing to serve
            if is_new and not (folder / JOBS).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
    finally:
        os.close(descriptor)


class Snapshot:
    """A copy of a catalogue, of each piece of a survey, or of the tables of a release, in a folder.

    `path` is where it is.
    """

    def __init__(self, catalog: Path, folder: Path) -> None:
        if catalog.is_dir() and not (is_survey(catalog) or is_release(catalog)):
            raise CatalogError(
                f"{catalog} is no folder of a survey or a release; give the file of a catalogue, "
                "or a folder that zoolens ingest --survey or zoolens release wrote"
            )
        self._catalog = catalog
        self._survey, self._release = is_survey(catalog), is_release(catalog)
        name = "survey" if self._survey else NAME if self._release else "catalog.duckdb"
        self.path = folder / name
        self._of: dict[Path, tuple[int, ...]] = {}
        self.renew()

    def renew(self) -> bool:
        """Copy again what has changed; whether anything had."""
        if self._release:
            return self._made(self._catalog / CHECKSUMS)
        if not self._survey:
            return self._copy(self._catalog, self.path)
        survey = read_survey(self._catalog)
        renewed = False
        for piece in survey.pieces:
            out = piece.path(self.path)
            out.parent.mkdir(parents=True, exist_ok=True)
            renewed |= self._copy(piece.path(self._catalog), out)
        write_survey(self.path, survey.pieces, survey.identities)
        return renewed

    def _made(self, sums: Path) -> bool:
        """Take in a release, whose checksums are others whenever it is another."""
        now = changed(sums)
        if now == self._of.get(sums):
            return False
        save_tables(self._catalog, self.path)
        self._of[sums] = now
        return True

    def _copy(self, file: Path, out: Path) -> bool:
        beside = [(index_path(file, kind), index_path(out, kind)) for kind in KINDS]
        now = changed(file) + tuple(part for index, _ in beside for part in stamp(index) or ())
        if now == self._of.get(file):
            return False
        save(file, out)
        for index, copy in beside:
            _beside(index, copy)
        self._of[file] = now
        return True


def _beside(index: Path, out: Path) -> None:
    """Have a similarity index beside the copy, if there is one: the same file where that can be.

    It is never changed in its place, and which one belongs to a catalogue that says itself.
    """
    part = out.with_name(f"{out.name}.part")
    part.unlink(missing_ok=True)
    try:
        try:
            os.link(index, part)
        except FileNotFoundError:
            out.unlink(missing_ok=True)
            return
        except OSError:  # another file system, or none with links
            shutil.copy2(index, part)
        part.replace(out)
        part.unlink(missing_ok=True)  # which is there still if both were one file
    except OSError as error:
        raise CatalogError(f"{index} could not be copied: {error.strerror}") from None


async def follow(
    snapshot: Snapshot, service: Service, seconds: float, say: Callable[[str], object]
) -> None:
    """Serve what a catalogue holds now, as it changes: looks at it every so many seconds."""
    while True:
        await asyncio.sleep(seconds)
        try:
            if await asyncio.to_thread(snapshot.renew):
                await asyncio.to_thread(service.look_again)
                say(f"a newer catalogue is served, as of {service.as_of:%Y-%m-%d %H:%M:%S} UTC")
        except CatalogError as error:  # gone, damaged, or being replaced: what is served stays
            say(f"still as of {service.as_of:%Y-%m-%d %H:%M:%S} UTC: {error}")
