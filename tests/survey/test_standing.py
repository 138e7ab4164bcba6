"""How pieces stand before a job."""

from pathlib import Path

import pytest

from tests.made.catalogues import TOY, add_galaxies, blank, catalogue, random_counts
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.standing import standings, tree_of_all

pytestmark = pytest.mark.slow

OTHER = DecisionTree("other", (Question("shape", ("smooth", "disk")),))


def test_a_survey_has_one_tree(tmp_path: Path) -> None:
    voted = catalogue(tmp_path / "voted.duckdb", random_counts(3))
    bare = blank(tmp_path / "bare.duckdb")
    with Store.open(bare) as store:
        add_galaxies(store, 2)
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"no catalogue")
    found = standings([voted, damaged, bare, tmp_path / "missing.duckdb"])
    assert [(one.path, one.voted, one.galaxies, one.imaged) for one in found] == [
        (voted, True, 3, 0),
        (bare, False, 2, 0),
    ]
    assert tree_of_all(tmp_path, found) == TOY
    assert tree_of_all(tmp_path, found[1:]) is None
    other = catalogue(tmp_path / "other.duckdb", random_counts(3, OTHER), tree=OTHER)
    with pytest.raises(CatalogError, match=r"of tree toy, but .*/other of other; a survey has one"):
        tree_of_all(tmp_path, standings([voted, other]))
