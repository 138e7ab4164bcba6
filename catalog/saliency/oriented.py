"""Maps of what a model predicts of an image seen in several orientations."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoolens.catalog.network.orientations import turned, turned_back
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.explainer import OF_FRACTIONS, Explainer, Fractions, Saliency


class OrientedExplainer:
    """Makes the maps of a model whose dropout samples see an image in K orientations.

    Sample t sees orientation t mod K (`catalog.predictions.from_images.Sampler`). A map is the
    mean over the orientations of each one's own, turned back: so is the prediction, and what adds
    up in each adds up in the mean. sd: over the T samples of all of them.

    explainer: of the model, with all T masks, T a multiple of K.
    """

    def __init__(self, explainer: Explainer | CombinedExplainer, orientations: int) -> None:
        self.method, self.layer = explainer.method, explainer.layer
        self.engine, self.masks = explainer.engine, explainer.masks
        self.of_fractions = explainer.of_fractions
        self._explainers = [
            explainer.with_masks(explainer.masks[orientation::orientations])
            for orientation in range(orientations)
        ]

    @property
    def shareable(self) -> bool:
        """Whether several threads may call it at once."""
        return self._explainers[0].shareable

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Saliency:
        each = enumerate(self._explainers)
        return pooled([_upright(one(turned(images, o)), o) for o, one in each])

    @torch.no_grad()
    def fractions(self, images: Tensor, slices: Sequence[slice]) -> Fractions:
        """Maps of the expected vote fractions, means over orientations of `Explainer.fractions`."""
        each = enumerate(self._explainers)
        return pooled_fractions(
            [_upright_fractions(one.fractions(turned(images, o), slices), o) for o, one in each]
        )

    @torch.no_grad()
    def both(self, images: Tensor, slices: Sequence[slice]) -> tuple[Saliency, Fractions]:
        """What calling it and `fractions` give, of one pass of each orientation."""
        own, of = [], []
        for orientation, explainer in enumerate(self._explainers):
            saliency, fractions = explainer.both(turned(images, orientation), slices)
            own.append(_upright(saliency, orientation))
            of.append(_upright_fractions(fractions, orientation))
        return pooled(own), pooled_fractions(of)


def pooled(each: Sequence[Saliency]) -> Saliency:
    """Mean and spread over the samples of all of `each`, which have as many."""
    means = torch.stack([one.mean for one in each])  # (M, N, A, h, w)
    within = torch.stack([one.sd for one in each]).square().mean(0)
    between, mean = torch.var_mean(means, dim=0, correction=0)
    return Saliency(mean, (within + between).sqrt())


def pooled_fractions(each: Sequence[Fractions]) -> Fractions:
    """Means over the samples of all of `each`, which have as many."""
    means = (torch.stack([getattr(one, name) for one in each]).mean(0) for name in OF_FRACTIONS)
    return Fractions(*means)


def _upright(saliency: Saliency, orientation: int) -> Saliency:
    return Saliency(*(turned_back(maps, orientation) for maps in (saliency.mean, saliency.sd)))


def _upright_fractions(fractions: Fractions, orientation: int) -> Fractions:
    return Fractions(
        fractions.expected, turned_back(fractions.mean, orientation), fractions.baseline
    )
