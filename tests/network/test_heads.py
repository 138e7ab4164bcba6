"""What a head predicts is what its class in Zoobot says."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.made.checkpoints import finetuned, save
from tests.network.test_checkpoints import refusal, saved
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.checkpoints import read_checkpoint
from zoolens.catalog.network.heads import Head, Output, check_names, read_head


def head(rows: int, **arguments: Any) -> Head:
    state = {"head.linear.weight": torch.ones(rows, 2), "head.linear.bias": torch.zeros(rows)}
    return read_head(state, arguments)


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (
            "Classifier",
            {"num_classes": 3, "label_col": "merging"},
            (Output.PROBABILITY, ("class_0", "class_1", "class_2"), "merging"),
        ),
        ("Regressor", {"label_col": "redshift"}, (Output.VALUE, ("value",), "redshift")),
        ("Regressor", {"unit_interval": True}, (Output.SHARE, ("value",), "label")),
    ],
)
@pytest.mark.slow
def test_zoobots_own_heads(
    tmp_path: Path, kind: str, settings: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    path = save(finetuned(kind, head_dropout_prob=0.3, **settings), tmp_path / "a.ckpt")
    read = read_checkpoint(path)
    assert (read.head.output, read.head.labels, read.head.target) == expected
    assert (read.dropout_rate, read.architecture) == (0.3, "test_resnet")


def test_names_of_classes_are_read_where_there_are_any() -> None:
    assert head(2, num_classes=2, class_names=["ring", "no ring"]).labels == ("ring", "no ring")
    assert head(2, num_classes=2, class_names=None).labels == ("class_0", "class_1")


@pytest.mark.parametrize(
    ("rows", "arguments", "told"),
    [
        (2, {"num_classes": 3}, "for 3 labels"),
        (1, {"num_classes": 1}, "num_classes is 1"),
        (2, {"num_classes": "2"}, "num_classes is '2'"),
        (2, {"num_classes": 10**9}, "num_classes is 1000000000"),
        (2, {"num_classes": 2, "class_names": ["a", "a"]}, "cannot be called"),
        (2, {"num_classes": 2, "class_names": ["a", 3]}, "cannot be called"),
        (2, {"num_classes": 2, "class_names": ["a", "b\n"]}, "cannot be called"),
        (2, {"unit_interval": False}, "for 1 labels"),
        (1, {}, "neither its num_classes nor its unit_interval"),
    ],
)
def test_heads_that_are_none_are_refused(rows: int, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelRefused, match=told):
        head(rows, **arguments)


def test_only_an_encoder_is_told_so(tmp_path: Path) -> None:
    held = {"state_dict": {"encoder.a": torch.ones(1)}, "hyper_parameters": {}}
    assert "is it only an encoder?" in refusal(saved(tmp_path / "a.ckpt", held))


def test_names_must_be_as_many_as_outputs() -> None:
    check_names(("a", "b"), 2)
    for names in ((), ("a",), ("a", ""), ("a", "a")):
        with pytest.raises(ModelRefused, match="cannot be called"):
            check_names(names, 2)
