"""Small trainings of a small encoder, on random images and votes."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.made.catalogues import TOY
from tests.made.trainings import PLAN, VIEW, examples
from zoolens.catalog.network.model import load_model
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.training.augmentation import Examples
from zoolens.catalog.training.folder import Outcome, TrainingFolder
from zoolens.catalog.training.loop import fit
from zoolens.catalog.training.tree_model import Plan, new_tree

pytestmark = pytest.mark.slow


def _train(
    folder: Path, plan: Plan = PLAN, canvases: Examples | None = None, views: Examples | None = None
) -> Outcome:
    made = TrainingFolder(folder)
    made.path.mkdir(exist_ok=True)
    canvases, views = canvases or examples(24, 40), views or examples(9, 32, 1)
    outcome, _ = fit(new_tree(TOY, plan, VIEW), plan, VIEW, canvases, views, made)
    return outcome


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The folder and the outcome of a training by `PLAN`, not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, _train(folder)


class _Interrupted(np.ndarray[Any, Any]):
    """Pixels that raise once they were asked for so many times."""

    left = 10**9

    def __getitem__(self, item: Any) -> Any:
        _Interrupted.left -= 1
        if _Interrupted.left < 0:
            raise KeyboardInterrupt
        return np.asarray(super().__getitem__(item))


def _interrupting(data: Examples) -> Examples:
    return Examples(data.pixels.view(_Interrupted), data.rows, data.counts)


def _assert_same(one: Path, other: Path) -> None:
    """Every tensor of two trainings' last checkpoints is the same to the bit."""
    first, second = (
        torch.load(folder / "last.ckpt", weights_only=True)["state_dict"] for folder in (one, other)
    )
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def _losses(folder: Path) -> list[list[str]]:
    """The table of losses, without the seconds."""
    return [line.split(",")[:-1] for line in (folder / "losses.csv").read_text().splitlines()]


def test_a_training_learns_and_its_file_predicts(tmp_path: Path) -> None:
    plan = Plan("resnet10t", 12, 8, 3e-3, 12, seed=0, mixed=False, workers=0)
    outcome = _train(tmp_path / "out", plan, examples(48, 40))
    views = examples(9, 32, 1)
    model = load_model(str(tmp_path / "out" / "best.ckpt")).for_tree(TOY)
    with torch.inference_mode():
        features = model.encoder(torch.tensor(views.pixels) / 255)
        alpha = 1 + 100 * torch.sigmoid(features @ model.weight.T + model.bias)
    shape = (alpha[:, :3] / alpha[:, :3].sum(1, keepdim=True)).numpy()
    assert shape.argmax(1).tolist() == (np.arange(9) % 3).tolist()
    assert shape.max(1).min() > 0.6
    nll = dirichlet_multinomial_nll(views.counts, alpha[:, None].numpy(), TOY).sum(1).mean()
    assert nll == pytest.approx(outcome.validation_loss, abs=1e-3)


@pytest.mark.parametrize(
    ("workers", "left"),
    [(0, 9), (2, 9), (0, 9 + 4), (1, 9 + 4)],
    ids=["trained-0", "trained-2", "validating-0", "validating-1"],
)
def test_an_interrupted_training_comes_to_the_same_weights(
    whole: tuple[Path, Outcome], tmp_path: Path, workers: int, left: int
) -> None:
    plan = replace(PLAN, workers=workers)
    views = _interrupting(examples(9, 32, 1))
    _Interrupted.left = left
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "cut", plan, views=views)
    assert (tmp_path / "cut" / "last.ckpt").exists()
    _Interrupted.left = 10**9
    assert _train(tmp_path / "cut", plan, views=views) == whole[1]
    _assert_same(whole[0], tmp_path / "cut")
    assert _losses(tmp_path / "cut") == _losses(whole[0])


def test_a_training_interrupted_within_an_epoch_comes_to_the_same_weights(
    whole: tuple[Path, Outcome], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canvases = _interrupting(examples(24, 40))
    _Interrupted.left = 24 + 10  # in the second epoch
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "cut", canvases=canvases)
    _Interrupted.left = 10**9
    capsys.readouterr()
    assert _train(tmp_path / "cut", canvases=canvases) == whole[1]
    assert "zoolens: going on after epoch 1; losses so far: " in capsys.readouterr().err
    _assert_same(whole[0], tmp_path / "cut")


def test_checkpoints_do_not_pass_through_the_folder_of_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on another file system, from which a move is a copy that a kill cuts short."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    _train(tmp_path / "out")
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == ["best.ckpt", "last.ckpt", "losses.csv", "losses.pdf", "losses.png"]


def test_a_finished_training_has_nothing_left_to_do(tmp_path: Path) -> None:
    first = _train(tmp_path / "out")
    before = (tmp_path / "out" / "best.ckpt").read_bytes()
    assert _train(tmp_path / "out") == first
    assert (tmp_path / "out" / "best.ckpt").read_bytes() == before


def test_workers_and_none_come_to_the_same(whole: tuple[Path, Outcome], tmp_path: Path) -> None:
    assert PLAN.workers == 0
    for n in (1, 2):
        assert _train(tmp_path / str(n), replace(PLAN, workers=n)) == whole[1]
        _assert_same(whole[0], tmp_path / str(n))


def test_training_stops_when_nothing_improves(tmp_path: Path) -> None:
    plan = Plan("resnet10t", 30, 8, 1e-9, 2, seed=1, mixed=False, workers=0)
    outcome = _train(tmp_path / "out", plan)
    assert outcome.epochs < 30
    assert outcome.epochs == outcome.best_epoch + 2
    assert _train(tmp_path / "out", plan) == outcome, "as if it had been killed after it stopped"


def test_a_divergence_is_told(tmp_path: Path) -> None:
    plan = Plan("resnet10t", 2, 8, 1e30, 9, seed=1, mixed=False, workers=0)
    with pytest.raises(FloatingPointError, match=r"loss is (nan|inf)"):
        _train(tmp_path / "out", plan)


def test_a_model_begins_with_an_encoder(tmp_path: Path) -> None:
    _train(tmp_path / "out", Plan("resnet10t", 1, 8, 1e-3, 9, 1, False, 0))
    start = load_model(str(tmp_path / "out" / "best.ckpt"))
    model = new_tree(TOY, PLAN, VIEW, start)
    for name, tensor in model.encoder.state_dict().items():
        assert torch.equal(tensor, start.encoder.state_dict()[name])
    assert torch.equal(model.head[1][0].weight, start.weight)
    assert model.training
