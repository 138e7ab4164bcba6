"""Images of galaxies, decoded with care: their files cannot be trusted."""

import hashlib
import io
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image, UnidentifiedImageError

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.containers import ParquetImages, TarImages, open_container
from zoolens.catalog.runtime.files import check_file

MOST_BYTES = 256 * 2**20
MOST_PIXELS = 4096**2
_OPEN_CONTAINERS = 8
_PNG_END = b"IEND\xaeB`\x82"


@dataclass(frozen=True)
class ImageFacts:
    """What an accepted image is: encoding, size in pixels, SHA-256 of its bytes."""

    format: str
    height: int
    width: int
    sha256: str


class ImageReader:
    """Reads images by source and member; keeps the last few tar and Parquet files open.

    A context manager; its methods may be called from several threads.
    """

    def __init__(self) -> None:
        self._containers: OrderedDict[str, TarImages | ParquetImages] = OrderedDict()
        self._lock = threading.Lock()
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> Self:
        self._warnings.__enter__()
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings(
            "ignore", module=r"astropy\.io\.fits"
        )  # our refusals say what matters
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._warnings.__exit__(kind, error, trace)
        for container in self._containers.values():
            container.close()
        self._containers.clear()

    def open(
        self, source: str, member: str | None = None, *, sha256: str | None = None
    ) -> Image.Image:
        """The image, RGB with 8 bits per channel, wholly decoded.

        source: a file, or with `member` the tar or Parquet file that holds it. sha256: of
        its bytes when it was ingested. Raises `ImageRefused` if it cannot be read, is refused
        by `decode`, or its bytes have changed.
        """
        return decode(self.read(source, member, sha256=sha256))[0]

    def inspect(self, source: str, member: str | None = None) -> ImageFacts:
        """Decode an image and say what it is. Raises `ImageRefused`."""
        data = self.read(source, member)
        image, kind = decode(data)
        return ImageFacts(kind, image.height, image.width, hashlib.sha256(data).hexdigest())

    def read(self, source: str, member: str | None = None, *, sha256: str | None = None) -> bytes:
        """The encoded bytes of an image, with the arguments of `open`. Raises `ImageRefused`."""
        data = self._bytes(source, member)
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise ImageRefused("changed image: not the bytes that were ingested; ingest it again")
        return data

    def _bytes(self, source: str, member: str | None) -> bytes:
        path = Path(source)
        try:
            _check_file(path)
            if member is not None:
                with self._lock:
                    return self._container(path).read(member, MOST_BYTES)
            if path.stat().st_size > MOST_BYTES:
                raise ImageRefused(f"too large an image: {path.stat().st_size:,} bytes")
            return path.read_bytes()
        except OSError as error:
            raise ImageRefused(f"unreadable image: {error.strerror}") from None
        except ValueError:
            raise ImageRefused(f"missing image: {source!r} is no name of a file") from None

    def _container(self, path: Path) -> TarImages | ParquetImages:
        key = str(path)
        if key not in self._containers:
            self._containers[key] = open_container(path)
            if len(self._containers) > _OPEN_CONTAINERS:
                self._containers.popitem(last=False)[1].close()
        self._containers.move_to_end(key)
        return self._containers[key]


def _check_file(path: Path) -> None:
    try:
        check_file(path, "file", ImageRefused)
    except ImageRefused as refused:
        raise ImageRefused(f"missing image: {refused}") from None


def decode(data: bytes) -> tuple[Image.Image, str]:
    """An encoded image as RGB, 8 bit, and its format: PNG, JPEG or FITS.

    The content says the format. Nothing is converted: an image with a palette,
    transparency, one channel or 16 bits is refused, since what a model would see of
    it is not what volunteers saw. Raises `ImageRefused`, also for more than 4096 x
    4096 pixels, before decoding them, and for damaged or truncated files.
    """
    if not data:
        raise ImageRefused("unreadable image: the file is empty")
    if data.startswith(b"SIMPLE"):
        from zoolens.catalog.images.cutouts import cutout_rgb

        return cutout_rgb(data, MOST_PIXELS), "FITS"
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        # MPO: a JPEG with several pictures, of which the first is used
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        _check_header(image, data)
        if kind == "PNG":
            image.verify()  # the checksums, which loading skips; leaves the image unusable
            image = Image.open(io.BytesIO(data), formats=("PNG",))
        image.load()
    except ImageRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageRefused(f"too large an image: more than {MOST_PIXELS:,} pixels") from None
    except Exception as error:  # a decoder on hostile bytes raises whatever it trips on
        kind = "truncated" if "truncated" in str(error).lower() else "unreadable"
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            reason = "neither PNG, JPEG nor FITS"
        raise ImageRefused(f"{kind} image: {reason}") from None
    return image, kind


def _check_header(image: Image.Image, data: bytes) -> None:
    """Refuse an image for what its header says, before anything is decompressed."""
    if image.width * image.height > MOST_PIXELS:
        raise ImageRefused(f"too large an image: {image.width} x {image.height} pixels")
    depth = data[24] if image.format == "PNG" else 8
    if image.mode != "RGB" or depth != 8:
        mode = image.mode if depth == 8 else f"{image.mode} of {depth} bit"
        raise ImageRefused(f"wrong mode: expected RGB of 8 bit, not {mode}")
    if "transparency" in image.info:
        raise ImageRefused("wrong mode: expected RGB of 8 bit, not RGB with transparency")
    if image.format == "PNG" and _PNG_END not in data:
        raise ImageRefused("truncated image: the PNG has no end")
