"""How predictions are made from images, as a recipe that other processes can follow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import Member, check_together, shown_to
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.parts.recipe import Work, names_from, tree_from, tree_settings
from zoolens.catalog.predictions.estimates import Estimator
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
        return shown_to(self.source, self._meant().for_tree(tree), self.view)

    def load_named(self, names: tuple[str, ...]) -> Member:
        """A classifier or regressor, its outputs called so. Raises `ModelRefused` as `load`."""
        return shown_to(self.source, self._meant().named(names), self.view)

    def _meant(self) -> ZoobotModel:
        model = load_model(self.source)
        if model.sha256 != self.sha256:
            raise ModelRefused(
                f"{self.source} is not the model that is meant, of SHA-256 {self.sha256[:12]}…, "
                f"but of {model.sha256[:12]}…; put that one there"
            )
        return model


def load_members(models: Sequence[ModelFile], tree: DecisionTree) -> list[Member]:
    """Models with a tree's answers. Raises `ModelRefused` for one that is another, or absent."""
    members = [model.load(tree) for model in models]
    check_together(members, tree)
    return members


class ByFields:
    """A recipe whose settings are its fields: a dataclass of models, trees, names and numbers."""

    def settings(self) -> Mapping[str, Any]:
        """As `Recipe` has them."""
        return {one.name: _told(getattr(self, one.name)) for one in fields(cast(Any, self))}

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """The recipe of `settings` from a file. Raises what a wrong shape or value makes it."""
        return cls(
            **{
                one.name: _READ.get(one.name, int if one.type is int else str)(settings[one.name])
                for one in fields(cast(Any, cls))
            }
        )


def _told(value: Any) -> Any:
    if isinstance(value, ModelFile):
        return value.settings()
    if isinstance(value, DecisionTree):
        return tree_settings(value)
    return [*map(_told, value)] if isinstance(value, tuple) else value


def _layer(told: Any) -> tuple[str, ...] | str | None:
    return tuple(told) if isinstance(told, list) else told


_READ: Mapping[str, Callable[[Any], Any]] = {
    "model": ModelFile.from_settings,
    "models": lambda told: tuple(map(ModelFile.from_settings, told)),
    "tree": tree_from,
    "names": names_from,
    "layer": _layer,
}


@dataclass(frozen=True)
class PredictRecipe(ByFields):
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


@dataclass(frozen=True)
class EstimateRecipe(ByFields):
    """What a classifier or regressor, whose outputs are called `names`, says of images."""

    job: ClassVar[str] = "estimate"
    table: ClassVar[str] = "estimate"
    model: ModelFile
    names: tuple[str, ...]
    samples: int
    seed: int
    engine: str
    precision: str
    batch_size: int = 32

    def prepared(self) -> Work:
        return self.with_member(self.model.load_named(self.names), ImageReader())

    def with_member(self, member: Member, reader: ImageReader) -> Work:
        """As `prepared`, of a model that is loaded."""
        return Estimator.prepared(
            self.engine,
            member.model,
            member.masks(self.samples, self.seed),
            member.view,
            reader,
            dropout=self.samples > 0,
            precision=self.precision,
        ).tables
