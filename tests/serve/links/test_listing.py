"""What the protocols answer, beside what the catalogue holds."""

import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from astropy.io.votable import parse
from astropy.io.votable.tree import VOTableFile
from astropy.table import Table

from tests.made.galleries import GALAXIES, NAMES, UNEXPLAINED, UNSEEN, gallery_catalogue
from zoolens.catalog.serve.asking import Asked, Cone, Images, Limits, Links, Listing, Region
from zoolens.catalog.serve.child import _said
from zoolens.catalog.store.galaxies import separation_arcsec
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow

ROOT = "http://x"
_RA, _DEC = np.arange(GALAXIES) * 30.0, np.arange(GALAXIES) * 10.0 - 60


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galaxies with images, of which all but the last have a position."""
    path = gallery_catalogue(tmp_path_factory.mktemp("placed"), indexed=False)
    with Store.open(path) as store:
        store.execute("UPDATE galaxy SET ra = galaxy_id * 30.0, dec = galaxy_id * 10.0 - 60")
        store.execute(f"UPDATE galaxy SET ra = NULL, dec = NULL WHERE galaxy_id = {GALAXIES - 1}")
    return path


def _answered(path: Path, asked: Asked | Listing) -> VOTableFile:
    said = b"".join(_said(path, asked, Limits()))
    status, _, body = said.partition(b"\n")
    assert status == b'{"status": "ok"}', status
    return parse(io.BytesIO(body), verify="ignore")  # UCDs of cone search are of the first kind


def _rows(path: Path, asked: Asked | Listing) -> Table:
    return _answered(path, asked).get_first_table().to_table(use_names_over_ids=True)


def _images(
    *regions: Region,
    names: tuple[str, ...] = (),
    rows: int = 100,
    none: bool = False,
    formats: tuple[str, ...] = (),
) -> Images:
    return Images(regions, names, formats, none, rows, ROOT, "votable/td")


_SEEN = [n for n in range(GALAXIES - 1) if n not in UNSEEN]


def test_images_are_those_of_galaxies_with_image_and_position(placed: Path) -> None:
    rows = _rows(placed, _images())
    assert sorted(rows["obs_id"]) == sorted(NAMES[n] for n in _SEEN)
    for row in rows:
        number = NAMES.index(row["obs_id"])
        assert (row["s_ra"], row["s_dec"]) == (_RA[number], _DEC[number])
        assert row["access_url"] == f"{ROOT}/galaxies/{quote(NAMES[number], safe='')}/image"
        assert (row["access_format"], row["s_xel1"], row["s_xel2"]) == ("image/png", 48, 48)


@pytest.mark.parametrize(
    ("regions", "within"),
    [
        ([("CIRCLE", (60.0, -40.0, 35.0))], lambda n: _apart(60, -40, n) <= 35),
        ([("RANGE", (200.0, 360.0, -90.0, 90.0))], lambda n: _RA[n] >= 200),
        ([("POLYGON", (10.0, -70.0, 100.0, -70.0, 100.0, -20.0, 10.0, -20.0))], (1, 2, 3).count),
        ([("CIRCLE", (0.0, -60.0, 1.0)), ("CIRCLE", (180.0, 0.0, 1.0))], (0, 6).count),
    ],
)
def test_regions_are_those_of_the_sphere(
    placed: Path, regions: list[Region], within: Callable[[int], object]
) -> None:
    wanted = [NAMES[n] for n in _SEEN if within(n)]
    assert wanted
    assert sorted(_rows(placed, _images(*regions))["obs_id"]) == sorted(wanted)


def _apart(ra: float, dec: float, number: int) -> float:
    """Degrees."""
    one = [np.array([value], float) for value in (ra, dec, _RA[number], _DEC[number])]
    return float(separation_arcsec(*one)[0]) / 3600


def test_names_formats_and_limits_count(placed: Path) -> None:
    assert [*_rows(placed, _images(names=(NAMES[2], "x")))["obs_id"]] == [NAMES[2]]
    assert not len(_rows(placed, _images(formats=("image/jpeg",))))
    assert len(_rows(placed, _images(formats=("image/jpeg", "image/png")))) == len(_SEEN)
    assert not len(_rows(placed, _images(none=True)))
    answer = _answered(placed, _images(rows=2))
    assert len(answer.get_first_table().array) == 2
    assert [i.value for i in answer.resources[0].infos] == ["OK", "OVERFLOW"]


def test_a_cone_has_the_columns_that_are_prescribed(placed: Path) -> None:
    answer = _answered(placed, Cone((60.0, -40.0, 35.0), 3, 100, ROOT))
    table = answer.get_first_table()
    ucds = {field.ucd: (field.datatype, field.name) for field in table.fields if field.ucd}
    assert ucds["ID_MAIN"] == ("char", "iauname")
    assert ucds["POS_EQ_RA_MAIN"] == ("double", "ra")
    assert ucds["POS_EQ_DEC_MAIN"] == ("double", "dec")
    found = [str(name) for name in table.array["iauname"]]
    assert sorted(found) == sorted(NAMES[n] for n in range(11) if _apart(60, -40, n) <= 35)
    widths = [
        len(_answered(placed, Cone(None, verbosity, 100, ROOT)).get_first_table().fields)
        for verbosity in (1, 2, 3)
    ]
    assert widths == [3, 5, 8]


def test_links_are_of_what_there_is(placed: Path) -> None:
    ids = (*((name, name) for name in NAMES), ("?", "no such"))
    rows = _rows(placed, Links(ids, ROOT, "votable/td"))
    for number, name in enumerate(NAMES):
        some = {str(row["local_semantics"]): row for row in rows if row["ID"] == name}
        address = f"{ROOT}/galaxies/{quote(name, safe='')}/"
        assert all(row["access_url"].startswith(address) for row in some.values())
        seen, explained = number not in UNSEEN, number not in UNEXPLAINED
        assert [*some] == [
            *(("image", "image as seen") if seen else ()),
            *(("maps", "map") if explained else ()),
            *("votes", "similar galaxies", "counterparts"),
        ]
        if seen:
            assert some["image"]["semantics"] == "#this"
            assert some["image"]["content_type"] == "image/png"
    assert rows[-1]["ID"] == "?"
    assert rows[-1]["error_message"].startswith("NotFoundFault: there is no galaxy no such")
    assert not len(_rows(placed, Links((), ROOT, "votable/td")))


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("SELECT iauname, ra FROM galaxies", "iauname"),
        ("SELECT ra, g.iauname AS who FROM galaxies AS g", "who"),
        ("SELECT iauname AS icrs, ra FROM galaxies", "icrs"),
        ("SELECT COUNT(*) AS iauname FROM galaxies", None),
        ("SELECT ra FROM galaxies", None),
    ],
)
@pytest.mark.parametrize("form", ["votable", "votable/td"])
def test_answers_of_tap_lead_to_the_links_of_their_galaxies(
    placed: Path, query: str, column: str | None, form: str
) -> None:
    address = 'http://x/"&<links'
    answer = _answered(placed, Asked(query, form, 10, links=address))
    described = [one for one in answer.resources if one.utype == "adhoc:service"]
    if column is None:
        assert not described
        return
    (service,) = described
    params = {param.name: param.value for param in service.params}
    assert params["accessURL"] == address
    assert params["standardID"].startswith("ivo://ivoa.net/std/DataLink#links-1")
    (group,) = service.groups
    (param,) = group.entries
    (field,) = [one for one in answer.get_first_table().fields if param.ref == one.ID]
    assert (param.name, field.name) == ("ID", column)
    assert ("described" if column == "icrs" else column) == field.ID  # readers call it by that
    plain = _answered(placed, Asked(query, form, 10))
    assert len(plain.resources) == 1


def test_a_survey_answers_as_the_whole(full_gz: Path, full_survey: Path) -> None:
    names = [f"J0000{n:02d}.00+0000{n:02d}.0" for n in (3, 12)]
    links = Links(tuple((name, name) for name in [*names, "J0"]), ROOT, "votable/td")
    for asked, key in ((links, "access_url"), (Cone((100.0, 0.0, 60.0), 2, 100, ROOT), "iauname")):
        of_whole, of_survey = (_rows(path, asked) for path in (full_gz, full_survey))
        assert len(of_whole) > 2
        assert sorted(map(str, of_survey[key])) == sorted(map(str, of_whole[key]))
