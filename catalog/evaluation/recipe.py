"""How maps are put on trial, as a recipe that other processes can follow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.evaluation.trial import MapMaker, MapTrial
from zoolens.catalog.explain.recipe import MapRecipe
from zoolens.catalog.network.inference import one_thread, torch_in_order
from zoolens.catalog.parts.computing import Failed
from zoolens.catalog.parts.recipe import prepared_here
from zoolens.catalog.predictions.recipe import ModelFile
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.store.shards import Executor

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class TrialRecipe:
    """Tests of the maps of one model, and of one trained on shuffled votes beside it."""

    job: ClassVar[str] = "evaluate"
    maps: MapRecipe
    control: ModelFile | None

    def settings(self) -> Mapping[str, Any]:
        return {"maps": self.maps.settings(), "control": self.control and self.control.settings()}

    def prepared(self) -> MapTrial:
        (member,), view, explainer = self.maps.loaded()
        control = None if self.control is None else self.control.load(self.maps.tree).model
        maker = cast(MapMaker, explainer)
        return MapTrial(member.model, maker, self.maps.tree, view, self.maps.seed, control)


@dataclass(frozen=True)
class Trials:
    """Computes tests of maps: on the threads of this process, or elsewhere by the recipe."""

    trial: MapTrial
    recipe: TrialRecipe
    elsewhere: Executor | None = None

    def __call__(
        self,
        test: Callable[[MapTrial, Item], Result],
        items: Sequence[Item],
        describe: str,
        size: Callable[[Item], int] = lambda _: 1,
    ) -> Iterator[Result]:
        """What a test, one of `MapTrial`'s, finds of each item, in order; the same wherever.

        describe, size: of a progress bar. Raises `CatalogError` for an item that cannot be done.
        """
        if self.elsewhere is None:
            results = torch_in_order(partial(test, self.trial), items)
        else:
            results = self.elsewhere(partial(_followed, self.recipe, test), items)
        with progress(describe, sum(map(size, items))) as bar, closing(results):
            for item, result in zip(items, results, strict=True):
                if isinstance(result, Failed):
                    raise CatalogError(f"a part failed: {result.reason}; the same command goes on")
                bar.advance(size(item))
                yield result


def _followed(recipe: TrialRecipe, test: Callable[[MapTrial, Item], Result], item: Item) -> Result:
    trial = prepared_here(recipe)
    with one_thread():
        return test(trial, item)
