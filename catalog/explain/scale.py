"""The one scale on which the maps of a figure are coloured, so that little effect looks little."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zoolens.catalog.saliency.arithmetic import Of

# What the cells of a sign add up to where colours are first at full strength: two votes of forty;
# one volunteer's worth of evidence, since a concentration counts like votes; a tenth of a nat.
FLOORS: dict[Of, float] = {"fraction": 0.05, "concentration": 1.0, "cross_entropy": 0.1}


def scale_end(maps: Sequence[npt.NDArray[np.floating]], floor: float) -> float:
    """Where the colours of maps (h, w) of one unit end, the same for all of them and both signs.

    It is the largest magnitude of a cell of any map. Where no map has cells of one sign that add
    up to `floor`, it is as much larger as they stay below it: so a sum of a tenth of the floor is
    drawn at a tenth of the strength, whatever the number of cells. 1 if all is 0.
    """
    reach = max((float(np.abs(one).max()) for one in maps), default=0.0)
    return reach / min(1.0, largest_sum(maps) / floor) if reach and floor else reach or 1.0


def largest_sum(maps: Sequence[npt.NDArray[np.floating]]) -> float:
    """The largest of what the positive, and what the negative cells of a map add up to, >= 0."""
    return max(
        (float(np.clip(sign * one, 0, None).sum()) for one in maps for sign in (1, -1)),
        default=0.0,
    )
