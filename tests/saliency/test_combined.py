"""Maps of concentrations are HiResCAM's, and maps of fractions DeepLIFT's."""

import torch

from tests.saliency.test_deeplift import SIZE, SLICES, Small, images, model_of
from zoolens.catalog.network.model import dropout_masks
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.explainer import Explainer


def test_each_map_is_made_its_own_way() -> None:
    model, masks = model_of(Small()), dropout_masks(4, 6, 0.3, 1)
    explainer = Explainer(model, masks, size=SIZE)
    adding_up = DeepLift(model, masks, SLICES, size=SIZE)
    combined = CombinedExplainer(explainer, adding_up)
    own, raised = combined.both(images(), SLICES)
    assert torch.equal(own.mean, explainer(images()).mean)
    assert torch.equal(own.sd, explainer(images()).sd)
    expected = adding_up(images())
    for fractions in (raised, combined.fractions(images(), SLICES)):
        assert torch.equal(fractions.mean, expected.maps)
        assert torch.equal(fractions.expected, expected.predicted)
        assert torch.equal(fractions.baseline, expected.baseline)
    assert (combined.method, combined.layer) == (explainer.method, explainer.layer)
    assert combined.of_fractions == {
        "method": "deeplift",
        "layer": "block",
        "baseline": "the image blurred by 0.0625 of its side",
    }
    assert combined.shareable == explainer.shareable
