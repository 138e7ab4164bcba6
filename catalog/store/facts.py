"""What is known of a galaxy for every answer: votes, prediction, and the loss of the two."""

from collections.abc import Collection
from dataclasses import dataclass

from zoolens.catalog.store.shown import shown, valid
from zoolens.catalog.store.store import Store

_FACTS = f"""SELECT g.galaxy_id, a.question, a.answer, a.label, v.count, v.total,
    v.fraction AS observed, p.fraction AS predicted, p.fraction_lo AS lo, p.fraction_hi AS hi, l.ce
FROM (SELECT galaxy_id FROM galaxy WHERE {{among}}) g CROSS JOIN answer a
LEFT JOIN (FROM votes WHERE {{among}}) v ON v.galaxy_id = g.galaxy_id AND v.label = a.label
LEFT JOIN (FROM {valid("prediction")} WHERE run_id = $1 AND {{among}}) p
    ON p.galaxy_id = g.galaxy_id AND p.answer_id = a.answer_id
LEFT JOIN (FROM {valid("loss")} WHERE run_id = $2 AND {{among}}) l
    ON l.galaxy_id = g.galaxy_id AND l.answer_id = a.answer_id AND l.predicted = p.fraction
ORDER BY g.galaxy_id, a.answer_id"""


@dataclass(frozen=True)
class AnswerFacts:
    """Votes for an answer of a galaxy and its prediction; None where there is none.

    question, answer: their names; label: of both, as in the view `answers`. count: of votes for
    it; total: of volunteers who were asked the question; observed: count / total in 0..1, None too
    where the question was asked with answers outside the tree. predicted: expected vote fraction in
    0..1; lo, hi: its central 90 % interval; ce: cross-entropy of the two fractions, nat.
    """

    question: str
    answer: str
    label: str
    count: float | None
    total: float | None
    observed: float | None
    predicted: float | None
    lo: float | None
    hi: float | None
    ce: float | None


def facts_of(
    store: Store,
    galaxy_id: Collection[int],
    *,
    predict_run: int | None = None,
    score_run: int | None = None,
) -> dict[int, list[AnswerFacts]]:
    """Facts of all A answers of each galaxy, in tree order, by its number.

    Votes are the current ones; predictions and losses are those of the runs, the newest
    unless given. A loss that was computed from another prediction than this one is left out.
    """
    runs = (
        store.value(shown(job)) if run_id is None else run_id
        for job, run_id in (("predict", predict_run), ("score", score_run))
    )
    among = f"galaxy_id IN ({', '.join(map(str, galaxy_id)) or 'NULL'})"
    facts: dict[int, list[AnswerFacts]] = {number: [] for number in galaxy_id}
    for row in store.arrow(_FACTS.format(among=among), [*runs]).to_pylist():
        facts[row.pop("galaxy_id")].append(AnswerFacts(**row))
    return facts


def losses_of(store: Store, galaxy_id: int) -> dict[int, float]:
    """The weighted losses of a galaxy's answers in the score run that shows, by answer, nat."""
    sql = (
        f"SELECT answer_id, weighted_ce FROM {valid('loss')} WHERE run_id = ({shown('score')}) "
        "AND galaxy_id = ? AND weighted_ce IS NOT NULL"
    )
    return dict(store.rows(sql, [galaxy_id]))
