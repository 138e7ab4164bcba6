import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from astropy.io import fits
from astropy.visualization import make_lupton_rgb
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.cutouts import shown
from zoolens.catalog.images.decoding import decode

LIMIT = 4096**2


def cutout(planes: npt.ArrayLike, **cards: object) -> bytes:
    file = io.BytesIO()
    unit = fits.PrimaryHDU(np.asarray(planes))
    unit.header.update(cards)
    unit.writeto(file)
    return file.getvalue()


def picture(data: bytes, most_pixels: int) -> Image.Image:
    return shown(data, most_pixels)[0]


def sky() -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 0.01, (3, 20, 30)).astype(np.float32)


class TestColour:
    @pytest.mark.parametrize(("band", "channel"), [(0, 2), (1, 1), (2, 0)])
    def test_g_r_z_become_blue_green_red(self, band: int, channel: int) -> None:
        planes = sky()
        planes[band, 10, 15] = 5
        rgb = np.asarray(picture(cutout(planes), LIMIT))
        assert rgb[9, 15, channel] > 200
        assert rgb[9, 15].sum() - rgb[9, 15, channel] < 30

    def test_the_first_row_is_the_bottom_one(self) -> None:
        planes = sky()
        planes[:, 0, 3] = 5
        rgb = np.asarray(picture(cutout(planes), LIMIT))
        assert rgb.shape == (20, 30, 3)
        assert np.unravel_index(rgb.sum(axis=2).argmax(), (20, 30)) == (19, 3)

    def test_is_astropys_lupton_of_the_real_cutout(self, data: Path) -> None:
        path = data / "fits" / "example_a.fits"
        g, r, z = fits.getdata(path)
        own = make_lupton_rgb(z * 52.63 / 71.43, r, g * 125 / 71.43, stretch=0.2, Q=8)
        image, kind, _ = decode(path.read_bytes())
        assert kind == "FITS"
        # the bands' weights are rounded to three digits, so a level may round otherwise
        difference = np.asarray(image).astype(int) - own[::-1]
        assert np.abs(difference).max() <= 1
        assert np.asarray(image)[212, 212].min() > 60  # the galaxy shows
        assert np.asarray(image)[:40, 200:].mean() < 40  # the sky is dark

    def test_integers_and_scaled_values(self) -> None:
        planes = np.round(sky() * 1000).astype(np.int16)
        planes[planes == 0] = 1
        plain = picture(cutout(planes.astype(np.float32)), LIMIT)
        assert np.array_equal(np.asarray(picture(cutout(planes), LIMIT)), np.asarray(plain))
        scaled = cutout(planes, BSCALE=2.0, BZERO=1.0)
        twice = picture(cutout(planes.astype(np.float32) * 2 + 1), LIMIT)
        assert np.array_equal(np.asarray(picture(scaled, LIMIT)), np.asarray(twice))


class TestBands:
    """g, r and z are found by their names."""

    @pytest.mark.parametrize("bands", ["griz", "zirg", "ugrizy", "g,r,i,z", "g r z", "zrg"])
    @pytest.mark.parametrize("one_each", [False, True])
    def test_in_any_order_among_others(self, bands: str, one_each: bool) -> None:
        names = bands.replace(",", " ").replace(" ", "")
        planes = dict(zip("grz", sky(), strict=True))
        cube = np.stack([planes.get(name, np.full((20, 30), 9, np.float32)) for name in names])
        cards = {f"BAND{i}": name for i, name in enumerate(names)} if one_each else {"BANDS": bands}
        image, remarks = shown(cutout(cube, **cards), LIMIT)
        assert np.array_equal(np.asarray(image), np.asarray(picture(cutout(sky()), LIMIT)))
        several = () if len(names) == 3 else (f"chosen bands: g, r and z of {' '.join(names)}",)
        assert remarks == several

    def test_a_band_that_is_not_shown_may_be_empty(self) -> None:
        cube = np.insert(sky(), 2, 0, axis=0)
        image = picture(cutout(cube, BANDS="griz"), LIMIT)
        assert np.array_equal(np.asarray(image), np.asarray(picture(cutout(sky()), LIMIT)))

    def test_four_that_have_no_names(self) -> None:
        with pytest.raises(ImageRefused, match="4 planes, and no BANDS in the header that says"):
            shown(cutout(np.ones((4, 20, 30), np.float32)), LIMIT)

    @pytest.mark.parametrize("bands", ["grii", "ggrz"])
    def test_names_that_are_missing_or_twice(self, bands: str) -> None:
        with pytest.raises(ImageRefused, match=f"expected bands g, r, z, not '{bands}'"):
            shown(cutout(np.ones((4, 20, 30), np.float32), BANDS=bands), LIMIT)


def galaxy() -> npt.NDArray[np.float32]:
    """One plane, (60, 80): a disc in the middle of a noisy sky at 100."""
    y, x = np.mgrid[:60, :80]
    disc = 400 * np.exp(-np.hypot(x - 40, y - 30) / 6)
    return (100 + disc + np.random.default_rng(1).normal(0, 5, (60, 80))).astype(np.float32)


class TestOnePlane:
    def test_is_stretched_as_documented(self) -> None:
        plane = galaxy()
        kept = plane.ravel().astype(float)
        while True:  # clipping at 3 sigma, as slow as it is plain
            clipped = kept[abs(kept - np.median(kept)) <= 3 * kept.std()]
            if len(clipped) == len(kept):
                break
            kept = clipped
        black, white = np.median(kept) - 2 * kept.std(), np.percentile(plane, 99.8)
        share = np.clip((plane - black) / (white - black), 0, 1)
        expected = 255 * np.arcsinh(share / 0.1) / np.arcsinh(10)
        image, remarks = shown(cutout(plane), LIMIT)
        assert image.mode == "L"
        assert np.abs(np.asarray(image)[::-1] - expected).max() < 0.51
        assert remarks[0].startswith("one channel")
        assert remarks[0].endswith("stretched by asinh")

    @pytest.mark.parametrize("kind", [np.int16, np.uint16, np.int32, np.float64])
    def test_of_any_type_and_unit(self, kind: type) -> None:
        plain = np.asarray(picture(cutout(np.round(galaxy() * 20)), LIMIT)).astype(int)
        other: npt.NDArray[np.generic] = np.round(galaxy() * 20).astype(kind)
        assert np.abs(np.asarray(picture(cutout(other), LIMIT)) - plain).max() <= 1
        assert np.abs(np.asarray(picture(cutout(other[None]), LIMIT)) - plain).max() <= 1
        scaled = (galaxy() * 1e-9).astype(np.float32)
        assert np.abs(np.asarray(picture(cutout(scaled), LIMIT)) - plain).max() <= 2

    def test_eight_bits_are_for_the_eye_already(self) -> None:
        plane = np.arange(200, dtype=np.uint8).reshape(10, 20)
        image, remarks = shown(cutout(plane), LIMIT)
        assert np.array_equal(np.asarray(image), plane[::-1])
        assert "stretched" not in remarks[0]

    def test_what_is_no_number_is_sky(self) -> None:
        plane = galaxy()
        plane[0, :8] = np.nan
        image, remarks = shown(cutout(plane), LIMIT)
        assert remarks[1] == "filled pixels: 8 of 4,800 are no finite numbers, shown as sky"
        sky_level = np.median(np.asarray(image)[-5:])
        assert np.abs(np.asarray(image)[-1, :8] - sky_level).max() < 15

    def test_blank_integers_are_no_numbers(self) -> None:
        plane = np.round(galaxy()).astype(np.int16)
        plane[0, :8] = -32768
        remarks = shown(cutout(plane, BLANK=-32768), LIMIT)[1]
        assert remarks[1].startswith("filled pixels: 8 of 4,800")

    @pytest.mark.parametrize("value", [0, 7.5])
    def test_of_one_value(self, value: float) -> None:
        with pytest.raises(ImageRefused, match="bad pixels"):
            shown(cutout(np.full((20, 30), value, np.float32)), LIMIT)

    def test_zeros_are_missing_data_only_in_floating_point(self) -> None:
        plane = galaxy()
        plane[:12] = 0
        with pytest.raises(ImageRefused, match="20% of the image is without data"):
            shown(cutout(plane), LIMIT)
        assert shown(cutout(np.round(plane).astype(np.int16)), LIMIT)[0].size == (80, 60)


class TestRefused:
    def test_the_real_bad_ones(self, data: Path) -> None:
        with pytest.raises(ImageRefused, match="bad pixels: 76% of band g is without data"):
            decode((data / "fits" / "example_bad_pix.fits").read_bytes())
        with pytest.raises(ImageRefused, match="truncated image: 1,389,044 bytes of 2,160,192"):
            decode((data / "fits" / "example_incomplete.fits").read_bytes())

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_a_twentieth_that_is_no_number(self, value: float) -> None:
        planes = sky()
        planes[1, 0] = value
        image, remarks = shown(cutout(planes), LIMIT)
        assert remarks == ("filled pixels: 30 of 600 are no finite numbers, shown as sky",)
        planes[1, 0] = 0
        assert np.array_equal(np.asarray(image), np.asarray(picture(cutout(planes), LIMIT)))
        planes[1, 0] = planes[2, 1, 0] = value
        with pytest.raises(ImageRefused, match=r"bad pixels: 5.2% are no finite numbers; up to 5%"):
            picture(cutout(planes), LIMIT)

    @pytest.mark.parametrize(("rows", "good"), [(3, True), (4, False)])
    def test_a_fifth_without_data(self, rows: int, good: bool) -> None:
        planes = sky()
        planes[2, :rows] = 0
        if good:
            assert picture(cutout(planes), LIMIT).size == (30, 20)
        else:
            with pytest.raises(ImageRefused, match="20% of band z"):
                picture(cutout(planes), LIMIT)

    @pytest.mark.parametrize("shape", [(2, 20, 30), (4, 20, 30), (3, 3, 20, 30), (7,)])
    def test_other_shapes(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ImageRefused, match="wrong shape"):
            picture(cutout(np.ones(shape, np.float32)), LIMIT)

    def test_other_bands(self) -> None:
        with pytest.raises(ImageRefused, match="expected bands g, r, z, not 'gri'"):
            picture(cutout(sky(), BANDS="gri"), LIMIT)

    def test_too_many_pixels_are_not_read(self) -> None:
        header = cutout(sky()).replace(
            b"NAXIS1  =                   30", b"NAXIS1  =            987654321"
        )
        with pytest.raises(ImageRefused, match="too large an image"):
            picture(header, LIMIT)

    def test_every_truncation_but_of_the_padding(self) -> None:
        data = cutout(sky())
        whole = 2880 + 3 * 20 * 30 * 4
        for length in [*range(0, whole, 97), whole - 1]:
            with pytest.raises(ImageRefused):
                picture(data[:length], LIMIT)
        own = np.asarray(picture(data, LIMIT))
        np.testing.assert_array_equal(np.asarray(picture(data[:whole], LIMIT)), own)

    @settings(max_examples=300, deadline=None)
    @given(place=st.integers(0, 2879), byte=st.integers(0, 255))
    @pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
    def test_no_damage_to_the_header_raises_anything_else(self, place: int, byte: int) -> None:
        data = bytearray(cutout(sky()))
        data[place] = byte
        with suppress(ImageRefused):
            assert picture(bytes(data), LIMIT).size == (30, 20)

    def test_a_table_is_no_image(self) -> None:
        file = io.BytesIO()
        column = fits.Column("a", "E", array=np.ones(3))
        fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([column])]).writeto(file)
        with pytest.raises(ImageRefused, match="wrong shape: the file has no image"):
            picture(file.getvalue(), LIMIT)


def test_the_image_is_plain_rgb() -> None:
    image = picture(cutout(sky()), LIMIT)
    assert isinstance(image, Image.Image)
    assert image.mode == "RGB"
