"""Small trainings of a small encoder, on random images and votes."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.made.catalogues import TOY, random_concentrations, random_counts
from tests.made.checkpoints import zoobot_tree
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import load_model
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.training.augmentation import Augmented, Examples, Shown, augmentation
from zoolens.catalog.training.folder import TrainingFolder
from zoolens.catalog.training.loop import fit
from zoolens.catalog.training.tree_model import Plan, new_tree, question_losses

pytestmark = pytest.mark.slow

VIEW = View("minimal", 32)
PLAN = Plan("resnet10t", 3, 8, 1e-3, 9, seed=1, mixed=False, workers=0)


def _examples(galaxies: int, side: int, seed: int = 0) -> Examples:
    """Galaxies that are red, green or blue, and whose votes say so."""
    random = np.random.default_rng(seed)
    colour = np.arange(galaxies) % 3
    pixels = random.integers(0, 60, (galaxies, 3, side, side), dtype=np.uint8)
    pixels[np.arange(galaxies), colour] += 150
    counts = random_counts(galaxies, seed=seed)
    counts[:, :3] = 20 * np.eye(3)[colour]
    return Examples(pixels, np.arange(galaxies), counts.astype(np.float32))


def _train(folder: Path, plan: Plan = PLAN, canvases: Examples | None = None) -> Any:
    made = TrainingFolder(folder)
    made.path.mkdir(exist_ok=True)
    canvases = canvases or _examples(24, 40)
    outcome, _ = fit(new_tree(TOY, plan, VIEW), plan, VIEW, canvases, _examples(9, 32, 1), made)
    return outcome


class _Interrupted(np.ndarray[Any, Any]):
    """Pixels that raise once they were asked for so many times."""

    left = 10**9

    def __getitem__(self, item: Any) -> Any:
        _Interrupted.left -= 1
        if _Interrupted.left < 0:
            raise KeyboardInterrupt
        return np.asarray(super().__getitem__(item))


def test_losses_are_zoobots() -> None:
    model = zoobot_tree("resnet10t")
    groups = model.schema.question_index_groups
    random = np.random.default_rng(0)
    counts = torch.tensor(random.integers(0, 9, (6, 34)), dtype=torch.float32)
    first, last = groups[3]
    counts[:, first : last + 1] = 0
    alpha = torch.tensor(random.uniform(1, 101, (6, 34)), dtype=torch.float32)
    labels = dict(zip(model.schema.label_cols, counts.T, strict=True))
    # Zoobot's is float32 too, and leaves some 1e-5 for questions without votes
    expected = model.loss_func(alpha, labels)
    mine = question_losses(alpha, counts, groups)
    assert torch.allclose(mine, expected, atol=1e-4)
    assert torch.all(mine[:, 3] == 0)


def test_losses_are_the_float64_ones_with_fractional_counts() -> None:
    counts = random_counts(20) * 0.7
    alpha = random_concentrations(20, 1)
    groups = [(where.start, where.stop - 1) for where in TOY.slices]
    mine = question_losses(torch.tensor(alpha[:, 0]), torch.tensor(counts).float(), groups)
    # float32 log gamma of up to 150 votes
    assert np.allclose(mine, dirichlet_multinomial_nll(counts, alpha, TOY), atol=2e-4)


def test_what_was_not_asked_has_no_gradient() -> None:
    alpha = torch.full((2, 10), 5.0, requires_grad=True)
    counts = torch.zeros(2, 10)
    counts[0, :3] = torch.tensor([3.0, 1, 0])
    groups = [(where.start, where.stop - 1) for where in TOY.slices]
    question_losses(alpha, counts, groups).sum().backward()
    assert alpha.grad is not None
    assert torch.all(alpha.grad[0, :3] != 0)
    assert torch.all(alpha.grad[0, 3:] == 0)
    assert torch.all(alpha.grad[1] == 0)


def test_a_training_learns_and_its_file_predicts(tmp_path: Path) -> None:
    plan = Plan("resnet10t", 12, 8, 3e-3, 12, seed=0, mixed=False, workers=0)
    outcome = _train(tmp_path / "out", plan, _examples(48, 40))
    views = _examples(9, 32, 1)
    model = load_model(str(tmp_path / "out" / "best.ckpt")).for_tree(TOY)
    with torch.inference_mode():
        features = model.encoder(torch.tensor(views.pixels) / 255)
        alpha = 1 + 100 * torch.sigmoid(features @ model.weight.T + model.bias)
    shape = (alpha[:, :3] / alpha[:, :3].sum(1, keepdim=True)).numpy()
    assert shape.argmax(1).tolist() == (np.arange(9) % 3).tolist()
    assert shape.max(1).min() > 0.6
    nll = dirichlet_multinomial_nll(views.counts, alpha[:, None].numpy(), TOY).sum(1).mean()
    assert nll == pytest.approx(outcome.validation_loss, abs=1e-3)


def test_an_interrupted_training_comes_to_the_same_weights(tmp_path: Path) -> None:
    whole = _train(tmp_path / "whole")
    canvases = _examples(24, 40)
    cut = Examples(canvases.pixels.view(_Interrupted), canvases.rows, canvases.counts)
    _Interrupted.left = 24 + 10  # in the second epoch
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "cut", canvases=cut)
    assert (tmp_path / "cut" / "last.ckpt").exists()
    _Interrupted.left = 10**9
    assert _train(tmp_path / "cut", canvases=cut) == whole
    states = [
        torch.load(tmp_path / name / "last.ckpt", weights_only=True)["state_dict"]
        for name in ("whole", "cut")
    ]
    for name, tensor in states[0].items():
        assert torch.allclose(tensor, states[1][name], atol=1e-6), name


def test_a_finished_training_has_nothing_left_to_do(tmp_path: Path) -> None:
    first = _train(tmp_path / "out")
    before = (tmp_path / "out" / "best.ckpt").read_bytes()
    assert _train(tmp_path / "out") == first
    assert (tmp_path / "out" / "best.ckpt").read_bytes() == before


def test_workers_and_none_come_to_the_same(tmp_path: Path) -> None:
    plan = Plan("resnet10t", 1, 8, 1e-3, 9, seed=1, mixed=False, workers=2)
    alone = Plan("resnet10t", 1, 8, 1e-3, 9, seed=1, mixed=False, workers=0)
    assert _train(tmp_path / "two", plan) == _train(tmp_path / "none", alone)


def test_training_stops_when_nothing_improves(tmp_path: Path) -> None:
    plan = Plan("resnet10t", 30, 8, 1e-9, 2, seed=1, mixed=False, workers=0)
    outcome = _train(tmp_path / "out", plan)
    assert outcome.epochs < 30
    assert outcome.epochs == outcome.best_epoch + 2


def test_a_divergence_is_told(tmp_path: Path) -> None:
    plan = Plan("resnet10t", 2, 8, 1e30, 9, seed=1, mixed=False, workers=0)
    with pytest.raises(FloatingPointError, match=r"loss is (nan|inf)"):
        _train(tmp_path / "out", plan)


def test_augmentations_are_decided_by_the_key_and_differ() -> None:
    examples = _examples(4, 40)
    torch.manual_seed(5)
    dataset = Augmented(examples, VIEW, seed=3)
    first = dataset[6]["image"]
    following = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), following), "the surroundings' random numbers are untouched"
    assert torch.equal(Augmented(examples, VIEW, seed=3)[6]["image"], first)
    assert not torch.equal(dataset[2]["image"], first), "the same galaxy in another epoch"
    assert not torch.equal(Augmented(examples, VIEW, seed=4)[6]["image"], first)
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
    examples = _examples(4, 40)
    assert Augmented(examples, View("minimal", 32, True), 0)[0]["image"].shape == (1, 32, 32)
    views = Examples(examples.pixels[:, :1], examples.rows, examples.counts)
    assert Shown(views)[1]["image"].shape == (1, 40, 40)


def test_rows_say_which_pixels_are_whose() -> None:
    examples = _examples(6, 32)
    some = Examples(examples.pixels, np.array([5, 2]), examples.counts[[5, 2]])
    shown = Shown(some)
    assert np.array_equal((shown[1]["image"] * 255).round().numpy(), examples.pixels[2])
    assert np.array_equal(shown[1]["counts"], examples.counts[2])


def test_a_model_begins_with_an_encoder(tmp_path: Path) -> None:
    _train(tmp_path / "out", Plan("resnet10t", 1, 8, 1e-3, 9, 1, False, 0))
    start = load_model(str(tmp_path / "out" / "best.ckpt"))
    model = new_tree(TOY, PLAN, VIEW, start)
    for name, tensor in model.encoder.state_dict().items():
        assert torch.equal(tensor, start.encoder.state_dict()[name])
    assert torch.equal(model.head[1][0].weight, start.weight)
    assert model.training


def test_the_seed_decides_the_weights() -> None:
    weights = [
        new_tree(TOY, Plan("resnet10t", 1, 8, 1e-3, 9, seed, False, 0), VIEW).head[1][0].weight
        for seed in (1, 1, 2)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("architecture", "message"),
    [("resnet10", "no architecture 'resnet10' in timm; nearest: resnet"), ("", "no architecture")],
)
def test_what_timm_does_not_have_is_told(architecture: str, message: str) -> None:
    with pytest.raises(ModelRefused, match=message):
        new_tree(TOY, Plan(architecture, 1, 8, 1e-3, 9, 0, False, 0), VIEW)


def test_a_size_the_encoder_does_not_take_is_told() -> None:
    with pytest.raises(ModelRefused, match="does not take images of 32 pixels"):
        new_tree(TOY, Plan("vit_tiny_patch16_224", 1, 8, 1e-3, 9, 0, False, 0), VIEW)


def test_half_precision_keeps_the_predictions(tmp_path: Path, checkpoint: Path) -> None:
    model = load_model(str(checkpoint))
    path = tmp_path / "model.safetensors"
    write_model(model, View("fast", 64), path)
    half = load_model(str(path))
    assert (model.view, half.view) == (None, View("fast", 64))
    again = tmp_path / "again.safetensors"
    write_model(model, View("fast", 64), again)
    assert again.read_bytes() == path.read_bytes()
    assert path.stat().st_size < 0.55 * checkpoint.stat().st_size
    assert half.labels == model.labels
    assert (half.dropout_rate, half.architecture) == (model.dropout_rate, model.architecture)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        difference = half.encoder(images) - model.encoder(images)
        # float16 has 11 bits: 5e-4 a weight, which adds up over 80 layers
        assert difference.abs().max() < 0.02 * model.encoder(images).abs().max()
    assert torch.equal(half.bias, model.bias)
