"""What a model sees is what galaxy_datasets would show it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.view import VIEW_NAMES, ColourAndGrey, View
from zoolens.catalog.runtime.compiled import _made


@pytest.fixture(scope="module")
def image() -> Image.Image:
    """424 x 424 pixels of noise, as no crop or flip leaves it the same."""
    pixels = np.random.default_rng(0).integers(0, 256, (424, 424, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("name", VIEW_NAMES)
@pytest.mark.parametrize("greyscale", [False, True])
def test_equals_the_configuration_of_galaxy_datasets(
    name: str, greyscale: bool, image: Image.Image
) -> None:
    from galaxy_datasets import transforms

    config = getattr(transforms, f"{name}_view_config")()
    config.greyscale = greyscale
    expected = transforms.get_galaxy_transform(config)(image)
    shown = View(name, greyscale=greyscale).prepare(image)
    assert shown.dtype == torch.float32
    assert shown.shape == (1 if greyscale else 3, 224, 224)
    assert torch.equal(shown, expected)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 130),
    st.integers(1, 130),
    st.booleans(),
    st.integers(16, 160),
    st.sampled_from([4, 256]),
)
def test_pictures_of_any_shape_equal_those_of_galaxy_datasets(
    height: int, width: int, greyscale: bool, size: int, levels: int
) -> None:
    from galaxy_datasets import transforms

    random = np.random.default_rng(height * 1000 + width)
    # few levels fall on whole numbers often, where the last bit of a float decides
    pixels = random.integers(0, levels, (height, width, 3), dtype=np.uint8)
    config = transforms.minimal_view_config()
    config.greyscale, config.output_size = greyscale, size
    expected = transforms.get_galaxy_transform(config)(Image.fromarray(pixels))
    shown = View(size=size, greyscale=greyscale).prepare(Image.fromarray(pixels))
    assert torch.equal(shown, expected)


def test_threads_may_make_ready_together(image: Image.Image) -> None:
    expected = View().prepare(image)
    _made.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        assert all(torch.equal(one, expected) for one in pool.map(View().prepare, [image] * 16))


def test_minimal_shows_the_central_part_of_a_galaxy(image: Image.Image) -> None:
    # the central 1/1.2 of the image, resized: what a plain crop and resize gives,
    # but for the interpolation of the zoom
    left = round(424 * (1 - 1 / 1.2) / 2)
    smooth = image.resize((20, 20)).resize((424, 424), Image.Resampling.BICUBIC)
    crop = smooth.crop((left, left, 424 - left, 424 - left)).resize((224, 224))
    shown = View().prepare(smooth).permute(1, 2, 0).numpy()
    assert np.abs(shown - np.asarray(crop) / 255).mean() < 0.01


@pytest.mark.parametrize("zoom", [1.0, 2.0, 3.3])
def test_a_zoom_is_the_scale_of_galaxy_datasets(zoom: float, image: Image.Image) -> None:
    from galaxy_datasets import transforms

    config = transforms.minimal_view_config()
    config.random_affine.scale = (zoom, zoom)
    config.output_size = 64
    expected = transforms.get_galaxy_transform(config)(image)
    view = View(size=64, zoom=zoom)
    assert torch.equal(view.prepare(image), expected)
    assert np.array_equal(view.display(image), view.both(image)[1])
    both = ColourAndGrey(size=64, zoom=zoom).prepare(image)
    assert torch.equal(both[:3], expected)
    assert torch.equal(both[3:], View(size=64, greyscale=True, zoom=zoom).prepare(image))


def test_a_zoom_is_recorded_only_where_it_is_another() -> None:
    assert "zoom" not in View().config()
    view = View(size=64, zoom=2)
    assert json.loads(json.dumps(view.config()))["zoom"] == 2
    assert View.from_config(view.config()) == view
    for wrong in (0.5, 17.0, float("nan"), float("inf")):
        with pytest.raises(CatalogError, match="zoom of"):
            View(zoom=wrong)
    with pytest.raises(CatalogError, match="leave out the zoom"):
        View("fast", zoom=2)
    with pytest.raises(CatalogError, match="is no view"):
        View.from_config({**View().config(), "zoom": "2"})


@pytest.mark.parametrize("view", [View(), View("fast", 128)])
def test_display_shows_the_same_pixels(view: View, image: Image.Image) -> None:
    seen = view.prepare(image).permute(1, 2, 0).numpy()
    shown = view.display(image)
    assert shown.dtype == np.uint8
    assert shown.shape == (view.size, view.size, 3)
    assert np.array_equal(shown, np.rint(seen * 255))


def test_display_of_a_greyscale_view_is_in_colour(image: Image.Image) -> None:
    assert np.array_equal(View(greyscale=True).display(image), View().display(image))
    for view in (View(), View(greyscale=True)):
        prepared, pixels = view.both(image)
        assert torch.equal(prepared, view.prepare(image))
        assert np.array_equal(pixels, view.display(image))


@pytest.mark.parametrize("name", VIEW_NAMES)
class TestOneChannel:
    """An image of one channel, as a model of one or of three, and the eye, see it."""

    def test_a_model_of_one_sees_what_galaxy_datasets_shows(
        self, name: str, image: Image.Image
    ) -> None:
        from galaxy_datasets import transforms

        grey = image.convert("L")
        config = getattr(transforms, f"{name}_view_config")()
        config.greyscale = True
        expected = transforms.get_galaxy_transform(config)(grey)
        assert torch.equal(View(name, greyscale=True).prepare(grey), expected)
        # and the same if the channel was repeated before
        assert torch.equal(View(name, greyscale=True).prepare(grey.convert("RGB")), expected)

    def test_a_model_of_three_only_if_asked_to(self, name: str, image: Image.Image) -> None:
        grey = image.convert("L")
        for look in (View(name).prepare, View(name).both, View(name).suited):
            with pytest.raises(ImageRefused, match=r"wrong mode: one channel, .*--grey-as"):
                look(grey)
        shown = View(name, grey_as_colour=True).prepare(grey)
        assert torch.equal(shown, View(name).prepare(grey.convert("RGB")))
        assert torch.equal(shown[0], shown[2])

    def test_the_eye_sees_it_under_every_view(self, name: str, image: Image.Image) -> None:
        grey = image.convert("L")
        expected = View(name).display(grey.convert("RGB"))
        for view in (View(name), View(name, greyscale=True), View(name, grey_as_colour=True)):
            assert np.array_equal(view.display(grey), expected)
        assert np.array_equal(View(name, greyscale=True).both(grey)[1], expected)


def test_grey_as_colour_is_recorded_only_where_asked_for() -> None:
    assert View().config() == {"name": "minimal", "size": 224, "greyscale": False}
    asked = View(grey_as_colour=True)
    assert asked.config() == {**View().config(), "grey_as_colour": True}
    for view in (View(), asked):
        assert View.from_config(view.config()) == view
    with pytest.raises(CatalogError, match="is no view"):
        View.from_config({**View().config(), "grey_as_colour": 1})


@pytest.mark.parametrize("shape", [(424, 424), (256, 256), (300, 500), (64, 64), (1, 1)])
def test_any_image_becomes_the_size_asked(shape: tuple[int, int]) -> None:
    image = Image.new("RGB", shape, (10, 20, 30))
    for name in VIEW_NAMES:
        assert View(name, 96).prepare(image).shape == (3, 96, 96)


def test_colour_and_grey_are_the_two_views_one_after_the_other(image: Image.Image) -> None:
    both = ColourAndGrey("minimal", 48)
    prepared, pixels = both.both(image)
    assert torch.equal(prepared[:3], View("minimal", 48).prepare(image))
    assert torch.equal(prepared[3:], View("minimal", 48, greyscale=True).prepare(image))
    assert torch.equal(both.prepare(image), prepared)
    np.testing.assert_array_equal(pixels, both.display(image))
    assert View(**both.config()) == View("minimal", 48)


def test_draws_nothing_at_random(image: Image.Image) -> None:
    first = View().prepare(image)
    torch.manual_seed(123)
    assert torch.equal(View().prepare(image), first)


@given(st.sampled_from(VIEW_NAMES), st.integers(16, 2048), st.booleans())
def test_configuration_round_trips_through_json(name: str, size: int, greyscale: bool) -> None:
    view = View(name, size, greyscale)
    assert View(**json.loads(json.dumps(view.config()))) == view


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"name": "default"}, "minimal, fast"), ({"size": 0}, "16 to 2048"), ({"size": 10**6}, "16")],
)
def test_refuses_other_views(settings: dict[str, object], told: str) -> None:
    with pytest.raises(CatalogError, match=told):
        View(**settings)  # type: ignore[arg-type]


def test_real_galaxies_stay_in_the_middle(data: Path) -> None:
    path = min((data / "images").rglob("*.png"))
    shown = View().display(Image.open(path).convert("RGB")).astype(float).sum(axis=2)
    middle = shown[84:140, 84:140].mean()
    assert middle > 2 * np.median(shown)
