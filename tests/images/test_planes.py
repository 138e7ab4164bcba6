"""Which array of a FITS file is the image, and what its planes are called."""

import io

import numpy as np
import pytest
from astropy.io import fits

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.planes import read_planes

LIMIT = 4096**2
PLANE = np.random.default_rng(0).normal(0, 1, (7, 9)).astype(np.float32)


def file_of(*units: object) -> bytes:
    file = io.BytesIO()
    fits.HDUList([*units]).writeto(file)
    return file.getvalue()


def table() -> fits.BinTableHDU:
    return fits.BinTableHDU.from_columns([fits.Column("a", "E", array=np.ones(3))])


class TestWhichArray:
    def test_the_primary_one_if_it_has_data(self) -> None:
        # as a cut-out with its inverse variance
        data = file_of(fits.PrimaryHDU(PLANE), fits.ImageHDU(PLANE + 1, name="INVVAR"))
        np.testing.assert_array_equal(read_planes(data, LIMIT).pixels, PLANE[None])

    def test_else_the_only_extension_of_an_image(self) -> None:
        data = file_of(fits.PrimaryHDU(), table(), fits.ImageHDU(PLANE, name="SCI"), table())
        np.testing.assert_array_equal(read_planes(data, LIMIT).pixels, PLANE[None])

    def test_of_several_none(self) -> None:
        units = [fits.ImageHDU(PLANE, name=name) for name in ("SCI", "ERR")]
        with pytest.raises(ImageRefused, match=r"2 extensions are images \(1 'SCI', 2 'ERR'\)"):
            read_planes(file_of(fits.PrimaryHDU(), *units), LIMIT)

    @pytest.mark.parametrize("units", [(), (table(),)])
    def test_none(self, units: tuple[object, ...]) -> None:
        with pytest.raises(ImageRefused, match="wrong shape: the file has no image"):
            read_planes(file_of(fits.PrimaryHDU(), *units), LIMIT)

    def test_truncated_in_an_extension(self) -> None:
        data = file_of(fits.PrimaryHDU(), fits.ImageHDU(PLANE))
        whole = 2 * 2880 + PLANE.nbytes
        for length in (whole - 1, 2 * 2880 + 1):
            with pytest.raises(
                ImageRefused, match=f"truncated image: {length:,} bytes of {whole:,}"
            ):
                read_planes(data[:length], LIMIT)
        np.testing.assert_array_equal(read_planes(data[:whole], LIMIT).pixels, PLANE[None])


class TestBands:
    def test_by_either_way_of_naming_them(self) -> None:
        cube = fits.PrimaryHDU(np.stack([PLANE] * 4))
        assert read_planes(file_of(cube), LIMIT).bands == ()
        for i, band in enumerate("griz"):
            cube.header[f"BAND{i}"] = band
        assert read_planes(file_of(cube), LIMIT).bands == ("g", "r", "i", "z")
        cube.header["BANDS"] = "griz"
        assert read_planes(file_of(cube), LIMIT).bands == ("g", "r", "i", "z")

    @pytest.mark.parametrize(
        ("cards", "words"),
        [
            ({"BANDS": "grz"}, "4 planes, of which the header names 3 bands: g r z"),
            ({"BANDS": "griz", "BAND0": "z"}, "BANDS, griz, are not its BAND0 to BAND3, z"),
        ],
    )
    def test_that_contradict(self, cards: dict[str, str], words: str) -> None:
        cube = fits.PrimaryHDU(np.stack([PLANE] * 4))
        cube.header.update(cards)
        with pytest.raises(ImageRefused, match=words):
            read_planes(file_of(cube), LIMIT)


def test_depth_is_that_of_the_file() -> None:
    for kind, depth in ((np.uint8, 8), (np.int16, 16), (np.uint16, 16), (np.float32, -32)):
        assert read_planes(file_of(fits.PrimaryHDU(PLANE.astype(kind))), LIMIT).depth == depth
        packed = fits.CompImageHDU(np.ones((40, 40), kind), compression_type="GZIP_1")
        assert read_planes(file_of(fits.PrimaryHDU(), packed), LIMIT).depth == depth


def test_too_large_an_image_is_not_read() -> None:
    with pytest.raises(ImageRefused, match="too large an image: 9 x 7 pixels"):
        read_planes(file_of(fits.PrimaryHDU(PLANE)), 62)
