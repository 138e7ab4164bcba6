"""Which galaxy an image shows: by its name, by its file's, or by the path that a table states.

Names that look alike may be spelt in two ways: with letters and accents in one (NFC, most
systems) or apart (NFD, as macOS names files).
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar
from unicodedata import normalize

from zoolens.catalog.images.sources import ImageEntry, ImageListing, digest_of
from zoolens.catalog.store.rejects import Reject

_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\")

Value = TypeVar("Value")


def list_stated(
    table: Path,
    names: Sequence[str],
    rows: Iterable[int],
    files: Sequence[str | None],
    without: str = "votes without image",
) -> ImageListing:
    """The images that a table's `file_loc` column names, relative to its folder.

    names, rows, files (N,): identifier, row and path of each galaxy. without: the kind of remark
    on one that has no path. A path of Windows, or of
    another machine, is taken for the file with the longest end of it that lies beside the
    table, and said; if two paths end in the same file neither is.
    """
    folder = table.resolve().parent
    entries, rejects, moved = [], [], []
    for name, row, file in zip(names, rows, files, strict=True):
        if file is None:
            reason = f"{without}: file_loc is empty"
            rejects.append(Reject(str(table), int(row), name, reason))
            continue
        place = os.path.abspath(folder / file)
        found = place if os.path.lexists(place) else _beside(folder, file)
        if found is None and _WINDOWS.match(file):
            reason = (
                f"missing image: a path of Windows, {file}, and nothing of its name is here; "
                "name the images' folder by --images"
            )
            rejects.append(Reject(str(table), int(row), name, reason))
        elif found in (None, place):
            entries.append(ImageEntry(name, place))
        else:
            moved.append((ImageEntry(name, str(found)), int(row), file))
    often = Counter(entry.source for entry, _, _ in moved)
    for entry, row, file in moved:
        if often[entry.source] == 1:
            entries.append(entry)
            reason = f"moved image: not at {file}, but at {entry.source}"
        else:
            reason = f"missing image: no file at {file}; {entry.source} could be of several rows"
        rejects.append(Reject(str(table), row, entry.key, reason))
    return ImageListing(entries, rejects, digest_of(Path(entry.source) for entry in entries))


def named_by_table(
    listing: ImageListing, names: Sequence[str], files: Sequence[str | None] | None
) -> ImageListing:
    """Images that are not named by a galaxy, by the `file_loc` that ends in their file's name.

    names, files (N,): identifier and path of each galaxy, None if the table has none. A file's
    name that several paths end in is nobody's.
    """
    if files is None:
        return listing
    ends = ((_parts(file)[-1:], name) for name, file in zip(names, files, strict=True) if file)
    owner = _only((normalize("NFC", end[0]), name) for end, name in ends if end)
    known = {normalize("NFC", name) for name in names}
    entries, rejects = [], [*listing.rejects]
    for entry in listing.entries:
        end = Path(entry.member or entry.source).name
        name = owner.get(normalize("NFC", end))
        if name is None or normalize("NFC", entry.key) in known:
            entries.append(entry)
        else:
            entries.append(entry._replace(key=name))
            rejects.append(entry.refused(f"moved image: of {name}, whose file_loc ends so"))
    return replace(listing, entries=entries, rejects=rejects)


def names_sought(listing: ImageListing) -> Iterator[str]:
    """The names by which a catalogue may know the galaxies of a listing."""
    for entry in listing.entries:
        yield entry.key
        if not entry.key.isascii():
            yield from (normalize(form, entry.key) for form in _FORMS)


def pair(
    listing: ImageListing, galaxies: Mapping[str, int], without: str = "image without votes"
) -> tuple[list[tuple[int, ImageEntry]], list[Reject]]:
    """Give each galaxy its image; an image without a galaxy, or a second one, is refused.

    galaxies: numbers by name; without: the kind of reject that an image without one is. Shards
    written by galaxy-datasets have "_" for "." in
    their keys; such a key counts if it can mean only one galaxy, and so does one with accents
    that are composed otherwise. Returns galaxy numbers with their images, in the order of the
    listing.
    """
    find = _finder(listing, galaxies)
    paired: dict[int, ImageEntry] = {}
    rejects = []
    for entry in listing.entries:
        galaxy = find(entry)
        if galaxy is None:
            reason = f"{without}: no galaxy of that name"
        elif galaxy in paired:
            first = paired[galaxy]
            reason = f"second image: the first, {first.place}, is kept"
        else:
            paired[galaxy] = entry
            continue
        rejects.append(entry.refused(reason))
    return list(paired.items()), rejects


def strangers(listing: ImageListing, galaxies: Mapping[str, int]) -> list[str]:
    """What images of none of the galaxies, as `pair` matches them, are called; each name once."""
    find = _finder(listing, galaxies)
    names = {normalize("NFC", e.key): e.key for e in listing.entries if find(e) is None}
    return list(names.values())


def _finder(
    listing: ImageListing, galaxies: Mapping[str, int]
) -> Callable[[ImageEntry], int | None]:
    """A function that finds the number of the galaxy of an image, None if there is none."""
    spelt: Mapping[str, int] = {}
    if any(entry.member for entry in listing.entries):
        spelt = _only((name.replace(".", "_"), number) for name, number in galaxies.items())
    composed = _only((normalize("NFC", name), number) for name, number in galaxies.items())

    def find(entry: ImageEntry) -> int | None:
        galaxy = galaxies.get(entry.key)
        if galaxy is None and entry.member:
            galaxy = spelt.get(entry.key)
        return composed.get(normalize("NFC", entry.key)) if galaxy is None else galaxy

    return find


def _only(pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """Pairs as a mapping, without the keys that have several values."""
    found: dict[str, Value] = {}
    ambiguous = set()
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            ambiguous.add(key)
    return {key: value for key, value in found.items() if key not in ambiguous}


def _parts(path: str) -> list[str]:
    """Folders and file of a path of any system, without drive and without what leads up."""
    parts = re.split(r"[\\/]+", path)
    return [part for part in parts if part not in ("", ".", "..") and not part.endswith(":")]


def _beside(folder: Path, file: str) -> str | None:
    """The file in a folder whose path is the longest end of a stated one; None if none is."""
    parts = _parts(file)
    foreign = "\\" in file or os.path.isabs(file)
    for start in range(len(parts) if foreign else 1):
        end = os.path.join(folder, *parts[start:])
        for place in (end, *(normalize(form, end) for form in _FORMS)):
            if os.path.isfile(place):
                return place
    return None
