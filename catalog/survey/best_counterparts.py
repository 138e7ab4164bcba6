"""The best counterpart of each kind of many galaxies, among those of all pieces of a survey."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.similarity.counterparts import Counterparts
from zoolens.catalog.similarity.described import describe
from zoolens.catalog.similarity.files import KINDS
from zoolens.catalog.similarity.places import Hit, fill_places
from zoolens.catalog.similarity.queries import (
    Asked,
    Source,
    asked_among,
    asked_for,
    one_kind_at_a_time,
)
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.found import BestHits, Counted, Found, count_candidates

_PLACES = 2  # hits of a kind that fill one place, since the best may be the other kind's


@dataclass(frozen=True)
class Best:
    """The best hits of N galaxies, by kind, and what is known of them all."""

    found: Found
    asked: Asked
    hits: list[list[list[Hit]]]
    counted: dict[int, Counted]

    @property
    def where(self) -> dict[int, Path]:
        """The catalogue of each galaxy, by its number."""
        return self.found.where

    def described(self) -> list[Counterparts]:
        """Those that fill one place of each kind, in words, as `find_many` has them."""
        return describe(self.found, self.asked, self.counted, self.hits, 1)

    def named(self) -> list[tuple[str | None, str | None]]:
        """The names of the observed and of the predicted counterpart, or None."""
        filled = [fill_places(one, other, 1)[:2] for one, other in zip(*self.hits, strict=True)]
        ids = {hit.galaxy_id for both in filled for some in both for hit in some}
        names = self.found.names(np.array(sorted(ids), np.int64))
        return [
            (
                names[observed[0].galaxy_id] if observed else None,
                names[predicted[0].galaxy_id] if predicted else None,
            )
            for observed, predicted in filled
        ]


def best_counterparts(
    paths: Iterable[Path],
    home: Mapping[int, Path],
    galaxy_id: Ids,
    answer_id: Ids,
    min_votes: float | None,
) -> Best:
    """The best counterparts of galaxies that have votes and a prediction of the answer.

    paths: catalogues with indexes, searched one after the other; home: that of each galaxy, by
    number; galaxy_id, answer_id (N,); min_votes: as of `find_counterparts`. Raises `CatalogError`
    if index files are not current.
    """
    with Store.open(home[int(galaxy_id[0])], read_only=True) as store:
        tree = store.tree
    found = Found(tree, dict(home))
    known = found.known(galaxy_id)
    asked = asked_for(tree, galaxy_id, answer_id, known, None, "question")
    best = [[BestHits(_PLACES) for _ in galaxy_id] for _ in KINDS]
    counted: dict[int, Counted] = {}
    for path in paths:
        with Store.open(path, read_only=True) as store:
            source = Source.of(store)
            queries = asked_among(source, asked, min_votes)
            for of_kind, here in zip(
                best, one_kind_at_a_time(source, queries, _PLACES), strict=True
            ):
                for one, hits in zip(of_kind, here, strict=True):
                    one.add(hits)
                    found.where.update({hit.galaxy_id: path for hit in hits})
        count_candidates(queries, tree.question_of[answer_id].tolist(), counted)
    return Best(found, asked, [[one.hits for one in some] for some in best], counted)


def counterpart_table(
    paths: Sequence[Path], searched: Sequence[Path], worst: pa.Table, min_votes: float | None
) -> pa.Table:
    """Columns galaxy_id, observed_counterpart and predicted_counterpart of galaxies.

    paths: of all pieces; searched: of those with indexes; worst: columns piece (a place among
    `paths`), galaxy_id and answer_id of the galaxies.
    """
    names: list[tuple[str | None, str | None]] = []
    if len(worst):
        ids, answers = (worst[name].to_numpy() for name in ("galaxy_id", "answer_id"))
        pieces = worst["piece"].to_pylist()
        home = {one: paths[piece] for one, piece in zip(ids.tolist(), pieces, strict=True)}
        names = best_counterparts(searched, home, ids, answers, min_votes).named()
    return pa.table(
        {
            "galaxy_id": worst["galaxy_id"],
            "observed_counterpart": pa.array([one for one, _ in names], pa.string()),
            "predicted_counterpart": pa.array([other for _, other in names], pa.string()),
        }
    )
