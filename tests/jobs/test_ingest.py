import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.made.catalogues import blank, random_counts
from tests.made.images import folder, picture, tar
from tests.made.vote_tables import decals, edit, names, write
from zoolens.catalog.errors import CatalogBusy, CatalogError, TableRefused
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.ingest import ingest
from zoolens.jobs.reports import IngestReport
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

TREE = get_tree("gzd5")
COUNTS = np.random.default_rng(0).integers(0, 40, (6, 34)).astype(float)


@pytest.fixture
def gz(tmp_path: Path) -> Path:
    return blank(tmp_path / "gz.duckdb")


def rows(catalog: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(catalog, read_only=True) as store:
        return list(store.arrow(sql).to_pylist())


def contents(catalog: Path, *views: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of public views, in order."""
    with Store.open(catalog, read_only=True) as store:
        return {
            view: store.arrow(f"SELECT * FROM {view} ORDER BY ALL").to_pylist() for view in views
        }


def counts_shown(catalog: Path) -> dict[str, npt.NDArray[np.float64]]:
    """The view `votes` as counts in tree order, by name."""
    with Store.open(catalog, read_only=True) as store:
        votes = store.arrow(
            "SELECT iauname, count FROM votes JOIN answers USING (label) "
            "ORDER BY iauname, answer_id"
        )
    table: dict[str, npt.NDArray[np.float64]] = {}
    for name, part in votes.to_pandas().groupby("iauname"):
        table[str(name)] = part["count"].to_numpy()
    return table


def refused(catalog: Path) -> list[tuple[int | None, str | None, str]]:
    return [
        (row["row"], row["key"], row["reason"].split(":")[0])
        for row in rows(catalog, 'SELECT "row", key, reason FROM rejects ORDER BY "row", key')
    ]


class Killed(BaseException):
    """Stands for the end of a process."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, write_number: float) -> Iterator[list[str]]:
    """End the process, as it were, at a certain one of its writes, whose methods are yielded."""
    done: list[str] = []

    def dying(method: Any) -> Any:
        def write(*args: Any, **kwargs: Any) -> Any:
            done.append(method.__name__)
            if len(done) > write_number:
                raise Killed
            return method(*args, **kwargs)

        return write

    with monkeypatch.context() as patch:
        for name in ("commit", "execute", "finish", "begin", "set_tree"):
            patch.setattr(Store, name, dying(getattr(Store, name)))
        yield done


def test_what_a_second_table_replaces_is_said(tmp_path: Path, gz: Path) -> None:
    counts = np.tile(np.arange(1.0, 35.0), (3, 1))
    first = ingest(gz, write(tmp_path / "first.csv", decals(counts)))
    assert first.replaced == ()
    counts[0, 0] += 19
    second = write(tmp_path / "second.csv", decals(counts))
    report = ingest(gz, second)
    origin = str((tmp_path / "first.csv").resolve())
    assert [tuple(found) for found in report.replaced] == [("votes", 1, origin)]
    assert f"replaced: votes of 1 galaxy, from {origin}" in report.notes
    again = ingest(gz, second)
    assert not again.changed
    assert again.replaced == report.replaced
    assert "new" not in again.summary


class TestRealData:
    def test_gzd5_with_images(self, data: Path, gz: Path) -> None:
        report = ingest(gz, data / "gzd5_votes.csv", images=data / "images")
        assert (report.tree, report.galaxies, report.new_galaxies) == ("gzd5", 1088, 1088)
        assert (report.votes, report.images) == (1088 * 34, 14)
        assert report.rejects == {
            "votes without image": 1074,
            "image without votes": 86,
            "answers outside the tree": 1,
        }
        assert report.notes[0].endswith("gzd8 and desi ask what gzd5 asks")
        assert "merging" in report.notes[1]
        own = pd.read_csv(data / "gzd5_votes.csv").set_index("iauname")
        shown = pd.DataFrame(rows(gz, "SELECT * FROM votes")).set_index("iauname")
        assert len(shown) == 1088 * 34
        for label, part in shown.groupby("label"):
            asked = part[part["total"] > 0]
            if str(label).startswith("merging_"):  # the table asked it with older answers
                assert len(asked) > 0
                assert asked["fraction"].isna().all()
                continue
            difference = asked["fraction"] - own.loc[asked.index, f"{label}_fraction"]
            assert difference.abs().max() < 1e-9
            assert part.loc[part["total"] == 0, "fraction"].isna().all()
        for galaxy in rows(gz, "SELECT * FROM galaxies WHERE image IS NOT NULL"):
            content = Path(galaxy["image"]).read_bytes()
            assert Path(galaxy["image"]).stem == galaxy["iauname"]
            assert hashlib.sha256(content).hexdigest() == galaxy["image_sha256"]
            assert (galaxy["image_height"], galaxy["image_width"]) == (424, 424)
        positions = pd.DataFrame(rows(gz, "SELECT * FROM galaxies")).set_index("iauname")
        assert np.array_equal(positions["ra"], own.loc[positions.index, "ra"])
        assert verify(gz).errors == 0

    def test_gz2_and_smooth(self, data: Path, gz: Path) -> None:
        votes = data / "gz2_stripe82_votes.csv.gz"
        report = ingest(gz, votes, tree="gz2", id_column="objid")
        assert (report.galaxies, report.votes) == (14824, 14824 * 37)
        assert report.rejects == {}
        weighted = ingest(gz, votes, tree="gz2", id_column="objid", weighted=True)
        assert (weighted.galaxies, weighted.new_galaxies) == (14824, 0)
        assert weighted.votes == 0  # this table's weights are its counts
        smooth = ingest(gz, data / "gzd_smooth_votes.csv")
        assert (smooth.tree, smooth.new_galaxies) == ("gz2", 5882)
        assert len(smooth.unasked) == 10
        with pytest.raises(CatalogError, match="is of tree gz2, not gzd5"):
            ingest(gz, data / "gzd5_votes.csv")

    def test_cutouts(self, data: Path, gz: Path, tmp_path: Path) -> None:
        images = folder(tmp_path / "images", {})
        cutouts = ("example_a", "example_bad_pix", "example_incomplete")
        for name, file in zip(names(3), cutouts, strict=True):
            (images / f"{name}.fits").symlink_to(data / "fits" / f"{file}.fits")
        votes = write(tmp_path / "v.csv", decals(COUNTS[:3]))
        report = ingest(gz, votes, images=images)
        assert report.images == 1
        assert report.rejects == {"bad pixels": 1, "truncated image": 1}
        (galaxy,) = rows(gz, "SELECT * FROM galaxies WHERE image IS NOT NULL")
        assert (galaxy["iauname"], galaxy["image_format"]) == (names(1)[0], "FITS")


class TestAgain:
    def test_the_same_changes_nothing(self, gz: Path, tmp_path: Path) -> None:
        votes = write(tmp_path / "v.csv", decals(COUNTS))
        images = folder(tmp_path / "images", {f"{names(1)[0]}.png": picture()})
        first = ingest(gz, votes, images=images)
        before = gz.read_bytes()
        second = ingest(gz, votes, images=images)
        assert second == IngestReport(**{**vars(first), "changed": False})
        assert gz.read_bytes() == before

    def test_only_images_that_differ_are_replaced(self, gz: Path, tmp_path: Path) -> None:
        pictures = {f"{n}.png": picture(i) for i, n in enumerate(names(3))}
        ingest(
            gz, write(tmp_path / "a.csv", decals(COUNTS)), images=folder(tmp_path / "a", pictures)
        )
        pictures[f"{names(1)[0]}.png"] = picture(9)
        votes = write(tmp_path / "b.csv", decals(COUNTS + 1))
        report = ingest(gz, votes, images=folder(tmp_path / "b", pictures))
        said = [note for note in report.notes if note.startswith("replaced: images")]
        assert said == [f"replaced: images of 1 galaxy, from {(tmp_path / 'a').resolve()}"]
        again = ingest(gz, votes, images=tmp_path / "b")
        assert not again.changed
        assert [note for note in again.notes if note.startswith("replaced")] == []

    def test_new_images_for_the_same_votes(self, gz: Path, tmp_path: Path) -> None:
        votes = write(tmp_path / "v.csv", decals(COUNTS))
        first = folder(tmp_path / "first", {f"{names(2)[0]}.png": picture(0)})
        both = folder(tmp_path / "both", {f"{n}.png": picture(1) for n in names(2)})
        ingest(gz, votes, images=first)
        report = ingest(gz, votes, images=both)
        assert (report.new_galaxies, report.votes, report.images) == (0, 0, 2)
        images = [r["image"] for r in rows(gz, "SELECT image FROM galaxies ORDER BY galaxy_id")]
        assert images == [str(both / f"{n}.png") for n in names(2)] + [None] * 4
        assert verify(gz).errors == 0

    def test_only_the_questions_of_the_table_are_replaced(self, gz: Path, tmp_path: Path) -> None:
        ingest(gz, write(tmp_path / "a.csv", decals(COUNTS)))
        later = COUNTS + 1
        part = decals(later[2:4], called=names(6)[2:4], questions=["bar", "merging"])
        report = ingest(gz, write(tmp_path / "b.csv", part))
        assert (report.new_galaxies, report.votes) == (0, 2 * (3 + 4))
        expected = COUNTS.copy()
        for question, where in zip(TREE.questions, TREE.slices, strict=True):
            if question.name in ("bar", "merging"):
                expected[2:4, where] = later[2:4, where]
        shown = counts_shown(gz)
        np.testing.assert_array_equal(np.stack([shown[n] for n in names(6)]), expected)
        assert verify(gz).errors == 0

    def test_the_last_one_stands_even_if_it_came_before(self, gz: Path, tmp_path: Path) -> None:
        a = write(tmp_path / "a.csv", decals(COUNTS))
        b = write(tmp_path / "b.csv", decals(COUNTS + 1))
        for votes, expected in ((a, COUNTS), (b, COUNTS + 1), (a, COUNTS), (b, COUNTS + 1)):
            assert ingest(gz, votes).changed
            assert not ingest(gz, votes).changed
            shown = counts_shown(gz)
            np.testing.assert_array_equal(np.stack([shown[n] for n in names(6)]), expected)
        assert verify(gz).errors == 0

    def test_positions_are_filled_in_and_contradictions_told(
        self, gz: Path, tmp_path: Path
    ) -> None:
        def placed(ra: list[float | None]) -> pa.Table:
            table = decals(COUNTS[:3]).append_column("ra", [ra])
            return table.append_column("dec", [[None if x is None else 60.0 for x in ra]])

        ingest(gz, write(tmp_path / "a.csv", placed([1.0, None, 3.0])))
        report = ingest(gz, write(tmp_path / "b.csv", placed([1.0001, 2.0, 3.01])))
        # 0.36 and 36 arcsec of right ascension, at declination 60
        assert report.rejects == {"contradictory position": 1}
        (told,) = rows(gz, "SELECT * FROM rejects")
        assert told["row"] == 3
        assert "18.0 arcsec" in told["reason"]
        shown = rows(gz, "SELECT ra, dec FROM galaxies ORDER BY galaxy_id")
        assert [r["ra"] for r in shown] == [1.0, 2.0, 3.0]
        assert [r["dec"] for r in shown] == [60.0] * 3


class TestImages:
    def test_each_refusal_is_a_row_and_the_rest_goes_on(self, gz: Path, tmp_path: Path) -> None:
        called = names(6)
        images = folder(
            tmp_path / "images",
            {
                f"{called[0]}.png": picture(0),
                f"J000/{called[0]}.png": picture(0),
                f"{called[1]}.png": picture(1)[:-30],
                f"{called[2]}.png": b"",
                f"{called[3]}.jpg": picture(3, "JPEG"),
                "J999999.99+999999.9.png": picture(4),
                "notes.txt": b"",
            },
        )
        votes = write(tmp_path / "v.csv", edit(decals(COUNTS), "bar_weak", 5, "-1"))
        report = ingest(gz, votes, images=images)
        assert report.images == 2
        assert refused(gz) == [
            (5, called[4], "votes without image"),
            (6, called[5], "negative count"),
            (None, called[0], "second image"),
            (None, called[1], "truncated image"),
            (None, called[2], "unreadable image"),
            (None, "J999999.99+999999.9", "image without votes"),
            (None, "notes.txt", "not an image"),
        ]
        assert sum(report.rejects.values()) == 7
        assert verify(gz, images=True).errors == 0

    def test_images_of_galaxies_known_before(self, gz: Path, tmp_path: Path) -> None:
        ingest(gz, write(tmp_path / "a.csv", decals(COUNTS[:3])))
        images = folder(tmp_path / "images", {f"{n}.png": picture(7) for n in names(6)[2:]})
        later = decals(COUNTS[3:], called=names(6)[3:])
        report = ingest(gz, write(tmp_path / "b.csv", later), images=images)
        assert report.images == 4
        assert report.rejects == {}
        again = folder(tmp_path / "again", {f"{names(6)[3]}.png": picture(8)})
        report = ingest(gz, tmp_path / "b.csv", images=again)
        assert report.images == 1
        assert report.rejects == {}  # the others have their images already

    @pytest.mark.parametrize("kind", ["folder", "tar", "parquet", "file_loc"])
    def test_every_source_gives_the_same_images(self, gz: Path, tmp_path: Path, kind: str) -> None:
        called = names(6)
        contents = {f"{n}.png": picture(i) for i, n in enumerate(called)}
        table, images = decals(COUNTS), None
        if kind == "folder":
            images = folder(tmp_path / "images", contents)
        elif kind == "tar":
            images = tar(tmp_path / "images.tar", contents)
        elif kind == "parquet":
            images = tmp_path / "images.parquet"
            cells = [{"bytes": data, "path": name} for name, data in contents.items()]
            parquet.write_table(pa.table({"image": cells}), images)
        else:
            folder(tmp_path / "images", contents)
            table = table.append_column("file_loc", [[f"images/{n}.png" for n in called]])
        report = ingest(gz, write(tmp_path / "v.csv", table), images=images)
        assert (report.images, report.rejects) == (6, {})
        shown = rows(gz, "SELECT iauname, image_sha256 FROM galaxies ORDER BY galaxy_id")
        assert [(r["iauname"], r["image_sha256"]) for r in shown] == [
            (n, hashlib.sha256(picture(i)).hexdigest()) for i, n in enumerate(called)
        ]

    def test_stated_files_that_are_not_there(self, gz: Path, tmp_path: Path) -> None:
        table = decals(COUNTS[:2]).append_column("file_loc", [["gone.png", None]])
        report = ingest(gz, write(tmp_path / "v.csv", table))
        assert report.rejects == {"missing image": 1, "votes without image": 1}

    def test_more_images_than_a_shard(
        self, gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("zoolens.jobs.ingest.IMAGES_A_SHARD", 2)
        images = folder(tmp_path / "i", {f"{n}.png": picture(i) for i, n in enumerate(names(5))})
        ingest(gz, write(tmp_path / "v.csv", decals(COUNTS)), images=images)
        shards = [r["name"] for r in rows(gz, "SELECT name FROM shard ORDER BY name")]
        assert shards == [
            "images-000000",
            "images-000001",
            "images-000002",
            "listing",
            "refused",
            "votes-000000",
        ]
        assert rows(gz, "SELECT count(image) AS n FROM galaxies") == [{"n": 5}]


class TestNothingHalfWritten:
    def test_a_refused_table_makes_no_catalogue(self, tmp_path: Path) -> None:
        (tmp_path / "v.csv").write_text("iauname,bar_no\nJ1,2\n")
        votes = write(tmp_path / "good.csv", decals(COUNTS))
        with pytest.raises(TableRefused):
            ingest(tmp_path / "gz.duckdb", tmp_path / "v.csv")
        with pytest.raises(CatalogError, match="no source of images"):
            ingest(tmp_path / "gz.duckdb", votes, images=tmp_path / "absent")
        assert not (tmp_path / "gz.duckdb").exists()

    def test_another_process_holds_it(self, gz: Path, tmp_path: Path) -> None:
        import subprocess
        import sys

        script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", script, str(gz)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            with pytest.raises(CatalogBusy):
                ingest(gz, tmp_path / "never-read.csv")
            other.communicate()

    def test_killed_at_every_kind_of_write_then_resumed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("zoolens.jobs.ingest.IMAGES_A_SHARD", 2)
        images = folder(tmp_path / "i", {f"{n}.png": picture(i) for i, n in enumerate(names(5))})
        votes = write(tmp_path / "v.csv", edit(decals(COUNTS), "bar_weak", 5, "-1"))
        whole = blank(tmp_path / "whole.duckdb")
        with killed_at(monkeypatch, np.inf) as writes:
            report = ingest(whole, votes, images=images)
        expected = contents(whole, "galaxies", "votes", "rejects", "answers")
        # every commit, and every third of the many statements before, between and after them
        kills = [n for n, method in enumerate(writes) if method != "execute" or n % 3 == 0]
        assert len(kills) > 12
        for kill in kills:
            gz = blank(tmp_path / "gz.duckdb")
            with killed_at(monkeypatch, kill), pytest.raises(Killed):
                ingest(gz, votes, images=images)
            assert contents(gz, "galaxies", "votes") == {"galaxies": [], "votes": []}
            assert ingest(gz, votes, images=images) == report
            assert contents(gz, *expected) == expected
            assert verify(gz).errors == 0

    @pytest.mark.parametrize("writes", [2, 9, 10, 12, 15])
    def test_another_ingest_clears_an_abandoned_one_away(
        self, gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
    ) -> None:
        images = folder(tmp_path / "i", {f"{n}.png": picture(i) for i, n in enumerate(names(5))})
        votes = write(tmp_path / "v.csv", decals(COUNTS))
        with killed_at(monkeypatch, writes), pytest.raises(Killed):
            ingest(gz, votes, images=images)
        other = decals(COUNTS[:4, :30], tree="gzd12", called=names(6)[2:])
        report = ingest(gz, write(tmp_path / "w.csv", other))
        assert (report.tree, report.new_galaxies) == ("gzd12", 4)
        assert sorted(counts_shown(gz)) == sorted(names(6)[2:])
        assert rows(gz, "SELECT count(*) AS n FROM run") == [{"n": 1}]
        assert rows(gz, "SELECT count(*) AS n FROM image") == [{"n": 0}]
        assert verify(gz).errors == 0


QUESTIONS = [question.name for question in TREE.questions]
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "galaxies": st.sets(st.integers(0, 4), min_size=1),
            "questions": st.sets(st.sampled_from(QUESTIONS), min_size=1),
            "seed": st.integers(0, 2),
            "writes": st.none() | st.integers(0, 14),
            "resumed": st.booleans(),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_any_ingests_in_any_order_killed_or_not(
    steps: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last complete ingest stands, for its galaxies and questions; oracle: a dict."""
    tmp = tmp_path_factory.mktemp("steps")
    gz = blank(tmp / "gz.duckdb")
    called = names(5)
    expected: dict[str, npt.NDArray[np.float64]] = {}
    numbers: dict[str, int] = {}
    for step in steps:
        galaxies = sorted(step["galaxies"], key=lambda g: (g * 7 + step["seed"]) % 5)
        counts = np.random.default_rng(step["seed"]).integers(0, 30, (5, 34)).astype(float)
        table = decals(
            counts[galaxies],
            called=[called[g] for g in galaxies],
            questions=sorted(step["questions"]),
        )
        votes = write(tmp / "votes.csv", table)
        complete = True
        if step["writes"] is not None:
            try:
                with killed_at(monkeypatch, step["writes"]):
                    ingest(gz, votes, tree="gzd5")
            except Killed:
                complete = step["resumed"]
                if complete:
                    ingest(gz, votes, tree="gzd5")
        else:
            ingest(gz, votes, tree="gzd5")
        if complete:
            for galaxy in galaxies:
                row = expected.setdefault(called[galaxy], np.zeros(34))
                for question, where in zip(TREE.questions, TREE.slices, strict=True):
                    if question.name in step["questions"]:
                        row[where] = counts[galaxy, where]
        shown = counts_shown(gz)
        assert shown.keys() == expected.keys()
        for name, row in expected.items():
            np.testing.assert_array_equal(shown[name], row)
        listed = {r["iauname"]: r["galaxy_id"] for r in rows(gz, "SELECT * FROM galaxies")}
        assert listed.keys() == expected.keys()
        assert len(set(listed.values())) == len(listed)
        for name, number in listed.items():
            assert numbers.setdefault(name, number) == number
    if expected:
        assert verify(gz).errors == 0


def test_each_galaxy_has_the_votes_of_its_campaign(gz: Path, tmp_path: Path) -> None:
    """As GZ DESI is published: the columns of three campaigns, 0 where one did not ask."""
    campaigns = {"gzd12": "-dr12", "gzd5": "-dr5", "gzd8": "-dr8"}
    columns: dict[str, Any] = {"id_str": names(6)}
    own: dict[tuple[str, str], float] = {}
    for number, (tree, suffix) in enumerate(campaigns.items()):
        counts = random_counts(6, get_tree(tree), seed=number)
        counts[[i for i in range(6) if i % 3 != number]] = 0
        table = decals(counts, tree=tree, campaign=suffix)
        columns |= {name: table[name] for name in table.column_names[1:]}
        for label, votes in zip(get_tree(tree).labels, counts.T, strict=True):
            spelt = label.replace("_", f"{suffix}_")
            own |= {(name, spelt): n for name, n in zip(names(6), votes, strict=True)}
    votes = write(tmp_path / "mixed.parquet", pa.table(columns))
    report = ingest(gz, votes)
    assert (report.tree, report.galaxies) == ("decals_all_campaigns", 6)
    shown = rows(gz, "SELECT iauname, label, count, total, fraction FROM votes")
    assert {(row["iauname"], row["label"]): row["count"] for row in shown} == own
    for row in shown:
        i = names(6).index(row["iauname"])
        suffix = [*campaigns.values()][i % 3]
        asked = f"{suffix}_" in row["label"] and row["total"] > 0
        assert (row["fraction"] is not None) == asked
    shared = rows(
        gz,
        "SELECT shared_label, count(DISTINCT campaign) AS campaigns FROM votes "
        "JOIN answers USING (label) WHERE fraction IS NOT NULL GROUP BY ALL",
    )
    found = {row["shared_label"]: row["campaigns"] for row in shared}
    assert (found["smooth-or-featured_smooth"], found["bar_strong"], found["bar_yes"]) == (3, 2, 1)

    one = tmp_path / "one.duckdb"
    report = ingest(one, votes, tree="gzd8")
    assert report.tree == "gzd8"
    assert report.rejects == {"unread column": 2}
    left = sum(n for (_, label), n in own.items() if "-dr12_" in label)
    assert any(f": {left:,g} votes of 2 galaxies left out" in note for note in report.notes)


def test_a_row_without_any_count_brings_a_galaxy_and_no_votes(gz: Path, tmp_path: Path) -> None:
    """As a release has galaxies that nobody voted on: they come back as such."""
    table = decals(random_counts(2, get_tree("gzd5")))
    empty = table.slice(1).to_pylist()[0] | dict.fromkeys(table.column_names[1:])
    path = write(tmp_path / "v.parquet", pa.Table.from_pylist([*table.to_pylist()[:1], empty]))
    report = ingest(gz, path)
    assert (report.galaxies, report.votes) == (2, 34)
    assert {row["iauname"] for row in rows(gz, "FROM votes")} == {names(2)[0]}
    ingest(gz, write(tmp_path / "later.parquet", table))
    assert len(rows(gz, "SELECT DISTINCT iauname FROM votes")) == 2
    # which an empty row does not take away again
    ingest(gz, path)
    assert len(rows(gz, "SELECT * FROM votes WHERE total > 0")) > 34
