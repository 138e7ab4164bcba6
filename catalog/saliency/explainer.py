"""Which pixels drive each answer: HiResCAM and GradCAM for all answers at once.

Method: HiResCAM (Draelos & Carin 2021), as the paper uses it (2.3 and appendix D):
M_k(y, x) = sum_c a_c(y, x) d alpha_k / d a_c(y, x), a the last encoder block's
activation, alpha_k the Dirichlet concentration of answer k. Kept signed, unclipped and
at the layer's own resolution: the positive part is the paper's "increase" map, the
negative part its "decrease" map.

With alpha = 1 + 100 sigmoid(z) and z_tk = sum_d W_kd m_td f_d + b_k (f the D pooled
features, m the dropout masks) the activation acts through f alone, so

    M_tk(y, x) = alpha'_tk sum_d W_kd m_td G_d(y, x)
    G_d(y, x)  = sum_c a_c(y, x) d f_d / d a_c(y, x)

and only G has to be differentiated. It depends neither on the answer nor on the dropout sample,
so once per image is enough for A answers and T samples. Maps of what follows from the
concentrations, such as fractions (`Explainer.fractions`), are sums over the same G. Each pixel
of G is the derivative of the part after the layer along the activation restricted to that pixel:
one forward-mode product. Where features are a mean over pixels it has a closed form
(`catalog.saliency.tails`).
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from zoolens.catalog.errors import ModelRefused, UnknownName
from zoolens.catalog.network.devices import Device
from zoolens.catalog.network.heads import Output
from zoolens.catalog.network.inference import one_thread
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.saliency.closed_forms import closed_form
from zoolens.catalog.saliency.cut import Cut, last_block
from zoolens.catalog.saliency.forward_mode import contributions
from zoolens.catalog.saliency.integrals import (
    FRACTION,
    LOGIT,
    PROBABILITY,
    SHARE,
    concentration_slopes,
)
from zoolens.catalog.saliency.sampled import SampledHead, mean_and_spread
from zoolens.catalog.saliency.watching import watching

METHODS = ("hirescam", "gradcam")

# What a classifier or regressor makes of its logits.
_ESTIMATED = {Output.PROBABILITY: PROBABILITY, Output.SHARE: SHARE, Output.VALUE: LOGIT}
OF_FRACTIONS = ("expected", "mean", "baseline")


@dataclass(frozen=True)
class Saliency:
    """Maps of a batch, in units of concentration, or of what a classifier or regressor estimates.

    Positive pixels increase it.

    mean, sd: (N, A, h, w) float32, over the T dropout samples (sd with ddof 0: the T
    masks are the whole population, and one sample has sd 0). NaN for answers that the
    model does not have.
    """

    mean: Tensor
    sd: Tensor


@dataclass(frozen=True)
class Fractions:
    """Expected vote fractions of a batch, and their maps; positive pixels raise the fraction.

    expected: (N, A) float64, mean over the T dropout samples, 0..1; mean: (N, A, h, w) float64,
    in units of the fraction. baseline: (N, A) float64, where maps add up to expected less baseline.
    NaN for questions that the model does not have, and where there is no baseline.
    """

    expected: Tensor
    mean: Tensor
    baseline: Tensor


class Explainer:
    """Makes the maps of a model: call it with images (N, channels, size, size).

    masks: (T, D) as `dropout_masks` gives them. layer: dotted module name, by default
    the last encoder block. method: "hirescam"; or "gradcam" (Selvaraju et al. 2017),
    which averages each channel's gradient over the pixels first, here without its
    usual clipping at 0. engine: one of `catalog.network.engines`, used if there is a
    closed form (`catalog.saliency.closed_forms`), else `torch`; `self.engine` says which runs.
    With `cuda` all is computed on the GPU, `self.place`, and only finished maps leave it.
    precision: of the encoder's arithmetic, where there is a closed form. The model's weights are
    laid out channels last in memory. Raises `UnknownName` for a layer or method that does not
    exist, `ModelRefused` for a layer without a feature map.
    """

    def __init__(
        self,
        model: ZoobotModel,
        masks: Tensor,
        *,
        size: int = 224,
        layer: str | None = None,
        method: str = "hirescam",
        engine: str = "torch",
        precision: str = "float32",
    ) -> None:
        if method not in METHODS:
            raise UnknownName(f"no saliency method {method!r}; choose {' or '.join(METHODS)}")
        example = torch.rand(
            1, model.channels, size, size, generator=torch.Generator().manual_seed(0)
        )
        model.encoder.to(memory_format=torch.channels_last)  # half as slow again without it
        with torch.no_grad(), one_thread():
            self.layer = last_block(model.encoder, example) if layer is None else layer
            self._cut = Cut(model.encoder, self.layer, example)
            self._form = closed_form(model.encoder, self.layer, method)
            if method == "hirescam" and self._form is None and self._cut.vanishes(example):
                raise ModelRefused(
                    f"every HiResCAM map at {layer} is zero, as before a layer norm of each pixel; "
                    f"choose another layer, such as {last_block(model.encoder, example)}"
                )
        self.engine = "torch" if self._form is None else engine
        self.place = Device(torch.device("cpu"))
        if self._form is not None:
            self._watch, self.place = watching(self._cut, self.engine, precision, example)
        if self.engine == "cuda":
            there = copy.deepcopy(model.encoder).to(self.place.device)
            self._form = closed_form(there, self.layer, method)
        self.method = method
        self.of_fractions: dict[str, Any] | None = None  # made as those of concentrations
        self._output = model.output
        self._model = model
        self._take(masks)

    def with_masks(self, masks: Tensor) -> "Explainer":
        """The same with other masks of dropout, (T, D); it shares the encoder."""
        other = copy.copy(self)
        other._take(masks)
        return other

    def _take(self, masks: Tensor) -> None:
        model, self.masks = self._model, masks
        self._head = SampledHead(model.weight, masks).to(self.place.device)
        precise_weight = (masks[:, None, :] * model.weight).double()  # (T, A, D)
        self._bias, self._precise_weight = self.place.put(model.bias, precise_weight)
        self._kept, self._weight = self.place.put(masks.double(), model.weight.double())

    @property
    def shareable(self) -> bool:
        """Whether several threads may call it at once."""
        return self._form is not None

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Saliency:
        return Saliency(*self._in_parts(self._explain, images))

    @torch.no_grad()
    def both(self, images: Tensor, slices: Sequence[slice]) -> tuple[Saliency, Fractions]:
        """What calling it and `fractions` give, of one pass through the encoder."""

        def each(features: Tensor, pixels: Tensor) -> tuple[Tensor, ...]:
            fractions = self.place.each(partial(self._fractions_of_one, slices), features, pixels)
            return *self._explain(features, pixels), *fractions

        mean, sd, expected, raised = self._in_parts(each, images)
        return Saliency(mean, sd), _without_baseline(expected, raised)

    def _explain(self, features: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
        return mean_and_spread(self._maps(features, pixels), dim=1)

    def _in_parts(
        self, function: Callable[[Tensor, Tensor], tuple[Tensor, ...]], images: Tensor
    ) -> list[Tensor]:
        """A function's results of features (N, D) and G (N, D, h, w), a few images at a time.

        They are computed where the engine is, and brought to the CPU.
        """

        def explained(part: Tensor) -> tuple[Tensor, ...]:
            return function(*self._contributions(part))

        return self.place.in_parts(explained, images, at_once=self.place.at_once)

    def _maps(self, features: Tensor, pixels: Tensor) -> Tensor:
        """Of N galaxies, (N, T, A, h, w) float32."""
        if self._output is Output.CONCENTRATION:
            return self._head(pixels).mul_(self._slopes(features).float()[..., None, None])
        (maps,) = self.place.each(self._estimate_maps, features, pixels)
        return maps.float()

    def _estimate_maps(self, features: Tensor, pixels: Tensor) -> tuple[Tensor]:
        """Of one galaxy, (T, L, h, w) float64."""
        maps = self._estimate_weights(features) @ pixels.double().flatten(1)
        return (maps.unflatten(-1, pixels.shape[1:]),)

    def _estimate_weights(self, features: Tensor) -> Tensor:
        """Of G in the maps of what a classifier or regressor estimates, (T, L, D) float64."""
        return _ESTIMATED[self._output].derivative(self._logits(features)) @ self._precise_weight

    @torch.no_grad()
    def fractions(self, images: Tensor, slices: Sequence[slice]) -> Fractions:
        """Maps of the expected vote fractions, each a mean over the T dropout samples' own.

        p_k = 1/T sum_t p_tk, p_tk = alpha_tk / S_t with S_t the sum over the question's
        answers, whose places among the A slices give. Its map is the chain rule in each sample,

            F_k(y, x) = 1/T sum_t 1/S_t (M_tk(y, x) - p_tk sum_j M_tj(y, x)),

        exact, whatever the samples. The sum over t is taken in the weights of G, so that
        its cost does not grow with T times h w.
        """
        function = partial(self._fractions_of_one, slices)
        return _without_baseline(*self._in_parts(partial(self.place.each, function), images))

    def _fractions_of_one(
        self, slices: Sequence[slice], features: Tensor, pixels: Tensor
    ) -> tuple[Tensor, Tensor]:
        logits = self._logits(features)  # (T, A)
        shares, weights = [], []
        for where in slices:
            # averaged with the masks first: K K is fewer than T K
            change = FRACTION.derivative(logits[:, where])
            kept = torch.tensordot(change, self._kept, dims=([0], [0])) / len(change)  # (K, K, D)
            weights.append((kept * self._weight[where]).sum(1))
            shares.append(FRACTION.values(logits[:, where]).mean(0))
        maps = torch.cat(weights) @ pixels.double().flatten(1)  # (A, h w)
        return torch.cat(shares), maps.unflatten(1, pixels.shape[1:])

    @torch.no_grad()
    def logit_maps(self, images: Tensor) -> Tensor:
        """Maps of the logits z_tk, (N, T, A, h, w), before the sigmoid.

        At the pooled feature layer a map sums to its logit less the bias.
        """
        (maps,) = self._in_parts(lambda _, pixels: (self._head(pixels),), images)
        return maps

    def _contributions(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, D) and what each pixel contributes to each, (N, D, h, w)."""
        if self._form is None:
            split = self._cut.split(images)
            return split.features, contributions(split, self.method)
        features, raised = self._watch(images)
        return features, self._form(raised)

    def _slopes(self, features: Tensor) -> Tensor:
        """Slopes d alpha / d z of a galaxy, (T, A), or of several; features: (D,) or (N, D).

        In float64, and from the logits instead of the concentrations: the relative error of a
        slope is then the absolute error of its logit, whereas in float32 1 + 100 s loses the
        digits of a small s, and 1 - s those of an s near 1.
        """
        return concentration_slopes(self._logits(features))

    def _logits(self, features: Tensor) -> Tensor:
        """Logits z of a galaxy, (T, A) float64, or of several; features: (D,) or (N, D)."""
        return (features.double()[..., None, :] * self._kept) @ self._weight.T + self._bias


def _without_baseline(expected: Tensor, maps: Tensor) -> Fractions:
    return Fractions(expected, maps, torch.full_like(expected, torch.nan))
