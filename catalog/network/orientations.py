"""Orientations of an image, each of which shows the same galaxy: the sky has no up.

Turns by quarters of a circle, and the same of the mirror image, are the eight symmetries of a
square (the dihedral group), and move pixels without changing them. The first 1, 2, 4 and 8 are each
a group: what is averaged over them is the same for an image and for the image turned.
"""

from typing import TYPE_CHECKING

from zoolens.catalog.errors import CatalogError, UnknownName

if TYPE_CHECKING:
    from torch import Tensor  # which takes seconds to load, and orientations can be counted without

ORIENTATIONS = (1, 2, 4, 8)  # upright; and upside down; and on either side; and all four mirrored

_QUARTERS = (0, 2, 1, 3)  # turns, counter-clockwise, of the first four
_SQUARE = (-2, -1)


def check_orientations(orientations: int, samples: int = 0) -> None:
    """Raises `UnknownName` if an image has not so many.

    And `CatalogError` if samples do not share out evenly among them.
    """
    if orientations not in ORIENTATIONS:
        listed = ", ".join(map(str, ORIENTATIONS))
        raise UnknownName(f"no {orientations} orientations of an image; choose one of {listed}")
    if over := samples % orientations:
        fewer, more = samples - over, samples - over + orientations
        raise CatalogError(
            f"{samples} dropout samples do not share out evenly among {orientations} orientations; "
            f"choose {f'{fewer} or {more}' if fewer else more}"
        )


def check_upright(orientations: int) -> None:
    """Raises `CatalogError` for a classifier or regressor in more than one orientation.

    A class may be a handedness, and a value an angle.
    """
    if orientations != 1:
        raise CatalogError(
            "orientations are of models of decision trees: what a classifier or regressor "
            "estimates may turn with the image; leave out --orientations"
        )


def even(samples: int, orientations: int) -> int:
    """The fewest samples, from `samples` up, that share out evenly."""
    return -(-samples // orientations) * orientations


def turned(images: "Tensor", orientation: int) -> "Tensor":
    """Square images (..., H, H) in an orientation, 0 to 7, of which 0 leaves them as they are."""
    seen = images.flip(-1) if orientation >= len(_QUARTERS) else images
    return seen.rot90(_QUARTERS[orientation % len(_QUARTERS)], _SQUARE)


def turned_back(maps: "Tensor", orientation: int) -> "Tensor":
    """Maps (..., h, h) of turned images as those of the images themselves."""
    upright = maps.rot90(-_QUARTERS[orientation % len(_QUARTERS)], _SQUARE)
    return upright.flip(-1) if orientation >= len(_QUARTERS) else upright
