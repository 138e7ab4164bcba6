"""What a saliency map says in a few numbers, for WHERE clauses."""

import numpy as np
import numpy.typing as npt
from scipy import special

from catalog.arrays import Floats, Ints


def map_statistics(
    maps: npt.NDArray[np.floating], coverage: Floats | None
) -> dict[str, Floats | Ints]:
    """Statistics of signed maps (M, h, w), each an array (M,).

    coverage: (h, w), share of each cell that the central galaxy's segment covers, or
    None without a segment. With P the positive part of a map:

    on_target: sum(P coverage) / sum(P), the share of positive saliency on the galaxy,
    0..1, at the map's own resolution (a cell half on the galaxy counts half).
    centroid_offset: distance of P's centroid from the image centre, in half widths.
    entropy: of |map|, over its largest possible value log(h w): 0 one cell, 1 uniform.
    peak_x, peak_y: column and row, from 0, of the largest value, the first of equals.
    increase, decrease: sums of the positive and of the negative part (0 or less).

    NaN where there is nothing to share: no positive saliency, no saliency, one cell,
    no segment.
    """
    maps = maps.astype(np.float64)
    count, height, width = maps.shape  # M, h, w
    positive, magnitude = np.clip(maps, 0, None), np.abs(maps)
    increase = positive.sum((1, 2))
    x, y = (2 * np.arange(n) + 1.0 - n for n in (width, height))  # -n + 1 .. n - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        on_target = (
            np.full(count, np.nan)
            if coverage is None
            else (positive * coverage).sum((1, 2)) / increase
        )
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
        "decrease": np.clip(maps, None, 0).sum((1, 2)),
    }
