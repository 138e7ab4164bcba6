"""Surveys that are cut from tables, and grow: they hold what one catalogue of the same would."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.made.vote_tables import decals
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import catalogues, open_survey
from zoolens.jobs.ingest import ingest
from zoolens.jobs.ingest_survey import ingest_survey
from zoolens.jobs.keep import KeepReport
from zoolens.jobs.reports import IngestReport
from zoolens.jobs.verify import verify

GALAXIES = 60
MOST = 25
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
    """Galaxies on a patch of the sky, half of them close together; votes, and another column."""
    random = np.random.default_rng(seed)
    ra, dec = at + random.normal(0, 8, GALAXIES), random.normal(5, 8, GALAXIES)
    ra[::2] = at + random.normal(0, 0.1, GALAXIES // 2)
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
