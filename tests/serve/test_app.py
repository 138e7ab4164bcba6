"""The whole service over HTTP, by the standard library, TOPCAT's taplint and pyvo."""

import errno
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io.votable import parse
from astropy.table import Table
from starlette.requests import Request

from tests.serve.conftest import Served
from zoolens.catalog.serve.app import _unkept
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow

_QUERY = "SELECT iauname, ra, dec, image_height FROM galaxies ORDER BY iauname"
# all but that of observations to come, of which there are none
_STAGES = "TMV TME TMS TMC CPV CAP AVV QGE QPO QAS UWS MDQ OBS UPL EXA"


def _table(name: str, body: bytes) -> Table:
    if name.startswith("votable"):
        return parse(io.BytesIO(body)).get_first_table().to_table()
    if name == "parquet":
        return Table.from_pandas(pq.read_table(io.BytesIO(body)).to_pandas())
    if name == "json":
        return Table(rows=json.loads(body))
    return Table.read(io.BytesIO(body), format={"csv": "ascii.csv"}.get(name, name))


@pytest.mark.parametrize(
    "form", ["votable", "votable/td", "votable/b2", "csv", "json", "fits", "parquet"]
)
def test_every_format_has_what_the_catalogue_has(served: Served, full_gz: Path, form: str) -> None:
    status, body = served.get("/sync", LANG="ADQL", QUERY=_QUERY, RESPONSEFORMAT=form)
    assert status == 200
    found = _table(form, body)
    with Store.open(full_gz, read_only=True) as store:
        wanted = store.arrow(_QUERY)
    assert [str(name) for name in found["iauname"]] == wanted["iauname"].to_pylist()
    np.testing.assert_array_equal(np.asarray(found["dec"], float), wanted["dec"].to_numpy())


def test_stilts_finds_nothing_wrong(served: Served) -> None:
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    command = ["stilts", "taplint", f"tapurl={served.url}", "interface=tap1.1", "report=EWF"]
    said = subprocess.run(
        [*command, f"stages={_STAGES}"], capture_output=True, text=True, timeout=280, check=False
    ).stdout
    assert "Totals: Errors: 0; Warnings: 0; Failures: 0" in said, said


def test_pyvo_asks_at_once_and_later_and_uploads(served: Served) -> None:
    pyvo = pytest.importorskip("pyvo")
    service = pyvo.dal.TAPService(served.url)
    assert "zoolens.galaxies" in {table.name for table in service.tables}
    found = service.run_sync("SELECT TOP 3 iauname, ra FROM zoolens.galaxies ORDER BY iauname")
    assert len(found) == 3
    assert found.fielddescs[1].unit == "deg"
    job = service.submit_job("SELECT TOP 4 iauname FROM zoolens.galaxies")
    job.run()
    job.wait(phases=["COMPLETED", "ERROR", "ABORTED"], timeout=60)
    assert len(job.fetch_result()) == 4
    job.delete()
    mine = Table({"name": ["a", "b"], "ra": [0.0, 97.0], "dec": [-70.0, -65.0]})
    text = """SELECT m.name, g.iauname FROM TAP_UPLOAD.mine AS m JOIN zoolens.galaxies AS g
        ON 1 = CONTAINS(POINT(g.ra, g.dec), CIRCLE(m.ra, m.dec, 0.1)) ORDER BY m.name"""
    joined = service.run_sync(text, uploads={"mine": mine})
    assert [str(row["name"]) for row in joined] == ["a", "b"]


def test_a_row_too_many_is_said(served: Served) -> None:
    for most, said in (("3", ["OK", "OVERFLOW"]), ("30", ["OK"]), ("0", ["OK", "OVERFLOW"])):
        _, body = served.get("/sync", LANG="ADQL", QUERY=_QUERY, MAXREC=most)
        file = parse(io.BytesIO(body))
        infos = [i.value for i in file.resources[0].infos if i.name == "QUERY_STATUS"]
        assert infos == said
        assert len(file.get_first_table().array) == min(int(most), 30)


def test_tap_schema_agrees_with_tables(served: Served) -> None:
    _, body = served.get("/tables")
    root = ElementTree.fromstring(body)
    told = {
        (table.findtext("name"), column.findtext("name"), column.findtext("unit") or "")
        for table in root.iter("table")
        for column in table.iter("column")
    }
    rows = served.csv("SELECT table_name, column_name, unit FROM TAP_SCHEMA.columns")[1:]
    strip = {(t, (c or "").strip('"'), u) for t, c, u in told}
    assert {tuple(row) for row in rows} == strip
    status, one = served.get("/tables/zoolens.galaxies")
    assert status == 200
    assert b"right ascension" in one


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"LANG": "ADQL", "QUERY": "SELECT ra FROM galaxie"}, "column 16: no table galaxie"),
        ({"LANG": "ADQL", "QUERY": "SELECT ra,\nx FROM galaxies"}, "line 2, column 1: no column x"),
        ({"LANG": "ADQL", "QUERY": "SELECT ra / 'x' FROM galaxies"}, "column 13: Could not conv"),
        ({"LANG": "ADQL"}, "give QUERY"),
        ({"QUERY": "SELECT 1"}, "LANG is missing"),
        ({"LANG": "SQL", "QUERY": "SELECT 1"}, "LANG=SQL; there are ADQL"),
        ({"LANG": "ADQL", "QUERY": "SELECT 1", "MAXREC": "x"}, "MAXREC=x"),
        ({"LANG": "ADQL", "QUERY": "SELECT 1", "FORMAT": "xls"}, "no format xls"),
        ({"LANG": "ADQL", "QUERY": "SELECT 1", "REQUEST": "getCapabilities"}, "it is doQuery"),
        ({"LANG": "ADQL", "QUERY": "SELECT 1", "UPLOAD": "x"}, "it is NAME,param:FIELD"),
        ({"LANG": "ADQL", "QUERY": "SELECT 1", "UPLOAD": "x,param:y"}, "field y, which is not"),
        ({"LANG": "ADQL", "QUERY": "SELECT 1", "UPLOAD": "x,file:///etc/passwd"}, "http://"),
    ],
)
def test_what_is_wrong_is_said_in_a_votable(
    served: Served, parameters: dict[str, str], said: str
) -> None:
    for ask in (served.get, served.post):
        status, body = ask("/sync", **parameters)
        assert status == 400
        (info,) = parse(io.BytesIO(body)).resources[0].infos
        assert info.value == "ERROR"
        assert said in info.content


def test_addresses_that_are_none(served: Served) -> None:
    assert served.get("/tables/zoolens.galaxie")[0] == 404
    assert served.get("/async/absent")[0] == 404
    assert served.get("/nothing")[0] == 404


def test_every_request_is_in_the_log(served: Served) -> None:
    served.get("/availability")
    last = [line for line in served.logged() if line["path"] == "/tap/availability"][-1]
    assert (last["method"], last["status"], last["client"]) == ("GET", 200, "127.0.0.1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", str(last["time"]))


def test_where_nothing_can_be_kept_the_reason_is_said_without_a_folder() -> None:
    refusal = _unkept(Request({"type": "http"}), OSError(errno.ENOSPC, "No space", "/srv/upload-1"))
    assert refusal.status_code == 507
    said = "the server could not keep what this needs: No space left on device<"
    assert said.encode() in bytes(refusal.body)
