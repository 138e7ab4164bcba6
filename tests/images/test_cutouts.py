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
from zoolens.catalog.images.cutouts import cutout_rgb
from zoolens.catalog.images.reader import decode

LIMIT = 4096**2


def cutout(planes: npt.ArrayLike, **cards: object) -> bytes:
    file = io.BytesIO()
    unit = fits.PrimaryHDU(np.asarray(planes))
    unit.header.update(cards)
    unit.writeto(file)
    return file.getvalue()


def sky() -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 0.01, (3, 20, 30)).astype(np.float32)


class TestColour:
    @pytest.mark.parametrize(("band", "channel"), [(0, 2), (1, 1), (2, 0)])
    def test_g_r_z_become_blue_green_red(self, band: int, channel: int) -> None:
        planes = sky()
        planes[band, 10, 15] = 5
        rgb = np.asarray(cutout_rgb(cutout(planes), LIMIT))
        assert rgb[9, 15, channel] > 200
        assert rgb[9, 15].sum() - rgb[9, 15, channel] < 30

    def test_the_first_row_is_the_bottom_one(self) -> None:
        planes = sky()
        planes[:, 0, 3] = 5
        rgb = np.asarray(cutout_rgb(cutout(planes), LIMIT))
        assert rgb.shape == (20, 30, 3)
        assert np.unravel_index(rgb.sum(axis=2).argmax(), (20, 30)) == (19, 3)

    def test_is_astropys_lupton_of_the_real_cutout(self, data: Path) -> None:
        path = data / "fits" / "example_a.fits"
        g, r, z = fits.getdata(path)
        own = make_lupton_rgb(z * 52.63 / 71.43, r, g * 125 / 71.43, stretch=0.2, Q=8)
        image, kind = decode(path.read_bytes())
        assert kind == "FITS"
        # the bands' weights are rounded to three digits, so a level may round otherwise
        difference = np.asarray(image).astype(int) - own[::-1]
        assert np.abs(difference).max() <= 1
        assert np.asarray(image)[212, 212].min() > 60  # the galaxy shows
        assert np.asarray(image)[:40, 200:].mean() < 40  # the sky is dark

    def test_integers_and_scaled_values(self) -> None:
        planes = np.round(sky() * 1000).astype(np.int16)
        planes[planes == 0] = 1
        plain = cutout_rgb(cutout(planes.astype(np.float32)), LIMIT)
        assert np.array_equal(np.asarray(cutout_rgb(cutout(planes), LIMIT)), np.asarray(plain))
        scaled = cutout(planes, BSCALE=2.0, BZERO=1.0)
        twice = cutout_rgb(cutout(planes.astype(np.float32) * 2 + 1), LIMIT)
        assert np.array_equal(np.asarray(cutout_rgb(scaled, LIMIT)), np.asarray(twice))


class TestRefused:
    def test_the_real_bad_ones(self, data: Path) -> None:
        with pytest.raises(ImageRefused, match="bad pixels: 76% of band g is without data"):
            decode((data / "fits" / "example_bad_pix.fits").read_bytes())
        with pytest.raises(ImageRefused, match="truncated image: 1,389,044 bytes of 2,160,192"):
            decode((data / "fits" / "example_incomplete.fits").read_bytes())

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_one_bad_pixel(self, value: float) -> None:
        planes = sky()
        planes[1, 4, 4] = value
        with pytest.raises(ImageRefused, match="bad pixels: 1 pixels are not finite"):
            cutout_rgb(cutout(planes), LIMIT)

    @pytest.mark.parametrize(("rows", "good"), [(3, True), (4, False)])
    def test_a_fifth_without_data(self, rows: int, good: bool) -> None:
        planes = sky()
        planes[2, :rows] = 0
        if good:
            assert cutout_rgb(cutout(planes), LIMIT).size == (30, 20)
        else:
            with pytest.raises(ImageRefused, match="20% of band z"):
                cutout_rgb(cutout(planes), LIMIT)

    @pytest.mark.parametrize("shape", [(20, 30), (2, 20, 30), (4, 20, 30), (3, 3, 20, 30), (7,)])
    def test_other_shapes(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ImageRefused, match="wrong shape"):
            cutout_rgb(cutout(np.ones(shape, np.float32)), LIMIT)

    def test_other_bands(self) -> None:
        with pytest.raises(ImageRefused, match="expected bands grz, not 'gri'"):
            cutout_rgb(cutout(sky(), BANDS="gri"), LIMIT)

    def test_too_many_pixels_are_not_read(self) -> None:
        header = cutout(sky()).replace(
            b"NAXIS1  =                   30", b"NAXIS1  =            987654321"
        )
        with pytest.raises(ImageRefused, match="too large an image"):
            cutout_rgb(header, LIMIT)

    def test_every_truncation_but_of_the_padding(self) -> None:
        data = cutout(sky())
        whole = 2880 + 3 * 20 * 30 * 4
        for length in [*range(0, whole, 97), whole - 1]:
            with pytest.raises(ImageRefused):
                cutout_rgb(data[:length], LIMIT)
        own = np.asarray(cutout_rgb(data, LIMIT))
        np.testing.assert_array_equal(np.asarray(cutout_rgb(data[:whole], LIMIT)), own)

    @settings(max_examples=300, deadline=None)
    @given(place=st.integers(0, 2879), byte=st.integers(0, 255))
    @pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
    def test_no_damage_to_the_header_raises_anything_else(self, place: int, byte: int) -> None:
        data = bytearray(cutout(sky()))
        data[place] = byte
        with suppress(ImageRefused):
            assert cutout_rgb(bytes(data), LIMIT).size == (30, 20)

    def test_a_table_is_no_image(self) -> None:
        file = io.BytesIO()
        column = fits.Column("a", "E", array=np.ones(3))
        fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([column])]).writeto(file)
        with pytest.raises(ImageRefused, match="wrong shape"):
            cutout_rgb(file.getvalue(), LIMIT)


def test_the_image_is_plain_rgb() -> None:
    image = cutout_rgb(cutout(sky()), LIMIT)
    assert isinstance(image, Image.Image)
    assert image.mode == "RGB"
