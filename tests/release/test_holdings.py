"""What catalogues have, alone and together."""

from dataclasses import replace

from tests.made.catalogues import TOY
from zoolens.catalog.release.columns import release_columns
from zoolens.catalog.release.galaxies import Block
from zoolens.catalog.release.holdings import Holdings, all_holdings, holdings_of
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.store import Store

Z, MAG = Column("z", "DOUBLE", "redshift"), Column("mag", "DOUBLE", "magnitude")
BARE = Holdings(TOY, votes=False, predictions=True, losses=False, whole_votes=False)
FULL = Holdings(
    TOY, votes=True, predictions=True, losses=True, maps=True, posteriors=True, own=(Z, MAG)
)


def test_of_a_full_catalogue(store: Store, block: Block) -> None:
    held = holdings_of(store, block.runs)
    assert held == replace(FULL, own=(), weights=held.weights)
    assert held.weights is not None
    assert {*held.weights} == {*TOY.labels}
    assert held.columns.equals(release_columns(TOY, maps=True), check_metadata=True)


def test_what_one_has_all_have() -> None:
    other = replace(BARE, trained=True, own=(MAG,))
    both = all_holdings([other, FULL])
    assert both == replace(FULL, trained=True, own=(MAG, Z))
    assert all_holdings([FULL]) == FULL
    assert all_holdings([BARE]) == BARE


def test_votes_are_whole_if_all_are() -> None:
    weighted = replace(FULL, whole_votes=False)
    assert not all_holdings([FULL, weighted]).whole_votes
    assert all_holdings([FULL, BARE]).whole_votes  # without votes nothing is fractional


def test_own_columns_give_way_to_those_of_the_release() -> None:
    held = replace(FULL, own=(Z, Column("round_yes", "DOUBLE", "mine")))
    assert held.kept == [Z]
    assert held.nameless == ["round_yes"]
    assert held.columns.names.count("round_yes") == 1
