"""A model written to safetensors and read again."""

from pathlib import Path

import pytest
import torch

from zoolens.catalog.images.view import View
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import load_model

pytestmark = pytest.mark.slow


def test_half_precision_keeps_the_predictions(tmp_path: Path, checkpoint: Path) -> None:
    model = load_model(str(checkpoint))
    path = tmp_path / "model.safetensors"
    write_model(model, View("fast", 64), path)
    half = load_model(str(path))
    assert (model.view, half.view) == (None, View("fast", 64))
    again = tmp_path / "again.safetensors"
    write_model(model, View("fast", 64), again)
    assert again.read_bytes() == path.read_bytes()
    assert path.stat().st_size < 0.55 * checkpoint.stat().st_size
    assert half.labels == model.labels
    assert (half.dropout_rate, half.architecture) == (model.dropout_rate, model.architecture)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        difference = half.encoder(images) - model.encoder(images)
        # float16 has 11 bits: 5e-4 a weight, which adds up over 80 layers
        assert difference.abs().max() < 0.02 * model.encoder(images).abs().max()
    assert torch.equal(half.bias, model.bias)
