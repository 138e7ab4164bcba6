"""Counterparts as a table, and which answer they are sought for."""

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.similarity.counterparts import Counterparts
from zoolens.catalog.similarity.queries import Facts
from zoolens.catalog.store.ranking import costliest_answers
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.telling import telling_answers


def costliest_answer(
    store: Store, galaxy: str, galaxy_id: int, min_votes: float | None = None
) -> int:
    """The answer of a galaxy to look at: the one that costs it most, or without votes tells most.

    min_votes: as of `costliest_answers`. Raises `CatalogError` if none has a loss.
    """
    if telling := telling_answers(store, [galaxy_id]):
        return telling[galaxy_id]
    run_id = store.newest_run("score")
    found = costliest_answers(store, [galaxy_id], min_votes)
    if galaxy_id not in found:
        fewest = f" of {min_votes:g} votes or more" if min_votes else ""
        raise CatalogError(
            f"{galaxy} has no loss{fewest} in score run {run_id}; name an answer, or see: "
            "zoolens status"
        )
    return found[galaxy_id]


def counterpart_table(
    facts: Facts, galaxy: str, galaxy_id: int, answer_id: int, found: Counterparts
) -> pa.Table:
    """A galaxy (`selected`), then its `observed` and its `predicted` counterparts, a row each.

    Similarity in nat, 0 or less; of the answer the votes of its question, the observed and the
    predicted fraction, and what was `asked` for in place of the one or the other; `off` is the
    largest difference of a fraction of the question from what was asked for, `allowed` how large
    that may be (`Target.furthest`), `close` whether none is larger than it may be; `others` has the
    question's other answers as text, observed/predicted. Of a galaxy without votes the second kind
    is `alike`.
    """
    rows: list[tuple[str, int, str, float | None]] = [("selected", galaxy_id, galaxy, None)]
    second = "predicted" if found.exchanged else "alike"
    for kind, counterparts in (("observed", found.observed), (second, found.predicted)):
        rows += [(kind, c.galaxy_id, c.iauname, c.score) for c in counterparts]
    kinds, numbers, names, scores = zip(*rows, strict=True)
    targets = [None, *(c.target for c in (*found.observed, *found.predicted))]
    furthest = [target and target.furthest for target in targets]
    ids, place = np.unique(np.array(numbers, np.int64), return_inverse=True)
    known, bare, tree = facts.known(ids), facts.without_votes(ids), facts.tree
    question = tree.question_of[answer_id]
    others = _others(tree, answer_id, known.observed, known.predicted)
    return pa.table(
        {
            "counterpart": list(kinds),
            "iauname": list(names),
            "score": pa.array(scores, pa.float64()),
            "votes": pa.array(known.totals[place, question], mask=np.isin(ids, bare)[place]),
            "observed": pa.array(known.observed[place, answer_id], from_pandas=True),
            "predicted": pa.array(known.predicted[place, answer_id], from_pandas=True),
            "asked": pa.array([t and t.fraction for t in targets], pa.float64()),
            "off": pa.array([far and far[0] for far in furthest], pa.float64()),
            "allowed": pa.array([far and far[1] for far in furthest], pa.float64()),
            "close": pa.array([t and t.close for t in targets], pa.bool_()),
            "others": [others[i] for i in place],
        }
    )


def asked_for_and_found(tree: DecisionTree, answer_id: int, found: Counterparts) -> list[str]:
    """What was asked for of the question, beside what the best counterpart of each kind has."""
    answers = tree.questions[tree.question_of[answer_id]].answers
    kinds = ("observed", "predicted" if found.exchanged else "alike")
    lines = []
    for kind, asked, best in zip(
        kinds, found.asked, (found.observed, found.predicted), strict=True
    ):
        have = best[0].target.found if best and best[0].target else (None,) * len(asked)
        pairs = [
            f"{answer} {_fraction(wanted)}/{_fraction(there)}"
            for answer, wanted, there in zip(answers, asked, have, strict=False)
            if wanted is not None
        ]
        if pairs:
            lines.append(f"{kind}, asked for/found: {', '.join(pairs)}")
    return lines


def _others(tree: DecisionTree, answer_id: int, observed: Floats, predicted: Floats) -> list[str]:
    """A galaxy's fractions of the question's other answers, observed/predicted."""
    question = tree.question_of[answer_id]
    first = tree.slices[question].start
    return [
        ", ".join(
            f"{answer} {_fraction(y[first + i])}/{_fraction(p[first + i])}"
            for i, answer in enumerate(tree.questions[question].answers)
            if first + i != answer_id
        )
        for y, p in zip(observed, predicted, strict=True)
    ]


def _fraction(value: float | None) -> str:
    return "-" if value is None or np.isnan(value) else f"{value:.2f}"
