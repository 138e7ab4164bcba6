"""Images turned, moved and erased, decided by a key; and as they are."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.made.trainings import VIEW, examples
from zoolens.catalog.images.view import View
from zoolens.catalog.training.augmentation import Augmented, Examples, Shown, augmentation
from zoolens.catalog.training.pixels import mapped

pytestmark = pytest.mark.slow


def test_augmentations_are_decided_by_the_key_and_differ() -> None:
    made = examples(4, 40)
    torch.manual_seed(5)
    dataset = Augmented(made, VIEW, seed=3)
    first = dataset[6]["image"]
    following = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), following), "the surroundings' random numbers are untouched"
    assert torch.equal(Augmented(made, VIEW, seed=3)[6]["image"], first)
    assert not torch.equal(dataset[2]["image"], first), "the same galaxy in another epoch"
    assert not torch.equal(Augmented(made, VIEW, seed=4)[6]["image"], first)
    assert first.shape == (3, 32, 32)
    assert first.dtype == torch.float32
    assert 0 <= first.min() < first.max() <= 1


def test_augmentation_keeps_a_circle_round() -> None:
    """No shear: second moments of a disc stay isotropic."""
    torch.manual_seed(0)
    y, x = np.mgrid[:120, :120] - 59.5
    disc = torch.tensor(255 * (np.hypot(x, y) < 30), dtype=torch.uint8).expand(3, -1, -1)
    transform = augmentation(View("minimal", 100))
    for _ in range(5):
        image = transform(disc)[0].numpy()
        assert _axis_ratio(image) > 0.93  # boxes are erased from it


def test_augmentation_zooms_about_the_view() -> None:
    from PIL import Image

    torch.manual_seed(0)
    y, x = np.mgrid[:120, :120] - 59.5
    disc = np.repeat((255 * (np.hypot(x, y) < 30)).astype(np.uint8)[..., None], 3, 2)
    view = View("minimal", 100)
    transform = augmentation(view)
    areas = [float(transform(torch.tensor(disc).permute(2, 0, 1)).sum()) for _ in range(100)]
    shown = float(view.prepare(Image.fromarray(disc)).sum())
    # the mean of (zoom / 1.2)^2 between 5/6 and 4/3 is 1.194, with a spread of 0.31: 3 % of
    # the mean of 100 draws; the boxes take 1 or 2 %
    assert np.mean(areas) == pytest.approx(1.194 * shown, rel=0.1)
    assert min(areas) < 0.85 * shown
    assert max(areas) > 1.5 * shown


def _axis_ratio(image: npt.NDArray[np.float32]) -> float:
    y, x = np.nonzero(image > 0.5)
    values = np.linalg.eigvalsh(np.cov(x, y))
    return float(np.sqrt(values[0] / values[1]))


def test_greyscale_images_have_one_channel() -> None:
    made = examples(4, 40)
    assert Augmented(made, View("minimal", 32, True), 0)[0]["image"].shape == (1, 32, 32)
    views = Examples(made.pixels[:, :1], made.rows, made.counts)
    assert Shown(views)[1]["image"].shape == (1, 40, 40)


def test_rows_say_which_pixels_are_whose() -> None:
    made = examples(6, 32)
    some = Examples(made.pixels, np.array([5, 2]), made.counts[[5, 2]])
    shown = Shown(some)
    assert np.array_equal((shown[1]["image"] * 255).round().numpy(), made.pixels[2])
    assert np.array_equal(shown[1]["counts"], made.counts[2])


def test_pixels_in_a_file_travel_as_its_name(tmp_path: Path) -> None:
    """Workers that are not forked would each read all of them into memory."""
    made = examples(9, 40)
    np.save(tmp_path / "pixels.npy", made.pixels)
    of_file = replace(made, pixels=mapped(tmp_path / "pixels.npy"))
    for data in (made, of_file, replace(of_file, pixels=of_file.pixels[2:])):
        sent = pickle.dumps(data)
        assert (len(sent) < 5000) == (data is of_file)
        again = pickle.loads(sent)
        np.testing.assert_array_equal(again.pixels, data.pixels)
        np.testing.assert_array_equal(again.counts, data.counts)
    assert isinstance(pickle.loads(pickle.dumps(of_file)).pixels, np.memmap)
