"""Maps of an ensemble: of what its models, pooled, predict."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.explainer import Explainer, Fractions, Saliency
from zoolens.catalog.saliency.oriented import OrientedExplainer, pooled, pooled_fractions


class PooledExplainer:
    """Makes the maps of M models together, as an `Explainer` makes those of one.

    A pooled mean, of a concentration or an expected fraction, is the mean over models of their
    own, as each draws as many samples; so is its map. sd: over the M T samples of all of them.

    explainers: of models with the same answers, by the same method; channels: which of an
    image's channels each model is shown; size: of the images, pixels a side. layer: that of all
    models, or a list of each one's. Raises `ModelRefused` if the maps of the models do
    not have the same cells.
    """

    def __init__(
        self,
        explainers: Sequence[Explainer | CombinedExplainer | OrientedExplainer],
        channels: Sequence[slice],
        *,
        size: int,
    ) -> None:
        self._explainers = list(zip(explainers, channels, strict=True))
        self.method = explainers[0].method
        self.of_fractions = _of_all([one.of_fractions for one in explainers])
        layers = [one.layer for one in explainers]
        self.layer = layers[0] if len(set(layers)) == 1 else layers
        engines = {one.engine for one in explainers}
        self.engine = engines.pop() if len(engines) == 1 else "torch"
        blank = torch.zeros(1, max(where.stop for where in channels), size, size)
        grids = {tuple(one.mean.shape[-2:]) for one in self._each(blank)}
        if len(grids) > 1:
            listed = " and ".join(f"{height} x {width}" for height, width in sorted(grids))
            raise ModelRefused(
                f"the maps of the models have {listed} cells, and so no mean; explain one of "
                "them: --model ONE"
            )

    @property
    def shareable(self) -> bool:
        """Whether several threads may call it at once."""
        return all(one.shareable for one, _ in self._explainers)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Saliency:
        return pooled(self._each(images))

    @torch.no_grad()
    def both(self, images: Tensor, slices: Sequence[slice]) -> tuple[Saliency, Fractions]:
        """What calling it and `fractions` give, of one pass through each encoder."""
        each = [one.both(images[:, where], slices) for one, where in self._explainers]
        return pooled([own for own, _ in each]), pooled_fractions([of for _, of in each])

    @torch.no_grad()
    def fractions(self, images: Tensor, slices: Sequence[slice]) -> Fractions:
        """Maps of the expected vote fractions, means over models of `Explainer.fractions`."""
        each = [one.fractions(images[:, where], slices) for one, where in self._explainers]
        return pooled_fractions(each)

    def _each(self, images: Tensor) -> list[Saliency]:
        return [one(images[:, where]) for one, where in self._explainers]


def _of_all(each: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    """How the maps of fractions of all models are made, each's layer listed if they differ."""
    made = [one for one in each if one is not None]
    if not made:
        return None
    layers = list(dict.fromkeys(one["layer"] for one in made))
    return {**made[0], "layer": layers[0] if len(layers) == 1 else [one["layer"] for one in made]}
