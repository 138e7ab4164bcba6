"""Weights of timm as a start: the encoder that they make sees pixels as they are."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.pretrained import load_start
from zoolens.models import imagenet

pytestmark = pytest.mark.slow  # with what they load

MODEL = Path(__file__).parents[2] / "models" / "gzd5-simulated.safetensors"


def weights(name: str, path: Path, **more: Tensor) -> Any:
    """A file of an encoder with its classifier, as timm publishes one; the model it is of."""
    torch.manual_seed(0)
    model = timm.create_model(name).eval()
    for module in model.modules():  # batch norms that do something
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    save_file(model.state_dict() | more, path)
    return model


def shown(count: int = 2) -> Tensor:
    return torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def standardised(images: Tensor, config: Any) -> Tensor:
    mean, std = (torch.tensor(config[key])[:, None, None] for key in ("mean", "std"))
    return (images - mean) / std


def test_a_start_has_the_features_of_timm(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    model = weights("convnext_atto", path)  # whose patches need no padding
    start = load_start(str(path), "convnext_atto")
    with torch.no_grad():
        model.reset_classifier(0)
        expected = model(standardised(shown(), model.pretrained_cfg))
        torch.testing.assert_close(start.encoder(shown()), expected, rtol=1e-4, atol=1e-5)
    assert start.labels == ()
    assert start.weight.shape == (0, expected.shape[1])
    assert start.view is None


def stem(model: nn.Module, images: Tensor) -> Tensor:
    """After the first batch norm, without the edge, where convolutions pad."""
    first, norm = model.get_submodule("conv_stem"), model.get_submodule("bn1")
    with torch.no_grad():
        found: Tensor = norm(first(images))[:, :, 1:-1, 1:-1]
    return found


def test_a_batch_norm_takes_the_shift(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    model = weights("efficientnet_lite0", path)
    start = load_start(str(path), "efficientnet_lite0")
    expected = stem(model, standardised(shown(), model.pretrained_cfg))
    torch.testing.assert_close(stem(start.encoder, shown()), expected, rtol=1e-4, atol=1e-4)


def test_tensorflows_weights_by_timms_names(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    model = weights("efficientnet_lite0", path)
    theirs = {f"_{place}.x": v for place, v in enumerate(model.state_dict().values()) if v.ndim}
    ours = imagenet.renamed(theirs)
    known = {name for name, value in model.state_dict().items() if value.ndim}
    assert ours.keys() == known
    save_file(ours, path)
    start = load_start(str(path), imagenet.ARCHITECTURE)
    expected = stem(model, 2 * shown() - 1)
    torch.testing.assert_close(stem(start.encoder, shown()), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="not the weights"):
        imagenet.renamed(dict(list(theirs.items())[1:]))


def test_a_model_of_ours_is_read_as_ever() -> None:
    assert load_start(str(MODEL), None).labels
    assert load_start(str(MODEL), "efficientnet_b0").architecture == "resnet10t"


@pytest.mark.parametrize(
    ("architecture", "said"),
    [
        (None, r"does not say whose weights it holds; .* --architecture NAME"),
        ("convnext_ato", r"no architecture 'convnext_ato' in timm; nearest: convnext_atto"),
        ("convnext_pico", r"is not of a convnext_pico: "),
        ("resnet10t", r"is not of a resnet10t: no conv1.0.weight; nearest: "),
    ],
)
def test_what_is_no_start(architecture: str | None, said: str, tmp_path: Path) -> None:
    weights("convnext_atto", tmp_path / "weights.safetensors")
    with pytest.raises(ModelRefused, match=said):
        load_start(str(tmp_path / "weights.safetensors"), architecture)


def test_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    weights("resnet10t", path, **{"conv1.0.weight": torch.full((24, 3, 3, 3), torch.nan)})
    with pytest.raises(ModelRefused, match="no numbers"):
        load_start(str(path), "resnet10t")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelRefused, match="is no file of weights"):
        load_start(str(path), "resnet10t")
    with pytest.raises(ModelRefused, match="absent"):
        load_start(str(tmp_path / "absent.safetensors"), "resnet10t")
