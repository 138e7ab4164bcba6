"""Compressed FITS images: as astropy reads them, and damaged ones refused before it does."""

import gzip
import io
import random
import struct

import numpy as np
import pytest
from astropy.io import fits

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.planes import read_planes

LIMIT = 4096**2
COUNTS = np.random.default_rng(0).poisson(300, (21, 34)).astype(np.int16)
FLUXES = np.random.default_rng(1).normal(0, 1, (21, 34)).astype(np.float32)


def packed(pixels: np.ndarray, kind: str, **settings: object) -> bytes:
    file = io.BytesIO()
    unit = fits.CompImageHDU(pixels, compression_type=kind, **settings)
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(file)
    return file.getvalue()


def own(data: bytes) -> np.ndarray:
    return np.asarray(fits.getdata(io.BytesIO(data), 1), dtype=np.float32).reshape(-1, 21, 34)


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2"])
@pytest.mark.parametrize("tile", [(1, 34), (8, 10), (21, 34)])
@pytest.mark.parametrize(
    "pixels", [COUNTS, COUNTS.astype(np.int32), COUNTS.astype(np.uint8), FLUXES]
)
@pytest.mark.slow
def test_are_read_as_by_astropy(kind: str, tile: tuple[int, int], pixels: np.ndarray) -> None:
    data = packed(pixels, kind, tile_shape=tile)
    np.testing.assert_array_equal(read_planes(data, LIMIT).pixels, own(data))


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((21, 34), np.int32),  # blocks of equal values
        np.random.default_rng(2).integers(-(2**31), 2**31, (21, 34), np.int32),  # as they are
        np.where(np.arange(714).reshape(21, 34) % 50 == 0, 2**30, 1).astype(np.int32),  # long runs
    ],
)
def test_every_kind_of_block_of_rice(values: np.ndarray) -> None:
    data = packed(values, "RICE_1")
    np.testing.assert_array_equal(read_planes(data, LIMIT).pixels, own(data))


def test_a_cube_and_not_a_number() -> None:
    cube = np.stack([FLUXES] * 4)
    cube[1, 3, 4] = np.nan
    data = packed(cube, "RICE_1")
    np.testing.assert_array_equal(read_planes(data, LIMIT).pixels, own(data))
    assert np.isnan(read_planes(data, LIMIT).pixels[1, 3, 4])


def test_tiles_of_rice_that_end_early_never_reach_the_decoder() -> None:
    data = packed(COUNTS, "RICE_1", tile_shape=(21, 34))
    start, heap = table_of(data)
    (size,) = struct.unpack(">i", data[start : start + 4])
    for shorter in [*range(1, 9), *range(9, size, 97), size - 1]:
        cut = bytearray(data)
        cut[start : start + 4] = struct.pack(">i", shorter)
        with pytest.raises(ImageRefused, match=r"truncated image: tile 1 ends early"):
            read_planes(bytes(cut), LIMIT)
    zeros = bytearray(data)
    zeros[heap : heap + size] = bytes(size)
    zeros[heap + 4] = 0x50  # differences of 9 low bits, whose high bits never end
    with pytest.raises(ImageRefused, match=r"truncated image: tile 1 ends early"):
        read_planes(bytes(zeros), LIMIT)


def table_of(data: bytes) -> tuple[int, int]:
    """Where the table of compressed tiles begins, and where their bytes do."""
    with fits.open(io.BytesIO(data), disable_image_compression=True) as file:
        start = file[1].fileinfo()["datLoc"]
        return start, start + file[1].header["NAXIS1"] * file[1].header["NAXIS2"]


def test_a_tile_that_unzips_to_more_than_the_image() -> None:
    data = packed(COUNTS, "GZIP_1", tile_shape=(21, 34))
    start, heap = table_of(data)
    bomb = gzip.compress(bytes(10**8))
    grown = bytearray(data[:heap] + bomb + bytes(-len(bomb) % 2880))
    grown[start : start + 4] = struct.pack(">i", len(bomb))
    with pytest.raises(ImageRefused, match="too large an image: gzip of more than 5,712 bytes"):
        read_planes(bytes(grown), LIMIT)


@pytest.mark.parametrize("kind", ["HCOMPRESS_1", "PLIO_1"])
def test_other_compressions_name_the_way_out(kind: str) -> None:
    with pytest.raises(ImageRefused, match=f"compression {kind} is not read; use funpack"):
        read_planes(packed(COUNTS, kind), LIMIT)


@pytest.mark.parametrize(
    ("card", "value", "words"),
    [
        ("ZNAXIS1", 2**30, "too large an image"),
        ("ZTILE1", 2**30, "tiles .* do not make up"),
        ("ZTILE1", 0, "tiles .* do not make up"),
        ("ZVAL1", 1000, "compression RICE_1 is not read"),
        ("ZVAL2", 8, "compression RICE_1 is not read"),
        ("THEAP", 3, "do not follow their table"),
        ("TFORM1", "1PJ(9)", "not bytes|unreadable"),
        ("ZDITHER0", -5, "dithered from -5"),
    ],
)
def test_headers_that_lie(card: str, value: object, words: str) -> None:
    with fits.open(io.BytesIO(packed(COUNTS, "RICE_1")), disable_image_compression=True) as file:
        file[1].header[card] = value
        out = io.BytesIO()
        file.writeto(out, output_verify="ignore")
    with pytest.raises(ImageRefused, match=words):
        read_planes(out.getvalue(), LIMIT)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1"])
def test_no_damage_raises_anything_else(kind: str) -> None:
    whole = packed(FLUXES, kind)
    chance = random.Random(3)
    for _ in range(120):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 5))):
            data[chance.randrange(2880, len(data))] = chance.randrange(256)
        try:
            assert read_planes(bytes(data), LIMIT).pixels.ndim == 3
        except ImageRefused as refused:
            assert "\n" not in str(refused)  # noqa: PT017
