"""The figure of what a classifier or regressor estimates of an image: what speaks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from zoolens.catalog.explain.portraits import Picture
from zoolens.catalog.explain.scale import FLOORS
from zoolens.catalog.explain.sheet import Row, sheet
from zoolens.catalog.explain.wording import number
from zoolens.catalog.network.heads import Output

_MOST_DRAWN = 4  # classes
_WORDS = {Output.PROBABILITY: "probability"}
# as of a vote fraction; a value has units of its own, and no floor
_FLOORS = {Output.PROBABILITY: FLOORS["fraction"], Output.SHARE: FLOORS["fraction"]}


@dataclass(frozen=True)
class Estimate:
    """What is estimated of an image, and its map.

    name: of the class, or of the value; picture: the image with the map; value, and over dropout
    samples its standard deviation sd and its central 90 % interval lo to hi: in the units of the
    output, None with dropout off.
    """

    name: str
    picture: Picture
    value: float
    sd: float | None
    lo: float | None
    hi: float | None


def drawn(values: Sequence[float]) -> list[int]:
    """Which of a galaxy's estimates are drawn: the most probable classes, in their order."""
    best = sorted(range(len(values)), key=lambda place: -values[place])[:_MOST_DRAWN]
    return sorted(best)


def estimate_figure(
    name: str, estimates: Sequence[Estimate], of: int, output: Output, provenance: str
) -> Figure:
    """One row per estimate, as in `catalog.explain.figure`: image, increase map, decrease map.

    name: of the galaxy or image; of: how many estimates there are; provenance: one line for the
    foot.
    """
    what = _WORDS.get(output, "value")
    notes = [provenance]
    if len(estimates) < of:
        notes.insert(0, f"Drawn are the {len(estimates)} most probable of {of} classes.")
    rows = [Row("", one.name, _facts(one, what), one.picture) for one in estimates]
    return sheet(name, f"estimated {what}", what, rows, _FLOORS.get(output, 0.0), notes)


def _facts(estimate: Estimate, what: str) -> list[tuple[str, str]]:
    facts = [(what, number(estimate.value))]
    if estimate.sd is not None:
        facts.append(("spread", number(estimate.sd)))
    if estimate.lo is not None and estimate.hi is not None:
        facts += [("5 %", number(estimate.lo)), ("95 %", number(estimate.hi))]
    total = float(np.sum(estimate.picture.mean))
    return [*facts, ("map's sum", number(total, signed=True))]
