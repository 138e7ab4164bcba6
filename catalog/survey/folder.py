"""The folder of a survey: which pieces of the sky it has, and the catalogue file of each.

    dr10/survey.json               the pieces, in order
    dr10/Norder=2/Npix=37.duckdb   the catalogue of one HEALPix pixel, nested, ICRS
    dr10/cutting/                  an ingest that has not ended (`catalog.survey.work`)

Every piece is a catalogue like any other, so a survey has no schema of its own. Their galaxies
have different numbers: those of piece i follow i * 2**32.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from zoolens.catalog.errors import CatalogError, tell
from zoolens.catalog.runtime.files import replacing, text_of

MANIFEST = "survey.json"
WORK, BEGUN, PLAN = "cutting", "begun.json", "plan.json"
_FORMAT = 1
_NUMBERS = 2**32  # galaxies that a piece could number
FINEST = 13  # order of the smallest pieces, 26 arcsec across


@dataclass(frozen=True, order=True)
class Piece:
    """A catalogue of a survey: the galaxies of the HEALPix pixel `pixel`, nested, of `order`."""

    order: int
    pixel: int

    @property
    def name(self) -> str:
        """What it is called in messages and in the column `piece`: `Norder=2/Npix=37`."""
        return f"Norder={self.order}/Npix={self.pixel}"

    def path(self, folder: Path) -> Path:
        """Its file in the folder of the survey."""
        return folder / f"{self.name}.duckdb"


def name_of_piece(path: Path) -> str:
    """The name of the piece whose file is at a path."""
    return f"{path.parent.name}/{path.stem}"


def check_there(path: Path) -> None:
    """Raises `CatalogError` if the file of a piece is missing."""
    if not path.is_file():
        raise CatalogError(f"{path}, a piece of the survey, is missing; restore it from a copy")


@dataclass(frozen=True)
class Survey:
    """A folder of catalogues, and its pieces, no two of which overlap, in their order.

    identities: by what catalogues are told apart (`catalog.store.identity`), of the pieces that it
    was noted of.
    """

    folder: Path
    pieces: tuple[Piece, ...]
    identities: Mapping[Piece, str] = field(default_factory=dict, compare=False)

    @property
    def paths(self) -> list[Path]:
        """The catalogue of each piece."""
        return [piece.path(self.folder) for piece in self.pieces]

    @property
    def named(self) -> dict[str, Path]:
        """The catalogue of each piece, by its name."""
        return {piece.name: piece.path(self.folder) for piece in self.pieces}

    def first_number(self, piece: Piece) -> int:
        """The number that the galaxies of a piece follow."""
        return self.pieces.index(piece) * _NUMBERS


def is_survey(path: Path) -> bool:
    """Whether a path is the folder of a survey, and not the file of one catalogue.

    Raises `CatalogError` if it is one whose first ingest has not ended.
    """
    if not is_listed(path) and (said := unfinished(path)):
        raise CatalogError(said)
    return is_listed(path)


def is_listed(folder: Path) -> bool:
    """Whether a folder has the list of a survey's pieces."""
    return (folder / MANIFEST).is_file()


def catalogues(path: Path) -> list[Path]:
    """The catalogues at a path: that file alone, or the pieces of the survey there.

    Raises as `is_survey` and `whole_survey`.
    """
    return whole_survey(path).paths if is_survey(path) else [path]


def unfinished(folder: Path) -> str | None:
    """What to say of an ingest into a survey that was interrupted; None if there is none.

    Until its rows are set aside by piece, it has changed nothing in a survey that there is.
    """
    begun, planned = folder / WORK / BEGUN, folder / WORK / PLAN
    if not begun.is_file() or (is_listed(folder) and not planned.is_file()):
        return None
    try:
        said = str(json.loads(text_of(begun))["said"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        said = "something"
    so_far = "some pieces may have it, others not" if is_listed(folder) else "it is no survey yet"
    return (
        f"the ingest of {said} into {folder} has not ended, so that {so_far}: run the same command "
        "again"
    )


def asked_for(path: Path, new: bool) -> bool:
    """Whether an ingest into what is at a path is into a survey; new: one that is to be made.

    Raises `CatalogError` if one is to be made where something else is, or one that is being made
    is taken for a catalogue.
    """
    if is_listed(path):
        return True
    said = unfinished(path)
    if said and not new:
        raise CatalogError(said)
    empty = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    if new and not said and not empty:
        raise CatalogError(f"{path} is no survey; --survey makes a new folder: name another")
    return new


def open_survey(folder: Path) -> Survey:
    """The survey in a folder; says if an ingest into it has not ended.

    Raises `CatalogError` if its list of pieces cannot be used.
    """
    if said := unfinished(folder):
        _tell_once(said)
    return read_survey(folder)


def whole_survey(folder: Path) -> Survey:
    """`open_survey`, for what needs all pieces. Raises `CatalogError` also if one is missing."""
    survey = open_survey(folder)
    for path in survey.paths:
        check_there(path)
    if unlisted := sorted({*folder.glob("Norder=*/Npix=*.duckdb")} - {*survey.paths}):
        _tell_once(
            f"{folder / MANIFEST} does not list {len(unlisted):,} catalogues that lie there, such "
            f"as {unlisted[0]}: they are left out; restore that list from a copy"
        )
    return survey


@lru_cache
def _tell_once(said: str) -> None:
    tell(said)


def read_survey(folder: Path) -> Survey:
    """The survey in a folder. Raises `CatalogError` if its list of pieces cannot be used."""
    file = folder / MANIFEST
    try:
        content = json.loads(text_of(file))
        version, listed = content["format"], content["pieces"]
        pieces = tuple(Piece(int(one["order"]), int(one["pixel"])) for one in listed)
        noted = zip(pieces, [str(one.get("identity", "")) for one in listed], strict=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CatalogError(f"{file} is damaged; restore it from a copy") from None
    if version != _FORMAT:
        raise CatalogError(f"{file} is of format {version!r}, this Zoolens knows {_FORMAT}")
    _check(file, pieces)
    return Survey(folder, pieces, {piece: identity for piece, identity in noted if identity})


def write_survey(
    folder: Path, pieces: Iterable[Piece], identities: Mapping[Piece, str] = MappingProxyType({})
) -> Survey:
    """Make a folder the survey of these pieces, in that order; their catalogues are apart."""
    survey = Survey(folder, tuple(pieces), identities)
    _check(folder / MANIFEST, survey.pieces)
    content = {
        "format": _FORMAT,
        "pieces": [
            {"order": one.order, "pixel": one.pixel}
            | ({"identity": identities[one]} if one in identities else {})
            for one in survey.pieces
        ],
    }
    with replacing(folder / MANIFEST) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1) + "\n")
    return survey


def _check(file: Path, pieces: tuple[Piece, ...]) -> None:
    """Raises `CatalogError` if there is no piece, one is no pixel, or two overlap."""
    if not pieces:
        raise CatalogError(f"{file} lists no piece of the sky")
    end = {}
    for one in pieces:
        if not (0 <= one.order <= FINEST and 0 <= one.pixel < 12 * 4**one.order):
            raise CatalogError(
                f"{file} lists pixel {one.pixel} of order {one.order}, which is none"
            )
        wide = 4 ** (FINEST - one.order)
        end[one] = (one.pixel * wide, (one.pixel + 1) * wide)
    along = sorted(end, key=end.__getitem__)
    for before, after in pairwise(along):
        if end[before][1] > end[after][0]:
            raise CatalogError(
                f"{file} lists pixels that overlap: {before.pixel} of order {before.order} and "
                f"{after.pixel} of order {after.order}"
            )
    if len(end) < len(pieces):
        raise CatalogError(f"{file} lists a pixel twice")
