"""DataLink, SIA 2 and cone search over HTTP, as STILTS and pyvo ask them."""

import shutil
import subprocess
import urllib.request
from xml.etree import ElementTree

import pytest

from tests.serve.conftest import Served

pytestmark = pytest.mark.slow

GALAXY = "J000003.00+000003.0"


def _root(served: Served) -> str:
    return served.url.removesuffix("/tap")


def _get(served: Served, path: str) -> tuple[int, bytes]:
    return served.ask(urllib.request.Request(f"{_root(served)}/{path}"))


def _stilts(*command: str) -> str:
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    done = subprocess.run(
        ["stilts", *command], capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + (done.stderr if done.returncode else "")


def test_stilts_finds_nothing_wrong_with_links(served: Served) -> None:
    address = f"{_root(served)}/datalink/links?ID={GALAXY.replace('+', '%2B')}&ID=nix"
    said = _stilts("datalinklint", f"votable={address}")
    assert "Totals: Errors: 0; Warnings: 0;" in said, said


def test_stilts_matches_by_cones(served: Served) -> None:
    said = _stilts(
        *("coneskymatch", "in=:loop:2", "ra=i*97", "dec=i*5-70", "sr=0.1", "find=each"),
        *("icmd=", "ocmd=keepcols iauname", "ofmt=csv", f"serviceurl={_root(served)}/scs?"),
    )
    assert [line for line in said.splitlines() if line.startswith("J")] == [
        *("J000000.00+000000.0", "J000001.00+000001.0")
    ], said


def test_pyvo_asks_them_all(served: Served) -> None:
    pyvo = pytest.importorskip("pyvo")
    cone = pyvo.dal.SCSService(f"{_root(served)}/scs").search((0, -70), 1)
    assert [row.id for row in cone] == ["J000000.00+000000.0"]
    assert cone[0].pos.dec.deg == -70
    images = pyvo.dal.SIA2Service(f"{_root(served)}/sia2").search(pos=(0, -70, 10))
    assert images.status[0] == "OK"
    assert images.fieldnames[0] == "dataproduct_type"
    query = f"SELECT ra, iauname FROM zoolens.galaxies WHERE iauname = '{GALAXY}'"
    found = pyvo.dal.TAPService(served.url).search(query)
    (links,) = found.iter_datalinks()
    kinds = {link.semantics: link.access_url for link in links}
    assert kinds["#derivation"].startswith(f"{_root(served)}/galaxies/J000003.00%2B000003.0/maps")


def test_a_job_leads_to_the_links_of_its_galaxies(served: Served) -> None:
    pyvo = pytest.importorskip("pyvo")
    job = pyvo.dal.TAPService(served.url).submit_job("SELECT TOP 1 iauname FROM zoolens.galaxies")
    job.run()
    job.wait(phases=["COMPLETED", "ERROR"], timeout=60)
    (links,) = job.fetch_result().iter_datalinks()
    assert len(links)
    job.delete()


@pytest.mark.parametrize("which", ["datalink", "sia2", "scs"])
def test_each_says_what_it_is(served: Served, which: str) -> None:
    root = _root(served)
    status, body = _get(served, f"{which}/capabilities")
    assert status == 200
    found = ElementTree.fromstring(body)
    standards = {one.get("standardID"): one.findtext(".//accessURL") for one in found}
    addresses = {"datalink": "datalink/links", "sia2": "sia2/query", "scs": "scs?"}
    assert f"{root}/{addresses[which]}" in standards.values()
    assert standards["ivo://ivoa.net/std/VOSI#capabilities"] == f"{root}/{which}/capabilities"
    assert _get(served, f"{which}/availability")[0] == 200


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("scs?RA=1&DEC=2", 200, b'<INFO ID="Error" name="Error" value="SR is missing'),
        ("sia2/query?POS=BOX+1", 400, b'value="ERROR">POS=BOX 1; it is CIRCLE'),
        ("datalink/links?RESPONSEFORMAT=x", 400, b'value="ERROR">no format x'),
    ],
)
def test_what_is_wrong_is_said_as_each_has_it(
    served: Served, path: str, status: int, said: bytes
) -> None:
    found, body = _get(served, path)
    assert found == status
    assert said in body
