"""`similar`: a galaxy's observed and predicted counterparts, side by side with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypedDict

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.scoring.weights import read_weights
from zoolens.catalog.similarity.counterparts import Counterparts, find_counterparts
from zoolens.catalog.similarity.exchange import Exchange, check_exchange
from zoolens.catalog.similarity.queries import Facts, Source
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.ranking import costliest_answers
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.telling import telling_answers
from zoolens.catalog.survey.counterparts import find_in_survey, home_of
from zoolens.catalog.survey.folder import is_survey


@dataclass(frozen=True)
class SimilarReport:
    """A galaxy and its counterparts for an answer.

    table: the galaxy itself (`selected`), then its `observed` and its `predicted`
    counterparts, best first, one row each, with their similarity (nat, 0 or less) and,
    for the answer, the votes of its question, the observed and the predicted fraction, and what
    was `asked` for in place of the one or the other; `off` is the largest difference of a fraction
    of the question from what was asked for, `allowed` how large that may be (`Target.furthest`),
    `close` whether none is larger than it may be;
    `others` holds the question's other answers as text, observed/predicted. exchanged: False
    for a galaxy without votes, whose `alike` are the galaxies that are predicted as it is.
    notes: what was asked for of the whole question, and how far from fair the best ones are.
    """

    job: ClassVar[str] = "similar"
    run_id: ClassVar[int | None] = None
    changed: ClassVar[bool] = True
    galaxy: str
    answer: str
    table: pa.Table
    exchanged: bool = True
    exchange: Exchange = "question"
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        if not self.exchanged:
            return (
                f"{self.galaxy}, {self.answer}: galaxies that are predicted alike; counterparts "
                "exchange votes and prediction, and nobody voted on it"
            )
        return (
            f"{self.galaxy}, {self.answer}: observed counterparts have its votes but its "
            f"predicted fraction{'s' * (self.exchange == 'question')} of the {self.exchange}, "
            "predicted ones the reverse"
        )

    @property
    def shown(self) -> pa.Table:
        """The table for people: as much as 100 columns hold."""
        both = zip(*(self.table[name].to_pylist() for name in ("off", "allowed")), strict=True)
        said = [None if off is None else f"{off:.2f}/{allowed:.2f}" for off, allowed in both]
        place = self.table.column_names.index("off")
        shown = self.table.set_column(place, "off/allowed", pa.array(said, pa.string()))
        return shown.drop_columns(["allowed", "others"])


def similar(
    catalog: Path,
    galaxy: str,
    *,
    answer: str | None = None,
    k: int = 5,
    weights: str | None = None,
    approximate: bool = False,
    min_votes: float | None = None,
    exchange: Exchange = "question",
) -> SimilarReport:
    """The k observed and k predicted counterparts of a galaxy.

    answer: the one of interest; unless given, of a galaxy without votes the most telling
    (`catalog.store.telling`), of others the one with the largest
    weighted_ce, among those to questions that `min_votes` volunteers were asked, as
    `costliest_answers` has it. Of counterparts, too, so many were asked the question of the
    answer: unless given `FEWEST_VOTES`, and fewer where there are too few such. weights: `paper`,
    `none` or a file; unless given, 5 for what is exchanged and 1 for others.
    exchange, approximate: as in `find_counterparts`. Needs the files of `jobs.index`. Raises
    `UnknownName` for an unknown galaxy or answer, `CatalogError` for what cannot be
    compared.
    """
    _check_search(k, exchange)
    home = home_of(catalog, galaxy) if is_survey(catalog) else None
    with Store.open(home.path if home else catalog, read_only=True) as store:
        _check_names(store, galaxy, answer, weights)
        warn_of(store, "predict", *(["score"] if answer is None else []))
        tree = store.tree
        galaxy_id = home.galaxy_id if home else galaxy_ids(store, [galaxy])[0]
        answer_id = (
            _costliest(store, galaxy, galaxy_id, min_votes)
            if answer is None
            else tree.answer_id(answer)
        )
        chosen = None if weights is None else read_weights(weights, tree).array(tree)
        asked: _Settings = {
            "k": k,
            "weights": chosen,
            "min_votes": min_votes,
            "exchange": exchange,
            "approximate": approximate,
        }
        if home is None:
            found = find_counterparts(store, galaxy_id, answer_id, **asked)
            table = _table(Source.of(store), galaxy, galaxy_id, answer_id, found)
    if home is not None:
        found, facts = find_in_survey(catalog, home, answer_id, **asked)
        table = _table(facts, galaxy, galaxy_id, answer_id, found)
    notes = (*_asked(tree, answer_id, found), *found.notes)
    return SimilarReport(galaxy, tree.labels[answer_id], table, found.exchanged, exchange, notes)


class _Settings(TypedDict):
    """Of a search, as `find_counterparts` has them."""

    k: int
    weights: Floats | None
    min_votes: float | None
    exchange: Exchange
    approximate: bool


def check(
    catalog: Path,
    galaxy: str,
    *,
    answer: str | None,
    k: int,
    weights: str | None,
    exchange: Exchange,
) -> None:
    """Raises as `similar` does for what is wrong however the index is."""
    _check_search(k, exchange)
    holds = home_of(catalog, galaxy).path if is_survey(catalog) else catalog
    with Store.open(holds, read_only=True) as store:
        _check_names(store, galaxy, answer, weights)


def _check_search(k: int, exchange: Exchange) -> None:
    check_exchange(exchange)
    if k < 1:
        raise CatalogError(f"{k} counterparts cannot be found; ask for 1 or more")


def _check_names(store: Store, galaxy: str, answer: str | None, weights: str | None) -> None:
    galaxy_ids(store, [galaxy])
    if answer is not None:
        store.tree.answer_id(answer)
    if weights is not None:
        read_weights(weights, store.tree)


def _costliest(store: Store, galaxy: str, galaxy_id: int, min_votes: float | None) -> int:
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


def _table(
    facts: Facts, galaxy: str, galaxy_id: int, answer_id: int, found: Counterparts
) -> pa.Table:
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


def _asked(tree: DecisionTree, answer_id: int, found: Counterparts) -> list[str]:
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
