"""The folder of a training: checkpoints, the model, and their configuration."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.files import make_folder, replacing, sha256_of, text_of


@dataclass(frozen=True)
class Outcome:
    """The result of a training.

    epochs: how many it took; best_epoch: the one with the lowest validation loss,
    from 1; validation_loss: that loss, nat per galaxy, summed over questions.
    """

    epochs: int
    best_epoch: int
    validation_loss: float


class TrainingFolder:
    """The folder of one training, whose configuration is in its `training.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / "model.safetensors"
        self.best = path / "best.ckpt"
        self.last = path / "last.ckpt"
        self.losses = path / "losses.csv"
        self.curve = path / "losses"  # and .png, .pdf
        # decoded images, kept only until the training is finished
        self.canvases = path / "canvases.npy"
        self.views = path / "views.npy"
        self._settings = path / "training.json"

    @property
    def decoded(self) -> bool:
        """Whether images need not be decoded, or no longer."""
        return self.model.exists() or (self.canvases.exists() and self.views.exists())

    def claim(self, config: Mapping[str, Any]) -> Outcome | None:
        """Take the folder for a training; returns the outcome if it is already finished.

        config: JSON-able. Raises `CatalogError` if the folder holds anything else, such
        as another training.
        """
        if not self._settings.exists():
            if self.path.is_file() or (self.path.is_dir() and any(self.path.iterdir())):
                raise CatalogError(f"{self.path} holds something else; name a new or empty folder")
            make_folder(self.path)
            self._write(config, None)
            return None
        try:
            found = json.loads(text_of(self._settings))
            known, result = found["config"], found["result"]
            outcome = None if result is None else Outcome(**result["outcome"])
            sha256 = None if result is None else result["model_sha256"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise CatalogError(f"{self._settings} is damaged; name a new folder") from None
        for name, value in json.loads(json.dumps(config)).items():
            if known.get(name) != value:
                raise CatalogError(
                    f"{self.path} holds a training with another {name}: {known.get(name)} "
                    f"and not {value}; name a new folder"
                )
        return outcome if self.model.exists() and self.model_sha256() == sha256 else None

    def conclude(self, config: Mapping[str, Any], outcome: Outcome) -> None:
        """Record the outcome, and delete what only the training itself needed."""
        result = {"outcome": vars(outcome), "model_sha256": self.model_sha256()}
        self._write(config, result)
        for scratch in (self.canvases, self.views):
            scratch.unlink(missing_ok=True)

    def notes(self) -> list[str]:
        """Where the losses are, in words."""
        if not self.losses.exists():  # somebody removed them since
            return []
        return [f"losses of each epoch: {self.losses}, drawn: {self.curve}.png and .pdf"]

    def model_sha256(self) -> str:
        """Checksum of the model's file."""
        return sha256_of(self.model)

    def _write(self, config: Mapping[str, Any], result: Mapping[str, Any] | None) -> None:
        with replacing(self._settings) as part:
            part.write_text(json.dumps({"config": config, "result": result}, indent=1) + "\n")
