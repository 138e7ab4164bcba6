"""What a galaxy and its neighbours cover of the cells of maps."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Cover = npt.NDArray[np.float64]


def covered(
    galaxies: Sequence[Cover | None], shape: tuple[int, int], neighbours: Cover | None = None
) -> tuple[Cover, Cover]:
    """As `segments.coverages` gives them; None: nothing is at the centre.

    neighbours: (h, w), the same in all images.
    """
    own = [np.full(shape, np.nan) if one is None else one for one in galaxies]
    others = np.zeros(shape) if neighbours is None else neighbours
    return np.reshape(own, (-1, *shape)), np.repeat(others[None], len(own), axis=0)
