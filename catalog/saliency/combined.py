"""What `explain` makes of an image: HiResCAM of concentrations, and fractions that add up."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoolens.catalog.saliency.deeplift import BLUR, DeepLift
from zoolens.catalog.saliency.explainer import Explainer, Fractions, Saliency


class CombinedExplainer:
    """An `Explainer` for maps of concentrations, with `DeepLift` for those of fractions.

    Both of one model, for the same images.
    """

    def __init__(self, explainer: Explainer, contributions: DeepLift) -> None:
        self._explainer, self._contributions = explainer, contributions
        self.method, self.layer = explainer.method, explainer.layer
        self.engine, self.masks = explainer.engine, explainer.masks
        self.of_fractions: dict[str, Any] | None = {
            "method": contributions.method,
            "layer": contributions.layer,
            "baseline": f"the image blurred by {BLUR:g} of its side",
        }

    @property
    def shareable(self) -> bool:
        """Whether several threads may call it at once."""
        return self._explainer.shareable

    def with_masks(self, masks: Tensor) -> "CombinedExplainer":
        """The same with other masks of dropout, (T, D)."""
        return CombinedExplainer(
            self._explainer.with_masks(masks), self._contributions.with_masks(masks)
        )

    def __call__(self, images: Tensor) -> Saliency:
        return self._explainer(images)

    @torch.no_grad()
    def fractions(self, images: Tensor, slices: Sequence[slice]) -> Fractions:
        """Maps of the expected vote fractions that add up; slices as `DeepLift` was given them."""
        found = self._contributions(images)
        return Fractions(found.predicted, found.maps, found.baseline)

    def both(self, images: Tensor, slices: Sequence[slice]) -> tuple[Saliency, Fractions]:
        """What calling it and `fractions` give."""
        return self(images), self.fractions(images, slices)
