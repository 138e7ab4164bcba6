"""Beginning a training: with a model of ours or Zoobot's, or with plain weights of timm."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused, nearest
from zoolens.catalog.network.bundled import HUB, located
from zoolens.catalog.network.checkpoints import reason
from zoolens.catalog.network.encoders import check_architecture, features_of
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.runtime.files import sha256_of
from zoolens.catalog.runtime.imports import without


def load_start(source: str, architecture: str | None) -> ZoobotModel:
    """The model that a training begins with.

    source: as for `load_model`; or a safetensors file of an encoder in timm's names, such as timm
    publishes its weights of ImageNet in, whose `architecture` must then be given. Such a start
    answers nothing: its labels are empty, its view is None. Raises `ModelRefused` as `load_model`
    does, and for weights that do not fit the architecture.
    """
    if not source.startswith(HUB) and (path := located(source)).suffix == ".safetensors":
        tensors = _plain(path)
        if tensors is not None:
            if architecture is None:
                raise ModelRefused(
                    f"{source} does not say whose weights it holds; name timm's architecture: "
                    "--architecture NAME"
                )
            return _built(path, tensors, architecture)
    return load_model(source)


def _plain(path: Path) -> dict[str, Tensor] | None:
    """Its tensors, if it is a file of safetensors that does not say what it predicts."""
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt") as file:
            if "zoobot" in (file.metadata() or {}):
                return None
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # a hostile file may raise anything
        raise ModelRefused(f"{path} is no file of weights: {reason(error)}") from None


def _built(path: Path, tensors: dict[str, Tensor], architecture: str) -> ZoobotModel:
    with without("wandb"):
        import timm

    check_architecture(architecture)
    encoder: nn.Module = timm.create_model(architecture, pretrained=False, num_classes=0)
    expected = encoder.state_dict()
    try:
        # a classifier beside the encoder's tensors is not taken
        encoder.load_state_dict({name: tensors.get(name, expected[name]) for name in expected})
    except RuntimeError as error:
        raise ModelRefused(f"{path} is not of a {architecture}: {reason(error)}") from None
    absent = [name for name in expected if name not in tensors]
    absent = [name for name in absent if not name.endswith("num_batches_tracked")]
    if absent:
        near = nearest(absent[0], list(tensors))
        raise ModelRefused(f"{path} is not of a {architecture}: no {absent[0]}; nearest: {near}")
    _take_plain_pixels(encoder)
    if not all(tensor.isfinite().all() for tensor in encoder.state_dict().values()):
        raise ModelRefused(f"{path} has weights that are no numbers; it is damaged")
    return ZoobotModel(
        encoder=encoder.eval().requires_grad_(False),
        weight=torch.zeros(0, features_of(encoder)),
        bias=torch.zeros(0),
        dropout_rate=0.0,
        labels=(),
        architecture=architecture,
        channels=3,
        view=None,
        sha256=sha256_of(path),
    )


def _take_plain_pixels(encoder: nn.Module) -> None:
    """Have the first convolution take pixels in 0..1 where it took standardised ones.

    The shift goes into its bias or into the mean of the batch norm behind it; at the frame's edge,
    where convolutions pad with 0, that is black and no longer the mean colour. An encoder without
    either keeps its scale alone, and its training learns the shift.
    """
    config: dict[str, Any] = encoder.pretrained_cfg  # type: ignore[assignment]
    place = config["first_conv"]
    name = place if isinstance(place, str) else place[0]
    first = encoder.get_submodule(name)
    mean, std = (torch.tensor(config[key])[None, :, None, None] for key in ("mean", "std"))
    with torch.no_grad():
        weight: Tensor = first.weight  # type: ignore[assignment]
        weight.div_(std)
        shift = (weight * mean).sum(dim=(1, 2, 3))
        if isinstance(first.bias, Tensor):
            first.bias.sub_(shift)
            return
        modules = list(encoder.named_modules())
        after = modules[[found for found, _ in modules].index(name) + 1][1]
        if isinstance(after, nn.BatchNorm2d) and after.running_mean is not None:
            after.running_mean.add_(shift)
