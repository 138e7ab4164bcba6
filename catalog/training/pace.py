"""What a training tells while it runs: how far it is, how long it will take, and its losses."""

from contextlib import ExitStack
from time import monotonic, perf_counter
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback

from zoolens.catalog.network.model import mixed_seed
from zoolens.catalog.runtime.progress import Bar, progress, remark
from zoolens.catalog.training.augmentation import Shuffled
from zoolens.catalog.training.curve import best_of, draw_losses, write_losses
from zoolens.catalog.training.folder import TrainingFolder

MONITORED = "validation/supervised_loss"
_EVERY = 60.0  # seconds between two lines in a log, and two drawings


class Pace(Callback):
    """Shows one bar for all epochs, keeps their losses, seeds dropout, measures the speed.

    order: told its epoch when a training is resumed. history: an `Epoch` of `curve` each, those
    before an interruption included; it is in every checkpoint, and after each epoch in the folder.
    """

    def __init__(self, seed: int, order: Shuffled, folder: TrainingFolder) -> None:
        self._seed = seed
        self._order = order
        self._folder = folder
        self._stack = ExitStack()
        self._bar = Bar()
        self._images = 0
        self._began = self._drawn = 0.0
        self._losses = 0.0
        self._shown = 0
        self._rate = 0.0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []

    @property
    def images_per_second(self) -> float:
        return self._images / self.seconds if self.seconds else 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history = list(state_dict["history"])
        # Lightning itself does so only after its workers have fetched the first galaxies
        self._order.set_epoch(len(self.history))
        remark(f"going on after epoch {len(self.history)}; losses so far: {self._folder.losses}")

    def write(self) -> None:
        """Losses so far, as table and figure."""
        write_losses(self.history, self._folder.losses)
        draw_losses(self.history, self._folder.curve)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        loader = trainer.train_dataloader
        epoch = len(loader) * loader.batch_size if loader.drop_last else len(self._order)
        self._bar = self._stack.enter_context(
            progress(
                "training",
                trainer.max_epochs * epoch,
                done=len(self.history) * epoch,
                unit=" galaxies",
                every=_EVERY,
            )
        )
        self._drawn = monotonic()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self._began = perf_counter()
        self._losses, self._shown = 0.0, 0

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        # for dropout; per step, since a resumed training has drawn other numbers before
        torch.manual_seed(mixed_seed(self._seed, trainer.global_step))
        self._rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        galaxies = len(batch["counts"])
        self._images += galaxies
        self._shown += galaxies
        self._losses += float(outputs["loss"]) * galaxies
        self._bar.advance(galaxies, self._where(trainer, batch_idx + 1))

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self.seconds += perf_counter() - self._began

    def on_validation_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        self._bar.advance(0)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self.history.append(
            {
                "epoch": trainer.current_epoch + 1,
                "training_loss": self._losses / self._shown,
                "validation_loss": float(trainer.callback_metrics[MONITORED]),
                "learning_rate": self._rate,
                "seconds": perf_counter() - self._began,
            }
        )

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if monotonic() - self._drawn < _EVERY:
            write_losses(self.history, self._folder.losses)
        else:
            self.write()
            self._drawn = monotonic()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._stack.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._stack.close()

    def _where(self, trainer: Any, step: int) -> str:
        where = f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
        where += f", step {step} of {trainer.num_training_batches}"
        where += f", loss {self._losses / self._shown:.4g}"
        if self.history:
            where += f", validation {best_of(self.history)['validation_loss']:.4g} at best"
        return where
