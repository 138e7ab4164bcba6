"""A Zoobot model: an encoder, and a head of Dirichlet concentrations, of classes, or of a value.

The head of Zoobot is dropout, one linear layer, and 1 + 100 sigmoid, a softmax, or nothing
(`catalog.network.heads`). It is kept as the weight and bias of the layer, so that the encoder runs
once per image and only the head once per dropout sample. Nothing here knows the catalogue.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, ModelRefused, UnknownName, nearest
from zoolens.catalog.images.view import View
from zoolens.catalog.network.bundled import BUNDLED, HUB, located, name_of
from zoolens.catalog.network.checkpoints import read_checkpoint, reason
from zoolens.catalog.network.encoders import build_encoder
from zoolens.catalog.network.heads import Output, check_names
from zoolens.catalog.network.inference import one_thread
from zoolens.catalog.network.orientations import check_orientations
from zoolens.catalog.trees.telling import rows_of, tree_of, whole_trees

_MOST_SAMPLES = 1000  # of a galaxy
_kept: "dict[str, ZoobotModel] | None" = None  # models by source, within `loaded_once`


@dataclass(frozen=True)
class ZoobotModel:
    """A model that can predict; L label columns, D features.

    encoder: in eval mode, (N, C, H, W) in 0..1 -> (N, D). weight: (L, D) and bias:
    (L,) of the linear layer, float32. labels: the columns of the checkpoint
    (`how-rounded-dr5_round`), or those of a tree after `for_tree`. channels: 3, or 1
    for a greyscale model. view: what it was trained to see, None if its file does
    not say. sha256: of the file. output: what the logits become; target: the column that it was
    trained to predict, if it is no tree and its file says so. source: what messages call it.
    """

    encoder: nn.Module
    weight: Tensor
    bias: Tensor
    dropout_rate: float
    labels: tuple[str, ...]
    architecture: str
    channels: int
    view: View | None
    sha256: str
    output: Output = Output.CONCENTRATION
    target: str | None = None
    source: str = "the model"

    def for_tree(self, tree: DecisionTree) -> "ZoobotModel":
        """The same model with the A answers of a tree, in the tree's order.

        Which columns they are, `catalog.trees.telling.rows_of` says. A question that lacks an
        answer has no Dirichlet distribution: all its rows are NaN. Raises `ModelRefused`, naming
        the nearest columns, if the model has no complete question of the tree.
        """
        if self.output is not Output.CONCENTRATION:
            raise ModelRefused(
                f"{self.source} predicts {self.predicts}, and not the votes of tree {tree.name}; "
                "that is done with: zoolens predict --model CHECKPOINT"
            )
        rows = rows_of(self.labels, tree)
        if all(row is None for row in rows):
            first = tree.questions[0].labels[0]
            raise ModelRefused(
                f"{self.source} answers no question of tree {tree.name}; it lacks {first} and the "
                f"others; nearest columns: {nearest(first, self.labels)}; {self._whose()}"
            )
        index = torch.tensor([0 if row is None else row for row in rows])
        absent = torch.tensor([row is None for row in rows])
        return replace(
            self,
            weight=self.weight[index].masked_fill(absent[:, None], torch.nan),
            bias=self.bias[index].masked_fill(absent, torch.nan),
            labels=tree.labels,
        )

    @property
    def predicts(self) -> str:
        """What it predicts, in words."""
        if self.output is Output.CONCENTRATION:
            return f"votes for {len(self.labels)} answers"
        if self.output is Output.PROBABILITY:
            return f"the probability of {len(self.labels)} classes"
        return "one value" + (" in 0..1" if self.output is Output.SHARE else "")

    def named(self, names: tuple[str, ...]) -> "ZoobotModel":
        """The same model with other names of what it predicts. Raises `ModelRefused` as told."""
        check_names(names, len(self.labels))
        return replace(self, labels=names)

    def missing_questions(self, tree: DecisionTree) -> tuple[str, ...]:
        """Questions of `tree` that this model, made `for_tree`, does not answer."""
        pairs = zip(tree.questions, tree.slices, strict=True)
        return tuple(q.name for q, where in pairs if bool(self.bias[where].isnan().any()))

    def _whose(self) -> str:
        """Which trees the model is of, for a catalogue of another, and what to do."""
        names = [tree.name for tree in whole_trees(self.labels)]
        try:
            names = names or [tree_of(self.labels, source="the model", whole=True).name]
        except UnknownName:
            return "its tree is not told by its columns: give a catalogue that by --tree FILE.yaml"
        if len(names) == 1:
            return f"its tree is {names[0]}: make a catalogue of that, with --tree {names[0]}"
        return (
            f"its trees are {', '.join(names)}: make a catalogue of one of them, with "
            f"--tree {names[0]}"
        )


def load_model(source: str) -> ZoobotModel:
    """Load a model; nothing in its file is executed.

    source: path of a Lightning checkpoint or safetensors file, `hf_hub:owner/name`, fetched
    through huggingface_hub, or the name of a model that comes with Zoolens
    (`catalog.network.bundled`). Weights become float32.
    Raises `ModelRefused` if the file is not a Zoobot model, its
    tensors do not fit its encoder, or the hub does not give it.
    """
    if _kept is not None and source in _kept:
        return _kept[source]
    checkpoint = read_checkpoint(_file(source))
    try:
        with one_thread():
            encoder, architecture, channels = build_encoder(checkpoint)
    except ModelRefused as error:
        raise ModelRefused(f"{source}: {error}") from None
    model = ZoobotModel(
        encoder=encoder,
        weight=checkpoint.head.weight,
        bias=checkpoint.head.bias,
        dropout_rate=checkpoint.dropout_rate,
        labels=checkpoint.head.labels,
        architecture=architecture,
        channels=channels,
        view=checkpoint.view,
        sha256=checkpoint.sha256,
        output=checkpoint.head.output,
        target=checkpoint.head.target,
        source=source,
    )
    if _kept is not None:
        _kept[source] = model
    return model


@contextmanager
def loaded_once() -> Iterator[None]:
    """Within, a model is read once: it stays what it was, whatever becomes of its file."""
    global _kept
    _kept = {}
    try:
        yield
    finally:
        _kept = None


def predicts_votes(source: str) -> bool:
    """Whether a model is of a decision tree, and no classifier or regressor.

    source: as for `load_model`, or `bundled`; raises as it does, but does not build the encoder.
    """
    return source == BUNDLED or read_checkpoint(_file(source)).head.output is Output.CONCENTRATION


def check_size(model: ZoobotModel, size: int) -> None:
    """Show the encoder a blank image of `size` pixels a side, and one of noise.

    Raises `ModelRefused` if it does not take that size (MaxViT, for one, takes
    the size it was built for), or gives what is not a number.
    """
    try:
        generator = torch.Generator().manual_seed(0)
        noise = torch.rand(1, model.channels, size, size, generator=generator)
        with torch.inference_mode(), one_thread():
            features = model.encoder(torch.cat([torch.zeros_like(noise), noise]))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelRefused(
            f"{model.architecture} does not take images of {size} pixels: {reason(error)}; "
            "choose the view it was trained with"
        ) from None
    if features.shape != (2, model.weight.shape[1]):
        raise ModelRefused(f"{model.architecture} gives {tuple(features.shape)} and not a vector")
    if not features.isfinite().all():
        raise ModelRefused(
            f"{model.architecture} gives features that are no numbers; its weights are damaged"
        )


def check_draw(samples: int, seed: int, models: int = 1, orientations: int = 1) -> None:
    """Raises `CatalogError` for dropout samples of each model, or a seed, out of range.

    And for samples that do not share out evenly among the orientations of an image.
    """
    most = _MOST_SAMPLES // models
    if not 0 <= samples <= most:
        of = f" of each of {models} models" if models > 1 else ""
        raise CatalogError(f"{samples} dropout samples{of} asked; choose 0 to {most}")
    if not 0 <= seed < 2**63:
        raise CatalogError(f"a seed of {seed} asked; choose 0 to 2**63 - 1")
    check_orientations(orientations, samples)


def dropout_masks(samples: int, features: int, rate: float, seed: int) -> Tensor:
    """Masks that multiply the features, (T, D), kept ones scaled by 1 / (1 - rate).

    The T masks are T fixed sub-networks, shared by all galaxies, so that a result
    does not depend on how galaxies are batched. samples = 0 turns dropout off: one
    mask of ones.
    """
    if samples == 0:
        return torch.ones(1, features)
    generator = torch.Generator().manual_seed(seed)
    kept = torch.rand(samples, features, generator=generator) >= rate
    return kept.float() / (1 - rate)


def concentrations(model: ZoobotModel, features: Tensor, masks: Tensor) -> Tensor:
    """Dirichlet concentrations 1 + 100 sigmoid(W (m f) + b), between 1 and 101.

    features: (N, D) of the encoder; masks: (T, D) of `dropout_masks`. Returns
    (N, T, L) float32, NaN where the model lacks an answer.
    """
    return 1 + 100 * torch.sigmoid(_logits(model, features, masks))


def estimates(model: ZoobotModel, features: Tensor, masks: Tensor) -> Tensor:
    """What a classifier or a regressor predicts from W (m f) + b, as Zoobot does.

    features: (N, D) of the encoder; masks: (T, D) of `dropout_masks`. Returns (N, T, L) float32:
    probabilities of the L classes, which add up to 1, or the one value.
    """
    logits = _logits(model, features, masks)
    if model.output is Output.PROBABILITY:
        return logits.softmax(dim=-1)
    return torch.sigmoid(logits) if model.output is Output.SHARE else logits


def _logits(model: ZoobotModel, features: Tensor, masks: Tensor) -> Tensor:
    samples, width = masks.shape  # T, D
    # masks the few weights instead of the many features
    weight = (masks[:, None, :] * model.weight).reshape(-1, width)  # (T L, D)
    logits = (features @ weight.T).reshape(len(features), samples, len(model.labels))
    return logits + model.bias


def path_of(source: str) -> str:
    """The source of a model with its path made absolute; on the hub, or bundled, its name."""
    if source.startswith(HUB):
        return source
    return name_of(source) or str(Path(source).resolve())


def mixed_seed(*numbers: int) -> int:
    """One seed from several numbers; of a seed, torch uses only the lowest 32 bits."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _file(source: str) -> Path:
    return _download(source) if source.startswith(HUB) else located(source)


# As Zoobot's `load_from_name` looks for them.
_ON_THE_HUB = (
    "ZoobotTree.ckpt",
    "FinetuneableZoobotTree.ckpt",
    "FinetuneableZoobotClassifier.ckpt",
    "FinetuneableZoobotRegressor.ckpt",
)


def _download(source: str) -> Path:
    from huggingface_hub import hf_hub_download, logging
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    logging.set_verbosity_error()  # else it logs every retry; our one line is enough
    repository = source.removeprefix(HUB)
    for name in _ON_THE_HUB:
        try:
            return Path(hf_hub_download(repository, name))
        except LocalEntryNotFoundError:
            raise ModelRefused(
                f"{source} cannot be reached, and is not in the cache; download its checkpoint "
                "elsewhere and give the path"
            ) from None
        except EntryNotFoundError:
            continue
        except Exception as error:  # of whichever network library it uses
            raise ModelRefused(f"{source} cannot be fetched: {reason(error)}") from error
    raise ModelRefused(f"{source} has none of {', '.join(_ON_THE_HUB)}")
