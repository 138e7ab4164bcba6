"""What a catalogue has, so far as a release's columns and tables depend on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from zoolens.catalog.decision_tree import NO_TREE, DecisionTree
from zoolens.catalog.release.columns import described, release_columns
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.own_rows import own_columns
from zoolens.catalog.store.released import Runs, has_posteriors, votes_are_whole
from zoolens.catalog.store.store import Store


@dataclass(frozen=True)
class Holdings:
    """What a catalogue has.

    tree: None if neither votes nor predictions brought one; whole_votes: none is fractional;
    trained: galaxies were used to train a model; maps: of saliency; ensemble: several models
    predicted; posteriors: dropout samples; estimates: the names of what a classifier or regressor
    estimates, and `estimated`, of what kind they are; weights: of answers in the ranking, if there
    is one; own: the user's columns.
    """

    tree: DecisionTree | None
    votes: bool
    predictions: bool
    losses: bool
    whole_votes: bool = True
    trained: bool = False
    maps: bool = False
    ensemble: bool = False
    posteriors: bool = False
    estimates: tuple[str, ...] = ()
    estimated: Mapping[str, Any] | None = None
    weights: Mapping[str, float] | None = None
    own: tuple[Column, ...] = ()

    @property
    def answers(self) -> DecisionTree:
        """The tree, or the one without answers."""
        return self.tree or NO_TREE

    @property
    def kept(self) -> list[Column]:
        """The user's columns that a release can have.

        A tree that came after them may have given names of theirs to columns of the release.
        """
        taken = {name.lower() for name in self._columns([]).names}
        return [said for said in self.own if said.name.lower() not in taken]

    @property
    def columns(self) -> pa.Schema:
        """All columns that the table of galaxies can have."""
        return self._columns(self.kept)

    @property
    def nameless(self) -> list[str]:
        """Which of the user's columns are in no release, for want of a name."""
        every = self.columns
        return [
            own.name
            for own in self.own
            if own.name not in every.names
            or not every.field(own.name).equals(described(own), check_metadata=True)
        ]

    def _columns(self, own: Sequence[Column]) -> pa.Schema:
        return release_columns(
            self.answers,
            votes=self.votes,
            predictions=self.predictions,
            losses=self.losses,
            whole_votes=self.whole_votes,
            trained=self.trained,
            maps=self.maps,
            ensemble=self.ensemble,
            estimates=self.estimates,
            own=own,
        )


def holdings_of(store: Store, runs: Runs) -> Holdings:
    """What a catalogue has, as `runs` made it."""
    predicted = None if runs.predict is None else store.run(runs.predict)
    estimated = None if runs.estimate is None else store.run(runs.estimate).config
    return Holdings(
        store.tree_or_none,
        votes=store.has_votes,
        predictions=predicted is not None,
        losses=runs.score is not None,
        whole_votes=votes_are_whole(store),
        trained=bool(store.complete_runs("train")),
        maps=runs.explain is not None,
        ensemble=predicted is not None and "models" in predicted.config,
        posteriors=has_posteriors(store, runs.predict),
        estimates=runs.estimates,
        estimated=estimated and {name: estimated[name] for name in ("output", "names", "target")},
        weights=None if runs.score is None else store.run(runs.score).config["weights"],
        own=tuple(column.said for column in own_columns(store)),
    )


def all_holdings(each: Sequence[Holdings]) -> Holdings:
    """What catalogues of the same tree, models and weights have together."""
    voted = [one for one in each if one.votes]
    own: dict[str, Column] = {}
    for column in (column for one in each for column in one.own):
        own.setdefault(column.name, column)
    return Holdings(
        next((one.tree for one in each if one.tree is not None), None),
        votes=bool(voted),
        predictions=any(one.predictions for one in each),
        losses=any(one.losses for one in each),
        whole_votes=bool(voted) and all(one.whole_votes for one in voted),
        trained=any(one.trained for one in each),
        maps=any(one.maps for one in each),
        ensemble=any(one.ensemble for one in each),
        posteriors=any(one.posteriors for one in each),
        estimates=next((one.estimates for one in each if one.estimates), ()),
        estimated=next((one.estimated for one in each if one.estimated), None),
        weights=next((one.weights for one in each if one.weights), None),
        own=tuple(own.values()),
    )
