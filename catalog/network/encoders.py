"""Building the timm encoder that a checkpoint's tensors belong to."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused, nearest
from zoolens.catalog.network.checkpoints import Checkpoint, reason
from zoolens.catalog.runtime.imports import without

# Encoders that Zoobot publishes; no two have tensors of the same names and shapes.
_PUBLISHED = (
    "efficientnet_b0",
    "convnext_nano",
    "convnext_pico",
    "convnext_tiny",
    "convnext_small",
    "convnext_base",
    "convnext_large",
    "resnet18",
    "resnet50",
    "resnet101",
    "tf_efficientnetv2_s",
    "maxvit_rmlp_small_rw_224",
    "maxvit_rmlp_base_rw_224",
    "maxvit_tiny_tf_224",
    "maxvit_base_tf_224",
    "maxvit_large_tf_224",
)


def build_encoder(checkpoint: Checkpoint) -> tuple[nn.Module, str, int]:
    """The encoder with the checkpoint's weights, its timm name, its input channels.

    The encoder is in eval mode, float32, without gradients for its weights, and maps
    (N, C, H, W) to (N, D). Raises `ModelRefused` if timm does not have it or the
    tensors do not fit it.
    """
    architecture, channels = _identify(checkpoint)
    encoder = _create(architecture, channels, checkpoint)
    encoder.load_state_dict(dict(checkpoint.encoder))
    features = features_of(encoder)
    if features != checkpoint.head.weight.shape[1]:
        raise ModelRefused(
            f"its head takes {checkpoint.head.weight.shape[1]} features, "
            f"but {architecture} gives {features}"
        )
    return encoder.eval().requires_grad_(False), architecture, channels


def check_architecture(name: str) -> None:
    """Raises `ModelRefused`, with the nearest names, if timm has no encoder of a name."""
    with without("wandb"):
        import timm

    if name not in timm.list_models():
        near = nearest(name, timm.list_models())
        raise ModelRefused(f"no architecture {name!r} in timm; nearest: {near}")


def features_of(encoder: nn.Module) -> int:
    """How many features D a timm encoder gives."""
    features: int = getattr(encoder, "head_hidden_size", encoder.num_features)  # type: ignore[arg-type]
    return features


def _identify(checkpoint: Checkpoint) -> tuple[str, int]:
    """The architecture and channels whose tensors are those of the checkpoint.

    Encoders are built on the `meta` device, which allocates nothing, since the file chooses
    the name. A FinetuneableZoobotTree made from an encoder in memory does not record its
    name: then it is the one of Zoobot's published encoders that fits.
    """
    with without("wandb"):
        import timm

    named = checkpoint.architecture
    if named is not None and named not in timm.list_models():
        raise ModelRefused(f"its encoder {named!r} is unknown to timm {timm.__version__}")
    difference = ""
    for architecture in _PUBLISHED if named is None else (named,):
        for channels in (1, 3):
            try:
                with torch.device("meta"):
                    expected = _create(architecture, channels, checkpoint).state_dict()
            except (TypeError, ValueError, RuntimeError, AssertionError) as error:
                raise ModelRefused(
                    f"{architecture} cannot be built with {dict(checkpoint.settings)}: "
                    f"{reason(error)}"
                ) from None
            difference = _difference(checkpoint.encoder, expected)
            if not difference:
                return architecture, channels
    if named is None:
        raise ModelRefused(
            f"it does not name its encoder, and that is none of {', '.join(_PUBLISHED)}; "
            "add timm's name of it to the hyper-parameters, as `name`, and save it again"
        )
    raise ModelRefused(f"its tensors do not fit {named}: {difference}")


def _create(architecture: str, channels: int, checkpoint: Checkpoint) -> nn.Module:
    with without("wandb"):
        import timm

    encoder: nn.Module = timm.create_model(
        architecture,
        pretrained=False,
        in_chans=channels,
        num_classes=0,
        **checkpoint.settings,
    )
    return encoder


def _difference(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """The first difference in names and shapes, in words; empty if there is none."""
    for name, tensor in expected.items():
        if name not in given:
            return f"it lacks {name}"
        if given[name].shape != tensor.shape:
            return f"{name} is {tuple(given[name].shape)} and not {tuple(tensor.shape)}"
    for name in given:
        if name not in expected:
            return f"it has {name} besides"
    return ""
