"""Tests of explanations on images: localisation, sanity, faithfulness, stability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch import Tensor

from zoolens.catalog.arrays import Floats, Floats32
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.causes import Case
from zoolens.catalog.evaluation.faithfulness import faithfulness, fraction_score
from zoolens.catalog.evaluation.localisation import Pointing, localisation, pointing
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.sanity import cascade, shuffled, verdicts
from zoolens.catalog.evaluation.stability import dropout_spread, seed_agreement
from zoolens.catalog.images.segments import Segments, coverages
from zoolens.catalog.network.model import ZoobotModel, dropout_masks
from zoolens.catalog.saliency.arithmetic import map_statistics, upsample
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.saliency.methods import Explain, explanations, of_fractions, uninformed


@dataclass
class MapTrial:
    """Collects how well the maps of a model do, batch by batch.

    explainer: as `explain` has it; the other methods take its layer and its masks of dropout.
    DeepLIFT is on trial if it makes the maps of fractions.
    """

    model: ZoobotModel
    explainer: Explainer | CombinedExplainer
    tree: DecisionTree
    warnings: dict[str, dict[int, Floats]] = field(default_factory=dict)
    _found: dict[tuple[int, str], list[Pointing]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._others = self.methods(self.explainer.masks)
        for method in self._known:  # whose maps of all answers are computed anyway
            del self._others[method]

    @property
    def _known(self) -> tuple[str, str]:
        """The methods of the explainer's maps of concentrations and of fractions."""
        made = self.explainer.of_fractions
        of_fractions = "hirescam, fraction" if made is None else made["method"]
        return self.explainer.method, of_fractions

    def methods(self, masks: Tensor) -> dict[str, Explain]:
        """Every way of explaining the model, with these masks (T, D) of dropout."""
        layer = self.explainer.layer
        found = explanations(masks, layer) | of_fractions(masks, layer, self.tree)
        if self.explainer.of_fractions is None:
            del found["deeplift"]
        return found

    def add(
        self,
        numbers: Sequence[int],
        images: Tensor,
        segments: Sequence[Segments],
        cases: Mapping[int, Sequence[Case]],
    ) -> Floats:
        """Explain galaxies, images (N, C, H, W), and compare the maps with their cases.

        cases: those of each galaxy, by its number.
        Keeps as `warnings` how much (A,) of each map lies on the galaxy, by name and number;
        returns the maps of fractions, (N, A, h, w).
        """
        saliency, fractions = self.explainer.both(images, self.tree.slices)
        maps, of_fractions = saliency.mean.numpy(), fractions.mean.numpy()  # (N, A, h, w)
        for number, *one in zip(numbers, maps, of_fractions, segments, strict=True):
            for name, values in _on_galaxy(*one).items():
                self.warnings.setdefault(name, {})[number] = values
        rows = [(i, case) for i, number in enumerate(numbers) for case in cases.get(number, ())]
        if not rows:
            return of_fractions
        places = [i for i, _ in rows]
        answers = [case.answer for _, case in rows]
        height, width = maps.shape[-2:]
        seed = int(numbers[0])
        found: dict[str, npt.NDArray[np.floating]] = {
            **dict(
                zip(self._known, (m[places, answers] for m in (maps, of_fractions)), strict=True)
            ),
            **{
                method: explain(self.model, images[places], answers).numpy()
                for method, explain in self._others.items()
            },
            **uninformed(len(rows), height, width, seed),
        }
        for method, drawn in found.items():
            fine = _fine(drawn, images.shape[-1])
            for (_, case), saliency in zip(rows, fine, strict=True):
                held = pointing(saliency, case.mask)
                self._found.setdefault((case.answer, method), []).append(held)
        return of_fractions

    def localised(self) -> list[Measure]:
        """Localisation of each answer that had cases, by each method."""
        return [
            measure
            for (answer, method), found in sorted(self._found.items(), key=lambda item: item[0][0])
            for measure in localisation(self.tree.labels[answer], method, found)
        ]


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


def sanity_measures(
    trial: MapTrial, images: Tensor, answers: Sequence[int], control: ZoobotModel | None
) -> list[Measure]:
    """Sanity checks of every method's maps: images (N, C, H, W), one answer per image.

    control: the same architecture, trained on shuffled votes; without it that check is
    not made.
    """
    methods = trial.methods(trial.explainer.masks)
    measures = cascade(trial.model, images, answers, methods)
    if control is not None:
        measures += shuffled(trial.model, control, images, answers, methods)
    return [*measures, *verdicts(measures)]


def faithfulness_measures(
    trial: MapTrial, images: Tensor, answers: Sequence[int], seed: int
) -> list[Measure]:
    """Faithfulness and stability of every method's maps, arguments as above.

    seed: of dropout masks, another than the trial's own.
    """
    model, masks = trial.model, trial.explainer.masks
    other = dropout_masks(len(masks), masks.shape[1], model.dropout_rate, seed)
    first, second = (
        {name: explain(model, images, answers).numpy() for name, explain in made.items()}
        for made in (trial.methods(masks), trial.methods(other))
    )
    saliency = trial.explainer(images)
    rows = range(len(images)), list(answers)
    mean, sd = (maps[rows].numpy() for maps in (saliency.mean, saliency.sd))
    height, width = mean.shape[-2:]
    drawn = {**first, **uninformed(len(images), height, width, seed)}
    fine = {name: _fine(maps, images.shape[-1]) for name, maps in drawn.items()}
    siblings = [trial.tree.slices[trial.tree.question_of[answer]] for answer in answers]
    score = fraction_score(model, masks, answers, siblings)
    return [
        *faithfulness(score, images, fine),
        *seed_agreement(first, second),
        *dropout_spread(mean, sd, trial.explainer.method),
    ]
