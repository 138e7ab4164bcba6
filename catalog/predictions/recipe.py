"""How predictions are made from images, as a recipe that other processes can follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import Member, check_together, shown_to
from zoolens.catalog.network.model import load_model
from zoolens.catalog.parts.recipe import Work, tree_from, tree_settings
from zoolens.catalog.predictions.from_images import Predictor


@dataclass(frozen=True)
class ModelFile:
    """A model by where it is, its checksum, and the view that it is shown."""

    source: str
    sha256: str
    view: View

    @classmethod
    def of(cls, member: Member) -> "ModelFile":
        """That of a model that is loaded; a file by its whole path, for processes elsewhere."""
        source = Path(member.source)
        found = str(source.absolute()) if source.is_file() else member.source
        return cls(found, member.model.sha256, member.view)

    def settings(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"source": self.source, "sha256": self.sha256, "view": self.view.config()}

    @classmethod
    def from_settings(cls, settings: Any) -> "ModelFile":
        """That of `settings` from a file. Raises `CatalogError` for a view that is none."""
        view = View.from_config(settings["view"])
        return cls(str(settings["source"]), str(settings["sha256"]), view)

    def load(self, tree: DecisionTree) -> Member:
        """The model with a tree's answers. Raises `ModelRefused` if it is another, or absent."""
        model = load_model(self.source)
        if model.sha256 != self.sha256:
            raise ModelRefused(
                f"{self.source} is not the model that is meant, of SHA-256 {self.sha256[:12]}…, "
                f"but of {model.sha256[:12]}…; put that one there"
            )
        return shown_to(self.source, model.for_tree(tree), self.view)


def load_members(models: Sequence[ModelFile], tree: DecisionTree) -> list[Member]:
    """Models with a tree's answers. Raises `ModelRefused` for one that is another, or absent."""
    members = [model.load(tree) for model in models]
    check_together(members, tree)
    return members


@dataclass(frozen=True)
class PredictRecipe:
    """Posteriors of images; the fields are those of `Predictor.prepared`."""

    job: ClassVar[str] = "predict"
    table: ClassVar[str] = "prediction"
    models: tuple[ModelFile, ...]
    tree: DecisionTree
    samples: int
    seed: int
    engine: str
    precision: str
    orientations: int
    batch_size: int = 32

    def settings(self) -> Mapping[str, Any]:
        return {
            "models": [model.settings() for model in self.models],
            "tree": tree_settings(self.tree),
            "samples": self.samples,
            "seed": self.seed,
            "engine": self.engine,
            "precision": self.precision,
            "orientations": self.orientations,
            "batch_size": self.batch_size,
        }

    @classmethod
    def from_settings(cls, settings: Any) -> "PredictRecipe":
        """The recipe of `settings` from a file. Raises what a wrong shape or value makes it."""
        models = tuple(map(ModelFile.from_settings, settings["models"]))
        rest = {name: settings[name] for name in ("engine", "precision")}
        for name in ("samples", "seed", "orientations", "batch_size"):
            rest[name] = int(settings[name])
        return cls(models, tree_from(settings["tree"]), **rest)

    def prepared(self) -> Work:
        return self.with_members(load_members(self.models, self.tree), ImageReader())

    def with_members(self, members: Sequence[Member], reader: ImageReader) -> Work:
        """As `prepared`, of models that are loaded."""
        return Predictor.prepared(
            self.engine,
            members,
            self.tree,
            reader,
            samples=self.samples,
            seed=self.seed,
            precision=self.precision,
            orientations=self.orientations,
        ).tables
