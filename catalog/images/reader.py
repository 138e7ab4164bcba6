"""Images of galaxies in files that cannot be trusted: read, checked, decoded."""

import hashlib
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.containers import ParquetImages, TarImages, open_container
from zoolens.catalog.images.decoding import MOST_BYTES, decode
from zoolens.catalog.runtime.files import check_file

_OPEN_CONTAINERS = 8


@dataclass(frozen=True)
class ImageFacts:
    """What an accepted image is: encoding, size in pixels as seen, SHA-256 of its bytes.

    remarks: what was converted (`catalog.images.decoding.Decoded`).
    """

    format: str
    height: int
    width: int
    sha256: str
    remarks: tuple[str, ...]


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
        # our refusals say what matters
        warnings.filterwarnings("ignore", module=r"astropy\.")
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
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
        """The image, RGB or L with 8 bits per channel, wholly decoded.

        source: a file, or with `member` the tar or Parquet file that holds it. sha256: of
        its bytes when it was ingested. Raises `ImageRefused` if it cannot be read, is refused
        by `decode`, or its bytes have changed.
        """
        return decode(self.read(source, member, sha256=sha256)).image

    def inspect(self, source: str, member: str | None = None) -> ImageFacts:
        """Decode an image and say what it is. Raises `ImageRefused`."""
        data = self.read(source, member)
        image, kind, remarks = decode(data)
        sha256 = hashlib.sha256(data).hexdigest()
        return ImageFacts(kind, image.height, image.width, sha256, remarks)

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
