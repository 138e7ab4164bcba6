"""The model that is trained: Zoobot's tree of questions, and how it learns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.checkpoints import reason
from zoolens.catalog.network.encoders import check_architecture
from zoolens.catalog.network.heads import Output
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.runtime.imports import without
from zoolens.catalog.trees.joint import column_labels
from zoolens.catalog.trees.published import own_suffix

with without("wandb"):
    from zoobot.pytorch.estimators.define_model import ZoobotTree
    from zoobot.pytorch.training import losses

_WARM_UP = 0.15  # share of the steps in which the learning rate rises


@dataclass(frozen=True)
class Plan:
    """How to train.

    architecture: timm name. epochs: at most; patience: epochs without a better
    validation loss after which to stop. learning_rate: at its peak. mixed: the encoder
    computes in bfloat16. workers: processes that augment, 0 for none.
    """

    architecture: str
    epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    seed: int
    mixed: bool
    workers: int


class Tree(ZoobotTree):
    """Zoobot's tree model, trained on a matrix of counts.

    Departs from Zoobot in three things: counts can be fractional (weighted, or worth
    less than a vote), which its loss would truncate; the encoder may compute in bfloat16
    while head and loss keep float32; the learning rate rises and falls once (one
    cycle) over all steps.
    """

    mixed = False

    def forward(self, images: Tensor) -> Tensor:
        """Concentrations (N, A) of images (N, C, H, W)."""
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.mixed):
            features = self.encoder(images)
        concentrations: Tensor = self.head(features.float())
        return concentrations

    def make_step(self, batch: Mapping[str, Tensor], step_name: str) -> dict[str, Tensor]:
        """Dirichlet-multinomial loss, nat: summed over questions, mean over galaxies.

        Raises `FloatingPointError` if it is not finite.
        """
        alpha = self(batch["image"])
        per_question = question_losses(alpha, batch["counts"], self.schema.question_index_groups)
        loss = per_question.sum(dim=1).mean()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the {step_name} loss is {loss.item()}")
        self.update_per_question_loss_metric(per_question, step_name=step_name)
        self.loss_metrics[f"{step_name}/supervised_loss"].update(loss, weight=len(alpha))
        return {"loss": loss, "predictions": alpha}

    def configure_optimizers(self) -> Any:
        """Zoobot's AdamW, under one cycle of the learning rate."""
        optimizer = super().configure_optimizers()
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self.learning_rate,
            total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=_WARM_UP,
            cycle_momentum=False,
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


def question_losses(alpha: Tensor, counts: Tensor, groups: Sequence[tuple[int, int]]) -> Tensor:
    """Negative log likelihood of each question's counts, by Zoobot's own formula.

    alpha (N, A), counts (N, A), 0 or more; groups: first and last answer of each of the
    Q questions. Returns (N, Q), nat; exactly 0, and without gradient, where the counts
    are all 0.
    """
    columns = []
    for first, last in groups:
        k = counts[:, first : last + 1]
        asked = k.sum(dim=1) > 0
        columns.append(torch.where(asked, -losses.log_prob(alpha[:, first : last + 1], k), 0.0))
    return torch.stack(columns, dim=1)


def taken_over(start: ZoobotModel, tree: DecisionTree) -> dict[int, int]:
    """Which columns a model of `tree` has of the head of `start`: row there, by row here.

    Those that are named alike, with their campaign: `bar-gz2_no` is no start for `bar-dr5_no`.
    """
    if start.output is not Output.CONCENTRATION:
        return {}
    known = {label: row for row, label in enumerate(start.labels)}
    rows = enumerate(column_labels(tree))
    return {row: known[label] for row, label in rows if label in known}


def new_tree(tree: DecisionTree, plan: Plan, view: View, start: ZoobotModel | None = None) -> Tree:
    """A model of `tree` for a view, with random weights from the plan's seed.

    start: a model whose encoder it begins with, and those columns of its head that are
    `taken_over`; it must have the plan's architecture and the view's channels. Raises
    `ModelRefused` if timm does not have the architecture, or it does not take
    images of the view's size.
    """
    suffix = own_suffix(tree)
    pairs = {f"{q.name}{suffix}": [f"_{answer}" for answer in q.answers] for q in tree.questions}
    torch.manual_seed(plan.seed)
    check_architecture(plan.architecture)
    try:
        model = Tree(
            output_dim=len(tree.labels),
            question_answer_pairs=pairs,
            # Zoobot allows only one parent per question, but does not use it in training
            dependencies=dict.fromkeys(pairs),
            architecture_name=plan.architecture,
            channels=1 if view.greyscale else 3,
            learning_rate=plan.learning_rate,
        )
        model.eval()(torch.zeros(1, 1 if view.greyscale else 3, view.size, view.size))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelRefused(
            f"{plan.architecture} does not take images of {view.size} pixels: {reason(error)}"
        ) from None
    model.train()
    if start is not None:
        model.encoder.load_state_dict(start.encoder.state_dict())
        linear = model.head[1][0]
        with torch.no_grad():
            for row, column in taken_over(start, tree).items():
                linear.weight[row] = start.weight[column]
                linear.bias[row] = start.bias[column]
    model.encoder.to(memory_format=torch.channels_last)
    model.mixed = plan.mixed
    return model
