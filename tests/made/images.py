"""Small images, the files and folders they come in, and what is found there."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import ImageListing

A, B, C = "J002658.19-014709.9", "J003937.09-032825.0", "J010713.98+004733.7"


def picture(seed: int = 0, kind: str = "PNG", side: int = 24) -> bytes:
    """An encoded RGB image of noise; another one for each seed."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def folder(path: Path, contents: Mapping[str, bytes]) -> Path:
    """A folder of files by relative name."""
    path.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def tar(path: Path, contents: Mapping[str, bytes]) -> Path:
    """A tar file of members by name."""
    with tarfile.open(path, "w") as archive:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def parquet_images(path: Path, images: Sequence[object], **columns: Sequence[object]) -> Path:
    """A Parquet file of images and other columns, two rows a group."""
    rows = {"image": list(images), **{name: list(column) for name, column in columns.items()}}
    parquet.write_table(pa.table(rows), path, row_group_size=2)
    return path


def keys(listing: ImageListing) -> list[str]:
    return [entry.key for entry in listing.entries]


def reasons(listing: ImageListing) -> list[tuple[str | None, str]]:
    return [(reject.key, reject.reason) for reject in listing.rejects]


def read_all(listing: ImageListing) -> list[bytes]:
    with ImageReader() as reader:
        return [reader.read(entry.source, entry.member) for entry in listing.entries]
