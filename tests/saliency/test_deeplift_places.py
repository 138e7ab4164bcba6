"""Maps that add up, made where a GPU would make them: by the CPU in its place, and by no device."""

from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.saliency.test_deeplift import SIZE, SLICES, Small, images, model_of
from tests.saliency.test_secants import Gated, Permuted
from tests.saliency.test_watching import GPUS, close
from zoolens.catalog.explain.members import explainer_of
from zoolens.catalog.images.view import View
from zoolens.catalog.network import devices, engines
from zoolens.catalog.network.devices import Device
from zoolens.catalog.network.ensemble import Member
from zoolens.catalog.network.model import ZoobotModel, dropout_masks
from zoolens.catalog.saliency import deeplift, integrals
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.integrals import CONCENTRATION

ANSWERS = [number % 8 for number in range(5)]
MASKS = dropout_masks(4, 6, 0.3, 1)


@pytest.fixture(scope="module")
def model() -> ZoobotModel:
    """With a step of every kind that has a rule after the layer."""
    encoder = Small()
    encoder.after = nn.Sequential(Permuted(), Gated(), encoder.after)
    return model_of(encoder)


@pytest.mark.parametrize("gpu", GPUS)
def test_maps_are_those_of_the_cpu(
    model: ZoobotModel, gpu: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deeplift, "_AT_ONCE", 2)
    place = Device.of_a_gpu(torch.device(gpu))
    here, there = (
        DeepLift(model, MASKS, SLICES, size=SIZE, layer="block", place=at) for at in (None, place)
    )
    assert there.grid == here.grid
    for found, expected in (
        (there(images(5)), here(images(5))),
        (there(images(5), CONCENTRATION), here(images(5), CONCENTRATION)),
        (there.one_each(images(5), ANSWERS), here.one_each(images(5), ANSWERS)),
    ):
        for one, other in zip(vars(found).values(), vars(expected).values(), strict=True):
            assert other.abs().max() > 0
            close(one, other)


class OneDevice(TorchDispatchMode):
    """Refuses steps of tensors of two devices, some of which the meta device would let pass."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = {one.device for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
        if len(found) > 1:
            raise RuntimeError(f"{func} of {found}")
        return func(*args, **(kwargs or {}))


def test_nothing_is_left_on_the_cpu(model: ZoobotModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the meta device, which knows shapes alone, and refuses what is elsewhere."""
    monkeypatch.setattr(integrals, "_MOST", integrals._FEWEST)  # as good as it gets: no numbers
    brought: list[torch.Size] = []

    def cpu(tensor: Tensor) -> Tensor:
        assert tensor.is_meta
        brought.append(tensor.shape)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(Tensor, "cpu", cpu)
    place = Device.of_a_gpu(torch.device("meta"))
    explain = DeepLift(model, MASKS, SLICES, size=SIZE, layer="block", place=place)
    with OneDevice():
        assert explain(images(20)).maps.shape == (20, 8, 8, 8)
        # nothing but finished maps comes back, of 16 images and of the rest
        assert brought == [(16, 8), (16, 8), (16, 8, 8, 8), (4, 8), (4, 8), (4, 8, 8, 8)]
        assert explain.one_each(images(5), ANSWERS).maps.shape == (5, 8, 8)
        explain._bias = model.bias.double()  # and a tensor left behind would have been told
        with pytest.raises(RuntimeError, match=r"^aten"):
            explain(images(5))


def test_explain_makes_them_where_it_makes_those_of_concentrations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "GPU", torch.device("meta"))
    monkeypatch.setattr(engines, "_check", lambda *_: None)  # there are no numbers
    monkeypatch.setattr(Tensor, "cpu", lambda one: torch.zeros(one.shape, dtype=one.dtype))
    member = Member(
        "toy", model_of(timm.create_model("test_resnet", num_classes=0)), View(size=SIZE)
    )
    for engine, kind in (("torch", "cpu"), ("cuda", "meta")):
        _, explainer = explainer_of([member], SLICES, 3, 5, engine=engine)
        assert isinstance(explainer, CombinedExplainer)
        assert explainer.engine == engine
        assert explainer._contributions._weight.device.type == kind
