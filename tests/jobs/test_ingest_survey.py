"""Surveys that are cut from tables, and grow: they hold what one catalogue of the same would."""

import csv
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zoolens.jobs.ingest_survey
from tests.made.images import folder as image_folder
from tests.made.images import picture
from tests.made.vote_tables import decals
from zoolens.catalog.errors import CatalogError, TableRefused, Told
from zoolens.catalog.formats.hats import write_hats
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import catalogues, open_survey, write_survey
from zoolens.jobs.ingest import ingest
from zoolens.jobs.ingest_survey import ingest_survey
from zoolens.jobs.keep import KeepReport
from zoolens.jobs.reports import IngestReport
from zoolens.jobs.sql import sql
from zoolens.jobs.status import survey_status
from zoolens.jobs.verify import verify

GALAXIES = 60
MOST = 25  # so that there are three pieces
SHOWN = {
    "galaxies": "iauname, ra, dec, image, image_sha256",
    "votes": "iauname, label, count, total",
    "rejects": "source, row, key, reason",
}


def into(
    folder: Path, *args: Any, most_rows: int = MOST, **kwargs: Any
) -> tuple[IngestReport, KeepReport | None]:
    reports = [*ingest_survey(folder, *args, most_rows=most_rows, **kwargs)]
    assert isinstance(reports[0], IngestReport)
    kept = reports[1] if reports[1:] else None
    assert kept is None or isinstance(kept, KeepReport)
    return reports[0], kept


def table(seed: int = 0, *, at: float = 45, votes: bool = True) -> pa.Table:
    """Galaxies in three places, two of them in one pixel of order 0; votes, and another column."""
    random = np.random.default_rng(seed)
    ra = at + np.repeat([0, -8, 35], GALAXIES // 3) + random.normal(0, 0.1, GALAXIES)
    dec = np.repeat([4, 10, 5], GALAXIES // 3) + random.normal(0, 0.1, GALAXIES)
    found = decals(
        random.integers(0, 20, (GALAXIES, 34)), called=[f"G{seed}-{i}" for i in range(GALAXIES)]
    )
    found = found if votes else found.select(["iauname"])
    found = found.append_column("ra", pa.array(ra)).append_column("dec", pa.array(dec))
    return found.append_column("z", pa.array(random.uniform(0, 1, GALAXIES)))


def as_csv(path: Path, rows: pa.Table) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    return path


def contents(paths: Sequence[Path], views: Mapping[str, str] = SHOWN) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {view: [] for view in views}
    for path in paths:
        with Store.open(path, read_only=True) as store:
            for view, columns in views.items():
                columns = columns.replace("row,", '"row",')
                found[view] += store.rows(f"SELECT {columns} FROM {view}")
    return {view: sorted(rows, key=repr) for view, rows in found.items()}


def numbers(paths: Sequence[Path]) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in paths:
        with Store.open(path, read_only=True) as store:
            found |= dict(store.rows("SELECT iauname, galaxy_id FROM galaxies"))
    return found


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """A table with rows that are refused, and some that are not so in one catalogue."""
    rows = table().to_pylist()
    rows[3]["iauname"] = None
    rows[5]["iauname"] = rows[4]["iauname"]  # elsewhere on the sky
    rows[7] = {**rows[6], "smooth-or-featured_smooth": 3.0}  # the same place
    rows[8]["dec"] = 91.0
    rows[9]["smooth-or-featured_smooth"] = -1.0
    return as_csv(tmp_path / "votes.csv", pa.Table.from_pylist(rows))


@pytest.mark.slow
def test_a_table_in_pieces_is_what_it_is_in_one(tmp_path: Path, votes: Path) -> None:
    one, folder = tmp_path / "one.duckdb", tmp_path / "survey"
    alone, (cut, _) = ingest(one, votes), into(folder, votes)
    survey = open_survey(folder)
    found, expected = contents(survey.paths), contents([one])
    assert found["galaxies"] == expected["galaxies"]
    assert found["votes"] == expected["votes"]
    # the row that lies elsewhere is known by its name alone
    elsewhere = [row for row in found["rejects"] if "elsewhere" in row[3]]
    assert [row[:3] for row in elsewhere] == [(str(votes), 6, "G0-4")]
    said = [row for row in expected["rejects"] if row[1] != 6]
    assert [row for row in found["rejects"] if row not in elsewhere] == said
    assert (cut.galaxies, cut.new_galaxies, cut.votes) == (
        alone.galaxies,
        alone.new_galaxies,
        alone.votes,
    )
    assert (cut.rejects, cut.tree, cut.unasked) == (alone.rejects, alone.tree, alone.unasked)
    for piece, path in zip(survey.pieces, survey.paths, strict=True):
        galaxies = numbers([path])
        assert 0 < len(galaxies) <= MOST
        first = survey.first_number(piece)
        assert sorted(galaxies.values()) == [*range(first + 1, first + 1 + len(galaxies))]
    assert verify(path).errors == 0
    assert not (folder / "cutting").exists()
    again, _ = into(folder, votes)
    assert not again.changed
    assert (again.galaxies, again.rejects) == (cut.galaxies, cut.rejects)
    assert contents(survey.paths) == found


@pytest.mark.slow
def test_known_galaxies_go_to_their_piece_and_new_ones_to_where_they_lie(tmp_path: Path) -> None:
    one, folder = tmp_path / "one.duckdb", tmp_path / "survey"
    first = as_csv(tmp_path / "galaxies.csv", table(votes=False).slice(0, 40))
    ingest(one, first)
    into(folder, first)
    before, held = open_survey(folder).pieces, numbers(catalogues(folder))
    # votes on the old, without positions, and on others, with
    more = table(1, at=200).to_pylist()
    for row, name in zip(more, [*held][:20], strict=False):
        row |= {"iauname": name, "ra": None, "dec": None}
    votes = as_csv(tmp_path / "votes.csv", pa.Table.from_pylist(more))
    kept = as_csv(tmp_path / "kept.csv", table(votes=False))
    report, _ = into(folder, votes)
    ingest(one, votes)
    survey = open_survey(folder)
    assert survey.pieces[: len(before)] == before
    assert len(survey.pieces) > len(before)
    assert contents(survey.paths) == contents([one])
    assert (report.galaxies, report.new_galaxies) == (GALAXIES, GALAXIES - 20)
    after = numbers(survey.paths)
    assert held.items() <= after.items()
    assert len({*after.values()}) == len(after)
    _, own = into(folder, kept, keep=["z"])
    assert own is not None
    assert (own.columns, own.galaxies) == ({"z": "DOUBLE"}, GALAXIES)


@pytest.mark.slow
def test_an_interrupted_cut_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "survey"
    rows = as_csv(tmp_path / "galaxies.csv", table())
    into(whole, rows)
    module = zoolens.jobs.ingest_survey
    done: list[Path] = []

    def killed(*args: Any, **kwargs: Any) -> Any:
        if done:
            raise KeyboardInterrupt
        done.append(args[0])
        return ingest(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(module, "ingest", killed)
        with pytest.raises(KeyboardInterrupt):
            into(folder, rows)
    with pytest.raises(CatalogError, match=r"has not ended.*no survey yet"):
        catalogues(folder)
    # another one, killed before all rows were set aside, leaves nothing over
    with monkeypatch.context() as patch:
        patch.setattr(module, "plan", killed)
        with pytest.raises(KeyboardInterrupt):
            into(folder, rows, most_rows=MOST // 2)
    into(folder, rows)
    assert open_survey(folder).pieces == open_survey(whole).pieces
    for one, other in zip(catalogues(folder), catalogues(whole), strict=True):
        assert contents([one]) == contents([other])
        assert numbers([one]) == numbers([other])
    assert {*folder.rglob("*.duckdb")} == {*catalogues(folder)}


@pytest.mark.slow
def test_an_interrupted_ingest_into_a_survey_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, folder = tmp_path / "one.duckdb", tmp_path / "survey"
    into(folder, first := as_csv(tmp_path / "galaxies.csv", table(votes=False)))
    ingest(one, first)
    done: list[Path] = []

    def killed(*args: Any, **kwargs: Any) -> Any:
        if done:
            raise KeyboardInterrupt
        done.append(args[0])
        return ingest(*args, **kwargs)

    votes = as_csv(tmp_path / "votes.csv", table())
    with monkeypatch.context() as patch:
        patch.setattr(zoolens.jobs.ingest_survey, "ingest", killed)
        with pytest.raises(KeyboardInterrupt):
            into(folder, votes)
    with pytest.warns(Told, match="some pieces may have it"):
        catalogues(folder)
    with pytest.raises(CatalogError, match="has not ended"):
        into(folder, first)
    report, _ = into(folder, votes)
    ingest(one, votes)
    assert (report.galaxies, report.new_galaxies, report.changed) == (GALAXIES, 0, True)
    assert contents(catalogues(folder)) == contents([one])


@pytest.mark.slow
def test_images_go_to_their_galaxies(tmp_path: Path) -> None:
    one, folder = tmp_path / "one.duckdb", tmp_path / "survey"
    rows = as_csv(tmp_path / "galaxies.csv", table())
    of = [f"G0-{i}" for i in range(0, GALAXIES, 4)]
    files = {f"{name}.png": picture(i, side=32) for i, name in enumerate([*of, "nobody"])}
    images = image_folder(tmp_path / "images", files)
    alone, (cut, _) = ingest(one, rows, images=images), into(folder, rows, images=images)
    assert contents(catalogues(folder)) == contents([one])
    assert (cut.images, cut.rejects) == (alone.images, alone.rejects)
    # later, without a table
    more = image_folder(tmp_path / "more", {"G0-1.png": picture(99), "nobody.png": picture(98)})
    report, _ = into(folder, images=more)
    assert (report.images, report.new_galaxies, report.rejects) == (1, 0, {"no position": 1})
    with pytest.raises(CatalogError, match="no survey yet, and images do not say where"):
        into(tmp_path / "new", images=more)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_hats_catalogue_and_a_folder_are_cut_as_a_table(tmp_path: Path) -> None:
    rows = table(votes=False)
    pq.write_table(rows, tmp_path / "t.parquet")
    write_hats(
        tmp_path / "t.parquet",
        tmp_path / "hats",
        name="hats",
        created="2025-01-01T00:00UTC",
        builder="Zoolens",
        most_rows=20,
    )
    survey = {}
    for source in ("t.parquet", "hats"):
        report, own = into(tmp_path / f"of {source}", tmp_path / source, keep=["z"])
        assert own is not None
        survey[source] = open_survey(tmp_path / f"of {source}")
        assert (report.galaxies, own.galaxies) == (GALAXIES, GALAXIES)
    assert survey["hats"].pieces == survey["t.parquet"].pieces
    shown = {"galaxies": "iauname, ra, dec", "own": "iauname, z"}
    of_hats = contents(survey["hats"].paths, shown)
    assert of_hats == contents(survey["t.parquet"].paths, shown)
    # and into one catalogue, if they fit
    ingest(tmp_path / "one.duckdb", tmp_path / "hats")
    assert (
        contents([tmp_path / "one.duckdb"], {"galaxies": shown["galaxies"]})["galaxies"]
        == (of_hats["galaxies"])
    )


def test_what_cannot_be_cut_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "survey"
    bare = as_csv(tmp_path / "bare.csv", table(votes=False).select(["iauname", "z"]))
    with pytest.raises(TableRefused, match="no columns ra and dec"):
        into(folder, bare)
    crowded = as_csv(tmp_path / "crowded.csv", table(votes=False))
    with pytest.raises(CatalogError, match="allow more"):
        into(folder, crowded, most_rows=1)
    assert not folder.exists()


@pytest.mark.slow
def test_types_of_kept_columns_are_those_of_the_whole_table(tmp_path: Path) -> None:
    rows = table(votes=False).to_pylist()
    for i, row in enumerate(rows):
        row["z"] = 0.5 if i == GALAXIES - 1 else 1  # whole numbers in all pieces but one
    votes = as_csv(tmp_path / "galaxies.csv", pa.Table.from_pylist(rows))
    into(tmp_path / "survey", votes, keep=["z"])
    for path in catalogues(tmp_path / "survey"):
        with Store.open(path, read_only=True) as store:
            assert store.value("SELECT typeof(z) FROM own LIMIT 1") == "DOUBLE"


def test_a_missing_piece_is_said(tmp_path: Path) -> None:
    rows = as_csv(tmp_path / "galaxies.csv", table(votes=False))
    into(tmp_path / "survey", rows, most_rows=1000)
    path = catalogues(tmp_path / "survey")[0]
    path.unlink()
    with pytest.raises(CatalogError, match=r"Npix=.*, a piece of the survey, is missing"):
        into(tmp_path / "survey", rows)
    assert not path.exists()
    path.write_text("no catalogue")
    with pytest.raises(CatalogError, match="Npix="):
        into(tmp_path / "survey", rows)


@pytest.mark.slow
def test_the_piece_of_another_survey_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for seed, folder in enumerate((first, second)):
        into(folder, as_csv(tmp_path / f"{seed}.csv", table(seed)))
    (name, own), (_, other) = (next(iter(open_survey(f).named.items())) for f in (first, second))
    assert other == second / f"{name}.duckdb"
    shutil.copyfile(other, own)
    said = f"{name}.duckdb is another catalogue than the one that .*first was made with"
    with pytest.raises(CatalogError, match=said), sql(first, "SELECT count(*) FROM galaxies"):
        pass
    assert any(re.search(said, one) for one in survey_status(first).advice)


@pytest.mark.slow
def test_a_survey_that_noted_no_identities_has_them_after_an_ingest(tmp_path: Path) -> None:
    folder = tmp_path / "survey"
    into(folder, as_csv(tmp_path / "0.csv", table()))
    noted = open_survey(folder).identities
    assert len({*noted.values()}) == len(open_survey(folder).pieces) > 1
    write_survey(folder, open_survey(folder).pieces)
    with sql(folder, "SELECT count(*) FROM galaxies") as answer:
        assert [*answer.rows] == [(GALAXIES,)]
    into(folder, as_csv(tmp_path / "1.csv", table(1)))
    assert noted.items() <= dict(open_survey(folder).identities).items()
