"""Where the images are: a folder, tar shards, Parquet files, or paths in a table.

Listing opens no image; `catalog.images.reader` decodes them.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.containers import is_utf8, open_container
from zoolens.catalog.store.rejects import Reject

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".fits")
_CONTAINER_SUFFIXES = (".tar", ".parquet")


class ImageEntry(NamedTuple):
    """One image: the galaxy it says it shows, and where it is.

    source: absolute path of the file, or of the tar or Parquet file with `member`.
    """

    key: str
    source: str
    member: str | None = None

    @property
    def place(self) -> str:
        """Where it is, for a message."""
        if self.member is None:
            return self.source
        return self.member if self._row is None else f"row {self._row}"

    @property
    def _row(self) -> int | None:
        """Row of a Parquet file, from 1."""
        is_row = self.member is not None and self.source.lower().endswith(".parquet")
        return int(str(self.member)) + 1 if is_row else None

    def refused(self, reason: str) -> Reject:
        """What `rejects` says of it."""
        key = self.key if self._row is not None else self.member or self.key
        return Reject(self.source, self._row, key, reason)


@dataclass(frozen=True)
class ImageListing:
    """Images found, in order of file and place in it, and rejects: what cannot be an image.

    digest: SHA-256 over the paths, sizes and times of change of all files; if it changes,
    the images have to be checked again.
    """

    entries: list[ImageEntry]
    rejects: list[Reject]
    digest: str


def list_images(path: Path) -> ImageListing:
    """The images of a folder, a folder of tar or Parquet files, or one such file.

    A folder holds `IAUNAME.png` (or .jpg, .jpeg, .fits, in any case) itself or in
    sub-folders, such as Galaxy Zoo DECaLS's `J000/`, one level deep. A tar member's
    key is the name without its folder and suffix; members that are no images (.json,
    .cls, …) belong to an image and are ignored. Raises `CatalogError` if there
    is no image at all, or a folder mixes kinds.
    """
    rejects: list[Reject] = []
    if path.is_dir():
        files = list(_files(path.resolve(), rejects))
    elif path.is_file() and path.suffix.lower() in _CONTAINER_SUFFIXES:
        files = [path.resolve()]
    else:
        raise CatalogError(
            f"{path} is no source of images; give a folder, a .tar or a .parquet file"
        )
    by_suffix = {
        kind: [file for file in files if file.suffix.lower() in suffixes]
        for kind, suffixes in {
            "images": IMAGE_SUFFIXES,
            "tar files": (".tar",),
            "Parquet files": (".parquet",),
        }.items()
    }
    kinds = [kind for kind, found in by_suffix.items() if found]
    if len(kinds) > 1:
        raise CatalogError(f"{path} holds {' and '.join(kinds)}; give a folder of one kind")
    chosen = by_suffix[kinds[0]] if kinds else []
    usable = set(chosen)
    rejects += [
        Reject(str(file), None, file.name, f"not an image: suffix {file.suffix or 'missing'}")
        for file in files
        if file not in usable
    ]
    if kinds == ["images"]:
        entries = [ImageEntry(_stem(file.name), str(file)) for file in chosen]
    else:
        entries = [entry for file in chosen for entry in _members(file, rejects)]
    if not entries:
        reason = f" ({rejects[0].reason})" if rejects else ""
        raise CatalogError(
            f"no images in {path}{reason}; looked for files named IAUNAME"
            f"{'|'.join(IMAGE_SUFFIXES)}, .tar and .parquet, one folder deep"
        )
    return ImageListing(entries, rejects, _digest(chosen))


def list_stated(
    table: Path,
    names: Sequence[str],
    rows: Iterable[int],
    files: Sequence[str | None],
    without: str = "votes without image",
) -> ImageListing:
    """The images that a table's `file_loc` column names, relative to its folder.

    names, rows, files (N,): identifier, row and path of each galaxy. without: the kind of remark
    on one that has no path.
    """
    folder = table.resolve().parent
    entries, rejects = [], []
    for name, row, file in zip(names, rows, files, strict=True):
        if file is None:
            reason = f"{without}: file_loc is empty"
            rejects.append(Reject(str(table), int(row), name, reason))
        else:
            entries.append(ImageEntry(name, os.path.abspath(folder / file)))
    return ImageListing(entries, rejects, _digest(Path(entry.source) for entry in entries))


def pair(
    listing: ImageListing, galaxies: Mapping[str, int], without: str = "image without votes"
) -> tuple[list[tuple[int, ImageEntry]], list[Reject]]:
    """Give each galaxy its image; an image without a galaxy, or a second one, is refused.

    galaxies: numbers by name; without: the kind of reject that an image without one is. Shards
    written by galaxy-datasets have "_" for "." in their keys; such a key counts if it can mean
    only one galaxy. Returns galaxy numbers with their images, in the order of the listing.
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
    return [*dict.fromkeys(entry.key for entry in listing.entries if find(entry) is None)]


def _finder(
    listing: ImageListing, galaxies: Mapping[str, int]
) -> Callable[[ImageEntry], int | None]:
    """A function that finds the number of the galaxy of an image, None if there is none."""
    spelt = _underscored(galaxies) if any(entry.member for entry in listing.entries) else {}

    def find(entry: ImageEntry) -> int | None:
        return galaxies.get(entry.key, spelt.get(entry.key) if entry.member else None)

    return find


def _underscored(galaxies: Mapping[str, int]) -> dict[str, int]:
    spelt: dict[str, int] = {}
    ambiguous = set()
    for name, galaxy in galaxies.items():
        key = name.replace(".", "_")
        if spelt.setdefault(key, galaxy) != galaxy:
            ambiguous.add(key)
    return {key: galaxy for key, galaxy in spelt.items() if key not in ambiguous}


def _files(folder: Path, rejects: list[Reject], depth: int = 0) -> Iterator[Path]:
    """Files of a folder and its sub-folders, by name, hidden ones left out."""
    try:
        items = sorted(os.scandir(folder), key=lambda item: item.name)
    except OSError as error:
        rejects.append(
            Reject(str(folder), None, folder.name, f"unreadable folder: {error.strerror}")
        )
        return
    for item in items:
        if item.name.startswith("."):
            continue
        if not is_utf8(item.name):
            reason = "not an image: its name is not UTF-8"
            rejects.append(Reject(item.path, None, item.name, reason))
        elif not os.path.isdir(item.path):  # not item.is_dir(), which fails on a loop of links
            yield folder / item.name
        elif depth == 0:
            yield from _files(folder / item.name, rejects, depth + 1)
        else:
            reason = "not an image: a folder too deep to be looked into"
            rejects.append(Reject(item.path, None, item.name, reason))


def _members(file: Path, rejects: list[Reject]) -> Iterator[ImageEntry]:
    is_tar, source = file.suffix.lower() == ".tar", str(file)
    try:
        with closing(open_container(file)) as container:
            for name, identifier, problem in container.members():
                entry = ImageEntry(_stem(identifier or name), source, name)
                if problem is not None:
                    rejects.append(entry.refused(problem))
                elif not is_tar or name.lower().endswith(IMAGE_SUFFIXES):
                    yield entry
    except (CatalogError, OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        rejects.append(Reject(source, None, file.name, f"unreadable file: {reason}"))


def _stem(name: str) -> str:
    """The galaxy's name in a file name; not `Path.stem`, since IAU names contain dots."""
    plain = PurePosixPath(name).name
    for suffix in IMAGE_SUFFIXES:
        if plain.lower().endswith(suffix):
            return plain[: -len(suffix)].removesuffix(".image")
    return plain


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            facts = file.stat()
            line = f"{file}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
        except (OSError, ValueError):  # absent, or not a possible file name
            line = f"{file}\0absent\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()
