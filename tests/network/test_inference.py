"""The faster encoder gives the encoder's numbers; work in threads stays in order."""

import threading
import time
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from zoolens.catalog.network.inference import features, for_inference, in_order


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


def test_results_come_in_the_order_of_the_items() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.02 if item % 5 == 0 else 0)
        return item * item

    assert [*in_order(slow_first, range(40), threads=4)] == [i * i for i in range(40)]
    assert [*in_order(slow_first, [], threads=4)] == []


def test_items_are_taken_only_a_little_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = in_order(lambda item: item, items(), threads=2)
    next(results)
    assert len(taken) <= 6
    results.close()


def test_what_waits_in_line_is_dropped_when_closed() -> None:
    begun = []

    def slow(item: int) -> int:
        begun.append(item)
        time.sleep(0.05)
        return item

    results = in_order(slow, range(1000), threads=2)
    next(results)
    results.close()
    count = len(begun)
    assert count < 6
    time.sleep(0.1)
    assert len(begun) == count


def test_torch_is_single_threaded_inside_and_as_before_after() -> None:
    before = torch.get_num_threads()
    inside = [*in_order(lambda _: torch.get_num_threads(), range(4), threads=2)]
    assert inside == [1, 1, 1, 1]
    assert torch.get_num_threads() == before


def test_a_failure_ends_the_work_and_the_threads() -> None:
    before = threading.active_count()

    def failing(item: int) -> int:
        if item == 3:
            raise RuntimeError("item 3")
        return item

    results = in_order(failing, range(1000), threads=2)
    with pytest.raises(RuntimeError, match="item 3"):
        list(results)
    assert threading.active_count() == before
