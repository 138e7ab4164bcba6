"""The paper's figure: a galaxy, and what raised and lowered a prediction.

Su et al. 2023, figures 1 to 3, as one figure: the selected galaxy and its observed and
predicted counterparts, each as image, increase map and decrease map.
"""

from textwrap import wrap

from matplotlib.figure import Figure

from zoolens.catalog.explain.portraits import Explanation, Portrait, outside_votes
from zoolens.catalog.explain.scale import FLOORS
from zoolens.catalog.explain.sheet import UNITS, WORDS, Marks, Row, sheet
from zoolens.catalog.explain.wording import votes, votes_of
from zoolens.catalog.store.matrices import ROUNDING_VOTES

_WIDEST = 30  # characters beside a row of panels


def explanation_figure(explanation: Explanation, provenance: str) -> Figure:
    """The figure of an explanation: one row per galaxy; image, increase map, decrease map.

    All maps have one scale (`catalog.explain.sheet`). provenance: one line for the foot.
    """
    of = explanation.of
    rows = [_row(portrait, explanation.answer_id) for portrait in explanation.portraits]
    notes = [*explanation.notes, provenance]
    return sheet(explanation.fact.label, WORDS[of], UNITS[of], rows, FLOORS[of], notes)


def _row(portrait: Portrait, answer_id: int) -> Row:
    fact = portrait.facts[answer_id]
    return Row(
        portrait.role,
        portrait.iauname,
        _facts(portrait, answer_id),
        portrait.picture,
        portrait.missing,
        Marks(fact.observed, fact.predicted, fact.lo, fact.hi, _asked(portrait)),
    )


def _asked(portrait: Portrait) -> float | None:
    """What was asked for of the answer."""
    return None if portrait.target is None else portrait.target.fraction


def _facts(portrait: Portrait, answer_id: int) -> list[tuple[str, str]]:
    """What is known of an answer from votes and model, as names and values."""
    fact, asked = portrait.facts[answer_id], _asked(portrait)
    target = [] if asked is None else [("  asked for", f"{asked:.2f}")]
    if fact.observed is None:
        nobody = "no votes" if fact.total is None else "nobody was asked"
        lines = [("observed", "asked otherwise" if fact.total else nobody)]
    else:
        lines = [("votes", votes_of(fact.count, fact.total)), ("observed", f"{fact.observed:.2f}")]
    if (outside := outside_votes(portrait, fact.question)) > ROUNDING_VOTES:
        lines.insert(1, ("outside", f"the tree, {votes(outside)} votes"))
    lines += target if portrait.by_votes else []
    predicted = "none" if fact.predicted is None else f"{fact.predicted:.2f}"
    if fact.lo is not None and fact.hi is not None:
        predicted += f"  [{fact.lo:.2f}, {fact.hi:.2f}]"
    lines += [("predicted", predicted), *([] if portrait.by_votes else target)]
    if fact.ce is not None:
        lines.append(("loss", f"{fact.ce:.2f} nat"))
    # that the best is not close is among the notes, in full
    if portrait.target is not None and portrait.target.close:
        said = wrap(portrait.target.words, _WIDEST, break_on_hyphens=False)
        lines += [(line, "") for line in said]
    return lines
