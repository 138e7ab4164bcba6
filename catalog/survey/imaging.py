"""Images of a survey's galaxies, shared out among its pieces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zoolens.catalog.formats.identifiers import identifier_texts
from zoolens.catalog.formats.reading import TableFile
from zoolens.catalog.images.pairing import named_by_table, names_sought, pair
from zoolens.catalog.images.sources import ImageEntry, ImageListing
from zoolens.catalog.store.galaxies import galaxies_named
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece
from zoolens.catalog.votes.galaxy_list import IMAGE


@dataclass(frozen=True)
class SharedImages:
    """The images of each piece's galaxies, and those of none, or that are no images."""

    listing: ImageListing
    entries: Mapping[Piece, Sequence[ImageEntry]]
    rejects: Sequence[Reject]

    def of(self, piece: Piece, *, rejects: bool) -> ImageListing:
        """The listing of a piece, of the same digest; rejects: with what no piece has."""
        lost = list(self.rejects) if rejects else []
        return replace(self.listing, entries=list(self.entries.get(piece, ())), rejects=lost)


def share_images(
    listing: ImageListing,
    catalogues: Mapping[Piece, Path],
    extracts: Mapping[Piece, Path],
    identifier: str | None,
    without: str,
) -> SharedImages:
    """Give each image to the piece that has, or is about to get, its galaxy.

    catalogues: of the pieces that there are; extracts: the rows that pieces are to get, of a table
    whose `identifier` names the galaxies. without: the kind of reject that an image of no galaxy
    is. Images are matched as those of one catalogue (`catalog.images.pairing`).
    """
    listing = _named(listing, extracts.values(), identifier)
    sought = {*names_sought(listing)}
    underscored = any(entry.member for entry in listing.entries)
    piece_of: dict[str, Piece] = {}
    for piece, path in catalogues.items():
        if path.exists():
            with Store.open(path, read_only=True) as store:
                known = galaxies_named(store, sought, underscored=underscored)
            piece_of |= dict.fromkeys(known, piece)
    for piece, extract in extracts.items():
        for name, _ in _rows(extract, identifier, None):
            if name in sought or (underscored and name.replace(".", "_") in sought):
                piece_of.setdefault(name, piece)
    names = list(piece_of)
    paired, rejects = pair(listing, {name: i for i, name in enumerate(names)}, without)
    entries: dict[Piece, list[ImageEntry]] = {}
    for number, entry in paired:
        entries.setdefault(piece_of[names[number]], []).append(entry)
    return SharedImages(listing, entries, [*listing.rejects, *rejects])


def _named(listing: ImageListing, extracts: Iterable[Path], identifier: str | None) -> ImageListing:
    """Images by the names that the table's own paths give them, if it has such."""
    names, files = list[str](), list[str | None]()
    for extract in extracts:
        if IMAGE not in TableFile(extract).schema.names:
            return listing
        for name, file in _rows(extract, identifier, IMAGE):
            names.append(name)
            files.append(file)
    return named_by_table(listing, names, files or None)


def _rows(
    extract: Path, identifier: str | None, more: str | None
) -> Iterator[tuple[str, str | None]]:
    """The name, and the text in another column, of each row that has a name."""
    if identifier is None:
        return
    columns = [*dict.fromkeys([*identifier.split(","), *([more] if more else [])])]
    for _, table in TableFile(extract).blocks(columns, {}):
        texts = identifier_texts(table, more) if more else [None] * len(table)
        for name, text in zip(identifier_texts(table, identifier), texts, strict=True):
            if name is not None:
                yield name, text
