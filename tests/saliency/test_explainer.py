"""Maps against pytorch-grad-cam, one target and one dropout sample at a time."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.made.checkpoints import save_zoobot_tree
from tests.made.toy_encoders import IMAGE, Normed, Toy, leftovers, toy_model
from tests.oracles.saliency import Expected, OneSample, grad_cam_maps, maps_of_outputs
from zoolens.catalog.errors import ModelRefused, UnknownName
from zoolens.catalog.network.heads import Output
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import ZoobotModel, concentrations, dropout_masks, load_model
from zoolens.catalog.saliency.arithmetic import cross_entropy_map, fraction_maps
from zoolens.catalog.saliency.closed_forms import closed_form
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.trees.published import get_tree

# of a map's largest value: float32 sums of up to 2,048 terms in another order
CLOSE = 1e-5


def relative_error(maps: Tensor, expected: np.ndarray) -> float:
    """Largest difference of a map in units of its own largest value, over all maps."""
    difference = np.abs(maps.numpy() - expected).max(axis=(-2, -1))
    return float((difference / np.abs(expected).max(axis=(-2, -1))).max())


def images_of(model: ZoobotModel, size: int, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, model.channels, size, size, generator=generator)


FAMILIES = {  # by their last block, and pixels a side: the least that leaves it several cells
    "efficientnet_b0": ("blocks.6", 96),
    "convnext_atto": ("stages.3", 96),
    "resnet18": ("layer4", 96),
    "maxvit_rmlp_pico_rw_256": ("norm", 224),  # of windows of 7 cells
}
Family = tuple[ZoobotModel, str, int]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """A checkpoint of a random ZoobotTree, the layer that is its last block, and a size."""
    path = tmp_path_factory.mktemp("model") / "zoobot.ckpt"
    settings = {"timm_kwargs": {"img_size": 224}} if request.param.startswith("maxvit") else {}
    save_zoobot_tree(path, architecture=request.param, **settings)
    return load_model(str(path)), *FAMILIES[request.param]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
def test_every_map_is_pytorch_grad_cams(family: Family, method: str) -> None:
    model, block, size = family
    images = images_of(model, size)
    masks = dropout_masks(3, model.weight.shape[1], 0.2, seed=5)
    explainer = Explainer(model, masks, size=size, method=method)
    assert explainer.layer == block
    saliency = explainer(images)
    expected = grad_cam_maps(model, images, masks, block, method)
    assert saliency.mean.dtype == saliency.sd.dtype == torch.float32
    assert saliency.mean.shape[1] == 34
    assert relative_error(saliency.mean, expected.mean(axis=1)) < CLOSE
    sd_error = np.abs(saliency.sd.numpy() - expected.std(axis=1, ddof=0)).max(axis=(-2, -1))
    assert (sd_error / np.abs(expected).max(axis=(1, -2, -1))).max() < CLOSE
    assert leftovers(model.encoder) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "output"),
    [("hirescam", "probability"), ("gradcam", "value"), ("hirescam", "share")],
)
def test_maps_of_estimates_are_pytorch_grad_cams(family: Family, method: str, output: str) -> None:
    whole, block, size = family
    rows = 4 if output == "probability" else 1
    images = images_of(whole, size, count=1)
    masks = dropout_masks(3, whole.weight.shape[1], 0.2, seed=5)
    # a head whose logits vary by 1 from sample to sample, about 0
    weight = whole.weight[:rows]
    with torch.no_grad():
        logits = torch.einsum("nd,td,ad->nta", whole.encoder(images), masks, weight)
    scale = logits.std(1).mean()
    model = replace(
        whole, weight=weight / scale, bias=-logits.mean((0, 1)) / scale, output=Output(output)
    )
    saliency = Explainer(model, masks, size=size, method=method)(images)
    expected = grad_cam_maps(model, images, masks, block, method)
    assert saliency.mean.shape[1] == rows
    assert relative_error(saliency.mean, expected.mean(axis=1)) < CLOSE
    sd_error = np.abs(saliency.sd.numpy() - expected.std(axis=1, ddof=0)).max(axis=(-2, -1))
    assert (sd_error / np.abs(expected).max(axis=(1, -2, -1))).max() < CLOSE


def test_maps_of_probabilities_add_up_to_nothing() -> None:
    """What raises one class lowers the others: by hand, of two classes that are equal."""
    weight = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    bias = torch.tensor([-0.5, 1.0])  # z = 0 for both: the toy's features are 0.5 and -1
    model = replace(toy_model(Toy(1), weight, bias), output=Output.PROBABILITY)
    maps = Explainer(model, torch.ones(1, 2), size=2)(IMAGE).mean[0]
    # p (1 - p) = 1/4 of the difference of the logits' maps, x / 4 and -2 x / 4
    torch.testing.assert_close(maps[0], 0.25 * 3 * IMAGE[0, 0] / 4)
    torch.testing.assert_close(maps.sum(0), torch.zeros(2, 2))


@pytest.mark.slow
def test_dropout_off_is_one_sample_without_spread(family: Family) -> None:
    model, block, size = family
    images = images_of(model, size, count=1)
    masks = dropout_masks(0, model.weight.shape[1], 0.2, seed=5)
    saliency = Explainer(model, masks, size=size)(images)
    expected = grad_cam_maps(model, images, masks, block, "hirescam")
    assert relative_error(saliency.mean, expected[:, 0]) < CLOSE
    assert not saliency.sd.any()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
def test_maps_of_fractions_and_losses_are_autograds_through_the_mean_over_samples(
    family: Family, method: str
) -> None:
    """Exact where dropout is high and the first order is far off."""
    model, block, size = family
    tree = get_tree("gzd5")
    images = images_of(model, size)
    masks = dropout_masks(4, model.weight.shape[1], 0.8, seed=5)
    # a head whose logits vary by 1 from sample to sample, and concentrations by tens
    with torch.no_grad():
        logits = torch.einsum("nd,td,ad->nta", model.encoder(images), masks, model.weight)
    model = replace(model, weight=model.weight / logits.std(1).mean())
    explainer = Explainer(model, masks, size=size, method=method)
    found = explainer.fractions(images, tree.slices)
    network = Expected(model, masks, tree.slices)
    expected = maps_of_outputs(network, images, block, method)
    # the encoder is float32 here and float64 there
    assert relative_error(found.mean, expected) < 1e-4
    torch.testing.assert_close(found.expected, network(images).detach(), rtol=1e-5, atol=0)

    observed = torch.rand(34, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    losses = maps_of_outputs(Expected(model, masks, tree.slices, observed), images, block, method)
    cost = [
        [
            cross_entropy_map(*one)
            for one in zip(maps.numpy(), p.tolist(), observed.tolist(), strict=True)
        ]
        for maps, p in zip(found.mean, found.expected, strict=True)
    ]
    assert relative_error(torch.tensor(np.array(cost)), losses) < 1e-4

    with torch.no_grad():
        alpha = concentrations(model, model.encoder(images), masks).mean(1)
    first_order = [
        np.concatenate([fraction_maps(own[s], a[s]) for s in tree.slices])
        for own, a in zip(explainer(images).mean.numpy(), alpha.numpy(), strict=True)
    ]
    assert relative_error(torch.tensor(np.array(first_order)), expected) > 0.1
    assert leftovers(model.encoder) == []


def test_two_samples_fraction_by_hand() -> None:
    """z = (m_1 f, m_2 f) for the two answers; each mask keeps one of them, doubled.

    The toy's features are the means of x and of -2 x, 0.5 and -1, moved by the bias to z = 0
    under the first mask for answer 0 and under the second for answer 1, alpha 51.
    """
    encoder = Toy(1)
    weight, bias = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([-1.0, 2.0])
    masks = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    found = Explainer(toy_model(encoder, weight, bias), masks, size=2).fractions(
        IMAGE, [slice(0, 2)]
    )
    # first mask: z = (2 0.5 - 1, 2) = (0, 2), and only answer 0 has a map, 25 2 x / 4
    # second: z = (-1, -2 + 2) = (-1, 0), and only answer 1, 25 2 (-2 x) / 4
    first, second = 1 + 100 / (1 + np.exp(-2)), 1 + 100 / (1 + np.exp(1))
    x = IMAGE[0, 0].numpy()
    raised = first / (51 + first) ** 2 * 12.5 * x - second / (51 + second) ** 2 * -25 * x
    np.testing.assert_allclose(found.mean[0, 0], raised / 2, rtol=1e-6)
    np.testing.assert_allclose(found.mean[0, 1], -raised / 2, rtol=1e-6)
    p = (51 / (51 + first) + second / (51 + second)) / 2
    np.testing.assert_allclose(found.expected[0], [p, 1 - p], rtol=1e-6)


def test_fractions_of_questions_that_the_model_lacks_are_nan_alone() -> None:
    bias = torch.tensor([0.1, 0.2, torch.nan, torch.nan])
    weight = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    whole, part = (
        Explainer(toy_model(Toy(2), weight, given), torch.ones(1, 2), size=2).fractions(
            IMAGE, [slice(0, 2), slice(2, 4)]
        )
        for given in (bias.nan_to_num(), bias)
    )
    assert part.mean[0, 2:].isnan().all()
    assert part.expected[0, 2:].isnan().all()
    torch.testing.assert_close(part.mean[0, :2], whole.mean[0, :2])


@pytest.fixture(scope="module")
def efficientnet(checkpoint: Path) -> ZoobotModel:
    return load_model(str(checkpoint))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
@pytest.mark.parametrize("layer", ["blocks.5.3", "blocks.6.0.conv_dw", "conv_head", "bn2"])
def test_any_layer_is_pytorch_grad_cams(efficientnet: ZoobotModel, layer: str, method: str) -> None:
    images = images_of(efficientnet, 96)
    masks = dropout_masks(2, 1280, 0.2, seed=5)
    saliency = Explainer(efficientnet, masks, size=96, layer=layer, method=method)(images)
    expected = grad_cam_maps(efficientnet, images, masks, layer, method)
    assert relative_error(saliency.mean, expected.mean(axis=1)) < CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["layer3", "layer4.0.downsample", "layer4.1.conv2"])
def test_layers_in_and_before_residual_blocks(layer: str) -> None:
    import timm

    torch.manual_seed(0)
    encoder = timm.create_model("resnet18", num_classes=0, zero_init_last=False).eval()
    model = toy_model(encoder, torch.randn(3, 512) / 10, torch.zeros(3))
    images = images_of(model, 64)
    masks = dropout_masks(2, 512, 0.2, seed=5)
    saliency = Explainer(model, masks, size=64, layer=layer)(images)
    expected = grad_cam_maps(model, images, masks, layer, "hirescam")
    assert relative_error(saliency.mean, expected.mean(axis=1)) < CLOSE


@pytest.mark.slow
def test_clipped_and_stretched_it_is_what_the_package_shows(efficientnet: ZoobotModel) -> None:
    from pytorch_grad_cam import HiResCAM
    from pytorch_grad_cam.utils.image import scale_cam_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    images = images_of(efficientnet, 224, count=1)
    masks = dropout_masks(0, 1280, 0.2, seed=5)
    maps = Explainer(efficientnet, masks)(images).mean[0].numpy()
    layer = efficientnet.encoder.get_submodule("blocks.6").requires_grad_(True)
    with HiResCAM(OneSample(efficientnet, masks[0]), [layer]) as cam:
        shown = cam(images, [ClassifierOutputTarget(7)])
    ours = scale_cam_image(np.maximum(maps[7:8], 0), (224, 224))
    # the package stretches to 0..1 twice, dividing by largest + 1e-7
    np.testing.assert_allclose(scale_cam_image(ours), shown, atol=1e-4)


@pytest.mark.slow
def test_logit_maps_at_the_pooled_features_sum_to_the_logit(
    efficientnet: ZoobotModel,
) -> None:
    images = images_of(efficientnet, 224)
    masks = dropout_masks(4, 1280, 0.2, seed=9)
    maps = Explainer(efficientnet, masks, layer="bn2").logit_maps(images).double()
    with torch.no_grad():
        features = efficientnet.encoder(images).double()
    logits = torch.einsum("nd,td,ad->nta", features, masks.double(), efficientnet.weight.double())
    np.testing.assert_allclose(maps.sum((-2, -1)), logits, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
def test_closed_forms_and_engines_give_the_forward_mode_derivative(
    family: Family, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, layer, size = family
    images = images_of(model, size, count=1)
    masks = dropout_masks(2, model.weight.shape[1], 0.2, seed=9)
    with monkeypatch.context() as patch:
        patch.setattr("zoolens.catalog.saliency.explainer.closed_form", lambda *_: None)
        general = Explainer(model, masks, size=size, method=method)(images)
    closed = Explainer(model, masks, size=size, method=method)
    assert closed_form(model.encoder, layer, method) is not None
    assert relative_error(closed(images).mean, general.mean.numpy()) < CLOSE
    if importlib.util.find_spec("openvino") is not None:
        other = Explainer(model, masks, size=size, method=method, engine="openvino")
        assert other.engine == "openvino"
        found = other(images)
        # both encoders round, each in another order; at logits of 29, as MaxViT has here, that
        # is up to 2e-5 in the sigmoid's slope, for each of the two, beside one of float64
        assert relative_error(found.mean, general.mean.numpy()) < 4 * CLOSE
        assert relative_error(found.sd, general.sd.numpy()) < 4 * CLOSE


def test_a_map_does_not_depend_on_its_batch(efficientnet: ZoobotModel) -> None:
    images = images_of(efficientnet, 64, count=3)
    explainer = Explainer(efficientnet, dropout_masks(2, 1280, 0.2, seed=9), size=64)
    together, alone = explainer(images), explainer(images[1:2])
    assert relative_error(together.mean[1:2], alone.mean.numpy()) < CLOSE


def test_threads_share_a_closed_form(efficientnet: ZoobotModel) -> None:
    explainer = Explainer(efficientnet, dropout_masks(2, 1280, 0.2, seed=9), size=64)
    assert explainer.shareable
    batches = images_of(efficientnet, 64, count=12).split(2)
    apart = [explainer(batch) for batch in batches]
    for one, other in zip(apart, torch_in_order(explainer, batches, threads=4), strict=True):
        assert relative_error(other.mean, one.mean.numpy()) < CLOSE
    layer = Explainer(efficientnet, dropout_masks(2, 1280, 0.2, seed=9), size=64, layer="blocks.5")
    assert not layer.shareable


def test_answers_that_the_model_lacks_are_nan_alone(efficientnet: ZoobotModel) -> None:
    images = images_of(efficientnet, 64, count=1)
    masks = dropout_masks(2, 1280, 0.2, seed=9)
    whole = Explainer(efficientnet, masks, size=64)(images).mean
    weight, bias = efficientnet.weight.clone(), efficientnet.bias.clone()
    weight[5:7], bias[5:7] = torch.nan, torch.nan
    maps = Explainer(replace(efficientnet, weight=weight, bias=bias), masks, size=64)(images).mean
    assert maps[:, 5:7].isnan().all()
    kept = [k for k in range(34) if k not in (5, 6)]
    torch.testing.assert_close(maps[:, kept], whole[:, kept])


# --- toy nets, by hand


ONE_SAMPLE = torch.ones(1, 2)


def toy_map(power: int, method: str, weight: list[float], masks: Tensor = ONE_SAMPLE) -> Any:
    # the bias brings the logit to 0, where the sigmoid's slope is 1/4 and alpha's 25
    encoder = Toy(power)
    with torch.no_grad():
        bias = -(torch.tensor([weight]) @ (encoder(IMAGE) * masks[:1]).T)[0]
    model = toy_model(encoder, torch.tensor([weight]), bias)
    return Explainer(model, masks, size=2, layer="block", method=method)(IMAGE)


def test_linear_toy_by_hand() -> None:
    # a = (x, -2x); z = mean(a_0) + 3 mean(a_1): M = 25 (x - 6x) / 4
    saliency = toy_map(1, "hirescam", [1.0, 3.0])
    expected = [[-31.25, -62.5], [-93.75, 125.0]]
    np.testing.assert_allclose(saliency.mean[0, 0], expected, rtol=1e-6)
    # the gradient is the same at all pixels: GradCAM agrees
    np.testing.assert_allclose(toy_map(1, "gradcam", [1.0, 3.0]).mean[0, 0], expected, rtol=1e-6)


def test_square_toy_by_hand() -> None:
    # f = mean(a^2): a df/da = 2 a^2 / 4, so M = 25 (2 x^2 + 2 * 4 x^2) / 4 = 62.5 x^2
    np.testing.assert_allclose(
        toy_map(2, "hirescam", [1.0, 1.0]).mean[0, 0], [[62.5, 250.0], [562.5, 1000.0]], rtol=1e-6
    )
    # mean gradients 2 mean(a) / 4 = (0.25, -0.5), mean(x) being 1/2:
    # M = 25 (0.25 x + 0.5 * 2 x) = 31.25 x
    np.testing.assert_allclose(
        toy_map(2, "gradcam", [1.0, 1.0]).mean[0, 0], [[31.25, 62.5], [93.75, -125.0]], rtol=1e-6
    )


def test_dropout_toy_by_hand() -> None:
    # the second sample keeps only a_0, at weight 2: with its logit at
    # z = 2 mean(a_0) - mean(a_0) = 1/2, alpha' = 100 s (1 - s), s = sigmoid(1/2)
    masks = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    saliency = toy_map(1, "hirescam", [1.0, 3.0], masks)
    first = 25 / 4 * IMAGE[0, 0].numpy()
    s = 1 / (1 + np.exp(-0.5))
    second = 100 * s * (1 - s) * 2 / 4 * IMAGE[0, 0].numpy()
    np.testing.assert_allclose(saliency.mean[0, 0], (first + second) / 2, rtol=1e-6)
    np.testing.assert_allclose(saliency.sd[0, 0], np.abs(second - first) / 2, rtol=1e-5)


def test_slopes_keep_their_digits_at_small_concentrations() -> None:
    # at z = -14 alpha is 1.00008: float32 keeps three digits of what is above 1
    model = toy_model(Toy(1), torch.tensor([[1.0, 0.0]]), torch.tensor([-14.5]))
    saliency = Explainer(model, ONE_SAMPLE, size=2, layer="block")(IMAGE)
    s = 1 / (1 + np.exp(14.0))
    np.testing.assert_allclose(
        saliency.mean[0, 0], 100 * s * (1 - s) / 4 * IMAGE[0, 0].numpy(), rtol=1e-5
    )
    features = model.encoder(IMAGE)
    assert concentrations(model, features, ONE_SAMPLE).item() == pytest.approx(1 + 100 * s)


def test_a_layer_norm_hides_the_block_before_it() -> None:
    # the derivative along a vector's own length is 0 behind a norm: HiResCAM has
    # nothing to show there, and the norm itself is explained
    model = toy_model(Normed(), torch.ones(1, 8) * torch.arange(8), torch.zeros(1))
    explainer = Explainer(model, torch.ones(1, 8), size=4)
    assert explainer.layer == "norm"
    images = images_of(model, 4)
    maps = explainer.logit_maps(images)
    with torch.no_grad():
        logits = model.encoder(images) @ model.weight.T
    np.testing.assert_allclose(maps.sum((-2, -1))[:, 0], logits, rtol=1e-5)
    with pytest.raises(ModelRefused, match=r"at block is zero.*such as norm"):
        Explainer(model, torch.ones(1, 8), size=4, layer="block")
    averaged = Explainer(model, torch.ones(1, 8), size=4, layer="block", method="gradcam")
    assert averaged(images).mean.abs().max() > 0


def test_unknown_method_is_refused() -> None:
    model = toy_model(Toy(1), torch.ones(1, 2), torch.zeros(1))
    with pytest.raises(UnknownName, match="no saliency method 'lime'; choose hirescam or gradcam"):
        Explainer(model, ONE_SAMPLE, size=2, method="lime")
