"""A galaxy's image: as it lies in its source, and as the model saw it."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.explain.maps import image_of
from zoolens.catalog.images.decoding import MOST_BYTES
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import central_segment
from zoolens.catalog.images.unzipping import GZIP, unzipped
from zoolens.catalog.paths import subject_stem
from zoolens.catalog.release.gallery.images import MOST_SIDE, outline
from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.products.subject import Made, Subject
from zoolens.catalog.store.galaxies import image_facts

PNG = "image/png"
_MIMES = {"PNG": (PNG, "png"), "JPEG": ("image/jpeg", "jpg"), "FITS": ("image/fits", "fits")}


def image_in_source(subject: Subject, asked: Product) -> Made:
    """The image as it was ingested, byte for byte; of gzipped FITS, FITS.

    Raises `CatalogError` if there is none, or it is not what was ingested.
    """
    rows = image_facts(subject.store, [subject.galaxy_id]).to_pylist()
    if not rows:
        raise CatalogError(f"{subject.name} has no image")
    (row,) = rows
    try:
        with ImageReader() as reader:
            data = reader.read(row["source"], row["member"], sha256=row["sha256"])
        data = unzipped(data, MOST_BYTES) if data.startswith(GZIP) else data
    except ImageRefused as error:
        raise not_shown(subject, error) from None
    mime, suffix = _MIMES[row["format"]]
    return Made(mime, f"{subject_stem(subject.name)}.{suffix}", data)


def image_as_seen(subject: Subject, asked: Product) -> Made:
    """The image as the model saw it, as PNG. Raises as `image_in_source` does."""
    return as_png(subject, "seen", seen(subject))


def seen(subject: Subject) -> npt.NDArray[np.uint8]:
    """The pixels of a galaxy as the model saw it, (H, W, 3)."""
    if not image_facts(subject.store, [subject.galaxy_id]):
        raise CatalogError(f"{subject.name} has no image")
    try:
        return image_of(subject.store, subject.name)
    except ImageRefused as error:
        raise not_shown(subject, error) from None


def outlined(subject: Subject, asked: Product) -> Made:
    """The outline of the galaxy in its image, as a gallery has it, on nothing.

    Raises `CatalogError` if none is found there, and as `image_in_source` does.
    """
    segment = central_segment(seen(subject))
    if segment is None:
        raise CatalogError(f"no galaxy stands out in the image of {subject.name}")
    return as_png(subject, "outline", outline(segment, MOST_SIDE))


def as_png(subject: Subject, what: str, pixels: npt.NDArray[np.uint8]) -> Made:
    """Pixels (H, W, 3) or (H, W, 4) as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return Made(PNG, f"{subject_stem(subject.name)}-{what}.png", file.getvalue())


def not_shown(subject: Subject, error: ImageRefused) -> CatalogError:
    """What is said of an image that is refused: after the colon there may be a private folder."""
    kind = str(error).partition(":")[0]
    return CatalogError(f"the image of {subject.name} cannot be shown: {kind}")
