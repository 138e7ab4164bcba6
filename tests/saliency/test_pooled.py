"""Maps of several models against those of each, pooled by hand."""

import numpy as np
import pytest
import torch

from tests.made.checkpoints import zoobot_tree
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.model import ZoobotModel, dropout_masks
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.saliency.pooled import PooledExplainer
from zoolens.catalog.trees.published import get_tree

TREE = get_tree("gzd5")
T = 4


def explainer(seed: int, *, channels: int = 3, layer: str | None = None) -> Explainer:
    """Of a small random model in memory."""
    tree = zoobot_tree("test_resnet", seed=seed, awake=True, channels=channels)
    linear = tree.head[1][0]
    model = ZoobotModel(
        encoder=tree.encoder,
        weight=linear.weight.detach(),
        bias=linear.bias.detach(),
        dropout_rate=0.3,
        labels=TREE.labels,
        architecture="test_resnet",
        channels=channels,
        view=None,
        sha256="",
    )
    masks = dropout_masks(T, linear.weight.shape[1], 0.3, seed=7)
    return Explainer(model, masks, size=64, layer=layer)


@pytest.fixture(scope="module")
def pair() -> list[Explainer]:
    """A model that takes colour, and one that takes grey."""
    return [explainer(1), explainer(2, channels=1)]


IMAGES = torch.rand(3, 4, 64, 64, generator=torch.Generator().manual_seed(5))  # colour, then grey
COLOUR, GREY = slice(0, 3), slice(3, 4)


def test_a_map_is_the_mean_of_the_models_and_its_spread_that_of_all_samples(
    pair: list[Explainer],
) -> None:
    pooled = PooledExplainer(pair, [COLOUR, GREY], size=64)(IMAGES)
    first, second = pair[0](IMAGES[:, COLOUR]), pair[1](IMAGES[:, GREY])
    np.testing.assert_allclose(pooled.mean, (first.mean + second.mean) / 2, atol=1e-6)
    # slowly: the second moment of all 2 T samples about their common mean
    moments = [(one.sd.double() ** 2 + one.mean.double() ** 2) for one in (first, second)]
    centre = (first.mean.double() + second.mean.double()) / 2
    expected = ((moments[0] + moments[1]) / 2 - centre**2).sqrt()
    np.testing.assert_allclose(pooled.sd, expected, atol=1e-4)
    assert (pooled.sd - (first.sd + second.sd) / 2).max() > 0.01, "the models differ"


def test_maps_of_fractions_are_means_over_models(pair: list[Explainer]) -> None:
    pooled = PooledExplainer(pair, [COLOUR, GREY], size=64).fractions(IMAGES, TREE.slices)
    each = [
        one.fractions(IMAGES[:, where], TREE.slices)
        for one, where in zip(pair, [COLOUR, GREY], strict=True)
    ]
    for name in ("expected", "mean"):
        values = [getattr(one, name) for one in each]
        np.testing.assert_allclose(getattr(pooled, name), sum(values) / 2, atol=1e-12)


def test_both_are_those_of_each_call(pair: list[Explainer]) -> None:
    for explained, images in (
        (PooledExplainer(pair, [COLOUR, GREY], size=64), IMAGES),
        (pair[0], IMAGES[:, COLOUR]),
    ):
        own, fractions = explained.both(images, TREE.slices)
        alone, alone_fractions = explained(images), explained.fractions(images, TREE.slices)
        for found, expected in ((own, alone), (fractions, alone_fractions)):
            for name, values in vars(expected).items():
                torch.testing.assert_close(
                    getattr(found, name), values, rtol=0, atol=0, equal_nan=True
                )


def test_what_all_models_share_is_said_once(pair: list[Explainer]) -> None:
    pooled = PooledExplainer(pair, [COLOUR, GREY], size=64)
    assert (pooled.method, pooled.layer, pooled.engine) == ("hirescam", pair[0].layer, "torch")
    assert pooled.shareable == all(one.shareable for one in pair)


def test_maps_of_other_cells_have_no_mean(pair: list[Explainer]) -> None:
    finer = explainer(3, layer="layer3")
    with pytest.raises(ModelRefused, match=r"have 2 x 2 and 4 x 4 cells.*--model ONE"):
        PooledExplainer([pair[0], finer], [COLOUR, COLOUR], size=64)
