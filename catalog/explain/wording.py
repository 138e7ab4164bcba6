"""Numbers of votes and of maps in words, for figures, pages and tables."""

import math
from collections.abc import Sequence

from zoolens.catalog.store.matrices import ROUNDING_VOTES

MINUS = "\N{MINUS SIGN}"
# what `catalog.saliency.deeplift.blurred` does, in words
BASELINE = (
    "Baseline: what the network predicts of the same image blurred by a Gaussian of a sixteenth "
    "of its side."
)


def number(value: float, *, signed: bool = False) -> str:
    """Three digits, with a true minus sign."""
    text = f"{value:+#.3g}" if signed else f"{value:#.3g}"
    return text.removesuffix(".").replace("-", MINUS)


def amount(value: float) -> str:
    """A magnitude to about two digits, a small one to one, as much as a map can be trusted."""
    if value >= 10:
        return f"{value:.0f}"
    if value >= 0.095:
        return f"{value:.2f}"
    return f"{value:.2g}" if value >= 0.01 else f"{value:.1g}"


def votes(count: float | None) -> str:
    """A number of votes as a whole one: of weighted votes the nearest."""
    return f"{math.floor((count or 0) + 0.5)}"


def is_weighted(count: float | None) -> bool:
    """Whether a number of votes is not a whole one, as where volunteers are weighted."""
    return abs((count or 0) - math.floor((count or 0) + 0.5)) > ROUNDING_VOTES


def votes_of(count: float | None, total: float | None) -> str:
    """How many of how many: "28 of 40", and "about 28 of 40" of weighted votes."""
    about = "about " if is_weighted(count) or is_weighted(total) else ""
    return f"{about}{votes(count)} of {votes(total)}"


def way(baseline: float, predicted: float) -> str:
    """What pixels did on the way from a baseline to a prediction, both as printed."""
    change = round(predicted, 2) - round(baseline, 2)
    if abs(change) < 0.005:
        did = "changed it by less than 0.01"
    else:
        did = f"added {change:.2f}" if change > 0 else f"took {-change:.2f} away"
    return f"baseline {baseline:.2f}, this galaxy {predicted:.2f}: these pixels {did}"


def pale(names: Sequence[str]) -> str:
    """Why maps of rows have little colour."""
    return (
        f"Pale by right: {', '.join(names)}. Blurred, the network predicts nearly the same, so "
        "that there is little for the detail to explain."
    )
