"""What a training tells, as Lightning's hooks call it."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zoolens.catalog.runtime import progress
from zoolens.catalog.training import pace
from zoolens.catalog.training.augmentation import Shuffled
from zoolens.catalog.training.folder import TrainingFolder
from zoolens.catalog.training.pace import MONITORED, Pace

GALAXIES, BATCH = 20, 8  # of which the last batch is left out


class _Loader(list[None]):
    batch_size = BATCH
    drop_last = True


@pytest.fixture
def trainer() -> Any:
    """What the callback asks a trainer of three epochs of two steps."""
    return SimpleNamespace(
        max_epochs=3,
        current_epoch=0,
        global_step=0,
        num_training_batches=2,
        optimizers=[SimpleNamespace(param_groups=[{"lr": 0.0}])],
        callback_metrics={},
        train_dataloader=_Loader([None, None]),
    )


def _pace(folder: Path) -> Pace:
    return Pace(7, Shuffled(GALAXIES, 7), TrainingFolder(folder))


def _epoch(callback: Pace, trainer: Any, training: list[float], validation: float) -> None:
    callback.on_train_epoch_start(trainer, None)
    for step, loss in enumerate(training):
        trainer.optimizers[0].param_groups[0]["lr"] = 1 / (1 + trainer.global_step)
        callback.on_train_batch_start(trainer, None, None, step)
        trainer.global_step += 1
        batch = {"counts": np.zeros((BATCH, 4))}
        callback.on_train_batch_end(trainer, None, {"loss": torch.tensor(loss)}, batch, step)
    callback.on_validation_start(trainer, None)
    callback.on_validation_batch_end(trainer, None, None, None, 0)
    trainer.callback_metrics[MONITORED] = torch.tensor(validation)
    callback.on_validation_end(trainer, None)
    callback.on_train_epoch_end(trainer, None)
    trainer.current_epoch += 1


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_losses_are_in_the_folder_after_each_epoch_and_survive_an_interruption(
    trainer: Any, tmp_path: Path
) -> None:
    first = _pace(tmp_path)
    first.on_train_start(trainer, None)
    _epoch(first, trainer, [4, 2], 2.5)
    (row,) = _rows(tmp_path)
    assert (row["training_loss"], row["validation_loss"]) == ("3", "2.5")
    assert row["learning_rate"] == "0.5", "that of the last step"
    state = first.state_dict()
    first.on_exception(trainer, None, KeyboardInterrupt())
    (tmp_path / "losses.csv").unlink()

    second = _pace(tmp_path)
    second.load_state_dict(state)
    second.on_train_start(trainer, None)
    _epoch(second, trainer, [2, 1], 2.25)
    second.on_train_end(trainer, None)
    assert [row["validation_loss"] for row in _rows(tmp_path)] == ["2.5", "2.25"]
    second.write()
    assert {path.name for path in tmp_path.iterdir()} == {"losses.csv", "losses.png", "losses.pdf"}


def test_a_log_says_once_a_minute_how_far_all_epochs_are(
    trainer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = iter(range(0, 10_000, 40))  # 40 s pass whenever somebody looks at the clock
    monkeypatch.setattr(progress, "_now", lambda: next(now))
    monkeypatch.setattr(progress._Log, "_moved", -1e9)
    callback = _pace(tmp_path)
    callback.load_state_dict({"history": [{"epoch": 1, "validation_loss": 2.4567}]})
    trainer.current_epoch, trainer.global_step = 1, 2
    callback.on_train_start(trainer, None)
    monkeypatch.setattr(pace, "write_losses", lambda *_: None)
    _epoch(callback, trainer, [4, 2], 2.5)
    resumed, *lines = capsys.readouterr().err.splitlines()
    assert resumed.startswith("zoolens: going on after epoch 1; losses so far: ")
    assert lines[0] == (
        "zoolens: epoch 2 of 3, step 1 of 2, loss 4, validation 2.457 at best: "
        "24 of 48 galaxies (50 %), 5.0 s each, 2 min left"
    )
    assert "step 2 of 2, loss 3, validation 2.457 at best: " in lines[1]
    callback.on_exception(trainer, None, KeyboardInterrupt())


def test_dropout_is_seeded_by_the_step(trainer: Any, tmp_path: Path) -> None:
    callback = _pace(tmp_path)
    drawn = []
    for step in (3, 4, 3):
        trainer.global_step = step
        callback.on_train_batch_start(trainer, None, None, 0)
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[2] != drawn[1]
