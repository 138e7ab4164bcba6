"""What a model's maps are asked, in pieces of which none needs another: batches, draws, methods.

What comes back of a piece is small, and put together elsewhere (`of_maps`).
"""

import copy
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from zoolens.catalog.arrays import Floats, Floats32, Mask
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.evaluation.causes import Case
from zoolens.catalog.evaluation.faithfulness import changes, fraction_score
from zoolens.catalog.evaluation.localisation import Pointing, pointing
from zoolens.catalog.evaluation.neighbours import NeighbourTrial
from zoolens.catalog.evaluation.sanity import alike, drawn
from zoolens.catalog.evaluation.stability import rank_correlations
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.loading import image_batch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import Segments, coverages
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import ZoobotModel, dropout_masks
from zoolens.catalog.saliency.arithmetic import map_statistics, upsample
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.explainer import Explainer, Saliency
from zoolens.catalog.saliency.methods import Explain, explanations, of_fractions, uninformed
from zoolens.catalog.store.rejects import Reject

MapMaker = Explainer | CombinedExplainer
UNINFORMED = ("random", "centre")


@dataclass(frozen=True)
class Batch:
    """Galaxies whose maps are tested together, by number.

    cases: of each; others: the true pixels of other sources (`neighbours.others_alone`) of each, or
    None where no truth is known.
    """

    galaxies: Mapping[int, Galaxy]
    cases: Mapping[int, Sequence[Case]]
    others: Mapping[int, Mask | None] | None


@dataclass
class Tested:
    """What the maps of galaxies came to.

    warnings: how much (A,) of the maps of each galaxy lies on it, by name; pointed: answer, method,
    and how well the map points; beside: where the maps of fractions lie.
    """

    warnings: dict[int, dict[str, Floats]] = field(default_factory=dict)
    pointed: list[tuple[int, str, Pointing]] = field(default_factory=list)
    beside: NeighbourTrial = field(default_factory=NeighbourTrial)
    rejects: list[Reject] = field(default_factory=list)

    def take(self, other: "Tested") -> None:
        """Add what the maps of others came to."""
        self.warnings |= other.warnings
        self.pointed += other.pointed
        self.beside.found |= other.beside.found
        self.beside.true |= other.beside.true
        self.rejects += other.rejects


class Typical(NamedTuple):
    """Galaxies with sound images for the slow tests, and an answer of each to judge maps by."""

    galaxies: Sequence[Galaxy]
    answers: Sequence[int]


class Taken(NamedTuple):
    """What a method's maps of N galaxies came to.

    changes: as of `faithfulness.changes`; alike: rank correlations (N,) with its maps by other
    masks of dropout; None for an uninformed one.
    """

    changes: Floats
    alike: Floats | None


class MapTrial:
    """A model's maps on trial. Threads may share it.

    explainer: as `explain` has it; the other methods take its layer and its masks of dropout.
    DeepLIFT is on trial if it makes the maps of fractions. control: the same architecture, trained
    on shuffled votes. seed: of the masks.
    """

    def __init__(
        self,
        model: ZoobotModel,
        explainer: MapMaker,
        tree: DecisionTree,
        view: View,
        seed: int,
        control: ZoobotModel | None = None,
    ) -> None:
        self.explainer, self.tree, self.view, self.seed = explainer, tree, view, seed
        self.control = control and _copied(control)
        self._model = _copied(model)  # before any thread puts its hooks on it
        self._reader, self._alone = ImageReader(), Lock()

    @property
    def methods(self) -> list[str]:
        """The methods on trial, in order."""
        return [*self._methods(self.explainer.masks)]

    @property
    def _known(self) -> tuple[str, str]:
        """The methods of the explainer's maps of concentrations and of fractions."""
        made = self.explainer.of_fractions
        of_fractions = "hirescam, fraction" if made is None else made["method"]
        return self.explainer.method, of_fractions

    def _methods(self, masks: Tensor) -> dict[str, Explain]:
        """Every way of explaining the model, with these masks (T, D) of dropout."""
        layer = self.explainer.layer
        found = explanations(masks, layer) | of_fractions(masks, layer, self.tree)
        if self.explainer.of_fractions is None:
            del found["deeplift"]
        return found

    def tested(self, asked: Batch) -> Tested:
        """Explain a batch of galaxies, and compare the maps with their cases."""
        seen = image_batch(self._reader, self.view, [*asked.galaxies.values()])
        tested = Tested(rejects=[*seen.rejects])
        if not seen.galaxies:
            return tested
        number_of = {galaxy.galaxy_id: number for number, galaxy in asked.galaxies.items()}
        numbers = [number_of[galaxy.galaxy_id] for galaxy in seen.galaxies]
        with nullcontext() if self.explainer.shareable else self._alone:
            saliency, fractions = self.explainer.both(seen.images, self.tree.slices)
        maps, of_fractions = saliency.mean.numpy(), fractions.mean.numpy()  # (N, A, h, w)
        for number, *one in zip(numbers, maps, of_fractions, seen.segments, strict=True):
            tested.warnings[number] = _on_galaxy(*one)
        if asked.others is not None:
            tested.beside.add(numbers, of_fractions, seen.segments, asked.others)
        rows = [(i, one) for i, number in enumerate(numbers) for one in asked.cases.get(number, ())]
        if not rows:
            return tested
        places = [i for i, _ in rows]
        answers = [case.answer for _, case in rows]
        model = _copied(self._model)
        others = self._methods(self.explainer.masks)
        for method in self._known:  # whose maps of all answers are there
            del others[method]
        height, width = maps.shape[-2:]
        known = (made[places, answers] for made in (maps, of_fractions))
        found: dict[str, npt.NDArray[np.floating]] = {
            **dict(zip(self._known, known, strict=True)),
            **{
                method: explain(model, seen.images[places], answers).numpy()
                for method, explain in others.items()
            },
            **uninformed(len(rows), height, width, int(numbers[0])),
        }
        for method, made in found.items():
            fine = _fine(made, seen.images.shape[-1])
            for (_, case), one in zip(rows, fine, strict=True):
                tested.pointed.append((case.answer, method, pointing(one, case.mask)))
        return tested

    def drawn(self, asked: tuple[Typical, int]) -> Floats:
        """`sanity.drawn`, of one draw of the weights."""
        typical, draw = asked
        methods = self._methods(self.explainer.masks)
        return drawn(_copied(self._model), self._images(typical), typical.answers, methods, draw)

    def beside_control(self, typical: Typical) -> Floats:
        """`sanity.alike`, of the model and the control."""
        if self.control is None:
            raise ValueError("there is no control")
        models = _copied(self._model), _copied(self.control)
        methods = self._methods(self.explainer.masks)
        return alike(*models, self._images(typical), typical.answers, methods)

    def taken_away(self, asked: tuple[Typical, str]) -> Taken:
        """What becomes of predictions without the pixels that a method's maps point at."""
        typical, method = asked
        model, masks = _copied(self._model), self.explainer.masks
        images, answers, seed = self._images(typical), typical.answers, self.seed + 1
        correlations = None
        if method in UNINFORMED:
            height, width = self._explained(images[:1]).mean.shape[-2:]
            maps = uninformed(len(images), height, width, seed)[method]
        else:
            other = dropout_masks(len(masks), masks.shape[1], model.dropout_rate, seed)
            maps, by_others = (
                self._methods(one)[method](model, images, answers).numpy() for one in (masks, other)
            )
            correlations = rank_correlations(maps, by_others)
        siblings = [self.tree.slices[self.tree.question_of[answer]] for answer in answers]
        score = fraction_score(model, masks, answers, siblings)
        return Taken(changes(score, images, _fine(maps, images.shape[-1])), correlations)

    def scattered(self, typical: Typical) -> tuple[Floats32, Floats32]:
        """Mean and standard deviation (N, h, w) of the explainer's maps over the masks."""
        saliency = self._explained(self._images(typical))
        rows = range(len(typical.answers)), list(typical.answers)
        return saliency.mean[rows].numpy(), saliency.sd[rows].numpy()

    def _images(self, typical: Typical) -> Tensor:
        seen = image_batch(self._reader, self.view, typical.galaxies)
        for reject in seen.rejects:
            raise ImageRefused(f"{reject.source}: {reject.reason}")
        return seen.images

    def _explained(self, images: Tensor) -> Saliency:
        with nullcontext() if self.explainer.shareable else self._alone:
            return self.explainer(images)


def _copied(model: ZoobotModel) -> ZoobotModel:
    return replace(model, encoder=copy.deepcopy(model.encoder))


def _on_galaxy(own: Floats32, of_fraction: Floats, seen: Segments) -> dict[str, Floats]:
    """How much (A,) of maps (A, h, w) lies on the galaxy; NaN of answers without a map."""
    of_own, of_theirs = (
        map_statistics(maps, coverages([seen], *maps.shape[-2:])[0][0])
        for maps in (own, of_fraction)
    )
    none = np.isnan(own).any((1, 2))
    found = {
        "on_target": of_own["on_target"],
        "on_target, fraction": of_theirs["on_target"],
        "on_galaxy, fraction": np.where(none, np.nan, of_theirs["on_galaxy"]),
    }
    return {name: values.astype(np.float64) for name, values in found.items()}


def _fine(maps: npt.NDArray[np.floating], size: int) -> npt.NDArray[np.floating]:
    """Maps at the pixels of an image; those of input x gradient are so already."""
    return maps if maps.shape[-1] == size else upsample(maps, size)
