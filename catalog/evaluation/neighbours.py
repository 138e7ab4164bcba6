"""Does `on_neighbours` mean what it says? On a simulated sky the neighbours are known.

A map looks at a neighbour if more than `LOOKED` of it lies on the true pixels of other sources,
of unrelated stars and galaxies and of a companion, that are not the galaxy's too: segments give
every pixel to one. What users ask is computed from segments, which are found in the picture and can
be wrong; here it is held against the truth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats, Mask
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.causes import true_mask
from zoolens.catalog.evaluation.measures import Measure, ratios
from zoolens.catalog.evaluation.roc import area
from zoolens.catalog.evaluation.truth import Truth
from zoolens.catalog.evaluation.warnings import taken_answers
from zoolens.catalog.images.segments import Segments, coverage, coverages
from zoolens.catalog.images.view import View
from zoolens.catalog.saliency.arithmetic import map_statistics

TOPIC = "neighbours"
FEATURES = ("neighbour", "companion")  # of `truth.parquet`: what may not be the galaxy
LOOKED = 0.2  # share of a map from which it looks at a neighbour

_PARTS = ("on_neighbours", "increase_on_neighbours", "decrease_on_neighbours")
_AREA = ", area alone"  # of neighbours: knows the picture, and nothing of the map

_Shares = dict[str, Floats]


@dataclass
class NeighbourTrial:
    """Collects where maps lie, by the segments and by the truth, batch by batch."""

    found: dict[int, _Shares] = field(default_factory=dict)
    true: dict[int, _Shares] = field(default_factory=dict)

    def add(
        self,
        numbers: Sequence[int],
        maps: npt.NDArray[np.floating],
        segments: Sequence[Segments],
        neighbours: Mapping[int, Mask | None],
    ) -> None:
        """Maps (N, A, h, w) of galaxies, by number, and what is where in their images.

        neighbours: the true pixels of other sources (`others_alone`); None for none, and such a
        galaxy does not count.
        """
        _, answers, height, width = maps.shape
        for number, own, on_galaxy, on_neighbours in zip(
            numbers, maps, *coverages(segments, height, width), strict=True
        ):
            mask = neighbours[number]
            if mask is not None:
                true = coverage(mask, height, width)
                self.true[number] = _shares(own, None, true)
                self.found[number] = _shares(own, on_galaxy, on_neighbours)
                self.found[number][_AREA] = np.full(answers, on_neighbours.mean())

    def measures(
        self, numbers: Sequence[int], predicted: Floats, tree: DecisionTree
    ) -> list[Measure]:
        """How well the shares by segments tell those by the truth, of galaxies that were added.

        predicted: (N, A) expected fractions, of all galaxies. Only maps of answers that a user
        would take count (`warnings.taken_answers`). "ROC AUC": the probability that a map which
        looks at a neighbour has the larger share than one that does not, 0.5 by chance.
        "precision" and "recall": of the maps with a share above `LOOKED`, how many do look at
        one; and how many of those that do are found.
        """
        there = [number for number in numbers if number in self.true]
        if not there:
            return []
        taken = taken_answers(predicted[there], tree)
        measures: list[Measure] = []
        for part in _PARTS:
            shares = np.stack([self.found[number][part] for number in there])
            area_alone = np.stack([self.found[number][_AREA] for number in there])
            true = np.stack([self.true[number][part] for number in there]) > LOOKED
            counted = taken & ~np.isnan(shares)
            for method, sign in {part: shares, part + _AREA: area_alone}.items():
                found = area(sign, true, counted)
                if found is not None:
                    of = Measure(TOPIC, "ROC AUC", *found, method=method, level=LOOKED, chance=0.5)
                    measures.append(of)
            measures += _of_a_query(shares > LOOKED, true, counted, part)
        return measures


def others_alone(truth: Truth, number: int, view: View) -> Mask | None:
    """The true pixels of other sources that are not the galaxy's, in a view; None for none."""
    others = true_mask(truth, number, FEATURES, view)
    galaxy = true_mask(truth, number, ("galaxy",), view)
    if others is None or galaxy is None:
        return others
    alone = others & ~galaxy
    return alone if alone.any() else None


def _shares(maps: npt.NDArray[np.floating], galaxy: Floats | None, others: Floats) -> _Shares:
    """Shares (A,) of each part of maps (A, h, w) on neighbours; NaN of answers without a map."""
    found = map_statistics(maps, galaxy, others)
    none = np.isnan(maps).any((1, 2))
    return {part: np.where(none, np.nan, found[part]) for part in _PARTS}


def _of_a_query(chosen: Flags, true: Flags, counted: Flags, method: str) -> list[Measure]:
    """Precision and recall of a choice of maps, all (N, A)."""
    chosen, true = chosen & counted, true & counted
    both, either = ((chosen & true).sum(1), np.stack([chosen.sum(1), true.sum(1)], axis=1))
    chance = true.sum() / max(counted.sum(), 1)
    found = ratios(np.stack([both, both], axis=1), either)
    return [
        Measure(TOPIC, name, *one, method=method, level=LOOKED, chance=by_chance)
        for name, one, by_chance in zip(("precision", "recall"), found, (chance, None), strict=True)
        if one.galaxies
    ]
