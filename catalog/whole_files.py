"""Files that appear whole or not at all, and folders for them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import CatalogError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` on leaving.

    Raises `CatalogError` where the folder or the disk does not allow it, and leaves
    what was there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            yield part
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            if part.parent.is_dir():
                part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CatalogError(f"{path} could not be written: {error.strerror or error}") from None


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none.

    Raises `CatalogError` where that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(f"{path} cannot be made: {error.strerror}") from None
