"""Which piece of a survey each row of a table belongs to, and the rows set aside by piece.

Rows of galaxies that the survey has go to the piece that has them, by name; others by position,
to pieces there are or new ones. The table is read twice, a block at a time; what is kept of a row
between is its name and eight bytes, on disk.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.errors import CatalogError, TableRefused
from zoolens.catalog.formats.bounds import MOST_FAULTS
from zoolens.catalog.formats.extracts import Extracts, split
from zoolens.catalog.formats.identifiers import check_digits, identifier_texts
from zoolens.catalog.formats.reading import TableFile
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.whereabouts import Whereabouts, places_of
from zoolens.catalog.survey.cutting import Sky, count, new_pieces, no_counts, pixels
from zoolens.catalog.survey.folder import Piece, Survey
from zoolens.catalog.votes.checks import Rows, check_identifiers, check_positions

Codes = npt.NDArray[np.int32]

# What a row has instead of a pixel or the number of a piece.
_UNKNOWN = -1  # its piece is yet to be found
_UNFIT = -2  # it has no name, or no possible position: the ingest of any piece will refuse it
_PLACELESS = -3
_AGAIN = -4
_REASONS = {
    _PLACELESS: "no position: the survey has no galaxy of that name, and the row no ra and dec",
    _AGAIN: "duplicated identifier: an earlier row, elsewhere on the sky, is kept",
}
_LOOKED_AT = 10_000  # long identifiers
_CHUNK = 1 << 22  # rows whose numbers are worked on at a time
_NAMES, _PIXELS, _PIECES = "names.duckdb", "pixels.int32", "pieces.int32"  # scratch


@dataclass(frozen=True)
class Sought:
    """A table to be shared out.

    identifier: column, or columns, of the galaxies' names; position: columns of ra and dec, None
    if it has none; columns: those that ingests will read, identifier and position among them;
    voted: whether it is of votes; kept: those of them that are the user's own.
    """

    file: TableFile
    digest: str
    identifier: str
    position: tuple[str, str] | None
    columns: Sequence[str]
    voted: bool
    kept: Sequence[str] = ()


@dataclass(frozen=True)
class Routed:
    """A table shared out among the pieces of a survey, some of them new.

    pieces: all of the survey's, the new ones last. rows: how many each has got, by piece; home:
    the piece that what is refused is recorded in. rejects: rows that no piece has.
    """

    pieces: tuple[Piece, ...]
    rows: dict[Piece, int]
    rejects: list[Reject] = field(default_factory=list)

    @property
    def home(self) -> Piece:
        return next(iter(self.rows))


def route(sought: Sought, survey: Survey | None, most: int, work: Path) -> Routed:
    """Share out a table among the pieces of a survey, and of new ones of at most `most` galaxies.

    work: an existing folder for the rows, in one by the name of each piece, and for scratch. Raises
    `TableRefused` if no row can be placed, `CatalogError` and its kinds for what else the user can
    put right.
    """
    path = sought.file.path
    if survey is None and sought.position is None:
        raise TableRefused(
            f"{path} has no columns ra and dec, by which a survey is cut; add them, or leave out "
            "--survey"
        )
    if sought.file.rows:
        _check_room(sought, sought.file.rows, work)
    try:
        return _route(sought, survey, most, work)
    except OSError as error:
        raise CatalogError(f"{work} could not be written: {error.strerror or error}") from None


def _route(sought: Sought, survey: Survey | None, most: int, work: Path) -> Routed:
    path = sought.file.path
    pixel = _read_places(sought, work)
    _check_room(sought, len(pixel), work)
    piece = np.memmap(work / _PIECES, np.int32, "w+", shape=pixel.shape)
    for chunk in _chunks(pixel):
        piece[chunk] = np.minimum(pixel[chunk], _UNKNOWN)
    taken = survey.pieces if survey else ()
    if survey is not None:
        _give_known(piece, survey, work / _NAMES)
    pieces = (*taken, *_place(piece, pixel, taken, most))
    if not pieces or not (piece >= 0).any():
        raise TableRefused(
            f"{path}: none of its {len(pixel):,} rows has a name and a position"
            + (", or is of a galaxy of the survey" if survey else "")
        )
    rows, rejects = _set_aside(sought, piece, pieces, work)
    for scratch in (_NAMES, _PIXELS, _PIECES):
        (work / scratch).unlink()
    return Routed(pieces, rows, rejects)


def _read_places(sought: Sought, work: Path) -> Codes:
    """The pixel (N,) of each row, or what there is instead; names go to disk."""
    path, long, unfit, first = sought.file.path, list[str](), 0, 0
    columns = dict.fromkeys([*sought.identifier.split(","), *(sought.position or ())])
    with (
        Whereabouts(work / _NAMES) as names,
        (work / _PIXELS).open("wb") as file,
        progress("placing rows", sought.file.rows or 0) as bar,
    ):
        for numbers, table in sought.file.blocks([*columns], {}):
            rows = Rows(path, table, sought.identifier, numbers)
            check_identifiers(rows)
            ra = np.full(len(numbers), np.nan)
            if sought.position:
                ra, dec = check_positions(rows, sought.position)
            located = np.isfinite(ra) & rows.good
            pixel = np.where(rows.good, _PLACELESS, _UNFIT).astype(np.int32)
            if located.any():
                pixel[located] = pixels(ra[located], dec[located])
            file.write(pixel.tobytes())
            good = np.flatnonzero(rows.good)
            given = [str(rows.names[i]) for i in good.tolist()]
            names.add(first + good, given, located[good])
            long += islice((n for n in given if len(n) in (18, 19)), _LOOKED_AT - len(long))
            first += len(numbers)
            unfit += len(numbers) - len(good)
            _check_faults(sought, unfit)
            bar.advance(len(numbers))
        if not first:
            raise TableRefused(f"{path} has a header but no row of that length; is it complete?")
        check_digits(path, sought.identifier, long)
        file.flush()
        found: Codes = np.memmap(work / _PIXELS, np.int32, "r+")
        for again, earlier in names.repeated():
            found[again[found[again] != found[earlier]]] = _AGAIN
    return found


def _give_known(piece: Codes, survey: Survey, names: Path) -> None:
    """Give the rows of galaxies that a survey has to their pieces."""
    for number, path in enumerate(survey.paths):
        with Store.open(path, read_only=True) as store:
            for places in places_of(store, names):
                piece[places] = number


def _place(piece: Codes, pixel: Codes, taken: Sequence[Piece], most: int) -> list[Piece]:
    """Give rows with a position to pieces by it; the new pieces that there are for that."""
    sky, counts = Sky(taken), no_counts()
    for chunk in _chunks(pixel):
        here, at = np.array(piece[chunk]), np.array(pixel[chunk], np.int64)
        open_ = np.flatnonzero((here == _UNKNOWN) & (at >= 0))
        here[open_] = np.where((number := sky.find(at[open_])) < 0, _UNKNOWN, number)
        piece[chunk] = here
        count(counts, at[open_][number < 0])
    new = new_pieces(counts, most, taken)
    sky = Sky(new)
    for chunk in _chunks(pixel):
        here, at = np.array(piece[chunk]), np.array(pixel[chunk], np.int64)
        open_ = np.flatnonzero((here == _UNKNOWN) & (at >= 0))
        here[open_] = len(taken) + sky.find(at[open_])
        piece[chunk] = here
    return new


def _set_aside(
    sought: Sought, piece: Codes, pieces: Sequence[Piece], work: Path
) -> tuple[dict[Piece, int], list[Reject]]:
    """Write the rows of each piece; how many it has, and what no piece has."""
    file, path = sought.file, sought.file.path
    extracts = Extracts(path, sought.digest, file.schema)
    rows: Counter[Piece] = Counter()
    rejects: list[Reject] = []
    misshapen: dict[int, str] = {}
    first = 0
    home = int(piece[np.argmax(piece >= 0)])
    with progress("sharing out rows", len(piece)) as bar:
        for numbers, table in file.blocks(sought.columns, misshapen):
            code = np.array(piece[first : first + len(numbers)], np.int64)
            code[code == _UNFIT] = home
            for wrong, reason in _REASONS.items():
                at = np.flatnonzero(code == wrong)
                if len(at):
                    called = identifier_texts(table.take(at), sought.identifier)
                    where = zip(numbers[at].tolist(), called, strict=True)
                    rejects += [Reject(str(path), row, name, reason) for row, name in where]
            for number, among, found in split(numbers, table, code):
                extracts.add(work / pieces[number].name, among, found)
                rows[pieces[number]] += len(found)
            _check_faults(sought, len(rejects) + len(misshapen))
            first += len(numbers)
            bar.advance(len(numbers))
    extracts.finish()
    rejects += [Reject(str(path), r, None, f"ragged row: {what}") for r, what in misshapen.items()]
    return {one: rows[one] for one in pieces if rows[one]}, rejects


def _check_room(sought: Sought, rows: int, work: Path) -> None:
    """Refuse what there is no room for, before hours of work.

    Measured: a galaxy takes 60 bytes, with its name and position while it is placed, and in an
    extract and a catalogue each 3 for a count or another number, and 15 for its name or other text.
    """
    kinds = [sought.file.schema.field(name).type for name in sought.columns]
    needed = rows * (60 + 2 * sum(15 if _is_text(kind) else 3 for kind in kinds))
    free = shutil.disk_usage(work).free
    if needed > free:
        raise CatalogError(
            f"{rows:,} galaxies of {sought.file.path} need about {needed / 1e9:,.1f} GB beside "
            f"the table, and {free / 1e9:,.1f} are free at {work.parent}; make room, or name a "
            "folder on another disk"
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _check_faults(sought: Sought, faults: int) -> None:
    if faults > MOST_FAULTS:
        raise TableRefused(
            f"{sought.file.path} has more than {MOST_FAULTS:,} faults; does {sought.identifier} "
            "name galaxies, a row each, and has each a position?"
        )


def _chunks(rows: Codes) -> Iterator[slice]:
    return (slice(i, i + _CHUNK) for i in range(0, len(rows), _CHUNK))
