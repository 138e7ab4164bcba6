"""What is uploaded to the Zooniverse: a manifest, one row per subject, and its images.

For `panoptes subject-set upload-subjects` and for the upload page of the Project Builder:
a CSV file, the images beside it. Every other column becomes metadata of the subject; a name
that begins with `#` is never shown to volunteers, one with `!` only on the pages of Talk,
once they have answered.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from PIL import Image

from zoolens.catalog.formats.csv import no_formula
from zoolens.catalog.images.decoding import decode
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.paths import manifest_path, refused_path, subject_stem
from zoolens.catalog.store.rejects import Reject

MOST_BYTES = 1_000_000  # the CLI takes 1024 * 1024, the upload page 1000 * 1024
_COPIED = {"PNG": ".png", "JPEG": ".jpg"}
_QUALITIES = (95, 90, 80, 70)  # of JPEG; lower ones would affect what volunteers see
# What can neither be a formula nor a path nor the name of a file.
_PLAIN = re.compile(r"(?!.*\.[A-Za-z][A-Za-z0-9]*$)\w[\w .:*()+-]*(?<! )")
_UNKNOWN = "unknown"
_FIRST = "#image"


class PickedImage(NamedTuple):
    """A galaxy that is to be uploaded: who it is, and where its image is.

    ra, dec: deg, ICRS, None where unknown; source, member, format, sha256: as in the
    view `galaxies`.
    """

    galaxy_id: int
    iauname: str
    ra: float | None
    dec: float | None
    source: str
    member: str | None
    format: str
    sha256: str


class Entry(NamedTuple):
    """A row of the manifest: an image's file, its galaxy, and why it was chosen.

    score: nat; votes: volunteers who were asked the question so far; run_id: the run of its
    catalogue whose results that rests on; own: values of columns of the
    user's own.
    """

    file: str
    galaxy: PickedImage
    question: str
    by_quota: bool
    score: float
    votes: float
    run_id: int
    own: Sequence[object] = ()


def write_image(folder: Path, reader: ImageReader, galaxy: PickedImage) -> str:
    """Write a galaxy's image to a folder as the Zooniverse takes it; returns its file's name.

    PNG and JPEG are copied byte by byte; but a JPEG that is to be turned is written upright,
    since not everything that shows it may turn it. A FITS cutout becomes PNG, as
    `catalog.images.cutouts` shows it. An image of more than 10^6 bytes becomes JPEG, of the
    first quality of 95, 90, 80, 70 that suffices, at half the size if none does, and so on.
    Raises `ImageRefused` if the image cannot be read or is not the one that was ingested, and
    `CatalogError` for a damaged tar or Parquet file.
    """
    data = reader.read(galaxy.source, galaxy.member, sha256=galaxy.sha256)
    suffix = _COPIED.get(galaxy.format)
    turned = suffix == ".jpg" and any(
        remark.startswith("rotated image") for remark in decode(data).remarks
    )
    if suffix is None or turned or len(data) > MOST_BYTES:
        data, suffix = _encoded(decode(data).image, lossless=suffix is None)
    name = subject_stem(galaxy.iauname) + suffix
    with (folder / name).open("xb") as file:
        file.write(data)
    return name


def write_manifest(
    folder: Path, entries: Iterable[Entry], by: str, own: Sequence[str] = ()
) -> Path:
    """Write `manifest.csv`, the entries in the given order.

    by: what they were selected by; own: the columns of the entries' own values, which are hidden
    too. What is known of a galaxy must not influence its volunteers. Score, question, votes and the
    file's name are hidden from them (`#`); name and position, by which a galaxy can be looked up,
    are shown when they have answered (`!`). Predictions are not written: hidden columns
    can still be read by anybody through the Zooniverse's API, and `#galaxy_id` leads to
    all that the catalogue knows.

    A name that could be a formula to a spreadsheet or, since the CLI uploads whatever
    file a cell happens to name, a file, is written as its image's name without suffix.
    No cell is empty: to the CLI that is the folder itself.
    """
    header = [
        _FIRST,
        "!iauname",
        "!ra",
        "!dec",
        "#rank",
        "#selected_by",
        "#question",
        "#by_quota",
        "#score",
        "#votes",
        "#galaxy_id",
        "#run_id",
        *(f"#{name}" for name in own),
    ]
    rows = [
        [
            entry.file,
            _cell(entry.galaxy.iauname),
            _number(entry.galaxy.ra),
            _number(entry.galaxy.dec),
            rank,
            by,
            _cell(entry.question),
            "yes" if entry.by_quota else "no",
            f"{entry.score:.6g}",
            _number(entry.votes),
            entry.galaxy.galaxy_id,
            entry.run_id,
            *map(_own_cell, entry.own),
        ]
        for rank, entry in enumerate(entries, 1)
    ]
    return _write(manifest_path(folder), header, rows)


def write_refused(folder: Path, rejects: Sequence[Reject]) -> None:
    """Write `refused.csv` if there are any: galaxies left out, their images, and why.

    rejects: `key` the galaxy's name, `source` its image's path, and its place in it.
    """
    if rejects:
        rows = [
            [_cell(str(one.key)), no_formula(one.source), no_formula(one.reason)] for one in rejects
        ]
        _write(refused_path(folder), ["iauname", "image", "reason"], rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _cell(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else subject_stem(text)


def _own_cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _cell(value)
    return str(value) if isinstance(value, int) else _number(cast(float | None, value))


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return _UNKNOWN
    return str(int(value)) if value == int(value) else repr(value)


def _encoded(image: Image.Image, *, lossless: bool) -> tuple[bytes, str]:
    """An image as PNG if that is asked for and small enough, otherwise as JPEG."""
    if lossless:
        data = _saved(image, "PNG")
        if len(data) <= MOST_BYTES:
            return data, ".png"
    while True:
        for quality in _QUALITIES:
            data = _saved(image, "JPEG", quality=quality)
            if len(data) <= MOST_BYTES:
                return data, ".jpg"
        image = image.reduce(2)


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
