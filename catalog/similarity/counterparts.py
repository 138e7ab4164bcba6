"""A galaxy's counterparts: what if the model, or the volunteers, were right.

Su et al. 2023, 2.2 and 4.3. The observed counterpart has votes like the galaxy's votes,
except for the question of interest, where they are like the galaxy's prediction. The predicted
counterpart has a prediction like the galaxy's prediction, except for the question of interest,
where it is like the galaxy's votes. In the paper that is one answer of the question
(`exchange="answer"`); docs/decisions/similarity.md says why not here, and who may be a counterpart.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.similarity.candidates import ENOUGH, candidates_of
from zoolens.catalog.similarity.described import describe, fractions_of, target_of
from zoolens.catalog.similarity.exchange import Exchange, check_exchange
from zoolens.catalog.similarity.files import KINDS, load_codes, load_index
from zoolens.catalog.similarity.found import NO_EXCHANGE, not_close
from zoolens.catalog.similarity.found import Counterpart as Counterpart
from zoolens.catalog.similarity.found import Counterparts as Counterparts
from zoolens.catalog.similarity.places import Hit
from zoolens.catalog.similarity.queries import (
    Asked,
    Facts,
    Known,
    Source,
    asked_for,
    make_queries,
    one_kind_at_a_time,
    ranked,
    read_known,
)
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import without_votes
from zoolens.catalog.store.store import Store


def find_counterparts(
    store: Store,
    galaxy_id: int,
    answer_id: int,
    *,
    k: int = 1,
    weights: npt.NDArray[np.float64] | None = None,
    min_votes: float | None = None,
    exchange: Exchange = "question",
    approximate: bool = False,
) -> Counterparts:
    """The k observed and k predicted counterparts of a galaxy for an answer.

    They are sought among all other galaxies of which at least `min_votes` volunteers were asked
    the answer's question, and that have a prediction of it (`candidates_of` has the default);
    equals are in order of their number, and no galaxy is taken twice (`fill_places`). exchange: of
    all fractions of the question, or of the answer's alone (`part_exchanged`). weights (A,), 0 or
    more: by default 5 for what is exchanged and 1 for others; weights that are given are used as
    they are. Questions that the galaxy was not asked have weight 0 among its votes. Of a galaxy on
    which nobody voted, see `Counterparts`; those that are predicted alike are sought among all
    others with predictions. approximate: search FAISS's codes, which may miss some (their recall
    is measured when they are made). Raises `CatalogError` if the answer has no votes or
    prediction to exchange, no weight is left, or the index files are not current.
    """
    check_exchange(exchange)
    ids, answers = np.array([galaxy_id], np.int64), np.array([answer_id], np.int64)
    source = Source.of(store)
    known = read_known(source, ids)
    voted = not len(without_votes(store, ids))
    check_exchangeable(source, galaxy_id, answer_id, known, voted=voted)
    if not voted:
        return _alike(source, ids, answers, known, weights, k, min_votes, approximate)
    queries = make_queries(source, ids, answers, known, weights, min_votes, exchange)
    check_weights(queries)
    hits = [ranked(source, kind, queries, 2 * k, approximate=approximate) for kind in KINDS]
    return describe(source, queries, queries.candidates, hits, k)[0]


def find_many(
    store: Store,
    galaxy_id: Sequence[int],
    answer_id: Sequence[int],
    *,
    min_votes: float | None = None,
    exchange: Exchange = "question",
) -> list[Counterparts]:
    """The best counterparts of each of N galaxies, as `find_counterparts`, but faster for many.

    answer_id (N,): the answer of interest of each. A galaxy without votes or a prediction for it
    has none, and a note says so. Raises `CatalogError` if the index files are not current.
    """
    check_exchange(exchange)
    ids, answers = np.array(galaxy_id, np.int64), np.array(answer_id, np.int64)
    source = Source.of(store)
    known, rows = read_known(source, ids), np.arange(len(ids))
    bare = np.isin(ids, without_votes(store, np.unique(ids)))
    unknown = np.isnan(known.predicted[rows, answers])
    unvoted = np.isnan(known.observed[rows, answers]) & ~bare
    found: dict[int, Counterparts] = {}
    for row in np.flatnonzero(unknown | unvoted).tolist():
        note = NO_EXCHANGE.format("votes" if unvoted[row] else "prediction")
        found[row] = Counterparts([], [], notes=(note,))
    for row in np.flatnonzero(bare & ~unknown).tolist():
        one = slice(row, row + 1)
        alone = known.some(one)
        found[row] = _alike(source, ids[one], answers[one], alone, None, 1, min_votes, False)
    some = np.flatnonzero(~(unknown | unvoted | bare))
    if len(some):
        queries = make_queries(
            source, ids[some], answers[some], known.some(some), None, min_votes, exchange
        )
        hits = one_kind_at_a_time(source, queries, 2)
        described = describe(source, queries, queries.candidates, hits, 1)
        found |= dict(zip(some.tolist(), described, strict=True))
    return [found[row] for row in rows.tolist()]


def _alike(
    source: Source,
    galaxy_id: Ids,
    answer_id: Ids,
    known: Known,
    weights: Floats | None,
    k: int,
    min_votes: float | None,
    approximate: bool,
) -> Counterparts:
    """The galaxies whose predictions are most like those of a galaxy (1,) without votes."""
    if not load_index(source.store, "predicted").holding(galaxy_id).any():
        raise CatalogError(
            f"the similarity index of {source.store.path} holds no galaxies without votes; build "
            "it anew with: zoolens index"
        )
    asked = asked_for(source.tree, galaxy_id, answer_id, known, weights, "answer")
    hits, count = predicted_alike(source, asked, k, min_votes, approximate=approximate)
    return describe_alike(source, asked, hits, count)


def predicted_alike(
    source: Source, asked: Asked, k: int, min_votes: float | None, *, approximate: bool = False
) -> tuple[list[Hit], int]:
    """The k galaxies that are predicted as one (1,) is, and how many others there are."""
    index, itself = load_index(source.store, "predicted"), int(asked.galaxy_id[0])
    among = None
    if min_votes:
        held, answer = index.galaxy_id, int(asked.answer_id[0])
        enough = candidates_of(source.store, source.predict_run, held, answer, min_votes)
        among = enough.among(held, ENOUGH)
    search = load_codes(source.store, "predicted") if approximate else index
    found = search.search(
        asked.known.predicted[0], asked.weights[0], k, exclude=itself, among=among
    )
    own = int(index.holding(asked.galaxy_id).any())
    count = len(index) - own if among is None else int(np.count_nonzero(among))
    return [Hit(*pair) for pair in zip(*(part.tolist() for part in found), strict=True)], count


def describe_alike(facts: Facts, asked: Asked, hits: Sequence[Hit], count: int) -> Counterparts:
    """Galaxies that are predicted alike, named; count: how many were searched."""
    tree, answer = facts.tree, int(asked.answer_id[0])
    ids = np.array([hit.galaxy_id for hit in hits], np.int64)
    others, names = facts.known(ids), facts.names(ids)
    wanted = fractions_of(tree, answer, asked.known.predicted[0])
    alike = [
        Counterpart(
            hit.galaxy_id,
            names[hit.galaxy_id],
            hit.score,
            target_of(tree, answer, wanted, others.predicted[row], None),
        )
        for row, hit in enumerate(hits)
    ]
    note = not_close(alike[0], "galaxy predicted alike", count) if alike else ""
    return Counterparts([], alike, False, ((), wanted), (note,) if note else ())


def cannot_exchange(store: Store, galaxy_id: int, answer_id: int) -> str:
    """Why a galaxy has no counterparts for an answer, in a sentence; empty if it can have some."""
    ids = np.array([galaxy_id], np.int64)
    known = read_known(Source.of(store), ids)
    if np.isnan(known.predicted[0, answer_id]):
        return NO_EXCHANGE.format("prediction")
    if np.isnan(known.observed[0, answer_id]) and not len(without_votes(store, ids)):
        return NO_EXCHANGE.format("votes")
    return ""


def check_weights(asked: Asked) -> None:
    """Raises `CatalogError` if nothing that galaxies were asked has a weight."""
    if not np.any(asked.weights[~np.isnan(asked.known.observed)] > 0):
        raise CatalogError("every answer that the galaxy was asked has weight 0; raise one")


def check_exchangeable(
    source: Source, galaxy_id: int, answer_id: int, known: Known, *, voted: bool
) -> None:
    """Raises `CatalogError` if a galaxy lacks votes, if there are any, or predictions."""
    label = source.tree.labels[answer_id]
    name = names_of(source.store, [galaxy_id])[galaxy_id]
    if np.isnan(known.predicted[0, answer_id]):
        raise CatalogError(
            f"{name} has no prediction of {label} in run {source.predict_run}; see: zoolens status"
        )
    if voted and np.isnan(known.observed[0, answer_id]):
        raise CatalogError(
            f"the votes for {name} have no fraction of {label}: nobody was asked, or with other "
            "answers; choose another answer"
        )
