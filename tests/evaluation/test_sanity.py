"""Randomised weights change the maps of what explains the model, and nothing else."""

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.made.toy_encoders import toy_model
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.sanity import (
    alike,
    cascade,
    drawn,
    randomised,
    shuffled,
    stages,
    verdicts,
)
from zoolens.catalog.network.model import ZoobotModel, dropout_masks
from zoolens.catalog.saliency.methods import explanations

pytestmark = pytest.mark.slow


class Small(nn.Module):
    """Stem and two blocks; maps of 8 x 8 for images of 32 pixels."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.bn1 = nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(_block(8, 12), _block(12, 16))
        self.scale = nn.Parameter(1 + torch.rand(16))

    def forward(self, images: Tensor) -> Tensor:
        activation = self.blocks(torch.relu(self.bn1(self.stem(images))))
        return (activation * self.scale[:, None, None]).mean((2, 3))


def _block(inputs: int, outputs: int) -> nn.Sequential:
    stride = 2 if inputs == 8 else 1
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def small_model(seed: int) -> ZoobotModel:
    """A network with the norms of its training, far from any fresh one's weights."""
    encoder = Small(seed)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
        for _ in range(30):
            encoder.train()(IMAGES)
    return toy_model(encoder.eval(), torch.randn(4, 16), torch.randn(4))


def blobs(count: int, size: int = 32) -> Tensor:
    """Galaxies of all kinds of places and widths on a noisy sky."""
    generator = torch.Generator().manual_seed(3)
    at = torch.linspace(-1, 1, size)
    x, y, width = torch.rand(3, count, 1, 1, generator=generator) * 1.2 - 0.6
    light = torch.exp(-((at - x) ** 2 + (at[:, None] - y) ** 2) / (0.1 + 0.2 * (width + 0.6)))
    noise = torch.rand(count, 3, size, size, generator=generator)
    return 0.8 * light[:, None] + 0.2 * noise


IMAGES = blobs(20)
ANSWERS = [number % 4 for number in range(20)]
MASKS = dropout_masks(3, 16, 0.2, seed=1)


@pytest.fixture(scope="module")
def model() -> ZoobotModel:
    return small_model(0)


def edges(_: ZoobotModel, images: Tensor, __: Sequence[int]) -> Tensor:
    """An explanation that never looks at the model."""
    return images.mean(1).diff(dim=1)


@pytest.fixture(scope="module")
def measures(model: ZoobotModel) -> list[Measure]:
    methods = explanations(MASKS, "blocks.1") | {"edges": edges}
    draws = [drawn(model, IMAGES, ANSWERS, methods, draw) for draw in range(4)]
    return cascade(draws, methods)


def curve(measures: list[Measure], method: str, name: str = "rank correlation") -> list[Measure]:
    return [m for m in measures if m.method == method and m.measure == name]


def test_explanations_pass_and_edges_fail(measures: list[Measure]) -> None:
    found = {m.method: m.value for m in verdicts(measures)}
    assert found == {"hirescam": 1, "gradcam": 1, "input gradient": 1, "edges": 0}


def test_a_curve_runs_from_one_down_the_stages(measures: list[Measure]) -> None:
    for method in ("hirescam", "gradcam", "input gradient"):
        stage = curve(measures, method)
        # untouched; head; blocks.1, blocks.0, stem with its norm
        assert [m.level for m in stage] == [0, 1, 2, 3, 4]
        assert stage[0].value == pytest.approx(1)
        assert abs(stage[-1].value) < 0.4
        assert {m.galaxies for m in stage} == {20}
    assert all(m.value == pytest.approx(1) for m in curve(measures, "edges"))


def test_absolute_maps_are_reported_apart(measures: list[Measure]) -> None:
    absolute = curve(measures, "input gradient", "rank correlation, absolute")
    assert absolute[0].value == pytest.approx(1)
    # what is multiplied by the image keeps its shape, whatever the model
    assert absolute[-1].value > 0.1 + abs(curve(measures, "input gradient")[-1].value)


def test_another_models_maps_are_other_maps(model: ZoobotModel) -> None:
    methods = explanations(MASKS, "blocks.1") | {"edges": edges}
    found = shuffled(alike(model, small_model(5), IMAGES, ANSWERS, methods), methods)
    assert {m.measure for m in found} == {"rank correlation, shuffled votes"}
    assert {m.method: m.value for m in verdicts(found)}["edges"] == 0
    same = shuffled(alike(model, copy.deepcopy(model), IMAGES, ANSWERS, methods), methods)
    assert all(m.value == pytest.approx(1) for m in same)
    assert {m.value for m in verdicts(same)} == {0}


def test_few_galaxies_give_no_verdict(model: ZoobotModel) -> None:
    found = cascade([drawn(model, IMAGES[:3], ANSWERS[:3], {"edges": edges}, 0)], ["edges"])
    (verdict,) = verdicts(found)
    assert np.isnan(verdict.value)
    assert verdicts([]) == []


def stems(model: ZoobotModel, seed: int) -> list[Tensor]:
    copies = randomised(model, IMAGES, seed)
    return [copied.encoder.get_parameter("stem.weight").detach().clone() for copied in copies]


def test_the_model_and_torchs_random_state_are_left_alone(model: ZoobotModel) -> None:
    before = copy.deepcopy(model.encoder.state_dict())
    head = model.weight.clone()
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    first = stems(model, seed=1)
    assert torch.equal(torch.rand(3), expected)
    again, other = stems(model, seed=1), stems(model, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[-1], other[-1])
    after = model.encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(model.weight, head)
    assert not any(module.training for module in model.encoder.modules())


def test_threads_draw_what_one_draws(model: ZoobotModel) -> None:
    models = [replace(model, encoder=copy.deepcopy(model.encoder)) for _ in range(6)]
    alone = [stems(one, seed) for seed, one in enumerate(models)]
    with ThreadPoolExecutor(3) as pool:
        together = [*pool.map(stems, models, range(6))]
    for one, other in zip(alone, together, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_stages_reach_every_weight_in_their_turn(model: ZoobotModel) -> None:
    prefixes = [(), ("blocks.1",), ("blocks.0",), ("stem", "bn1", "scale")]
    drawn: tuple[str, ...] = ()
    own = dict(model.encoder.named_parameters())
    for prefix, copied in zip(prefixes, randomised(model, IMAGES, seed=0), strict=True):
        drawn += prefix
        assert not (copied.weight == model.weight).any()
        assert not (copied.bias == model.bias).any()
        changed = {n for n, p in copied.encoder.named_parameters() if not torch.equal(p, own[n])}
        assert changed == {name for name in own if name.startswith(drawn)}
    was, now = (e.get_parameter("scale").sort().values for e in (model.encoder, copied.encoder))
    assert torch.equal(was, now)


def test_norms_drawn_anew_fit_what_reaches_them(model: ZoobotModel) -> None:
    *_, last = randomised(model, IMAGES, seed=0)
    reached: list[Tensor] = []
    hook = last.encoder.get_submodule("blocks.1.1").register_forward_hook(
        lambda _, __, output: reached.append(output)
    )
    with torch.no_grad():
        last.encoder(IMAGES)
    hook.remove()
    # running variances are unbiased, 1/1280 above those that normalised on the way here
    torch.testing.assert_close(reached[0].mean((0, 2, 3)), torch.zeros(16), atol=5e-3, rtol=0)
    torch.testing.assert_close(reached[0].std((0, 2, 3)), torch.ones(16), atol=5e-3, rtol=0)
    assert not any(module.training for module in last.encoder.modules())


def test_answers_that_the_model_lacks_stay_missing(model: ZoobotModel) -> None:
    weight, bias = model.weight.clone(), model.bias.clone()
    weight[2], bias[2] = torch.nan, torch.nan
    for copied in randomised(replace(model, weight=weight, bias=bias), IMAGES[:2], seed=0):
        assert copied.weight.isnan().all(dim=1).tolist() == [False, False, True, False]
        assert copied.bias.isnan().tolist() == [False, False, True, False]


FAMILIES = {
    "efficientnet_b0": 9,  # conv_head, seven blocks, stem
    "convnext_atto": 5,
    "resnet10t": 5,
    "maxvit_rmlp_pico_rw_256": 5,
}


@pytest.mark.parametrize("architecture", FAMILIES)
def test_all_weights_of_a_family_are_drawn(architecture: str) -> None:
    import timm

    settings: dict[str, Any] = {"img_size": 64} if architecture.startswith("maxvit") else {}
    torch.manual_seed(0)
    encoder: Any = timm.create_model(architecture, num_classes=0, **settings).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    assert len(stages(encoder)) == FAMILIES[architecture]
    width = encoder.num_features
    model = toy_model(encoder, torch.randn(2, width), torch.zeros(2))
    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    *_, last = randomised(model, images, seed=0)
    kept = [
        name
        for (name, new), old in zip(
            last.encoder.named_parameters(), encoder.parameters(), strict=True
        )
        if torch.equal(new, old)
    ]
    assert kept == []
    with torch.no_grad():
        features = last.encoder(images)
    assert features.isfinite().all()
    assert (features.std(0) > 1e-4 * features.abs().mean()).any(), "images look all alike"
