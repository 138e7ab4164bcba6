"""Writing a model as safetensors, in half precision."""

import json
from pathlib import Path

import torch
from torch import Tensor

from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.runtime.files import replacing


def write_model(model: ZoobotModel, view: View, path: Path) -> None:
    """Write a model to safetensors that `load_model` reads, whole or not at all.

    view: what it was trained to see.

    Matrices and convolutions in float16; vectors (batch norms, biases), which are few
    and have a wide range, in float32. timm settings other than the architecture are
    not kept. Raises `CatalogError` if the file cannot be written.
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {
        f"encoder.{name}": tensor for name, tensor in model.encoder.state_dict().items()
    }
    tensors["head.1.0.weight"], tensors["head.1.0.bias"] = model.weight, model.bias
    questions: dict[str, list[str]] = {}
    for label in model.labels:
        question, separator, answer = label.partition("_")
        questions.setdefault(question, []).append(separator + answer)
    arguments = {
        "question_answer_pairs": questions,
        "architecture_name": model.architecture,
        "dropout_rate": model.dropout_rate,
        "timm_kwargs": {},
        "view": view.config(),
    }
    data = save(
        {name: _smaller(tensor).contiguous() for name, tensor in tensors.items()},
        # one entry: safetensors writes several in any order, so bytes would differ
        metadata={"zoobot": json.dumps(arguments)},
    )
    with replacing(path) as part:
        # its own writing to files puts another in this one's place, which only we may read
        part.write_bytes(data)


def _smaller(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.ndim > 1 and tensor.dtype == torch.float32 else tensor
