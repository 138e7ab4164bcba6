"""Does an explanation point at the cause? On a simulated sky the cause is known.

For an answer that is true of a galaxy, the pixels that make it true are those of one
of its features: a bar for bar_strong, a companion for merging_merger. Two measures of a
signed map, as in the literature on weakly supervised localisation: the pointing game
(Zhang et al. 2018, IJCV 126, 1084), whether the map's largest value lies on the
feature; and the share of its positive part that lies on the feature, here divided by
the feature's share of the image, so that an uninformed map gets 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats, Mask
from zoolens.catalog.evaluation.measures import Measure, interval

TOPIC = "localisation"

_FEATURES = ("arms", "bar", "ring", "clumps")
# Features of `truth.parquet` that make an answer true; any one of them suffices.
CAUSES: dict[str, tuple[str, ...]] = {
    "smooth-or-featured_smooth": ("galaxy",),
    "smooth-or-featured_featured-or-disk": _FEATURES,
    "smooth-or-featured_artifact": ("artefact",),
    "disk-edge-on_yes": ("disc",),
    "has-spiral-arms_yes": ("arms",),
    "bar_strong": ("bar",),
    "bar_weak": ("bar",),
    "bulge-size_dominant": ("bulge",),
    "bulge-size_large": ("bulge",),
    "bulge-size_moderate": ("bulge",),
    "how-rounded_round": ("galaxy",),
    "how-rounded_in-between": ("galaxy",),
    "how-rounded_cigar-shaped": ("galaxy",),
    "edge-on-bulge_rounded": ("bulge",),
    "edge-on-bulge_boxy": ("bulge",),
    "merging_minor-disturbance": ("tidal",),
    "merging_major-disturbance": ("tidal", "companion"),
    "merging_merger": ("companion",),
}
TRUE = 0.5  # probability from which an answer is true of a galaxy


@dataclass(frozen=True)
class Pointing:
    """How well one map points at one mask.

    hit: whether the largest value lies on it; inside: share of the positive part on it,
    0..1, NaN where nothing is positive; area: the mask's share of the image, 0..1.
    """

    hit: bool
    inside: float
    area: float


def pointing(saliency: npt.NDArray[np.floating], mask: Mask) -> Pointing:
    """How a signed map points at a mask, both (H, W), the mask not empty.

    The largest value may be shared by several pixels, as between equal cells: the middle
    one then decides.
    """
    positive = np.clip(saliency.astype(np.float64), 0, None)
    total = positive.sum()
    highest = np.argwhere(saliency == saliency.max())
    y, x = highest[np.argmin(((highest - highest.mean(axis=0)) ** 2).sum(axis=1))]
    return Pointing(
        hit=bool(mask[y, x]),
        inside=float(positive[mask].sum() / total) if total > 0 else float("nan"),
        area=float(mask.mean()),
    )


def localisation(label: str, method: str, found: Sequence[Pointing]) -> list[Measure]:
    """Measures of an answer's maps by a method, over the galaxies of which it is true.

    "pointing game": share of hits, 0..1, by chance the mean area. "inside over area":
    mean share of positive saliency on the feature over the mean area, 1 by chance.
    Galaxies without a positive pixel count as 0 inside: nothing points at the cause.
    Empty without galaxies.
    """
    if not found:
        return []
    hits = np.array([one.hit for one in found], dtype=np.float64)
    inside = np.nan_to_num([one.inside for one in found])
    area = np.array([one.area for one in found])

    def over_area(shares: Floats, areas: Floats, axis: int = -1) -> Floats:
        ratio: Floats = shares.mean(axis=axis) / areas.mean(axis=axis)
        return ratio

    about = {"topic": TOPIC, "galaxies": len(found), "label": label, "method": method}
    low, high = interval(np.mean, hits)
    measures = [
        Measure(
            measure="pointing game",
            value=float(hits.mean()),
            lo=low,
            hi=high,
            chance=float(area.mean()),
            **about,  # type: ignore[arg-type]
        )
    ]
    low, high = interval(over_area, inside, area)
    measures.append(
        Measure(
            measure="inside over area",
            value=float(over_area(inside, area)),
            lo=low,
            hi=high,
            chance=1.0,
            **about,  # type: ignore[arg-type]
        )
    )
    return measures
