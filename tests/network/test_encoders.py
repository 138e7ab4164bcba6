"""Encoders are told apart by their tensors."""

import pytest
import torch

from zoolens.catalog.network.encoders import _PUBLISHED


@pytest.mark.slow
def test_no_two_published_encoders_have_the_same_tensors() -> None:
    import timm

    seen: dict[object, str] = {}
    for architecture in _PUBLISHED:
        with torch.device("meta"):
            encoder = timm.create_model(architecture, num_classes=0)
        shapes = tuple((name, tuple(t.shape)) for name, t in encoder.state_dict().items())
        assert shapes not in seen, f"{architecture} and {seen[shapes]}"
        seen[shapes] = architecture
