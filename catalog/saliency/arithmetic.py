"""Arithmetic on maps: their bytes, finer grids, statistics, and maps derived from them.

Maps are linear in the gradient, so the map of any smooth function g of the
concentrations, such as a fraction or a cross-entropy, is sum_j (dg / d alpha_j) M_j.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from zoolens.catalog.arrays import Floats, Ints
from zoolens.catalog.errors import CatalogError

Map = npt.NDArray[np.float32]
Of = Literal["concentration", "fraction", "cross_entropy"]

DTYPE = "<f4"
_ALIKE = 1e-6  # fractions: between nearer ones the slope of the loss does not change


def encode(maps: npt.NDArray[np.floating]) -> bytes:
    """Maps (K, h, w) of a question's answers as the blob of the table: row-major."""
    return maps.astype(DTYPE).tobytes()


def decode(blob: bytes, answers: int, height: int, width: int, dtype: str = DTYPE) -> Map:
    """The maps (K, h, w) in a blob.

    For users of SQL it is `np.frombuffer(blob, "<f4").reshape(answers, height,
    width)`. Raises `CatalogError` if the blob is not of that type and size.
    """
    if dtype != DTYPE:
        raise CatalogError(f"a saliency map of type {dtype!r}, not {DTYPE}; explain it again")
    if min(answers, height, width) < 1 or len(blob) != 4 * answers * height * width:
        raise CatalogError(
            f"a saliency map of {len(blob)} bytes for {answers} x {height} x {width} numbers; "
            "explain it again"
        )
    return np.frombuffer(blob, DTYPE).reshape(answers, height, width)


def upsample(maps: npt.NDArray[np.floating], size: int) -> npt.NDArray[np.float64]:
    """Maps (..., h, w) at (..., size, size), bilinear between the centres of the cells.

    Beyond the outermost centres the value is that of the border cell. Every value lies
    between those of the nearest cells, so no sign or extreme appears that the map does not
    have. Values stay per cell of the map: they are not divided among pixels.
    """
    height, width = maps.shape[-2:]
    fine: npt.NDArray[np.float64] = _between(height, size) @ maps @ _between(width, size).T
    return fine


def map_statistics(
    maps: npt.NDArray[np.floating], galaxy: Floats | None, neighbours: Floats | None = None
) -> dict[str, Floats | Ints]:
    """Statistics of signed maps (M, h, w), each an array (M,).

    galaxy: share of each cell that the central galaxy's segment covers, (h, w) for all maps
    or (M, h, w); None, or NaN, without a segment. neighbours: as galaxy, of the other
    sources; None without any. With P the positive part of a map:

    on_target: sum(P galaxy) / sum(P), the share of positive saliency on the galaxy,
    0..1, at the map's own resolution (a cell half on the galaxy counts half).
    centroid_offset: distance of P's centroid from the image centre, in half widths.
    entropy: of |map|, over its largest possible value log(h w): 0 one cell, 1 uniform.
    peak_x, peak_y: column and row, from 0, of the largest value, the first of equals.
    increase, decrease: sums of the positive and of the negative part (0 or less).
    on_galaxy, on_neighbours, on_sky, the same after `increase_` and `decrease_`: shares of
    the absolute map, of its increase and of its decrease on each. They add to 1, or all are
    0 where there is nothing to share; without a segment the galaxy has 0.

    NaN where another statistic is undefined: no positive saliency, no saliency, one cell,
    no segment.
    """
    maps = maps.astype(np.float64)
    count, height, width = maps.shape  # M, h, w
    positive, magnitude = np.clip(maps, 0, None), np.abs(maps)
    increase, decrease = positive.sum((1, 2)), np.clip(maps, None, 0).sum((1, 2))
    raised, lowered = (_on_each(part, galaxy, neighbours) for part in (positive, positive - maps))
    nothing = True if galaxy is None else np.isnan(galaxy).any((-2, -1))
    x, y = (2 * np.arange(n) + 1.0 - n for n in (width, height))  # -n + 1 .. n - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        on_target = np.where(nothing, np.nan, raised["galaxy"] / increase)
        centroid_x = (positive.sum(1) @ x) / increase / width
        centroid_y = (positive.sum(2) @ y) / increase / height
        share = magnitude / magnitude.sum((1, 2), keepdims=True)
        entropy = special.entr(share).sum((1, 2)) / np.log(height * width)
    peak_y, peak_x = np.divmod(maps.reshape(count, height * width).argmax(1), width)
    return {
        "on_target": on_target,
        "centroid_offset": np.hypot(centroid_x, centroid_y),
        "entropy": entropy,
        "peak_x": peak_x,
        "peak_y": peak_y,
        "increase": increase,
        "decrease": decrease,
        **{
            f"on_{place}": _share(part + lowered[place], increase - decrease)
            for place, part in raised.items()
        },
        **{f"increase_on_{place}": _share(part, increase) for place, part in raised.items()},
        **{f"decrease_on_{place}": _share(part, -decrease) for place, part in lowered.items()},
    }


def _on_each(parts: Floats, galaxy: Floats | None, neighbours: Floats | None) -> dict[str, Floats]:
    """Sums (M,) of unsigned maps (M, h, w) on the galaxy, its neighbours and sky."""
    no = np.zeros(parts.shape[1:])
    own, others = (no if c is None else np.nan_to_num(c) for c in (galaxy, neighbours))
    covers = {"galaxy": own, "neighbours": others, "sky": np.clip(1 - own - others, 0, None)}
    return {place: (parts * cover).sum((1, 2)) for place, cover in covers.items()}


def _share(part: Floats, whole: Floats) -> Floats:
    """Part / whole, 0 where both are."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def fraction_maps(maps: npt.ArrayLike, concentrations: npt.ArrayLike) -> Floats:
    """Maps of a question's expected vote fractions, p_k = alpha_k / sum_j alpha_j; (K, h, w).

    maps: (K, h, w) of the concentrations of the question's K answers; concentrations: (K,), all
    of one dropout sample. Of means over several samples the result is only a first order: it
    leaves out that derivatives and maps vary together from sample to sample
    (`Explainer.fractions` does not). In units of the fraction; positive pixels raise it.
    The K maps sum to 0.
    """
    alpha, own = np.asarray(concentrations, np.float64), np.asarray(maps, np.float64)
    shares = (alpha / alpha.sum())[:, None, None]
    raised: Floats = (own - shares * own.sum(axis=0)) / alpha.sum()
    return raised


def cross_entropy_map(
    fraction_map: npt.ArrayLike, predicted: float, observed: float, baseline: float | None = None
) -> Floats:
    """Map of L(y, p) = -y log p - (1 - y) log(1 - p), from that of p: a slope times it; (h, w).

    The loss is that of the expected fraction p, the mean over dropout samples, as the losses in the
    catalogue are. predicted p, observed y: 0..1. baseline: of a map of p that adds up to p less
    baseline; the slope is then the change of the loss over that of p, and the map adds up to
    the loss less that of the baseline. Otherwise it is dL/dp. In nat: positive pixels are those that
    cost the galaxy its loss, negative ones speak for what the volunteers saw.
    """
    p, start = predicted, predicted if baseline is None else baseline
    middle = (p + start) / 2
    if abs(p - start) < _ALIKE:
        slope = (middle - observed) / (middle * (1 - middle))
    else:
        slope = (_loss(observed, p) - _loss(observed, start)) / (p - start)
    return slope * np.asarray(fraction_map, np.float64)


def _loss(observed: float, predicted: float) -> float:
    return float(
        special.rel_entr(observed, predicted) + special.rel_entr(1 - observed, 1 - predicted)
    )


def _between(cells: int, size: int) -> npt.NDArray[np.float64]:
    """Weights (size, cells) of linear interpolation between cell centres."""
    place = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    return np.clip(1 - np.abs(place[:, None] - np.arange(cells)), 0, None)
