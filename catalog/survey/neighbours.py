"""The galaxies of all pieces that can be counterparts of a few: the nearest of each piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoolens.catalog.arrays import Flags, Ids
from zoolens.catalog.explain.choice import Choice
from zoolens.catalog.similarity.candidates import Totals
from zoolens.catalog.similarity.counterparts import nearest_alike
from zoolens.catalog.similarity.exchange import Exchange
from zoolens.catalog.similarity.queries import (
    Known,
    Source,
    make_queries,
    one_kind_at_a_time,
    read_known,
)
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import without_votes
from zoolens.catalog.store.store import Store


@dataclass(frozen=True)
class Near:
    """Galaxies by piece: those that were chosen and, of each piece, those nearest to one of them.

    totals: how many candidates all pieces have.
    """

    galaxies: Mapping[Path, Ids]
    totals: Totals


def near(
    paths: Sequence[Path],
    chosen: Mapping[Path, Sequence[Choice]],
    *,
    k: int = 1,
    min_votes: float | None = None,
    exchange: Exchange = "question",
) -> Near:
    """The galaxies among which the k counterparts of some galaxies are, whatever their pieces.

    paths: of the pieces that have a current index; chosen: the galaxies by their pieces, each with
    an answer. A galaxy's counterparts in the survey are among its counterparts in each piece.
    """
    ids, answers, parts, bare, names = _known(chosen)
    galaxies = {path: {choice.galaxy_id for choice in some} for path, some in chosen.items()}
    rows = np.arange(len(ids))
    unknown = np.isnan(parts.predicted[rows, answers])
    voted = np.flatnonzero(~unknown & ~bare & ~np.isnan(parts.observed[rows, answers]))
    alike = np.flatnonzero(~unknown & bare)
    totals = Totals()
    for path in paths:
        found = galaxies.setdefault(path, set())
        with Store.open(path, read_only=True) as store:
            source = Source.of(store)
            if len(voted):
                queries = make_queries(
                    source, ids[voted], answers[voted], parts.some(voted), None, min_votes, exchange
                )
                totals.add(queries.candidates)
                for kind in one_kind_at_a_time(source, queries, 2 * k):
                    found |= {hit.galaxy_id for some in kind for hit in some}
            for row in alike.tolist():
                hits, count = nearest_alike(
                    source, int(ids[row]), int(answers[row]), parts.predicted[row], k, min_votes
                )
                found |= {hit.galaxy_id for hit in hits}
                totals.alike[names[row]] = totals.alike.get(names[row], 0) + count
    return Near({path: np.array(sorted(some), np.int64) for path, some in galaxies.items()}, totals)


def _known(
    chosen: Mapping[Path, Sequence[Choice]],
) -> tuple[Ids, Ids, Known, Flags, list[str]]:
    """Of N galaxies: numbers, answers, fractions, whether nobody voted, and names."""
    ids, answers, parts, bare, names = [], [], [], [], list[str]()
    for path, some in chosen.items():
        here = np.array([choice.galaxy_id for choice in some], np.int64)
        ids.append(here)
        answers.append(np.array([choice.answer_id for choice in some], np.int64))
        with Store.open(path, read_only=True) as store:
            parts.append(read_known(Source.of(store), here))
            bare.append(np.isin(here, without_votes(store, np.unique(here))))
            called = names_of(store, here)
            names += [called[number] for number in here.tolist()]
    together = Known(
        *(np.concatenate([getattr(one, name) for one in parts]) for name in vars(parts[0]))
    )
    return np.concatenate(ids), np.concatenate(answers), together, np.concatenate(bare), names
