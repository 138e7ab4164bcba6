"""Columns that lost their hyphens are read as the tree's, and that is said."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.vote_tables import FEW, SUFFIXES, decals, kinds, whole, write
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.trees.published import TREE_NAMES, get_tree
from zoolens.catalog.votes.reading import read_vote_table
from zoolens.catalog.votes.spelling import respelt

HERE = Path("votes.csv")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("campaign", ["", "-dr5"])
@pytest.mark.slow
def test_all_votes_are_read_and_the_spelling_is_said(
    tmp_path: Path, suffix: str, campaign: str
) -> None:
    table = decals(FEW, campaign=campaign)
    fixed = table.rename_columns([name.replace("-", "_") for name in table.column_names])
    read = read_vote_table(write(tmp_path / f"v{suffix}", fixed))
    np.testing.assert_array_equal(whole(read).counts, FEW)
    assert read.layout.unasked == ()
    assert kinds(read) == [(None, "respelt column")]
    assert "read as smooth-or-featured" in read.rejects[0].reason


@pytest.mark.parametrize("name", TREE_NAMES)
def test_every_column_of_a_tree_is_known_again(name: str) -> None:
    tree = get_tree(name)
    wanted = [label for label in tree.labels if "-" in label]
    lost = [label.replace("-", "_") for label in wanted]
    assert list(respelt(HERE, lost, [tree]).values()) == wanted


def test_both_spellings_are_refused() -> None:
    with pytest.raises(TableRefused, match="both bulge_size_none and bulge-size_none"):
        respelt(HERE, ["bulge_size_none", "bulge-size_none"], [get_tree("gzd5")])


def test_other_columns_are_left_alone() -> None:
    assert respelt(HERE, ["iauname", "bar_yes", "bar_x_y", "ra"], [get_tree("gzd5")]) == {}


def test_capitals_are_respelt_too() -> None:
    columns = ["iauname", "BAR_STRONG", "Smooth-or-Featured_Smooth", "bar_no", "RA"]
    assert respelt(Path("t.csv"), columns, [get_tree("gzd5")]) == {
        "BAR_STRONG": "bar_strong",
        "Smooth-or-Featured_Smooth": "smooth-or-featured_smooth",
    }
