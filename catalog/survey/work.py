"""The work of an ingest into a survey: what it was asked for, and where its rows went.

    dr10/cutting/begun.json             the table and settings of the ingest
    dr10/cutting/plan.json              where its rows are, once all are set aside
    dr10/cutting/Norder=2/Npix=37/      the rows of a piece (`catalog.formats.extracts`)

The folder is there until the last piece has its rows.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.runtime.files import make_folder, replacing, text_of
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.survey.folder import BEGUN, PLAN, WORK, Piece, is_listed, unfinished
from zoolens.catalog.survey.routing import Routed

_FORMAT = 1


@contextmanager
def working(folder: Path, settings: Mapping[str, Any], said: str) -> Iterator[Path]:
    """The folder of the work on an ingest, alone; it is removed once that is done.

    settings: what tells one ingest from another; an interrupted one of the same goes on. said: what
    it is of, for people. One that has not cut its table yet, or into a survey that there is not
    yet, is given up for another. Raises `CatalogError` if another one is half done, `CatalogBusy`
    if a process is at it.
    """
    work = folder / WORK
    make_folder(work)
    lock = os.open(work, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CatalogBusy(
                f"another process ingests into {folder}; wait until it is done"
            ) from None
        except OSError:  # a file system without locks
            pass
        begun = _read(work / BEGUN)
        if begun is None or begun.get("settings") != dict(settings):
            if is_listed(folder) and (other := unfinished(folder)):
                raise CatalogError(f"{other}; or remove {work}, and those pieces keep it")
            _give_up(folder, work)
            _write(work / BEGUN, {"settings": dict(settings), "said": said})
        try:
            yield work
        except CatalogError:
            if not (work / PLAN).is_file():  # it was refused, and has changed nothing
                shutil.rmtree(work)
                with suppress(OSError):  # a survey, or what else is in the folder, stays
                    folder.rmdir()
            raise
        shutil.rmtree(work)
    finally:
        os.close(lock)


def planned(work: Path) -> Routed | None:
    """Where the rows went; None if they are not all set aside yet.

    What is there of them then is removed. Raises `CatalogError` if the plan is damaged.
    """
    found = _read(work / PLAN)
    if found is None:
        _empty(work)
        return None
    try:
        pieces = tuple(Piece(*one) for one in found["pieces"])
        rows = {pieces[number]: rows for number, rows in found["rows"]}
        return Routed(pieces, rows, [Reject(*one) for one in found["rejects"]])
    except (KeyError, TypeError, IndexError, ValueError):
        raise CatalogError(f"{work / PLAN} is damaged; remove {work}, and begin again") from None


def plan(work: Path, routed: Routed) -> None:
    """Note where the rows went: from here on the ingest goes on, and does not begin again."""
    number = {piece: i for i, piece in enumerate(routed.pieces)}
    said = {
        "pieces": [[one.order, one.pixel] for one in routed.pieces],
        "rows": [[number[piece], rows] for piece, rows in routed.rows.items()],
        "rejects": [list(reject) for reject in routed.rejects],
    }
    _write(work / PLAN, said)


def _give_up(folder: Path, work: Path) -> None:
    """Remove what another ingest had begun, and the pieces that only it knew."""
    if not is_listed(folder) and (work / PLAN).is_file():
        abandoned = planned(work)
        for piece in abandoned.pieces if abandoned else ():
            for file in piece.path(folder).parent.glob(f"{piece.path(folder).name}*"):
                file.unlink()
    _empty(work)


def _empty(work: Path) -> None:
    for item in work.iterdir():
        if item.name == BEGUN:
            continue
        shutil.rmtree(item) if item.is_dir() else item.unlink()


def _read(file: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if there is none, or it is damaged."""
    if not file.is_file():
        return None
    try:
        found = json.loads(text_of(file, 1 << 30))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, content: Mapping[str, Any]) -> None:
    said = json.dumps({"format": _FORMAT, **content})
    with replacing(file) as part:
        part.write_text(said)
