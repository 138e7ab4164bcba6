"""A galaxy's counterparts: what if the model, or the volunteers, were right.

Su et al. 2023, 2.2 and 4.3. The observed counterpart has votes like the galaxy's votes,
except for the answer of interest, where they are like the galaxy's prediction. The predicted
counterpart has a prediction like the galaxy's prediction, except for the answer of interest,
where it is like the galaxy's votes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.scoring.weights import PAPER_FACTOR
from zoolens.catalog.similarity.exact import SimilarityIndex
from zoolens.catalog.similarity.files import load_codes, load_index, unload_indexes
from zoolens.catalog.similarity.target import Target
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import (
    asked_galaxies,
    read_predictions,
    read_votes,
    without_votes,
)
from zoolens.catalog.store.store import Store

_AT_ONCE = 64  # queries that pass over the candidates together


@dataclass(frozen=True)
class Counterpart:
    """A galaxy and its similarity to the query, in nat, 0 or less.

    target: what it was to have of the question of interest, beside what it has.
    """

    galaxy_id: int
    iauname: str
    score: float
    target: Target | None = None


@dataclass(frozen=True)
class Counterparts:
    """Best first; fewer than asked for if the catalogue has no more galaxies.

    exchanged: False of a galaxy without votes, which has none to exchange: then `predicted` are
    the galaxies that are predicted alike, and `observed` is empty.
    """

    observed: list[Counterpart]
    predicted: list[Counterpart]
    exchanged: bool = True


def find_counterparts(
    store: Store,
    galaxy_id: int,
    answer_id: int,
    *,
    k: int = 1,
    weights: npt.NDArray[np.float64] | None = None,
    min_votes: float = 0,
    approximate: bool = False,
) -> Counterparts:
    """The k observed and k predicted counterparts of a galaxy for an answer.

    They are sought among all other galaxies with votes and predictions of which at least
    `min_votes` volunteers were asked the answer's question; equals are in order of their
    number. weights (A,), 0 or more: by default 5 for the answer of interest and
    1 for others ("our function can set a specific weight for a particular question of
    interest"); weights that are given are used as they are. Questions that the galaxy
    was not asked have weight 0 among its votes. Of a galaxy on which nobody voted, see
    `Counterparts`; those that are predicted alike are sought among all others with predictions.
    approximate: search FAISS's codes, which may
    miss some (their recall is measured when they are made); with `min_votes`, and among some of
    the galaxies with predictions only, the search is
    exact all the same. Raises `CatalogError` if the answer has no votes or prediction to
    exchange, no weight is left, or the index files are not current.
    """
    tree = store.tree
    predict_run = store.newest_run("predict")
    voted = not len(without_votes(store, np.array([galaxy_id])))
    observed, predicted = _fractions(store, tree, predict_run, galaxy_id, answer_id, voted=voted)
    if weights is None:
        weights = np.ones(len(tree.labels))
        weights[answer_id] = PAPER_FACTOR
    if not voted:
        return _alike(store, galaxy_id, answer_id, predicted, weights, k, min_votes, approximate)
    if not np.any(weights[~np.isnan(observed)] > 0):
        raise CatalogError("every answer that the galaxy was asked has weight 0; raise one")
    as_voted, as_predicted = observed.copy(), predicted.copy()
    as_voted[answer_id] = predicted[answer_id]
    as_predicted[answer_id] = observed[answer_id]

    found = []
    with_votes = load_index(store, "observed").galaxy_id
    for kind, query in (("observed", as_voted), ("predicted", as_predicted)):
        index = load_index(store, kind)
        among = _voted(index, with_votes)
        if min_votes > 0:
            among = index.holding(asked_galaxies(store, answer_id, min_votes))
        if approximate and among is None:
            best = load_codes(store, kind).search(query, weights, k, exclude=galaxy_id)
        else:
            best = index.search(query, weights, k, exclude=galaxy_id, among=among)
        found.append(_named(store, *best))
    return Counterparts(found[0], found[1])


def _alike(
    store: Store,
    galaxy_id: int,
    answer_id: int,
    predicted: Floats,
    weights: Floats,
    k: int,
    min_votes: float,
    approximate: bool,
) -> Counterparts:
    """The galaxies whose predictions are most like those of a galaxy without votes."""
    index = load_index(store, "predicted")
    if not index.holding(np.array([galaxy_id])).any():
        raise CatalogError(
            f"the similarity index of {store.path} holds no galaxies without votes; build it "
            "anew with: zoolens index"
        )
    if min_votes > 0:
        among = index.holding(asked_galaxies(store, answer_id, min_votes))
        best = index.search(predicted, weights, k, exclude=galaxy_id, among=among)
    else:
        search = load_codes(store, "predicted") if approximate else index
        best = search.search(predicted, weights, k, exclude=galaxy_id)
    return Counterparts([], _named(store, *best), exchanged=False)


def _voted(index: SimilarityIndex, voted: Ids) -> Flags | None:
    """Which candidates have votes too, None if all have: those that counterparts can be."""
    return None if len(voted) == len(index) else index.holding(voted)


def counterparts_of_many(
    store: Store, galaxy_id: Ids, answer_id: Ids, *, min_votes: float = 0
) -> tuple[Ids, Ids]:
    """The best observed and the best predicted counterpart of each of N galaxies.

    galaxy_id (N,), ascending; answer_id (N,): the answer of interest of each, for which it
    has votes and a prediction. The same as `find_counterparts` for each, but several times as
    fast.
    Two arrays (N,) of numbers of galaxies, -1 where there is no other such galaxy. Raises
    `CatalogError` if the index files are not current.
    """
    tree = store.tree
    observed = read_votes(store, tree, galaxy_id).observed
    predicted, _ = read_predictions(store, tree, store.newest_run("predict"), galaxy_id)
    rows = np.arange(len(galaxy_id))
    weights = np.ones(observed.shape)
    weights[rows, answer_id] = PAPER_FACTOR
    found = []
    voted = np.empty(0, np.int64)
    for kind, query, exchanged in (
        ("observed", observed, predicted),
        ("predicted", predicted, observed),
    ):
        asked = query.copy()
        asked[rows, answer_id] = exchanged[rows, answer_id]
        index = load_index(store, kind)  # millions of galaxies: one kind at a time
        voted = index.galaxy_id if kind == "observed" else voted
        among = _masks(store, index, answer_id, min_votes, voted)
        best = np.full(len(galaxy_id), -1, np.int64)
        for start in range(0, len(rows), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            selves = galaxy_id[some].tolist()
            for row, (ids, _) in enumerate(
                index.search_many(asked[some], weights[some], 1, exclude=selves, among=among[some]),
                start,
            ):
                best[row] = ids[0] if len(ids) else -1
        found.append(best)
        del index
        unload_indexes()
    return found[0], found[1]


def what_is_lacking(min_votes: float) -> str:
    """What no other galaxy has, if there is no counterpart."""
    if min_votes > 0:
        return f"{min_votes:g} votes on the question, and predictions"
    return "votes and predictions"


def _masks(
    store: Store, index: SimilarityIndex, answer_id: Ids, min_votes: float, voted: Ids
) -> list[Flags | None]:
    """For each of N answers, which candidates enough volunteers were asked about; None for all."""
    if min_votes <= 0:
        return [_voted(index, voted)] * len(answer_id)
    question = store.tree.question_of
    first = {int(question[answer]): int(answer) for answer in answer_id}
    masks = {
        one: index.holding(asked_galaxies(store, answer, min_votes))
        for one, answer in first.items()
    }
    return [masks[int(question[answer])] for answer in answer_id]


def _fractions(
    store: Store,
    tree: DecisionTree,
    predict_run: int,
    galaxy_id: int,
    answer_id: int,
    *,
    voted: bool,
) -> tuple[Floats, Floats]:
    """Observed and predicted fractions (A,) of a galaxy, checked to be exchangeable if `voted`."""
    ids = np.array([galaxy_id], np.int64)
    observed = read_votes(store, tree, ids).observed[0]
    predicted = read_predictions(store, tree, predict_run, ids)[0][0]
    label = tree.labels[answer_id]
    name = names_of(store, [galaxy_id])[galaxy_id]
    if np.isnan(predicted[answer_id]):
        raise CatalogError(
            f"{name} has no prediction of {label} in run {predict_run}; see: zoolens status"
        )
    if voted and np.isnan(observed[answer_id]):
        raise CatalogError(
            f"the votes for {name} have no fraction of {label}: nobody was asked, or with other "
            "answers; choose another answer"
        )
    return observed, predicted


def _named(store: Store, ids: Ids, scores: Floats) -> list[Counterpart]:
    names = names_of(store, ids)
    return [
        Counterpart(number, names[number], score)
        for number, score in zip(ids.tolist(), scores.tolist(), strict=True)
    ]
