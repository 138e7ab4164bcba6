import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.made import vote_tables
from tests.made.vote_tables import FEW, SUFFIXES, decals, edit, kinds, whole, write
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.checks import FILL_VALUES
from zoolens.catalog.votes.reading import read_vote_table


def matrices(answers: int, whole: bool) -> st.SearchStrategy[npt.NDArray[np.float64]]:
    elements = (
        st.integers(0, 1_000_000).filter(lambda n: n not in FILL_VALUES).map(float)
        if whole
        else st.floats(0, 1e6, allow_nan=False, allow_subnormal=False).filter(
            lambda n: n not in FILL_VALUES
        )
    )
    rows = st.integers(1, 5)
    return rows.flatmap(
        lambda n: hnp.arrays(np.float64, (n, answers), elements=elements, fill=st.just(0.0))
    )


class TestWhatGoesInComesOut:
    @pytest.mark.parametrize("suffix", SUFFIXES)
    @pytest.mark.parametrize("campaign", ["", "-dr5"])
    @settings(max_examples=15, deadline=None)
    @given(counts=matrices(34, whole=True))
    @pytest.mark.slow
    def test_decals_counts(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        suffix: str,
        campaign: str,
        counts: npt.NDArray[np.float64],
    ) -> None:
        path = tmp_path_factory.mktemp("votes") / f"votes{suffix}"
        table = read_vote_table(write(path, decals(counts, campaign=campaign)))
        assert table.names == vote_tables.names(len(counts))
        np.testing.assert_array_equal(whole(table).counts, counts)
        starts = [where.start for where in table.tree.slices]
        # sums of up to six numbers in another order
        np.testing.assert_allclose(
            whole(table).totals, np.add.reduceat(counts, starts, axis=1), 1e-15
        )
        assert table.rejects == []

    @pytest.mark.parametrize("suffix", SUFFIXES)
    @settings(max_examples=15, deadline=None)
    @given(counts=matrices(37, whole=False))
    @pytest.mark.slow
    def test_gz2_weighted_votes(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        suffix: str,
        counts: npt.NDArray[np.float64],
    ) -> None:
        path = write(
            tmp_path_factory.mktemp("votes") / f"votes{suffix}",
            vote_tables.gz2(counts, kind="weight"),
        )
        table = read_vote_table(path, tree="gz2", weighted=True)
        np.testing.assert_array_equal(whole(table).counts, counts)
        assert table.rejects == []

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_long_identifiers_keep_every_digit(self, tmp_path: Path, suffix: str) -> None:
        ids = [8647474690312307154, 8647474690312307155, 587722952230174996]
        table = decals(FEW).set_column(0, "objid", pa.array(ids, pa.int64()))
        read = read_vote_table(write(tmp_path / f"votes{suffix}", table), identifier="objid")
        assert read.names == [str(i) for i in ids]

    def test_identifiers_are_stripped_and_stay_text(self, tmp_path: Path) -> None:
        table = decals(FEW, called=[" J1 ", "0042", "20926878.0"])
        assert read_vote_table(write(tmp_path / "v.csv", table)).names == [
            "J1",
            "0042",
            "20926878.0",
        ]

    def test_a_byte_order_mark_and_windows_lines_do_no_harm(self, tmp_path: Path) -> None:
        path = write(tmp_path / "v.csv", decals(FEW))
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        np.testing.assert_array_equal(whole(read_vote_table(path)).counts, FEW)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.slow
def test_blocks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """Repeated, refused and contradictory rows on either side of where blocks end."""
    size = 60
    counts = np.random.default_rng(1).integers(0, 9, (size, 34))
    called = vote_tables.names(size)
    called[30:40] = called[:10]
    called[55] = called[54]
    table = decals(counts, called=called, stated=False)
    answers = [
        get_tree("gzd5").answer_id(f"how-rounded_{a}")
        for a in ("round", "in-between", "cigar-shaped")
    ]
    rounded = counts[:, answers].sum(axis=1)
    for name, values in {
        "how-rounded_total-votes": rounded + 5 * (np.arange(size) % 15 == 5),
        "bar_odd": np.arange(size) % 3,  # an answer that the tree does not have
        "bar_odd_fraction": np.full(size, ""),
        "file_loc": [f"{n}.png" for n in called],
    }.items():
        table = table.append_column(name, [values])
    for row in (3, 33, 50):
        table = edit(table, "bar_weak", row, "-1")
    path = write(tmp_path / f"v{suffix}", table)
    if suffix == ".csv":
        lines = path.read_text().splitlines()
        lines[9:9], lines[40:40] = ["J0,1", ""], ["", "J0,1,2"]
        path.write_text("\n".join(lines))
    once = read_vote_table(path)
    found = {kind for _, kind in kinds(once)} - {"ragged row"}
    assert found == {
        "answers outside the tree",
        "contradictory total",
        "duplicated identifier",
        "negative count",
    }
    assert len([*once.blocks()]) == 1
    monkeypatch.setattr("zoolens.catalog.formats.reading._ROWS", 7)
    monkeypatch.setattr("zoolens.catalog.formats.csv._BYTES", 1_500)
    parts = read_vote_table(path)
    assert len([*parts.blocks()]) > 5
    assert parts.rejects == once.rejects
    assert (parts.names, parts.files, len(parts)) == (once.names, once.files, len(once))
    for name in ("rows", "ra", "dec", "counts", "totals"):
        np.testing.assert_array_equal(getattr(whole(parts), name), getattr(whole(once), name))


def test_a_table_that_stands_twice_in_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole blocks of nothing but repeated rows."""
    monkeypatch.setattr("zoolens.catalog.formats.reading._ROWS", 3)
    counts = np.random.default_rng(2).integers(0, 9, (9, 34))
    once = decals(counts)
    read = read_vote_table(write(tmp_path / "v.parquet", pa.concat_tables([once, once])))
    assert read.rows.tolist() == [*range(1, 10)]
    assert kinds(read) == [(row, "duplicated identifier") for row in range(10, 19)]
    np.testing.assert_array_equal(whole(read).counts, counts)


class TestAnswersOutsideTheTree:
    def table(self, foreign: list[object]) -> pa.Table:
        table = decals(FEW, stated=False)
        table = table.append_column("merging_neither-v1", [foreign])
        return table.append_column("merging_neither-v1_fraction", [[None, None, None]])

    def test_they_count_in_the_total_and_are_reported_once(self, tmp_path: Path) -> None:
        read = read_vote_table(write(tmp_path / "v.csv", self.table([10.0, 0.0, 20.0])))
        merging = read.tree.slices[-1]
        own = FEW[:, merging].sum(axis=1)
        np.testing.assert_array_equal(whole(read).totals[:, -1], [own[0] + 10, own[1], own[2] + 20])
        outside = [r for r in read.rejects if r.row is None]
        assert [r.key for r in outside] == ["merging"]
        assert "merging_neither-v1 have votes of 2 galaxies" in outside[0].reason

    def test_without_votes_they_are_no_matter(self, tmp_path: Path) -> None:
        read = read_vote_table(write(tmp_path / "v.csv", self.table([0.0, 0.0, 0.0])))
        assert [r for r in read.rejects if r.row is None] == []

    def test_merged_tables_leave_either_group_empty(self, tmp_path: Path) -> None:
        table = self.table([None, 5.0, 5.0])
        for answer in ("none", "minor-disturbance", "major-disturbance", "merger"):
            table = edit(table, f"merging_{answer}", 1, "")
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert len(read.names) == 3
        merging = read.tree.slices[-1]
        assert whole(read).counts[1, merging].tolist() == [0, 0, 0, 0]
        assert whole(read).totals[1, -1] == 5
        assert whole(read).totals[0, -1] == FEW[0, merging].sum()

    def test_they_are_checked_like_others(self, tmp_path: Path) -> None:
        read = read_vote_table(write(tmp_path / "v.csv", self.table([-1.0, 0.0, 0.0])))
        assert (1, "negative count") in kinds(read)


class TestRefusedTables:
    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("v.doc", b"iauname,a\n", ".csv"),
            ("v.csv", b"", "empty"),
            ("v.csv", b"\n\n", "empty"),
            ("v.csv", b"iauname,ra,dec\n", "smooth-or-featured_smooth"),
            ("v.csv", b"<!DOCTYPE html>\n<html><body>a, b</body></html>\n", "looked for"),
            ("v.csv", "iauname,bar_no\nJ1,1\n".encode("utf-16"), "UTF-8"),
            ("v.csv", b"\x89PNG\r\n\x1a\n\0\0\0", "read as a table"),
            ("v.csv", b"a,a\n1,2\n", "two columns named 'a'"),
            ("v.csv.gz", b"iauname,a\n", "gzip"),
            (
                "v.csv.gz",
                gzip.compress(b"iauname,bar_strong,bar_weak,bar_no\n" * 999, mtime=0)[:-9],
                "ended before",
            ),
            ("v.parquet", b"PAR1PAR1", "read as a table"),
            ("v.fits", b"SIMPLE  =                    T", "read as a table"),
        ],
    )
    def test_says_what_is_wrong(
        self, tmp_path: Path, name: str, content: bytes, words: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TableRefused, match=words) as refused:
            read_vote_table(tmp_path / name)
        assert str(tmp_path / name) in str(refused.value)
        assert "\n" not in str(refused.value)

    def test_a_header_without_rows(self, tmp_path: Path) -> None:
        path = write(tmp_path / "v.csv", decals(FEW[:0]))
        with pytest.raises(TableRefused, match="no row"):
            read_vote_table(path)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_a_file_cut_short(self, tmp_path: Path, suffix: str) -> None:
        random = np.random.default_rng(0).integers(0, 40, (300, 34))
        path = write(tmp_path / f"v{suffix}", decals(random, stated=False))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        if suffix == ".csv":  # whole but for its last row, as far as anyone can tell
            read = read_vote_table(path)
            assert 0 < len(read.names) < 300
            return
        with pytest.raises(TableRefused):
            read_vote_table(path)

    def test_a_folder_or_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "v.csv").mkdir()
        for name, words in (("v.csv", "nor a folder of Parquet files"), ("w.csv", "no table")):
            with pytest.raises(TableRefused, match=words):
                read_vote_table(tmp_path / name)

    def test_no_identifier(self, tmp_path: Path) -> None:
        path = write(tmp_path / "v.csv", decals(FEW).rename_columns({"iauname": "iau-name"}))
        with pytest.raises(TableRefused, match="'iauname'; name one with --id; nearest: iau-name"):
            read_vote_table(path)

    def test_the_one_identifier_of_the_field_is_found(self, tmp_path: Path) -> None:
        table = decals(FEW).rename_columns({"iauname": "OBJID"})
        read = read_vote_table(write(tmp_path / "v.csv", table))
        assert (read.layout.identifier, read.names) == ("OBJID", vote_tables.names(3))

    def test_of_several_identifiers_one_has_to_be_named(self, tmp_path: Path) -> None:
        table = decals(FEW).rename_columns({"iauname": "object_id"})
        table = table.append_column("dr8_id", pa.array(["a_1", "b_2", "c_3"]))
        path = write(tmp_path / "v.csv", table)
        with pytest.raises(TableRefused, match="name the galaxy: object_id, dr8_id; choose one"):
            read_vote_table(path)
        assert read_vote_table(path, identifier="dr8_id").names == ["a_1", "b_2", "c_3"]

    def test_identifiers_of_two_columns_are_joined(self, tmp_path: Path) -> None:
        """As Euclid's objects are told apart: 18 digits stay exact, with their sign."""
        objects = [-517660423278124013, 2667893651516340117, 2667893651516340118]
        table = decals(FEW).drop_columns("iauname")
        table = table.append_column("object_id", pa.array(objects))
        table = table.append_column("tile_index", pa.array([102018211, 102018211, 102018212]))
        path = write(tmp_path / "v.parquet", table)
        read = read_vote_table(path, identifier="tile_index,object_id")
        assert read.names[0] == "102018211_-517660423278124013"
        with pytest.raises(TableRefused, match="no identifier column 'tile'"):
            read_vote_table(path, identifier="tile,object_id")

    @pytest.mark.parametrize("suffix", [".parquet", ".fits"])
    def test_floating_point_identifiers(self, tmp_path: Path, suffix: str) -> None:
        table = decals(FEW).set_column(0, "objid", pa.array([1e18, 2e18, 3e18]))
        path = write(tmp_path / f"v{suffix}", table)
        with pytest.raises(TableRefused, match="floating point"):
            read_vote_table(path, identifier="objid")


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300), suffix=st.sampled_from(SUFFIXES))
@pytest.mark.slow
def test_no_bytes_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("odd") / f"v{suffix}"
    path.write_bytes(content)
    with pytest.raises(TableRefused):
        read_vote_table(path)


class TestRealTables:
    def test_gzd5_fractions_are_the_tables_own(self, data: Path) -> None:
        read = read_vote_table(data / "gzd5_votes.csv")
        assert (read.tree.name, len(read.names)) == ("gzd5", 1088)
        assert kinds(read) == [(None, "answers outside the tree")]
        own = pd.read_csv(data / "gzd5_votes.csv")
        for a, label in enumerate(read.tree.labels):
            total = whole(read).totals[:, read.tree.question_of[a]]
            fraction = np.divide(
                whole(read).counts[:, a], total, out=np.zeros(1088), where=total > 0
            )
            np.testing.assert_allclose(fraction, own[f"{label}_fraction"], rtol=0, atol=1e-9)

    def test_smooth_table_has_one_question_and_repeats(self, data: Path) -> None:
        read = read_vote_table(data / "gzd_smooth_votes.csv", tree="gzd5")
        assert len(read.names) == 5924 - 42
        assert len(read.rejects) == 42
        assert {kind for _, kind in kinds(read)} == {"duplicated identifier"}
        assert len(read.layout.unasked) == 9

    @pytest.mark.parametrize(("weighted", "kind"), [(False, "count"), (True, "weight")])
    @pytest.mark.slow
    def test_gz2_counts_by_hand_made_names(self, data: Path, weighted: bool, kind: str) -> None:
        read = read_vote_table(
            data / "gz2_stripe82_votes.csv.gz", identifier="objid", weighted=weighted
        )
        own = pd.read_csv(data / "gz2_stripe82_votes.csv.gz", dtype={"objid": str})
        assert read.tree.name == "gz2"
        assert read.names == own["objid"].tolist()
        for column, label in vote_tables.GZ2.items():
            counted = whole(read).counts[:, read.tree.answer_id(label)]
            np.testing.assert_array_equal(counted, own[f"{column}_{kind}"])
        # its fractions are of weighted votes: nothing that the counts could contradict
        assert kinds(read) == []


def test_a_table_without_a_good_row_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("iauname,bar_strong,bar_weak,bar_no\nJ1,-1,0,0\nJ2,x,0,0\n")
    with pytest.raises(TableRefused, match=r"every one of its 2 rows is refused; row 1, .*bar"):
        read_vote_table(path, tree="gzd5")


def test_columns_that_might_be_answers_are_named(tmp_path: Path) -> None:
    """Or their votes would be missing from the fractions without a word."""
    path = tmp_path / "v.csv"
    path.write_text(
        "iauname,bar_strong,bar_weak,bar_no,bar_old-v1,bar_prediction-conf\nJ1,1,2,3,9,0.5\n"
    )
    table = read_vote_table(path, tree="gzd5")
    (told,) = [reject for reject in table.rejects if reject.reason.startswith("unknown column")]
    assert told.key == "bar"
    assert "bar_old-v1: 9 votes of 1 galaxies left out;" in told.reason
