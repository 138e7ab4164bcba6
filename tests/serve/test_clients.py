"""What astronomers ask with: STILTS and astroquery; pyvo is in tests/serve/test_app.py."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from tests.made.serving import Served

pytestmark = pytest.mark.slow

_QUERY = "SELECT TOP 4 iauname, ra, dec FROM zoolens.galaxies ORDER BY iauname"
_JOINED = """SELECT m.name, g.iauname FROM TAP_UPLOAD.mine AS m JOIN zoolens.galaxies AS g
    ON 1 = CONTAINS(POINT(g.ra, g.dec), CIRCLE(m.ra, m.dec, 0.1)) ORDER BY m.name"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.vot"
    table = Table({"name": ["a", "b"], "ra": [0.0, 97.0], "dec": [-70.0, -65.0]})
    table.write(path, format="votable")
    return path


def _stilts(served: Served, out: Path, query: str, *more: str) -> Table:
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    command = ["stilts", "tapquery", f"tapurl={served.url}", f"adql={query}", f"out={out}"]
    said = subprocess.run(
        [*command, "ofmt=csv", *more], capture_output=True, text=True, timeout=120, check=False
    )
    assert said.returncode == 0, said.stderr
    return Table.read(out, format="ascii.csv")


def test_stilts_asks_at_once_and_later_and_uploads(
    served: Served, tmp_path: Path, mine: Path
) -> None:
    out = tmp_path / "out.csv"
    known = ["J000000.00+000000.0", "J000001.00+000001.0"]
    assert list(_stilts(served, out, _QUERY, "sync=true")["iauname"][:2]) == known
    later = _stilts(served, out, _QUERY, "sync=false", "delete=always", "poll=200")
    assert list(later["iauname"][:2]) == known
    joined = _stilts(
        served, out, _JOINED, "sync=true", "nupload=1", f"upload1={mine}", "upname1=mine"
    )
    assert list(joined["name"]) == ["a", "b"]
    assert list(joined["iauname"]) == known


def test_astroquery_lists_tables_asks_and_uploads(served: Served, mine: Path) -> None:
    tap = pytest.importorskip("astroquery.utils.tap.core")
    service = tap.TapPlus(url=served.url)
    # with columns it reads tables of ESA's own services alone
    names = {table.name for table in service.load_tables(only_names=True)}
    assert "zoolens.galaxies" in names
    assert len(service.launch_job(_QUERY).get_results()) == 4
    job = service.launch_job_async(_QUERY)
    assert len(job.get_results()) == 4
    assert job.get_phase() == "COMPLETED"
    joined = service.launch_job(
        _JOINED, upload_resource=str(mine), upload_table_name="mine"
    ).get_results()
    assert [str(name) for name in joined["name"]] == ["a", "b"]


def test_pyvo_reads_maps_as_arrays_and_what_is_alike(served: Served) -> None:
    pyvo = pytest.importorskip("pyvo")
    service = pyvo.dal.TAPService(served.url)
    maps = service.search(
        "SELECT TOP 2 saliency_map(iauname, label) AS m FROM zoolens.saliency_stats"
    )
    assert maps.to_table()["m"].shape == (2, 5, 5)
    alike = service.search(
        "SELECT TOP 3 iauname, similarity(iauname, 'J000003.00+000003.0', 'shape') AS s "
        "FROM zoolens.galaxies ORDER BY s DESC"
    )
    assert (alike["s"] < 0).all()
    features = service.get_tap_capability().get_adql().get_udf("similarity")
    assert features.form.startswith("similarity(galaxy VARCHAR")


def test_pyvo_sees_no_number_where_there_is_none(served: Served) -> None:
    pyvo = pytest.importorskip("pyvo")
    query = """SELECT none AS d, CAST(none AS REAL) AS f
        FROM (SELECT CASE WHEN ra > 400 THEN ra END AS none FROM galaxies) AS g"""
    row = next(iter(pyvo.dal.TAPService(served.url).search(query)))
    assert all(np.ma.is_masked(row[name]) or np.isnan(row[name]) for name in ("d", "f"))
