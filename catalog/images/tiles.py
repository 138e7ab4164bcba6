"""Compressed FITS images, checked before astropy's C code decompresses them.

That code trusts a tile's bytes: it reads on behind the end of a damaged one, and gives what is
gzipped whatever room it asks for. So all that it is going to read is looked at before.
"""

import io
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.unzipping import unzipped
from zoolens.catalog.runtime.compiled import compiled

_MOST_BYTES = 256 * 2**20  # of an image once it is decompressed
_MOST_TILES = 65_536
_RICE = ("RICE_1", "RICE_ONE")
_GZIP = ("GZIP_1", "GZIP_2")
_SEEDS = 10_000  # of dithering, from 1
_ZIPPED = "GZIP_COMPRESSED_DATA"  # a column of tiles that could not be made integers


def check_tiles(data: bytes, unit: int, shape: tuple[int, ...], start: int) -> None:
    """Raises `ImageRefused` unless a compressed image can be decompressed safely.

    data: the file; unit: number of its header and data unit; shape: of the image, slowest axis
    first; start: where its table begins. RICE and gzip are read, which `fpack` writes by
    default.
    """
    with fits.open(io.BytesIO(data), disable_image_compression=True) as file:
        header, columns = file[unit].header, file[unit].columns
    kind = str(header["ZCMPTYPE"]).strip()
    rice = _setting(header, "BLOCKSIZE", 32), _setting(header, "BYTEPIX", 4)
    if kind not in (*_RICE, *_GZIP) or rice[0] not in (16, 32) or rice[1] not in (1, 2, 4):
        raise ImageRefused(f"unreadable image: compression {kind:.20} is not read; use funpack")
    tile = tuple(int(header[f"ZTILE{axis}"]) for axis in range(len(shape), 0, -1))
    grid = tuple(-(-whole // max(part, 1)) for whole, part in zip(shape, tile, strict=True))
    rows, width = int(header["NAXIS2"]), int(header["NAXIS1"])
    if 8 * math.prod(shape) > _MOST_BYTES or rows > _MOST_TILES:
        raise ImageRefused(f"too large an image: {shape} in {rows:,} compressed tiles")
    if rows != math.prod(grid) or min(tile) < 1 or any(np.greater(tile, shape)):
        raise ImageRefused(f"unreadable image: {rows:,} tiles {tile} do not make up {shape}")
    if int(header.get("THEAP", rows * width)) != rows * width:
        raise ImageRefused("unreadable image: its compressed tiles do not follow their table")
    if not 1 <= int(header.get("ZDITHER0", 1)) <= _SEEDS:
        raise ImageRefused(f"unreadable image: dithered from {header['ZDITHER0']}")
    table = np.frombuffer(data, columns.dtype.newbyteorder(">"), rows, start)
    heap = memoryview(data)[start + rows * width :]
    parts = dict(_columns(header, columns))
    for row, part in enumerate(_tiles(table[parts["COMPRESSED_DATA"]], heap)):
        if kind in _GZIP:
            unzipped(bytes(part), 8 * math.prod(tile))
        elif len(part):
            place = np.unravel_index(row, grid)
            values = math.prod(
                min(of, whole - int(at) * of)
                for at, of, whole in zip(place, tile, shape, strict=True)
            )
            if not _rice_is_whole(np.frombuffer(part, np.uint8), values, *rice):
                raise ImageRefused(f"truncated image: tile {row + 1:,} ends early")
    if _ZIPPED in parts:
        for part in _tiles(table[parts[_ZIPPED]], heap):
            unzipped(bytes(part), 8 * math.prod(tile))


def _columns(header: fits.Header, columns: fits.ColDefs) -> Iterator[tuple[str, str]]:
    """Names of the columns of compressed tiles, as they are and in the type of a row."""
    for place, name in enumerate(columns.names):
        if name in ("COMPRESSED_DATA", _ZIPPED):
            if not str(header[f"TFORM{place + 1}"]).startswith(("1PB", "PB", "1QB", "QB")):
                raise ImageRefused("unreadable image: its compressed tiles are not bytes")
            yield name, columns.dtype.names[place]


def _tiles(places: np.ndarray, heap: memoryview) -> Iterator[memoryview]:
    """The bytes of tiles; places (N, 2): how many they are, and from where on."""
    for size, at in places.astype(np.int64).reshape(-1, 2).tolist():
        if size < 0 or at < 0 or at + size > len(heap):
            raise ImageRefused("truncated image: compressed tiles are missing")
        yield heap[at : at + size]


def _setting(header: fits.Header, name: str, default: int) -> int:
    """A setting of the compression, by the first `ZNAME` that is called so."""
    place = 1
    while f"ZNAME{place}" in header:
        if str(header[f"ZNAME{place}"]).lower() == name.lower():
            return int(header[f"ZVAL{place}"])
        place += 1
    return default


@compiled
def _rice_is_whole(tile: npt.NDArray[np.uint8], values: int, block: int, size: int) -> bool:
    """Whether decoding `values` values by Rice's method stays within a tile's bytes.

    As in section 10.4.1 of the FITS standard 4.0: the first value as it is, then blocks of
    differences. A block begins with the number of low bits that its differences have, and one;
    0 is for a block of equal values, and the largest for differences as they are. Others
    begin with as many zeros as their high bits say, and a one. size: bytes of a value, 1, 2
    or 4.
    """
    length = 3 if size == 1 else 4 if size == 2 else 5
    plain = 6 if size == 1 else 14 if size == 2 else 25
    end, at, done = 8 * len(tile), 8 * size, 0  # bits, bits, values
    if len(tile) < size + 1:
        return False
    while done < values:
        here = min(block, values - done)
        done += here
        if at + length > end:
            return False
        code = 0
        for _ in range(length):
            code = 2 * code + (tile[at // 8] >> (7 - at % 8) & 1)
            at += 1
        low = code - 1
        if low == plain:
            at += 8 * size * here
        elif low >= 0:
            for _ in range(here):
                while at < end and not tile[at // 8] >> (7 - at % 8) & 1:
                    at += 1
                at += 1 + low
                if at > end:
                    return False
        if at > end:
            return False
    return True
