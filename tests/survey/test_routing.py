"""Which piece the rows of a table belong to."""

import shutil
from collections import namedtuple
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import blank
from zoolens.catalog.errors import CatalogError, TableRefused
from zoolens.catalog.formats.reading import TableFile
from zoolens.catalog.store.galaxies import galaxy_table, number_galaxies
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.cutting import pixels
from zoolens.catalog.survey.folder import FINEST, Piece, Survey, write_survey
from zoolens.catalog.survey.routing import Routed, Sought, route

pytestmark = pytest.mark.slow

HERE, THERE, BESIDE = (45.0, 1.0), (200.0, 60.0), (45.0001, 1.0)
Row = tuple[str | None, float | None, float | None]


def routed(
    tmp_path: Path, rows: Sequence[Row], survey: Survey | None = None, most: int = 2
) -> Routed:
    names, ra, dec = zip(*rows, strict=True)
    columns = {"iauname": pa.array(names, pa.string()), "ra": pa.array(ra, pa.float64())}
    table = pa.table({**columns, "dec": pa.array(dec, pa.float64()), "z": [0.5] * len(rows)})
    pq.write_table(table, tmp_path / "t.parquet")
    file = TableFile(tmp_path / "t.parquet")
    columns_ = ["iauname", "ra", "dec"]
    sought = Sought(file, "abc", "iauname", ("ra", "dec"), columns_, voted=False)
    shutil.rmtree(tmp_path / "work", ignore_errors=True)
    (tmp_path / "work").mkdir()
    return route(sought, survey, 2, tmp_path / "work")


def shared(tmp_path: Path, found: Routed) -> dict[Piece, list[int]]:
    """The numbers of the rows of each piece."""
    rows = {}
    for piece, count in found.rows.items():
        blocks = [*TableFile(tmp_path / "work" / piece.name).blocks(["iauname"], {})]
        rows[piece] = np.concatenate([numbers for numbers, _ in blocks]).tolist()
        assert len(rows[piece]) == count
    return rows


def piece_at(place: tuple[float, float], order: int = 0) -> Piece:
    (pixel,) = pixels(*map(np.atleast_1d, place)) >> 2 * (FINEST - order)
    return Piece(order, int(pixel))


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    """One piece, in which A lies, and B, which has no position."""
    (tmp_path / "survey").mkdir()
    made = write_survey(tmp_path / "survey", [piece_at(HERE, 2)])
    made.paths[0].parent.mkdir()
    with Store.open(blank(made.paths[0])) as store:
        run = begin_ingest(store, {}, {}, None)
        place = np.array([HERE, (np.nan, np.nan)]).T
        rows = galaxy_table(number_galaxies(store, ["A", "B"], *place), ["A", "B"], *place)
        store.commit(run, "some", {"galaxy": rows})
        with store.transaction():
            finish_ingest(store, run)
    return made


def test_rows_go_to_where_they_lie(tmp_path: Path) -> None:
    found = routed(tmp_path, [("A", *HERE), ("B", *THERE), ("C", *HERE)])
    assert shared(tmp_path, found) == {piece_at(HERE): [1, 3], piece_at(THERE): [2]}
    assert [*found.rows] == [*found.pieces]
    assert not [*(tmp_path / "work").glob("*.*")]  # no scratch


def test_rows_that_cannot_be_placed_are_refused(tmp_path: Path) -> None:
    unfit: list[Row] = [(None, *HERE), ("C/", None, None), ("D", 400, 0), ("E", 10, None)]
    rows = [*unfit, ("A", *HERE), ("F", None, None), ("B", *THERE), ("B", *THERE), ("A", *THERE)]
    found = routed(tmp_path, rows)
    # a piece refuses what one catalogue would
    assert shared(tmp_path, found) == {
        piece_at(HERE): [1, 2, 3, 4, 5],
        piece_at(THERE): [7, 8],
    }
    told = [(one.row, one.key, one.reason.split(":")[0]) for one in found.rejects]
    assert sorted(told) == [(6, "F", "no position"), (9, "A", "duplicated identifier")]


def test_the_first_row_with_a_position_is_the_galaxy(tmp_path: Path) -> None:
    found = routed(tmp_path, [("A", None, None), ("A", *HERE)])
    assert shared(tmp_path, found) == {piece_at(HERE): [2]}


def test_known_galaxies_are_found_by_name(tmp_path: Path, survey: Survey) -> None:
    rows = [("A", *THERE), ("B", None, None), ("C", *BESIDE), ("D", *THERE), ("A", None, None)]
    found = routed(tmp_path, rows, survey)
    assert found.pieces == (piece_at(HERE, 2), piece_at(THERE))
    assert shared(tmp_path, found) == {piece_at(HERE, 2): [1, 2, 3, 5], piece_at(THERE): [4]}
    assert found.rejects == []
    # beside the piece, in the pixel of order 0 that holds it
    for order in range(1, 11):
        near = (45.0, 1.0 + 90 / 2**order)
        found = routed(tmp_path, [("E", *near)], survey)
        write_survey(tmp_path / "work", found.pieces)  # which do not overlap


def test_a_table_without_a_place_is_refused(tmp_path: Path, survey: Survey) -> None:
    with pytest.raises(TableRefused, match=r"none of its 2 rows has a name and a position$"):
        routed(tmp_path, [("C", None, None), (None, *HERE)])
    with pytest.raises(TableRefused, match=r"none of its 1 rows .*galaxy of the survey"):
        routed(tmp_path, [("C", None, None)], survey)


def test_too_little_room_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(50))
    with pytest.raises(CatalogError, match=r"need about .* GB .* free at"):
        routed(tmp_path, [("A", *HERE)])
