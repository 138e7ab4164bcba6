"""A Zoobot decision-tree model: an encoder, and a head of Dirichlet concentrations.

The head of Zoobot is dropout, one linear layer, and 1 + 100 sigmoid; kept here as
its weight and bias, so that the encoder runs once per image while the head is
sampled as often as asked. Arrays in, arrays out: nothing here knows the catalogue.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from catalog.checkpoints import Checkpoint, read_checkpoint
from catalog.decision_tree import CAMPAIGN, DecisionTree
from catalog.errors import ModelRefused, nearest

# Campaigns that asked the very same questions, so that one model serves both.
_SIBLING = {"dr5": "dr8", "dr8": "dr5"}


@dataclass(frozen=True)
class ZoobotModel:
    """A model ready to predict; L label columns, D features.

    encoder: in eval mode, (N, C, H, W) in 0..1 -> (N, D). weight: (L, D) and bias:
    (L,) of the linear layer, float32. labels: the columns of the checkpoint
    (`how-rounded-dr5_round`), or those of a tree after `for_tree`. channels: 3, or 1
    for a greyscale model. sha256: of the file.
    """

    encoder: nn.Module
    weight: Tensor
    bias: Tensor
    dropout_rate: float
    labels: tuple[str, ...]
    architecture: str
    channels: int
    sha256: str

    def for_tree(self, tree: DecisionTree) -> "ZoobotModel":
        """The same model with the A answers of a tree, in the tree's order.

        Columns of the tree's own campaign count first (`-dr5` for gzd5), then
        columns without campaign (GZ DESI), then those of the campaign that asked
        the very same questions (dr8 for gzd5, dr5 for gzd8): one of them for the
        whole tree, never a mixture. A question that lacks an answer has no Dirichlet
        distribution: all its rows are NaN. Raises `ModelRefused`, naming the nearest
        columns, where the model has no question of the tree whole.
        """
        own = CAMPAIGN[tree.name]
        for campaign in (own, "", _SIBLING.get(own, own)):
            rows = self._rows(tree, campaign)
            if any(row is not None for row in rows):
                break
        else:
            first = tree.questions[0].labels[0]
            raise ModelRefused(
                f"the model answers no question of tree {tree.name}; it lacks {first} and the "
                f"others; nearest columns: {nearest(first, self.labels)}"
            )
        index = torch.tensor([0 if row is None else row for row in rows])
        absent = torch.tensor([row is None for row in rows])
        return replace(
            self,
            weight=self.weight[index].masked_fill(absent[:, None], torch.nan),
            bias=self.bias[index].masked_fill(absent, torch.nan),
            labels=tree.labels,
        )

    def _rows(self, tree: DecisionTree, campaign: str) -> list[int | None]:
        """Row of each answer of the tree; None for all answers of an incomplete question."""
        position = {label: row for row, label in enumerate(self.labels)}
        suffix = f"-{campaign}" if campaign else ""
        rows: list[int | None] = []
        for question in tree.questions:
            found = [position.get(f"{question.name}{suffix}_{a}") for a in question.answers]
            rows += [None] * len(found) if None in found else found
        return rows


def load_model(source: str) -> ZoobotModel:
    """Load the model in a file; nothing that the file holds is executed.

    source: path of a Lightning checkpoint. Raises `ModelRefused`.
    """
    return _build(read_checkpoint(Path(source)), source)


def dropout_masks(samples: int, features: int, rate: float, seed: int) -> Tensor:
    """Masks that multiply the features, (T, D), kept ones scaled by 1 / (1 - rate).

    The T masks are T fixed sub-networks, shared by all galaxies, so that a result
    does not depend on how galaxies are batched. samples = 0 asks dropout off: one
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
    samples, width = masks.shape  # T, D
    # masking the few weights instead of the many features
    weight = (masks[:, None, :] * model.weight).reshape(-1, width)  # (T L, D)
    logits = (features @ weight.T).reshape(len(features), samples, -1)  # (N, T, L)
    return 1 + 100 * torch.sigmoid(logits + model.bias)


def _build(checkpoint: Checkpoint, source: str) -> ZoobotModel:
    import timm

    architecture = checkpoint.architecture or ""
    if architecture not in timm.list_models():
        raise ModelRefused(f"{source} is built on {architecture!r}, which timm does not have")
    channels = next(t.shape[1] for t in checkpoint.encoder.values() if t.ndim == 4)
    encoder = timm.create_model(
        architecture, in_chans=channels, num_classes=0, **checkpoint.settings
    )
    try:
        encoder.load_state_dict(checkpoint.encoder)
    except RuntimeError as error:
        raise ModelRefused(f"{source} does not fit {architecture}: {error}") from None
    return ZoobotModel(
        encoder=encoder.eval().requires_grad_(False),
        weight=checkpoint.weight.float(),
        bias=checkpoint.bias.float(),
        dropout_rate=checkpoint.dropout_rate,
        labels=checkpoint.labels,
        architecture=architecture,
        channels=channels,
        sha256=checkpoint.sha256,
    )
