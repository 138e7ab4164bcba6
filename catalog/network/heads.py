"""The heads of Zoobot's models: what the last linear layer predicts, and by which names.

`ZoobotTree` and `FinetuneableZoobotTree` have dropout, a linear layer and 1 + 100 sigmoid, below
`head.1.0`; `FinetuneableZoobotClassifier` and `FinetuneableZoobotRegressor` dropout and a linear
layer, `head.linear`, after which the first takes a softmax when it predicts, and the second a
sigmoid if it was made with `unit_interval`.
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.pickled import opened


class Output(StrEnum):
    """What a head's logits z become."""

    CONCENTRATION = "concentration"  # 1 + 100 sigmoid(z), of each answer
    PROBABILITY = "probability"  # softmax(z), over the classes
    VALUE = "value"  # z
    SHARE = "share"  # sigmoid(z), a value in 0..1


@dataclass(frozen=True)
class Head:
    """The last layer of a model; L outputs, D features.

    weight (L, D) and bias (L,), float32. labels: Zoobot's label columns of a tree, the names
    of classes (`class_0` and so on where the file has none), or `value`. output: what the
    logits become. target: the column that a classifier or regressor was trained to predict.
    """

    weight: Tensor
    bias: Tensor
    labels: tuple[str, ...]
    output: Output
    target: str | None


_MOST_LABELS = 10_000  # Zoobot's largest tree has 279 answers
_TREE, _LINEAR = "head.1.0", "head.linear"


def read_head(state: Mapping[str, Tensor], arguments: Mapping[str, Any]) -> Head:
    """The head among a model's tensors, as the model's arguments say.

    Raises `ModelRefused` if there is none, or the two disagree.
    """
    if f"{_TREE}.weight" in state:
        weight, bias = _layer(state, _TREE)
        return _head(weight, bias, _labels(arguments), Output.CONCENTRATION, None)
    if f"{_LINEAR}.weight" not in state:
        raise ModelRefused(
            f"it has no {_TREE}.weight, as decision-tree models have, nor {_LINEAR}.weight, as "
            "classifiers and regressors; is it only an encoder?"
        )
    weight, bias = _layer(state, _LINEAR)
    target = arguments.get("label_col")
    target = target if isinstance(target, str) else None
    if "num_classes" in arguments:
        names = _class_names(arguments)
        return _head(weight, bias, names, Output.PROBABILITY, target)
    if "unit_interval" not in arguments:
        raise ModelRefused("it says neither its num_classes nor its unit_interval")
    output = Output.SHARE if arguments["unit_interval"] else Output.VALUE
    return _head(weight, bias, ("value",), output, target)


def check_names(names: tuple[str, ...], count: int) -> None:
    """Raises `ModelRefused` unless there are `count` names, of text, each once."""
    if len(names) != count or len(set(names)) != count or not all(map(_is_name, names)):
        raise ModelRefused(
            f"its {count} outputs cannot be called {reprlib.repr(list(names))}; give each a name "
            "of its own"
        )


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 100 and name.isprintable()


def _layer(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    if f"{name}.bias" not in state:
        raise ModelRefused(f"it has no {name}.bias")
    return state[f"{name}.weight"], state[f"{name}.bias"]


def _head(
    weight: Tensor, bias: Tensor, labels: tuple[str, ...], output: Output, target: str | None
) -> Head:
    if weight.ndim != 2 or weight.shape[0] != len(labels) or bias.shape != (len(labels),):
        raise ModelRefused(
            f"its head is {tuple(weight.shape)} and {tuple(bias.shape)} for {len(labels)} labels"
        )
    # copied: the file's memory is only mapped
    weight, bias = (tensor.to(torch.float32, copy=True) for tensor in (weight, bias))
    return Head(weight, bias, labels, output, target)


def _class_names(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    count = arguments["num_classes"]
    if type(count) is not int or not 2 <= count <= _MOST_LABELS:
        raise ModelRefused(f"its num_classes is {reprlib.repr(count)}, not 2 to {_MOST_LABELS:,}")
    names = opened(arguments.get("class_names"))
    if not isinstance(names, list | tuple):
        return tuple(f"class_{number}" for number in range(count))
    check_names(tuple(names), count)
    return tuple(names)


def _labels(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Zoobot's label columns: question then answer, which begins with an underscore."""
    # a ZoobotTree keeps the pairs themselves, a FinetuneableZoobotTree its Schema
    schema = vars(arguments["schema"]) if "schema" in arguments else arguments
    pairs = opened(schema.get("question_answer_pairs"))
    if not isinstance(pairs, Mapping) or not pairs:
        raise ModelRefused("it does not say its question_answer_pairs")
    labels: list[str] = []
    for question, answers in pairs.items():
        for answer in opened(answers):
            if not isinstance(question, str) or not isinstance(answer, str):
                raise ModelRefused("its question_answer_pairs are not all text")
            labels.append(f"{question}{answer}")
            if len(labels) > _MOST_LABELS:
                raise ModelRefused(f"its question_answer_pairs have over {_MOST_LABELS:,} answers")
    if len(set(labels)) != len(labels):
        raise ModelRefused("its question_answer_pairs give two answers one name")
    return tuple(labels)
