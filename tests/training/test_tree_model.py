"""The model that is trained, and its loss against Zoobot's."""

import numpy as np
import pytest
import torch

from tests.made.catalogues import TOY, random_concentrations, random_counts
from tests.made.checkpoints import zoobot_tree
from tests.made.trainings import VIEW
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.training.tree_model import Plan, new_tree, question_losses

pytestmark = pytest.mark.slow


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
