"""gzip data, decompressed up to a bound: a thousandth of their size can claim any size."""

import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO

from zoolens.catalog.errors import CatalogError, ImageRefused

GZIP = b"\x1f\x8b"
_GZIP_ONLY = 31  # of zlib's window bits: no other header
_PART = 2**20


def starts(data: bytes) -> bytes:
    """The first hundred bytes that gzip data decompress to, or as many as there are."""
    try:
        return zlib.decompressobj(_GZIP_ONLY).decompress(data, 100)
    except zlib.error:
        return b""


def unzipped(data: bytes, most_bytes: int) -> bytes:
    """The content of gzip data, of which members may follow one another.

    Raises `ImageRefused` for more than `most_bytes`, which are not made, and for data that are
    damaged or end early.
    """
    parts: list[bytes] = []
    room = most_bytes
    try:
        while data.startswith(GZIP):
            member = zlib.decompressobj(_GZIP_ONLY)
            parts.append(member.decompress(data, room + 1))
            room -= len(parts[-1])
            if room < 0:
                raise ImageRefused(f"too large an image: gzip of more than {most_bytes:,} bytes")
            if not member.eof:
                raise ImageRefused("truncated image: the gzip data end early")
            data = member.unused_data
    except zlib.error as error:
        raise ImageRefused(f"unreadable image: gzip: {error}") from None
    return b"".join(parts)


def unzipped_file(path: Path, most_bytes: int) -> BinaryIO:
    """The content of a gzip file, in a temporary file without a name, which goes when closed.

    What a truncated or damaged file has up to there is kept. Raises `CatalogError` for more
    than `most_bytes`, and `OSError` if there is no room for it.
    """
    out = tempfile.TemporaryFile()  # noqa: SIM115, the caller closes it
    written = 0
    try:
        with path.open("rb") as file:
            member, data = zlib.decompressobj(_GZIP_ONLY), file.read(_PART)
            if not data.startswith(GZIP):
                raise CatalogError(f"{path} is not gzip, as its name says")
            while data:
                part = member.decompress(data, _PART)
                written += out.write(part)
                if written > most_bytes:
                    raise CatalogError(
                        f"{path} decompresses to more than {most_bytes:,} bytes; gunzip it: a tar "
                        "that is not compressed is read where it is"
                    )
                data = member.unconsumed_tail
                if member.eof:
                    data = member.unused_data or file.read(_PART)
                    if not data.startswith(GZIP):  # what follows is padding
                        break
                    member = zlib.decompressobj(_GZIP_ONLY)
                elif not data and not (data := file.read(_PART)):
                    break
    except zlib.error:
        pass  # the tar then ends early, and says so
    except BaseException:
        out.close()
        raise
    out.seek(0)  # which flushes it
    return out
