from pathlib import Path

from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.layouts import recognise
from zoolens.catalog.votes.reading import read_vote_table
from zoolens.catalog.votes.remarks import Unread, column_remarks, left_out

COLUMNS = ["iauname", "bar-dr5_strong", "bar-dr5_weak", "bar-dr5_no", "bar-dr5_old"]
COLUMNS += ["disk-edge-on-dr5_yes", *(f"bar-dr8_{a}" for a in ("strong", "weak", "no"))]


def test_what_is_left_out_is_said_with_its_votes() -> None:
    layout = recognise(Path("v.csv"), COLUMNS, tree="gzd5")
    found = left_out(layout)
    assert {of: len(names) for of, names in found.items()} == {
        "campaign dr8": 3,
        "incomplete disk-edge-on": 1,
        "unknown bar": 1,
    }
    unread = {of: Unread(1234, 7) for of in found}
    outside = dict.fromkeys((q.name for q in get_tree("gzd5").questions), 0)
    said = [remark.reason for remark in column_remarks(Path("v.csv"), layout, {}, unread, outside)]
    assert said == [
        "missing column: disk-edge-on_no; the question is not used: 1,234 votes of 7 galaxies "
        "left out",
        "unread column: bar-dr8_strong, bar-dr8_weak, bar-dr8_no, not of tree gzd5: 1,234 votes "
        "of 7 galaxies left out",
        "unknown column: bar-dr5_old: 1,234 votes of 7 galaxies left out; answers outside the "
        "tree count where a _fraction column stands beside them",
    ]


def test_votes_left_out_are_counted_of_good_rows(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    rows = [
        "J1,1,2,3,0,4,5,0,1",
        "J2,1,2,3,0,4,0,0,0",
        "J3,-1,2,3,0,4,9,9,9",
        "J4,1,1,1,,x,999999,,2",
    ]
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")
    table = read_vote_table(path, tree="gzd5")
    (told,) = [r.reason for r in table.rejects if r.reason.startswith("unread column")]
    assert told.endswith(": 8 votes of 2 galaxies left out")
    (told,) = [r.reason for r in table.rejects if r.reason.startswith("missing column")]
    assert told.endswith(": 8 votes of 2 galaxies left out")


def test_columns_that_share_a_beginning_are_answers_if_they_count(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(
        "iauname,bar_strong,bar_weak,bar_no,halo_yes,halo_no,mag_g,mag_r,flag_a,flag_b\n"
        "J1,1,2,3,4,5,17.5,18,0,0\nJ2,1,2,3,,1,18,16,0,0\n"
    )
    table = read_vote_table(path, tree="gzd5")
    (told,) = [r.reason for r in table.rejects if r.reason.startswith("unread column")]
    assert told == (
        "unread column: halo_yes, halo_no, not of tree gzd5: 10 votes of 2 galaxies left out"
    )
