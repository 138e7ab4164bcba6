"""Where the images are: a folder, tar shards, Parquet files, or paths in a table.

Listing opens no image; `catalog.images.reader` decodes them.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.containers import is_utf8, open_container
from zoolens.catalog.store.rejects import Reject

_FITS_SUFFIXES = (".fits", ".fit", ".fts")
IMAGE_SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    *(kind + packed for kind in _FITS_SUFFIXES for packed in ("", ".gz", ".fz")),
)
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_CONTAINER_SUFFIXES = (*_TAR_SUFFIXES, ".parquet")


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
    """The images of a folder, also of the tar and Parquet files in it, or of one such file.

    A folder holds `IAUNAME.png` (or another of `IMAGE_SUFFIXES`, in any case) itself or in
    sub-folders, such as Galaxy Zoo DECaLS's `J000/`, one level deep. A tar member's
    key is the name without its folder and suffix; members that are no images but named after
    one (.json, .cls, …) belong to it and are ignored. Whatever else is there is a reject.
    Raises `CatalogError` if there is no image at all.
    """
    rejects: list[Reject] = []
    if path.is_dir():
        files = list(_files(path.resolve(), rejects))
    elif path.is_file() and path.name.lower().endswith(_CONTAINER_SUFFIXES):
        files = [path.resolve()]
    else:
        raise CatalogError(
            f"{path} is no source of images; give a folder, a .tar, .tar.gz or .parquet file"
        )
    entries: list[ImageEntry] = []
    used = []
    for file in files:
        name = file.name.lower()
        if name.endswith(IMAGE_SUFFIXES):
            entries.append(ImageEntry(stem(file.name), str(file)))
        elif name.endswith(_CONTAINER_SUFFIXES):
            entries += _members(file, rejects)
        else:
            rejects.append(_no_image(str(file), file.name))
            continue
        used.append(file)
    if not entries:
        reason = f" ({rejects[0].reason})" if rejects else ""
        raise CatalogError(
            f"no images in {path}{reason}; looked for files named IAUNAME.png, .jpg, .jpeg or "
            ".fits, .tar and .parquet, one folder deep"
        )
    return ImageListing(entries, rejects, digest_of(used))


def _files(folder: Path, rejects: list[Reject], depth: int = 0) -> Iterator[Path]:
    """Files of a folder and its sub-folders, by name; what is passed over is a reject."""
    try:
        items = sorted(os.scandir(folder), key=lambda item: item.name)
    except OSError as error:
        rejects.append(
            Reject(str(folder), None, folder.name, f"unreadable folder: {error.strerror}")
        )
        return
    if not items and depth:
        rejects.append(Reject(str(folder), None, folder.name, "not an image: an empty folder"))
    for item in items:
        is_folder = os.path.isdir(item.path)  # not item.is_dir(), which fails on a loop of links
        reason = _passed_over(item.name, depth, is_folder)
        if is_folder and reason is None and os.path.samefile(item.path, folder):
            reason = "a link to the folder that it is in"
        if reason is not None:
            rejects.append(Reject(item.path, None, item.name, f"not an image: {reason}"))
        elif is_folder:
            yield from _files(folder / item.name, rejects, depth + 1)
        else:
            yield folder / item.name


def _passed_over(name: str, depth: int, is_folder: bool) -> str | None:
    """Why what is in a folder is not looked at; None if it is."""
    if not is_utf8(name):
        return "its name is not UTF-8"
    if name.startswith("."):
        return f"a hidden {'folder' if is_folder else 'file'}"
    if is_folder and name.lower().endswith(IMAGE_SUFFIXES):
        return "a folder is there, not a file"
    return "a folder too deep to be looked into" if is_folder and depth else None


def _no_image(source: str, name: str) -> Reject:
    suffix = PurePosixPath(name).suffix or "missing"
    return Reject(source, None, name, f"not an image: suffix {suffix}")


def _members(file: Path, rejects: list[Reject]) -> Iterator[ImageEntry]:
    is_tar, source = file.name.lower().endswith(_TAR_SUFFIXES), str(file)
    found: set[str] = set()
    others = []
    try:
        with closing(open_container(file)) as container:
            for name, identifier, problem in container.members():
                entry = ImageEntry(stem(identifier or name), source, name)
                if problem is not None:
                    rejects.append(entry.refused(problem))
                elif not is_tar or name.lower().endswith(IMAGE_SUFFIXES):
                    found.add(entry.key)
                    yield entry
                else:
                    others.append(name)
    except (CatalogError, OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        rejects.append(Reject(source, None, file.name, f"unreadable file: {reason}"))
    rejects += [_no_image(source, name) for name in others if not _belongs(name, found)]


def _belongs(name: str, images: set[str]) -> bool:
    """Whether a member of a tar is named after an image beside it, with another suffix."""
    plain = PurePosixPath(name).name
    return any(plain[:at] in images for at, letter in enumerate(plain) if letter == ".")


def stem(name: str) -> str:
    """The galaxy's name in a file name; not `Path.stem`, since IAU names contain dots."""
    plain = PurePosixPath(name).name
    for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True):
        if plain.lower().endswith(suffix):
            return plain[: -len(suffix)].removesuffix(".image")
    return plain


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 over the paths, sizes and times of change of files."""
    digest = hashlib.sha256()
    for file in files:
        try:
            facts = file.stat()
            line = f"{file}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
        except (OSError, ValueError):  # absent, or not a possible file name
            line = f"{file}\0absent\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()
