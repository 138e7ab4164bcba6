import galsim
import numpy as np
import pytest

from zoolens.catalog.sky.grid import MOFFAT_BETA, Grid, splat

SCALE = 0.262


@pytest.mark.parametrize(
    ("index", "radius", "ratio", "angle", "at"),
    [
        (1.0, 3.0, 1.0, 0.0, (0.0, 0.0)),
        (1.0, 3.0, 0.4, 0.7, (0.0, 0.0)),
        (4.0, 2.5, 0.7, 2.0, (3.1, -2.3)),
        (0.75, 1.2, 0.5, 1.2, (-4.0, 5.0)),
    ],
)
def test_sersic_profiles_after_seeing_are_galsims(
    index: float, radius: float, ratio: float, angle: float, at: tuple[float, float]
) -> None:
    grid = Grid(256, SCALE)
    seeing = 1.2
    found = grid.image(grid.sersic(index, radius, ratio, angle, at) * grid.seeing(seeing))
    # GalSim's shear keeps the area: its radius is the geometric mean of the axes
    profile = galsim.Sersic(n=index, half_light_radius=radius * np.sqrt(ratio))
    profile = profile.shear(q=ratio, beta=angle * galsim.radians).shift(*at)
    blurred = galsim.Convolve([profile, galsim.Moffat(beta=MOFFAT_BETA, fwhm=seeing)])
    # 257 pixels put GalSim's centre on a pixel, as ours; y runs up there
    drawn = blurred.drawImage(nx=257, ny=257, scale=SCALE, method="no_pixel").array
    expected = drawn[::-1][:256, :256]
    # linear interpolation of the radial transform, float32, and light beyond the edge
    # that wraps round: together below 1 % of the peak
    assert np.abs(found - expected).max() < 0.01 * expected.max()
    assert found.sum() == pytest.approx(1, abs=1e-4)


def test_a_transform_there_and_back() -> None:
    grid = Grid(60, SCALE)
    image = np.random.default_rng(0).random((60, 60), dtype=np.float32)
    assert np.allclose(grid.image(grid.transform(image)), image, atol=1e-5)


def test_a_centred_image_and_a_centred_profile_agree_on_the_centre() -> None:
    grid = Grid(128, SCALE)
    point = np.zeros((128, 128), dtype=np.float32)
    point[64, 64] = 1
    blur = grid.seeing(1.2)
    star = grid.image(grid.transform(point) * blur)
    galaxy = grid.image(grid.sersic(1.0, 1.0) * blur)
    assert np.unravel_index(star.argmax(), star.shape) == (64, 64)
    assert np.unravel_index(galaxy.argmax(), galaxy.shape) == (64, 64)


def test_seeing_has_its_width() -> None:
    grid = Grid(256, 0.1)
    point = np.zeros((256, 256), dtype=np.float32)
    point[128, 128] = 1
    star = grid.image(grid.transform(point) * grid.seeing(1.5))
    row = star[128]
    above = np.flatnonzero(row > row.max() / 2)
    # the half-maximum falls within a pixel of its place
    assert (above[-1] - above[0] + 1) * 0.1 == pytest.approx(1.5, abs=0.1)


def test_points_keep_their_flux_and_place_and_those_outside_are_left_out() -> None:
    image = np.zeros((10, 12), dtype=np.float32)
    splat(image, [3.25, 100.0, -1.0], [4.5, 2.0, 3.0], [8.0, 5.0, 5.0])
    assert image.sum() == pytest.approx(8)
    rows, columns = np.mgrid[:10, :12]
    assert (image * columns).sum() / 8 == pytest.approx(3.25)
    assert (image * rows).sum() / 8 == pytest.approx(4.5)


def test_half_the_resolution_is_every_other_pixel() -> None:
    grid = Grid(240, SCALE)
    waves = grid.sersic(2.0, 2.0, 0.5, 0.4, (3.0, -5.0)) * grid.seeing(1.2)
    full = grid.image(waves)
    # what seeing of 1.2 arcsec leaves beyond the coarser grid's Nyquist frequency
    assert np.abs(grid.halved(waves) - full[::2, ::2]).max() < 0.01 * full.max()
