"""Reading a model's file without running anything that it holds."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from catalog.errors import ModelRefused


@dataclass(frozen=True)
class Checkpoint:
    """What a file says of a model: its tensors, and how to build what they fill.

    encoder: tensors by name in the timm encoder; weight: (L, D) and bias: (L,) of
    the head; labels: the L label columns; architecture: timm name, None where the
    file does not say; settings: keyword arguments for timm; sha256: of the file.
    """

    encoder: Mapping[str, torch.Tensor]
    weight: torch.Tensor
    bias: torch.Tensor
    labels: tuple[str, ...]
    dropout_rate: float
    architecture: str | None
    settings: Mapping[str, Any]
    sha256: str


class _Inert:
    """Stands in for a class named in a pickle; nothing of the class runs."""


_SAFE: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Inert, f"zoobot.shared.schemas.{name}") for name in ("Schema", "Question", "Answer")
]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a Lightning checkpoint of a ZoobotTree or FinetuneableZoobotTree.

    Raises `ModelRefused` for anything else.
    """
    try:
        with torch.serialization.safe_globals(_SAFE):
            content = torch.load(path, map_location="cpu", weights_only=True)
        state, hparams = content["state_dict"], content["hyper_parameters"]
        pairs = hparams["question_answer_pairs"]
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Checkpoint(
            encoder={
                name.removeprefix("encoder.").replace("_orig_mod.", ""): tensor
                for name, tensor in state.items()
                if name.startswith("encoder.")
            },
            weight=state["head.1.0.weight"],
            bias=state["head.1.0.bias"],
            labels=tuple(q + a for q, answers in pairs.items() for a in answers),
            dropout_rate=float(hparams["dropout_rate"]),
            architecture=hparams["architecture_name"],
            settings=hparams["timm_kwargs"],
            sha256=sha256,
        )
    except Exception as error:
        raise ModelRefused(f"{path} is no Zoobot checkpoint: {error}") from error
