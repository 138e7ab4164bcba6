"""Rows of a vote table that are refused, and contradictions that are told."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.made import vote_tables
from tests.made.vote_tables import FEW, decals, edit, kinds, whole, write
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.reading import read_vote_table


class TestRefusedRows:
    @pytest.mark.parametrize(
        ("column", "value", "kind"),
        [
            ("iauname", "", "missing identifier"),
            ("iauname", "../../etc/passwd", "unusable identifier"),
            ("iauname", "..", "unusable identifier"),
            ("iauname", "J\x1b[31m", "unusable identifier"),
            ("iauname", "J" * 101, "unusable identifier"),
            ("iauname", "J000000.19-014709.0", "duplicated identifier"),
            ("bar_weak", "many", "unreadable count"),
            ("bar_weak", "", "missing count"),
            ("bar_weak", "nan", "missing count"),
            ("bar_weak", "-1", "negative count"),
            ("bar_weak", "-inf", "negative count"),
            ("bar_weak", "1000001", "absurd count"),
            ("bar_weak", "1e400", "absurd count"),
            ("bar_weak", "inf", "absurd count"),
            ("bar_weak", "2.5", "fractional count"),
            ("bar_weak", "99", "count above its total"),
        ],
    )
    def test_each_kind(self, tmp_path: Path, column: str, value: str, kind: str) -> None:
        path = write(tmp_path / "v.csv", edit(decals(FEW), column, 1, value))
        table = read_vote_table(path)
        assert kinds(table) == [(2, kind)]
        assert table.names == [vote_tables.names(3)[0], vote_tables.names(3)[2]]
        assert table.rows.tolist() == [1, 3]
        np.testing.assert_array_equal(whole(table).counts, FEW[[0, 2]])
        assert table.rejects[0].source == str(path)
        if column == "bar_weak":
            assert "bar_weak" in table.rejects[0].reason
            assert table.rejects[0].key == vote_tables.names(3)[1]

    @pytest.mark.parametrize(
        ("ra", "dec", "good"),
        [
            (0, -90, True),
            (360, 90, True),
            ("", "", True),
            (-0.1, 0, False),
            (360.1, 0, False),
            (10, 90.1, False),
            (10, "", False),
            ("", 10, False),
            ("12:30:00", 10, False),
            ("inf", 10, False),
        ],
    )
    def test_positions(self, tmp_path: Path, ra: object, dec: object, good: bool) -> None:
        table = decals(FEW).append_column("ra", [[1.5, 2.5, 3.5]])
        table = table.append_column("dec", [[1.0, 2.0, 3.0]])
        table = edit(edit(table, "ra", 1, ra), "dec", 1, dec)
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert len(read.names) == (3 if good else 2)
        assert kinds(read) == ([] if good else [(2, "position out of range")])
        assert whole(read).ra[0] == 1.5
        assert whole(read).dec[-1] == 3.0

    def test_the_first_good_row_of_a_repeated_name_is_kept(self, tmp_path: Path) -> None:
        table = decals(FEW, called=["J1", "J1", "J1"])
        table = edit(table, "bar_weak", 0, "-1")
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert read.rows.tolist() == [2]
        assert kinds(read) == [(1, "negative count"), (3, "duplicated identifier")]
        assert "row 2" in read.rejects[1].reason

    def test_rows_are_numbered_past_ragged_and_blank_ones(self, tmp_path: Path) -> None:
        path = write(tmp_path / "v.csv", edit(decals(FEW), "bar_weak", 2, "-1"))
        lines = path.read_text().splitlines()
        lines[2:2] = ["", "J0,1,2", ""]
        path.write_text("\n".join(lines))
        read = read_vote_table(path)
        assert read.rows.tolist() == [1, 3]
        assert kinds(read) == [(2, "ragged row"), (4, "negative count")]

    def test_a_row_has_one_reason(self, tmp_path: Path) -> None:
        table = edit(edit(decals(FEW), "bar_weak", 0, "-1"), "bulge-size_none", 0, "x")
        assert len(read_vote_table(write(tmp_path / "v.csv", table)).rejects) == 1


class TestStatedTotalsAndFractions:
    def test_contradictions_are_reported_and_counts_kept(self, tmp_path: Path) -> None:
        table = edit(decals(FEW), "bar_weak_fraction", 0, 0.9)
        table = edit(table, "how-rounded_total-votes", 2, 500)
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert kinds(read) == [(1, "contradictory fraction"), (3, "contradictory total")]
        assert "bar_weak_fraction is '0.9' but counts give 1/3" in read.rejects[0].reason
        np.testing.assert_array_equal(whole(read).counts, FEW)

    @pytest.mark.parametrize(("off", "reported"), [(0.0009, False), (0.0011, True)])
    def test_fractions_are_compared_to_three_decimals(
        self, tmp_path: Path, off: float, reported: bool
    ) -> None:
        table = edit(decals(FEW), "bar_weak_fraction", 0, 1 / 3 + off)
        assert bool(read_vote_table(write(tmp_path / "v.csv", table)).rejects) == reported

    def test_a_fraction_of_nobody_is_a_contradiction(self, tmp_path: Path) -> None:
        counts = FEW.copy()
        counts[1] = 0
        for value, reported in [("", False), ("nan", False), (0, False), (0.5, True)]:
            table = edit(decals(counts), "bar_weak_fraction", 1, value)
            assert bool(read_vote_table(write(tmp_path / "v.csv", table)).rejects) == reported


class TestQuestionsNotAsked:
    def empty(self, table: pa.Table, start: str) -> pa.Table:
        for column in table.column_names:
            if column.startswith(start):
                table = edit(table, column, 1, "")
        return table

    def test_all_counts_missing_means_not_asked(self, tmp_path: Path) -> None:
        read = read_vote_table(write(tmp_path / "v.csv", self.empty(decals(FEW), "bar_")))
        assert read.rejects == []
        bar = [i for i, label in enumerate(read.tree.labels) if label.startswith("bar_")]
        assert whole(read).counts[1, bar].tolist() == [0, 0, 0]
        assert whole(read).totals[1, [q.name for q in read.tree.questions].index("bar")] == 0

    def test_unless_the_total_says_otherwise(self, tmp_path: Path) -> None:
        table = edit(self.empty(decals(FEW), "bar_"), "bar_total-votes", 1, 5)
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert kinds(read) == [(2, "missing count")]

    def test_a_question_without_columns_is_unasked(self, tmp_path: Path) -> None:
        table = decals(FEW, questions=["smooth-or-featured", "bar"])
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert "how-rounded" in read.layout.unasked
        assert np.flatnonzero(read.asked).tolist() == [0, 3]

    def test_a_question_with_some_columns_is_not_used(self, tmp_path: Path) -> None:
        table = decals(FEW).drop_columns(["bar_weak"])
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert kinds(read) == [(None, "missing column")]
        assert read.rejects[0].key == "bar"
        assert "bar_weak" in read.rejects[0].reason
        assert "bar" in read.layout.unasked
        assert whole(read).counts[:, get_tree("gzd5").answer_id("bar_no")].tolist() == [0, 0, 0]


@pytest.mark.parametrize("value", [999999, -99, -32768, 2147483647, 1e20, float(np.float32(1e20))])
def test_fill_values_are_missing_and_said(tmp_path: Path, value: float) -> None:
    table = decals(FEW, stated=False)
    for column in ("bar_strong", "bar_weak", "bar_no"):
        table = edit(table, column, 1, value)
    read = read_vote_table(write(tmp_path / "v.csv", table))
    bar = read.tree.slices[[q.name for q in read.tree.questions].index("bar")]
    expected = FEW.copy()
    expected[1, bar] = 0
    np.testing.assert_array_equal(whole(read).counts, expected)
    assert kinds(read) == [(None, "fill value")]
    assert read.rejects[0].key == "bar"
    assert "in 3 cells" in read.rejects[0].reason


def test_a_fill_value_in_one_count_refuses_the_row(tmp_path: Path) -> None:
    table = edit(decals(FEW, stated=False), "bar_weak", 1, 999999)
    read = read_vote_table(write(tmp_path / "v.csv", table))
    assert kinds(read) == [(None, "fill value"), (2, "missing count")]
    assert "999999" in read.rejects[1].reason


def test_fill_values_are_no_position(tmp_path: Path) -> None:
    table = decals(FEW).append_column("ra", [["-999", "1", "2"]])
    table = table.append_column("dec", [["-999", "1", "2"]])
    read = read_vote_table(write(tmp_path / "v.csv", table))
    assert np.isnan(whole(read).ra).tolist() == [True, False, False]
    assert kinds(read) == [(None, "fill value")]
