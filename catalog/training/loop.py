"""Training a Zoobot decision-tree model: arrays in, checkpoints out.

The model, its loss and its optimiser are Zoobot's, the loop Lightning's, and the
augmentations those of galaxy_datasets. Everything random depends only on the seed, the
epoch and the step, so an interrupted training continues as if it had not been.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.plugins import TorchCheckpointIO
from torch.utils.data import DataLoader, Dataset

from zoolens.catalog.images.view import View
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.runtime.parallel import end_with_parent
from zoolens.catalog.training.augmentation import Augmented, Examples, Shown, Shuffled
from zoolens.catalog.training.curve import best_of
from zoolens.catalog.training.folder import Outcome, TrainingFolder
from zoolens.catalog.training.pace import MONITORED, Pace
from zoolens.catalog.training.tree_model import Plan, Tree

_CLIPPED = 0.3  # norm to which gradients are clipped, as in Zoobot's training


class _Patience(EarlyStopping):
    """Ends a resumed training at once where it had already lost its patience."""

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        trainer.should_stop = self.wait_count >= self.patience


class _WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints beside their place, then renames them.

    Lightning writes into the folder of temporary files and moves them, which between file
    systems is a copy: a training killed in it would leave half a checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        with replacing(Path(path)) as part, part.open("wb") as file:
            torch.save(checkpoint, file)


def fit(
    model: Tree,
    plan: Plan,
    view: View,
    canvases: Examples,
    views: Examples,
    folder: TrainingFolder,
) -> tuple[Outcome, float]:
    """Train `model`, leaving the best and the last checkpoint and the losses in the folder.

    canvases: to train on, 3 channels; views: to validate with. Continues from the last
    checkpoint if there is one, and then gives the same weights as without the
    interruption. Returns the outcome and the speed, images per second. Raises
    `KeyboardInterrupt` if it is interrupted, `FloatingPointError` if the loss is no
    longer finite.
    """
    order = Shuffled(len(canvases.rows), plan.seed)
    pace = Pace(plan.seed, order, folder)
    keep: dict[str, Any] = {
        "dirpath": folder.path,
        "enable_version_counter": False,
        "save_on_train_epoch_end": True,
    }
    with _quiet_lightning():
        trainer = lightning.Trainer(
            max_epochs=plan.epochs,
            callbacks=[
                pace,
                _Patience(MONITORED, patience=plan.patience),
                ModelCheckpoint(filename=folder.best.stem, monitor=MONITORED, **keep),
                ModelCheckpoint(filename=folder.last.stem, **keep),
            ],
            gradient_clip_val=_CLIPPED,
            num_sanity_val_steps=0,
            default_root_dir=folder.path,
            plugins=[_WholeCheckpoints()],
            devices=1,
            use_distributed_sampler=False,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        try:
            trainer.fit(
                model,
                _loader(Augmented(canvases, view, plan.seed), plan, order),
                _loader(Shown(views), plan),
                ckpt_path=folder.last if folder.last.exists() else None,
                weights_only=True,
            )
        except SystemExit:  # which Lightning raises when interrupted
            raise KeyboardInterrupt from None
    pace.write()
    best = best_of(pace.history)
    outcome = Outcome(len(pace.history), int(best["epoch"]), best["validation_loss"])
    return outcome, pace.images_per_second


def _loader(dataset: Dataset[Any], plan: Plan, order: Shuffled | None = None) -> DataLoader[Any]:
    workers = plan.workers if order is not None else 0
    return DataLoader(
        dataset,
        plan.batch_size,
        sampler=order,
        num_workers=workers,
        persistent_workers=workers > 0,
        # torch's own watch does not see a parent that had them forked by a server
        worker_init_fn=end_with_parent,
        # else a last batch of one galaxy would leave batch norm without a variance
        drop_last=order is not None and len(order) > plan.batch_size,
    )


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence Lightning's messages on devices, workers and tips."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")
            yield
    finally:
        logger.setLevel(level)
