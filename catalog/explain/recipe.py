"""How maps are made from images, as a recipe that other processes can follow."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import ClassVar

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.explain.estimates import EstimatingModel, estimate_map_tables
from zoolens.catalog.explain.members import MapMaker, explainer_of
from zoolens.catalog.explain.model import ExplainedModel
from zoolens.catalog.explain.rows import saliency_tables
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.loading import ImageBatch, image_batch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import Member
from zoolens.catalog.parts.recipe import Work
from zoolens.catalog.predictions.recipe import ByFields, ModelFile, load_members
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.store.shards import Tables


@dataclass(frozen=True)
class MapRecipe(ByFields):
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
        model = members[0].model
        return _explaining(
            explainer, view, lambda batch: saliency_tables(batch, explainer, model, self.tree)
        )


@dataclass(frozen=True)
class EstimateMapRecipe(ByFields):
    """Maps, at the last block, of what a classifier or regressor estimates."""

    job: ClassVar[str] = "estimate_maps"
    table: ClassVar[str] = "estimate_map"
    model: ModelFile
    names: tuple[str, ...]
    samples: int
    seed: int
    engine: str
    batch_size: int = 16

    @classmethod
    def of(cls, explained: EstimatingModel, engine: str, batch_size: int) -> "EstimateMapRecipe":
        """That of a model that is loaded; engine: of those who follow it."""
        model, made = explained.model, explained.estimate_run.config
        return cls(
            ModelFile.of(Member(explained.source, model, explained.view)),
            model.labels,
            made["samples"],
            made["seed"],
            engine,
            batch_size,
        )

    def prepared(self) -> Work:
        member = self.model.load_named(self.names)
        masks, view = member.masks(self.samples, self.seed), member.view
        explainer = Explainer(member.model, masks, size=view.size, engine=self.engine)
        return _explaining(
            explainer, view, lambda batch: estimate_map_tables(batch, explainer, self.names)
        )


def _explaining(explainer: MapMaker, view: View, made: Callable[[ImageBatch], Tables]) -> Work:
    """Reads images and explains them, in one thread at a time if the explainer asks for that."""
    reader, alone = ImageReader(), nullcontext() if explainer.shareable else Lock()

    def work(galaxies: Sequence[Galaxy]) -> Tables:
        batch = image_batch(reader, view, galaxies)
        with alone:
            return made(batch)

    return work
