"""`similar`: a galaxy's observed and predicted counterparts, side by side with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypedDict

import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.answer import from_arrow
from zoolens.catalog.output.notebook import table as table_of
from zoolens.catalog.scoring.weights import read_weights
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.similarity.exchange import Exchange, check_exchange
from zoolens.catalog.similarity.listing import (
    asked_for_and_found,
    costliest_answer,
    counterpart_table,
)
from zoolens.catalog.similarity.queries import Source
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.counterparts import find_in_survey, home_of
from zoolens.catalog.survey.folder import is_survey
from zoolens.jobs.reports import InNotebook


@dataclass(frozen=True)
class SimilarReport(InNotebook):
    """A galaxy and its counterparts for an answer.

    galaxy: its name; answer: the label of the answer of interest; exchange: whether the fractions
    of its whole "question" were exchanged, or of the "answer" alone. table: the galaxy itself
    (`selected`), then its `observed` and its `predicted` counterparts, best first, one row each,
    with their similarity (nat, 0 or less) and, for the answer, the votes of its question, the
    observed and the predicted fraction, and what was `asked` for in place of the one or the other;
    `off` is the largest difference of a fraction of the question from what was asked for, `allowed`
    how large that may be (`Target.furthest`), `close` whether none is larger than it may be;
    `others` holds the question's other answers as text, observed/predicted. exchanged: False for a
    galaxy without votes, whose `alike` are the galaxies that are predicted as it is. notes: what
    was asked for of the whole question, and how far from fair the best ones are.
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

    def _repr_html_(self) -> str:
        rows = from_arrow(self.shown).rows
        return super()._repr_html_() + table_of(
            self.shown.column_names, rows, units={"score": "nat"}
        )


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
            costliest_answer(store, galaxy, galaxy_id, min_votes)
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
            table = counterpart_table(Source.of(store), galaxy, galaxy_id, answer_id, found)
    if home is not None:
        found, facts = find_in_survey(catalog, home, answer_id, **asked)
        table = counterpart_table(facts, galaxy, galaxy_id, answer_id, found)
    notes = (*asked_for_and_found(tree, answer_id, found), *found.notes)
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
