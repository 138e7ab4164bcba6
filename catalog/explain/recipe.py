"""How maps are made from images, as a recipe that other processes can follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, ClassVar

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.explain.members import MapMaker, explainer_of
from zoolens.catalog.explain.model import ExplainedModel
from zoolens.catalog.explain.rows import saliency_tables
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.loading import image_batch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import Member
from zoolens.catalog.parts.recipe import Work, tree_from, tree_settings
from zoolens.catalog.predictions.recipe import ModelFile, load_members
from zoolens.catalog.store.shards import Tables


@dataclass(frozen=True)
class MapRecipe:
    """Maps of all answers; the fields are those of `explainer_of`."""

    job: ClassVar[str] = "explain"
    table: ClassVar[str] = "saliency_map"
    models: tuple[ModelFile, ...]
    tree: DecisionTree
    samples: int
    seed: int
    method: str
    layer: tuple[str, ...] | str | None
    engine: str
    orientations: int
    batch_size: int = 16

    @classmethod
    def of(cls, explained: ExplainedModel, tree: DecisionTree, batch_size: int) -> "MapRecipe":
        """That of a model, or several, that are loaded."""
        layer = explained.layer
        return cls(
            tuple(map(ModelFile.of, explained.members)),
            tree,
            explained.samples,
            explained.seed,
            explained.method,
            layer if layer is None or isinstance(layer, str) else tuple(layer),
            explained.explainer.engine,
            explained.orientations,
            batch_size,
        )

    def settings(self) -> Mapping[str, Any]:
        return {
            "models": [model.settings() for model in self.models],
            "tree": tree_settings(self.tree),
            "samples": self.samples,
            "seed": self.seed,
            "method": self.method,
            "layer": [*self.layer] if isinstance(self.layer, tuple) else self.layer,
            "engine": self.engine,
            "orientations": self.orientations,
            "batch_size": self.batch_size,
        }

    @classmethod
    def from_settings(cls, settings: Any) -> "MapRecipe":
        """The recipe of `settings` from a file. Raises what a wrong shape or value makes it."""
        models = tuple(map(ModelFile.from_settings, settings["models"]))
        layer = settings["layer"]
        return cls(
            models,
            tree_from(settings["tree"]),
            int(settings["samples"]),
            int(settings["seed"]),
            settings["method"],
            tuple(layer) if isinstance(layer, list) else layer,
            settings["engine"],
            int(settings["orientations"]),
            int(settings["batch_size"]),
        )

    def loaded(self) -> tuple[list[Member], View, MapMaker]:
        """The models, the view of their images, and what makes the maps."""
        members = load_members(self.models, self.tree)
        view, explainer = explainer_of(
            members,
            self.tree.slices,
            self.samples,
            self.seed,
            self.method,
            self.layer,
            self.engine,
            self.orientations,
        )
        return members, view, explainer

    def prepared(self) -> Work:
        members, view, explainer = self.loaded()
        reader, alone = ImageReader(), Lock()

        def work(galaxies: Sequence[Galaxy]) -> Tables:
            batch = image_batch(reader, view, galaxies)
            if explainer.shareable:
                return saliency_tables(batch, explainer, members[0].model, self.tree)
            with alone:
                return saliency_tables(batch, explainer, members[0].model, self.tree)

        return work
