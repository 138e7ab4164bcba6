"""`train`: a decision-tree model from the votes and images of a catalogue."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from zoolens.catalog.arrays import Flags
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.images.view import View
from zoolens.catalog.network.bundled import settled_encoder
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.network.pretrained import load_start
from zoolens.catalog.store.galaxies import SPLITS
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.training.augmentation import Examples
from zoolens.catalog.training.catalogues import Catalogues, all_open, read_catalogues
from zoolens.catalog.training.folder import Outcome, TrainingFolder
from zoolens.catalog.training.loop import fit
from zoolens.catalog.training.needs import small_images, tell_needs
from zoolens.catalog.training.pixels import TrainingSet, decode_all, mapped
from zoolens.catalog.training.splits import check_split, remarks
from zoolens.catalog.training.tree_model import Plan, Tree, new_tree, taken_over
from zoolens.jobs.reports import MANY_QUESTIONS, InNotebook


@dataclass(frozen=True)
class TrainReport(InNotebook):
    """What `train` did.

    run_id: of the first catalogue. model: the safetensors file; sha256: its checksum. train,
    validation, test: galaxies of each. rejects: images refused. epochs: how many it took;
    best_epoch: the one that was kept; validation_loss: its Dirichlet-multinomial loss, nat per
    galaxy, summed over questions. images_per_second: of this call. worth: of a vote in training,
    mean; 1 unless noisy votes were weighted down. changed: False if the same training was
    complete before. notes: what each of several catalogues gave; what was taken over from the
    model that it began with; which questions were not learnt or not validated; where the losses
    are; which images are small.
    """

    job: ClassVar[str] = "train"
    run_id: int
    model: Path
    sha256: str
    train: int
    validation: int
    test: int
    rejects: int
    epochs: int
    best_epoch: int
    validation_loss: float
    images_per_second: float
    worth: float
    changed: bool
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        held_out = self.validation + self.test
        return (
            f"{self.train:,} galaxies, held out {held_out:,} of {self.train + held_out:,} "
            f"({self.validation:,} to validate, {self.test:,} to test), {self.epochs} epochs, the "
            f"best {self.best_epoch} with a validation loss of {self.validation_loss:.4g} nat; "
            f"{self.rejects:,} refused"
        )


def train(
    catalog: Path | Sequence[Path],
    out: Path,
    *,
    architecture: str | None = None,
    encoder: str | None = None,
    view: View | None = None,
    epochs: int = 50,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    patience: int = 8,
    seed: int = 0,
    held_out: float = 0.2,
    down_weight_noisy: bool = False,
    error_rate: float = 0.05,
    shuffle_votes: bool = False,
    mixed: bool = False,
    workers: int = 1,
) -> TrainReport:
    """Train a ZoobotTree on every galaxy with an image and votes; see `catalog.training.loop`.

    catalog: one, or several, whose trees may differ: the model's head has the columns of all
    (`catalog.trees.joint`), and a galaxy counts with the questions that it was asked. Each
    catalogue records a run of its own, with its galaxies' split and rejects; none does if one of
    them cannot be written to. out: folder for `best.ckpt` (lowest validation loss), `last.ckpt`,
    and the best model as `model.safetensors` in half precision, with the losses of all epochs in
    `losses.csv`, drawn in `losses.png` and `.pdf`. architecture: timm name, efficientnet_b0
    unless given. encoder: a model to begin with instead of random weights, of whose head those
    columns are taken over that the new one has too, or timm's weights of the architecture
    (`load_start`); `bundled` is the first that comes with Zoolens, whatever its tree. view: that of
    the model to begin with unless given, or the default. held_out:
    expected share of the galaxies kept from training, each by a hash of its name and the seed:
    half to validate, half to test; of few galaxies the share can be another (`split_galaxies`). A
    galaxy that several catalogues have is in one part of the split for all of them.
    down_weight_noisy: votes are weighted by the probability that they are meant, given
    error_rate and the newest predictions in the catalogue (`catalog.scoring.credence`).
    shuffle_votes: each galaxy gets the votes of another, so that nothing can be learnt from
    images: the control of `evaluate`. mixed: the encoder computes in bfloat16, faster on GPUs
    and slower on most processors. workers: processes that augment.

    The same call continues where it was stopped. Raises `CatalogError` if settings are
    out of range, `out` holds another training or its disk has no room, or there is nothing to
    train on or validate with, and `ModelRefused` for the encoder or architecture.
    """
    said: tuple[str, ...] = ()
    if encoder is not None:
        encoder, said = settled_encoder(encoder)
    start = None if encoder is None else load_start(encoder, architecture)
    architecture = architecture or (start.architecture if start else "efficientnet_b0")
    view = view or (start and start.view) or View()
    plan = Plan(architecture, epochs, batch_size, learning_rate, patience, seed, mixed, workers)
    _check(plan, held_out, error_rate, view, start)
    folder = TrainingFolder(out)
    paths = [catalog] if isinstance(catalog, Path) else list(catalog)
    with all_open(paths) as stores:
        doubt = error_rate if down_weight_noisy else None
        given = read_catalogues(stores, seed, held_out, doubt, shuffled=shuffle_votes)
        check_split(given.data, given.tree, plan.batch_size)
        settings = {
            # the number of workers changes only the speed
            "plan": {name: value for name, value in asdict(plan).items() if name != "workers"},
            "encoder_sha256": start and start.sha256,
            "view": view.config(),
            "held_out": held_out,
            "error_rate": doubt,
            "shuffled": shuffle_votes,
        }
        model = new_tree(given.tree, plan, view, start)
        tell_needs(model, plan.batch_size, view, given.data, folder)
        config = given.config(settings)
        outcome = folder.claim(config)
        runs = given.begin(stores, settings, {"out": str(out), "encoder": encoder or ""})
        usable = _usable(given, stores, runs, view, folder, outcome is not None)
        data = given.data.where(usable)
        check_split(data, given.tree, plan.batch_size)
    unfinished = outcome is None or not all(run.complete for run in runs)
    speed = 0.0
    if outcome is None:
        outcome, speed = _fit(model, plan, view, given.data, usable, folder)
        write_model(load_model(str(folder.best)), view, folder.model)
        folder.conclude(config, outcome)
    if unfinished:
        with all_open(paths) as stores:
            for store, run in zip(stores, runs, strict=True):
                with store.transaction():
                    store.finish(run, model_sha256=folder.model_sha256())
    sizes = {split: int(np.sum(data.split == split)) for split in SPLITS}
    return TrainReport(
        runs[0].run_id,
        folder.model,
        folder.model_sha256(),
        **sizes,
        rejects=int(np.sum(~usable)),
        **vars(outcome),
        images_per_second=speed,
        worth=float(data.worth[data.counts > 0].mean()),
        changed=unfinished or any(run.again for run in runs),
        notes=(
            *said,
            *given.remarks(runs, usable),
            *_begun_with(start, given.tree, view),
            *remarks(data, given.tree),
            *folder.notes(),
            *filter(None, [small_images(data.sides, view)]),
        ),
    )


def _check(
    plan: Plan, held_out: float, error_rate: float, view: View, start: ZoobotModel | None
) -> None:
    ranges: dict[str, tuple[float, float, float]] = {
        "epochs": (plan.epochs, 1, 100_000),
        "batch size": (plan.batch_size, 2, 65_536),
        "learning rate": (plan.learning_rate, 1e-9, 10),
        "patience": (plan.patience, 1, 100_000),
        "seed": (plan.seed, 0, 2**20 - 1),
        "held-out share": (held_out, 1e-6, 0.9),
        "error rate": (error_rate, 1e-6, 0.999),
        "workers": (plan.workers, 0, 256),
    }
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise CatalogError(f"{name} is {value}; give a value from {low} to {high}")
    if start is not None and start.architecture != plan.architecture:
        raise CatalogError(
            f"the encoder is a {start.architecture}, not {plan.architecture}; "
            "give one of the two options"
        )
    if start is not None and start.channels != (1 if view.greyscale else 3):
        raise CatalogError(
            f"the encoder takes {start.channels} channel(s); "
            f"{'leave out' if view.greyscale else 'give'} --greyscale"
        )


def _begun_with(start: ZoobotModel | None, tree: DecisionTree, view: View) -> list[str]:
    """What the new model has of the model that it began with, and sees otherwise, in words."""
    if start is None:
        return []
    rows = taken_over(start, tree)
    names = dict.fromkeys(tree.questions[tree.question_of[row]].name for row in rows)
    of = f": {few(list(names), MANY_QUESTIONS)}" if names else ""
    said = [
        f"taken over: the encoder, and {len(rows)} of {len(tree.labels)} columns of the head{of}"
    ]
    if start.view not in (None, view):
        said.append(
            f"what was taken over had learnt to see {start.view.told}, and is shown {view.told}"
        )
    return said


def _usable(
    given: Catalogues,
    stores: Sequence[Store],
    runs: Sequence[Run],
    view: View,
    folder: TrainingFolder,
    finished: bool,
) -> Flags:
    """Which galaxies can be shown, (N,): decodes their images, unless that was done."""
    refused: list[tuple[int, CatalogError]] = []
    decoded = folder.canvases.exists() and folder.views.exists()
    if not (finished or (decoded and given.committed(stores, runs))):
        refused = decode_all(given.data, view, folder.canvases, folder.views)
    return given.usable(stores, runs, refused)


def _fit(
    model: Tree,
    plan: Plan,
    view: View,
    data: TrainingSet,
    usable: Flags,
    folder: TrainingFolder,
) -> tuple[Outcome, float]:
    def examples(split: str, path: Path) -> Examples:
        rows = np.flatnonzero(usable[data.split == split])
        return Examples(mapped(path), rows, data.part(split).weighted()[rows])

    try:
        return fit(
            model,
            plan,
            view,
            examples("train", folder.canvases),
            examples("validation", folder.views),
            folder,
        )
    except FloatingPointError:
        raise CatalogError(
            f"the training diverged; give a lower --learning-rate than {plan.learning_rate} "
            "and a new folder"
        ) from None
