"""Maps that add up: what each cell of an image contributes to a prediction.

The sum of a map is the prediction less that of a baseline, exactly:

    sum over y, x of M_k(y, x) = F_k(image) - F_k(baseline).

The baseline is the same image blurred (`blurred`): what the network says of the galaxy without its
detail. At a layer whose activation is a,

    M_k(y, x) = sum_c m_kc(y, x) (a_c(y, x) - a0_c(y, x)),

a0 that of the baseline, and m by the chain rule: from prediction to features by the mean
derivative on the way between the two (`catalog.saliency.integrals`), in each dropout sample; from
features to layer by secants (DeepLIFT, `catalog.saliency.secants`). It costs a pass of the image, a
pass of the baseline, and for each answer the derivative of what follows the layer, save for one
answer of a question whose values sum to 1.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.devices import Device
from zoolens.catalog.network.inference import for_inference, one_thread
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.saliency.centres import moved, offsets
from zoolens.catalog.saliency.cut import finer_layers, last_block
from zoolens.catalog.saliency.integrals import FRACTION, Quantity, mean_derivative
from zoolens.catalog.saliency.passes import Between, Paired

BLUR = 1 / 16  # of an image's side: standard deviation of the Gaussian
MOST_PASSES = 10.0  # of the encoder, by its multiplications, for the fractions of all answers
FEW = 6e9  # multiplications, which a small encoder may spend on more passes

# Images: the derivatives of fewer take longer each; more would need a GPU of much memory, as each
# keeps what derivatives need.
_AT_ONCE = 16


@dataclass(frozen=True)
class Contributions:
    """What the cells of N images contribute to A answers.

    predicted, baseline: (N, A), means over the T dropout samples; maps: (N, A, h, w), whose sums
    are predicted less baseline: positive cells raise the prediction. float64, in the units of the
    quantity; NaN for questions that the model does not have.
    """

    predicted: Tensor
    baseline: Tensor
    maps: Tensor


def blurred(images: Tensor) -> Tensor:
    """Images (N, C, H, W) under a Gaussian with a standard deviation of H / 16 pixels.

    A pixel near the border is a mean over what the image has of its surroundings.
    """
    sigma = BLUR * images.shape[-2]
    down, across = (_gaussian(size, sigma).to(images.device) for size in images.shape[-2:])
    return down @ images @ across.T


class DeepLift:
    """Makes the maps of a model: call it with images (N, channels, size, size).

    Cells of the maps are where they look (`catalog.saliency.centres`), at no loss to their sums.

    masks: (T, D) dropout masks; slices: each question's answers among the A of the model. layer:
    dotted name, by default the one of the smallest cells from which the fractions of all answers
    cost at most `MOST_PASSES` passes or `FEW` multiplications (`cut.finer_layers`), else the last
    block. place: where all is
    computed, by default the CPU; only finished maps leave a GPU. Threads may share it. Raises
    `UnknownName` for a layer that does not exist, `ModelRefused` for one without a feature map, or
    before a step that has no secant.
    """

    method = "deeplift"

    def __init__(
        self,
        model: ZoobotModel,
        masks: Tensor,
        slices: Sequence[slice],
        *,
        size: int = 224,
        layer: str | None = None,
        place: Device | None = None,
    ) -> None:
        self._place = place or Device(torch.device("cpu"))
        self._model = model
        self._take(masks)
        groups = _of_as_many_answers(slices)
        known = [places[~model.bias[places].isnan().any(1)] for places in groups]
        self._groups, self._known = self._place.put(*groups), self._place.put(*known)
        example = torch.rand(
            1, model.channels, size, size, generator=torch.Generator().manual_seed(0)
        )
        with one_thread():
            encoder = for_inference(model.encoder, model.channels, size)
            last = last_block(encoder, example)
            if layer is not None:
                self._paired = Paired(encoder, layer, example)
            else:
                derivatives = sum(where.stop - where.start - 1 for where in slices)
                for name in (*finer_layers(encoder), last):
                    try:
                        self._paired = Paired(encoder, name, example)
                    except ModelRefused:
                        if name == last:
                            raise
                        continue
                    passes = 2 + derivatives * self._paired.share
                    if passes <= max(MOST_PASSES, FEW / self._paired.multiplications):
                        break
            self.layer, self.grid = self._paired.layer, self._paired.grid
            off = offsets(encoder, self.layer, self._paired.layout, example)
        self._down, self._across = self._place.put(*map(moved, self.grid, off))
        encoder.to(self._place.device)
        self._place.wait()

    def with_masks(self, masks: Tensor) -> "DeepLift":
        """The same with other masks of dropout, (T, D); it shares the encoder."""
        other = copy.copy(self)
        other._take(masks)
        return other

    def _take(self, masks: Tensor) -> None:
        model = self._model
        weight = (masks[:, None, :] * model.weight).double()  # (T, A, D)
        self._weight, self._bias = self._place.put(weight, model.bias.double())

    @torch.no_grad()
    def __call__(self, images: Tensor, quantity: Quantity = FRACTION) -> Contributions:
        """Maps of a quantity of all answers, by default of their expected vote fractions."""
        return self._in_parts(partial(self._all, quantity), images)

    @torch.no_grad()
    def one_each(
        self, images: Tensor, answers: Sequence[int], quantity: Quantity = FRACTION
    ) -> Contributions:
        """Maps of one answer per image, in a tenth of the time: (N,) and (N, h, w)."""
        chosen = torch.as_tensor(answers, dtype=torch.long)
        return self._in_parts(partial(self._chosen, quantity), images, chosen)

    def _in_parts(
        self, function: Callable[..., tuple[Tensor, ...]], *batches: Tensor
    ) -> Contributions:
        """Of batches (N, ...) from the CPU, a few images at a time; brought back to it."""

        def there(*part: Tensor) -> tuple[Tensor, ...]:
            return function(*(one.to(self._place.device) for one in part))

        return Contributions(*self._place.in_parts(there, *batches, at_once=_AT_ONCE))

    def _all(self, quantity: Quantity, images: Tensor) -> tuple[Tensor, ...]:
        between = self._paired(images, blurred(images))
        predicted, baseline, weights = self._head(between, quantity)
        derived = torch.cat([one[:, quantity.sums_to_one :].flatten() for one in self._known])
        maps = predicted.new_full((*predicted.shape, *between.grid), torch.nan)
        maps[:, derived] = self._in_place(between.maps(weights[:, derived]))
        if quantity.sums_to_one:
            for places in self._known:
                maps[:, places[:, 0]] = -maps[:, places[:, 1:]].sum(2)
        return predicted, baseline, maps

    def _chosen(self, quantity: Quantity, images: Tensor, answers: Tensor) -> tuple[Tensor, ...]:
        between = self._paired(images, blurred(images))
        rows = torch.arange(len(images), device=images.device), answers
        predicted, baseline, weights = (one[rows] for one in self._head(between, quantity))
        return predicted, baseline, self._in_place(between.maps(weights[:, None]))[:, 0]

    def _in_place(self, maps: Tensor) -> Tensor:
        """Maps (..., h, w) whose cells share out the image evenly."""
        return self._down @ maps @ self._across.T

    def _head(self, between: Between, quantity: Quantity) -> tuple[Tensor, Tensor, Tensor]:
        """Values of images and of baselines, (N, A), and weights of the features, (N, A, D)."""
        end, start = (self._logits(one) for one in (between.features, between.baseline))
        predicted, baseline = torch.empty_like(end[:, 0]), torch.empty_like(start[:, 0])
        weights = end.new_empty(*predicted.shape, self._weight.shape[-1])
        for places in self._groups:  # (Q, K)
            ends, starts = end[..., places], start[..., places]  # (N, T, Q, K)
            predicted[:, places] = quantity.values(ends).mean(1)
            baseline[:, places] = quantity.values(starts).mean(1)
            derivative = mean_derivative(quantity, starts, ends)  # (N, T, Q, K, K)
            own = self._weight[:, places]  # (T, Q, K, D)
            weights[:, places] = torch.einsum("ntqkj,tqjd->nqkd", derivative, own) / len(own)
        return predicted, baseline, weights

    def _logits(self, features: Tensor) -> Tensor:
        """Logits (N, T, A) float64 of features (N, D)."""
        return torch.einsum("nd,tad->nta", features.double(), self._weight) + self._bias


def _gaussian(size: int, sigma: float) -> Tensor:
    """Weights (size, size) of a row's pixels in each of its blurred ones; each row sums to 1."""
    apart = np.subtract.outer(np.arange(size), np.arange(size)) / sigma
    weights = np.exp(-(apart**2) / 2)
    return torch.from_numpy((weights / weights.sum(1, keepdims=True)).astype(np.float32))


def _of_as_many_answers(slices: Sequence[slice]) -> list[Tensor]:
    """The answers' places (Q, K) of questions with as many answers, to be taken together."""
    counts = sorted({where.stop - where.start for where in slices})
    return [
        torch.tensor([list(range(w.start, w.stop)) for w in slices if w.stop - w.start == count])
        for count in counts
    ]
