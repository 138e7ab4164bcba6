"""The faster encoder gives the encoder's numbers; work in threads stays in order."""

import pytest
import torch
from torch import nn

from zoolens.catalog.network.inference import features, for_inference, torch_in_order


def scrambled(encoder: nn.Module) -> nn.Module:
    """Norms that do something, as after training."""
    generator = torch.Generator().manual_seed(0)
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.5, 1.5),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.2, 0.2),
            ):
                assert tensor is not None
                tensor.uniform_(low, high, generator=generator)
    return encoder.eval().requires_grad_(False)


def norms(encoder: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in encoder.modules())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        ("efficientnet_b0", 224),
        ("resnet18", 224),
        ("maxvit_rmlp_pico_rw_256", 256),
        ("convnext_atto", 224),
        ("vit_tiny_patch16_224", 224),
    ],
)
def test_a_faster_encoder_gives_the_same_features(architecture: str, size: int) -> None:
    import timm

    encoder = scrambled(timm.create_model(architecture, num_classes=0))
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    faster = for_inference(encoder, 3, size)
    images = torch.rand(3, 3, size, size)
    with torch.inference_mode():
        expected = encoder(images)
    # folding reorders float32 products: a few 1e-7 of the largest feature
    difference = (features(faster, images) - expected).abs().max() / expected.abs().max()
    assert difference < 1e-5
    if norms(encoder):
        assert norms(faster) < norms(encoder) / 3
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor, before[name]), "the encoder itself is left alone"


class Crossed(nn.Module):
    """Runs its norms on other tensors than their order suggests."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1)
        self.second = nn.BatchNorm2d(3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.first(self.second(images)).mean(dim=(2, 3))


def test_an_encoder_that_cannot_be_folded_stays_as_it_is() -> None:
    encoder = scrambled(Crossed())
    copy = for_inference(encoder, 3, 32)
    assert norms(copy) == 1
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(features(copy, images), encoder(images))


def test_features_do_not_depend_on_the_batch() -> None:
    import timm

    encoder = for_inference(scrambled(timm.create_model("test_resnet", num_classes=0)), 3, 160)
    images = torch.rand(7, 3, 160, 160)
    whole = features(encoder, images)
    parts = torch.cat([features(encoder, part) for part in images.split([1, 4, 2])])
    # other batch sizes choose other kernels, which round differently
    assert (whole - parts).abs().max() < 1e-5 * whole.abs().max()


def test_torch_is_single_threaded_inside_and_as_before_after() -> None:
    before = torch.get_num_threads()
    inside = [*torch_in_order(lambda _: torch.get_num_threads(), range(4), threads=2)]
    assert inside == [1, 1, 1, 1]
    assert torch.get_num_threads() == before
