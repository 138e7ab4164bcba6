"""Tables of galaxies without votes, and names of images."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.vote_tables import FEW, decals, write
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.votes.galaxy_list import is_galaxy_list, read_galaxy_list, unusable_names


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("columns", "listed"),
    [
        ("iauname", True),
        ("iauname,ra,dec,file_loc,redshift,bar_length", True),
        ("dr7objid,RA,DEC", True),
        ("ra,dec", False),  # nothing names the galaxy: said as of a table of votes
        ("iauname,smooth-or-featured_smooth", False),
        ("iauname,smooth_or_featured_smooth", False),
        ("iauname,smooth-or-featured-dr8_smooth", False),
        ("iauname,bar-euclid_strong", False),
        ("iauname,smooth-or-featured_total-votes", False),
        ("iauname,t01_smooth_or_features_a01_smooth_count", False),
        ("iauname,smooth-or-featured_smooth_fraction", True),  # predictions, or no counts
        ("iauname,smooth-or-featured-dr5_smooth_pred", True),
        ("iauname,smooth-or-featured_smooth_concentration,smooth-or-featured_nll", True),
    ],
)
def test_a_list_has_names_and_no_votes(tmp_path: Path, columns: str, listed: bool) -> None:
    assert is_galaxy_list(table(tmp_path / "t.csv", f"{columns}\n")) is listed


def test_a_table_of_votes_is_none(tmp_path: Path) -> None:
    assert not is_galaxy_list(write(tmp_path / "votes.csv", decals(FEW)))
    candels = "ID,t00_smooth_or_featured_a0_smooth_frac,t00_smooth_or_featured_count\n"
    assert not is_galaxy_list(table(tmp_path / "candels.csv", candels))


def test_votes_of_a_tree_of_ones_own_are_votes(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "iauname,glow_yes,glow_no\n")
    mine = DecisionTree("mine", (Question("glow", ("yes", "no")),))
    assert is_galaxy_list(path)
    assert not is_galaxy_list(path, trees=[mine])


def test_rows_are_checked_as_those_of_votes_are(tmp_path: Path) -> None:
    path = table(
        tmp_path / "t.csv",
        "iauname,ra,dec,file_loc,bar_no_fraction\n"
        "A,1,2,a.png,0.5\nB,,,,\nC,361,0,c.png,\nA,1,2,,\n,1,1,,\nD,3,4,d.png\nE,359.5,-90,,1\n",
    )
    galaxies = read_galaxy_list(path)
    (block,) = galaxies.blocks()
    assert galaxies.names == block.names == ["A", "B", "E"]
    assert galaxies.rows.tolist() == block.rows.tolist() == [1, 2, 7]
    assert galaxies.files == ["a.png", None, None]
    assert np.array_equal(block.ra, [1, np.nan, 359.5], equal_nan=True)
    assert np.array_equal(block.dec, [2, np.nan, -90], equal_nan=True)
    assert galaxies.unread == ("bar_no_fraction",)
    assert [(reject.row, reject.reason.split(":")[0]) for reject in galaxies.rejects] == [
        (3, "position out of range"),
        (4, "duplicated identifier"),
        (5, "missing identifier"),
        (6, "ragged row"),
    ]


def test_what_is_no_list_at_all_is_refused_in_one_line(tmp_path: Path) -> None:
    through_floats = [str(587722981741363200 + 128 * i) for i in range(8)]
    for text, said in (
        ("iauname\n", "a header but no row"),
        ("iauname\n\n/\n", "every one of its"),
        ("iauname\n1.237e18\n1.238e18\n", "floating point"),
        ("\n".join(["iauname", *through_floats]), "floating point"),
        ("id_str,dr8_id\n1,2\n", "choose one with --id"),
    ):
        with pytest.raises(TableRefused, match=said):
            read_galaxy_list(table(tmp_path / "t.csv", text))
    galaxies = read_galaxy_list(
        table(tmp_path / "t.csv", "id_str,dr8_id\n1,2\n"), identifier="dr8_id"
    )
    assert galaxies.names == ["2"]


def test_file_names_are_checked_as_identifiers_are(tmp_path: Path) -> None:
    names = ["J000001.85+004309.3", "a\x07b", "x" * 101, "..", "ok"]
    reasons = unusable_names(tmp_path, names)
    assert {*reasons} == {1, 2, 3}
    assert all(reason.startswith("unusable identifier") for reason in reasons.values())
    with pytest.raises(TableRefused, match="floating point"):
        unusable_names(tmp_path, ["1.2e18", "1.3e18"])
