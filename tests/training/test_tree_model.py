"""The model that is trained, and its loss against Zoobot's."""

import numpy as np
import pytest
import torch

from tests.made.catalogues import TOY, random_concentrations, random_counts
from tests.made.checkpoints import zoobot_tree
from tests.made.trainings import VIEW
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.heads import Output
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.training.tree_model import Plan, new_tree, question_losses, taken_over
from zoolens.catalog.trees.joint import column_labels, columns_in, joint_tree
from zoolens.catalog.trees.published import get_tree

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


def test_a_joint_head_loses_what_each_tree_would_by_itself() -> None:
    """Half of the galaxies were asked GZ2's questions, the others GZ DECaLS'."""
    from zoobot.pytorch.training import losses

    trees = [get_tree("gz2_ortho"), get_tree("gzd5")]
    joint = joint_tree(trees)
    plan = Plan("test_resnet", 1, 8, 1e-3, 9, 0, False, 0)
    model = new_tree(joint, plan, VIEW)
    assert tuple(model.schema.label_cols) == joint.labels
    random = np.random.default_rng(4)
    images = torch.tensor(random.random((8, 3, 32, 32)), dtype=torch.float32)
    counts = torch.zeros(8, len(joint.labels))
    for number, tree in enumerate(trees):
        asked = torch.tensor(1 + random_counts(4, tree, seed=number)).float()
        counts[4 * number : 4 * number + 4, columns_in(joint, tree)] = asked
    model.eval()
    alpha = model(images)

    apart = torch.zeros(())
    for number, tree in enumerate(trees):
        pairs = {q.name: [f"_{answer}" for answer in q.answers] for q in tree.questions}
        zoobots = losses.CustomMultiQuestionLoss(pairs, losses.get_dirichlet_neg_log_prob)
        own = slice(4 * number, 4 * number + 4)
        of_tree = counts[own, columns_in(joint, tree)]
        labels = dict(zip(tree.labels, of_tree.T, strict=True))
        apart = apart + zoobots(alpha[own, columns_in(joint, tree)], labels).sum()
    groups = model.schema.question_index_groups
    per_question = question_losses(alpha, counts, groups)
    assert torch.allclose(per_question.sum(), apart, rtol=1e-6)
    assert torch.all(per_question[:4, len(trees[0].questions) :] == 0)
    assert torch.all(per_question[4:, : len(trees[0].questions)] == 0)

    linear = model.head[1][0]
    per_question[:4].sum().backward()
    own_rows, others = (columns_in(joint, tree) for tree in trees)
    assert linear.weight.grad is not None
    assert torch.all(linear.weight.grad[own_rows].abs().sum(dim=1) > 0)
    assert torch.all(linear.weight.grad[others] == 0)
    assert torch.all(linear.bias.grad[others] == 0)


def _start(labels: tuple[str, ...], output: Output = Output.CONCENTRATION) -> ZoobotModel:
    made = new_tree(TOY, Plan("test_resnet", 1, 8, 1e-3, 9, 7, False, 0), VIEW)
    weight = torch.arange(len(labels), dtype=torch.float32)[:, None].repeat(
        1, made.head[1][0].in_features
    )
    return ZoobotModel(
        made.encoder, weight, weight[:, 0], 0.2, labels, "test_resnet", 3, VIEW, "", output
    )


def test_columns_of_the_same_name_are_taken_over() -> None:
    plan = Plan("test_resnet", 1, 8, 1e-3, 9, 0, False, 0)
    start = _start(("bar_no", "bar-dr5_weak", "ring_yes", "bar_strong"))
    assert taken_over(start, TOY) == {5: 3, 7: 0}
    head, fresh = (new_tree(TOY, plan, VIEW, one).head[1][0] for one in (start, None))
    for row in range(10):
        expected = {5: 3.0, 7: 0.0}.get(row)
        if expected is None:
            assert torch.equal(head.weight[row], fresh.weight[row])
        else:
            assert torch.all(head.weight[row] == expected)
            assert head.bias[row] == expected


def test_a_campaigns_columns_are_no_start_for_anothers_nor_are_classes() -> None:
    gz2 = tuple(column_labels(get_tree("gz2")))
    assert taken_over(_start(gz2), get_tree("gzd5")) == {}
    assert len(taken_over(_start(gz2), get_tree("gz2_ortho"))) == 30
    assert taken_over(_start(TOY.labels, Output.PROBABILITY), TOY) == {}


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
