"""A release answers as the catalogue that it was cut from."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.release.tables import save_tables
from zoolens.catalog.serve.asking import Asked, Limits, Links
from zoolens.catalog.serve.child import _said
from zoolens.catalog.serve.opening import opened_to_ask
from zoolens.catalog.serve.products.subject import found
from zoolens.catalog.serve.snapshots import Snapshot
from zoolens.catalog.store.release_file import NAME, opened_release


@pytest.fixture(scope="module")
def released(full_cut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("released") / NAME
    save_tables(full_cut, out)
    return out


def _lines(path: Path, query: str) -> list[bytes]:
    said = b"".join(_said(path, Asked(query, "csv", 10_000), Limits())).splitlines()
    assert said[0] == b'{"status": "ok"}', said
    return said[1:]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT iauname, ra, dec FROM galaxies "
        "WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(100, 0, 60)) ORDER BY iauname",
        "SELECT label, COUNT(*), MAX(fraction) FROM votes GROUP BY label ORDER BY label",
        "SELECT iauname, label, saliency_map(iauname, label) AS m, saliency_map(iauname, label, "
        "'sd') AS s FROM saliency_stats WHERE of = 'concentration' ORDER BY iauname, label",
        "SELECT g.iauname, similarity(g.iauname, o.iauname, a.question, 'votes', 'predictions') "
        "AS alike FROM galaxies AS g, galaxies AS o, answers AS a ORDER BY alike, g.iauname",
    ],
)
def test_it_answers_as_the_catalogue(full_gz: Path, released: Path, query: str) -> None:
    found = _lines(released, query)
    assert found == _lines(full_gz, query)
    assert len(found) > 3


def test_tables_and_columns_are_described_as_in_the_files(full_cut: Path, released: Path) -> None:
    with opened_to_ask(released, "", memory=1 << 28, threads=1) as (foreign, told):
        tables = {table.name: table for table in foreign.tables if not table.standard}
    assert told == []
    assert tables["galaxies"].about.startswith("Toy galaxies, version 1.0: 30 galaxies")
    assert tables["losses"].description == "One row per galaxy and answer."
    for name in ("galaxies", "predictions", "answers"):
        file = full_cut / ("galaxies.parquet" if name == "galaxies" else f"tables/{name}.parquet")
        schema = pq.read_schema(file)
        said = {c.name: (c.description, c.unit, c.ucd) for c in tables[name].columns}
        wanted = {f.name: meaning(f) for f in schema}
        assert said == {n: (m.description, m.unit, m.ucd) for n, m in wanted.items()}
    (mean,) = [column for column in tables["saliency"].columns if column.name == "mean"]
    assert (mean.type, mean.arraysize) == ("FLOAT[]", "5x5")


def test_nothing_is_made_of_its_galaxies_nor_linked_to(released: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="a release has tables alone"):
        found(released, "J000000.00+000000.0", tmp_path).__enter__()
    asked = Links((("J000000.00+000000.0",) * 2,), "http://here", "votable")
    assert b"a release has tables alone" in b"".join(_said(released, asked, Limits()))
    query = Asked(
        "SELECT TOP 1 iauname FROM zoolens.galaxies", "votable", 10, links="http://here/links"
    )
    assert b"http://here" not in b"".join(_said(released, query, Limits()))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"none")
    with pytest.raises(CatalogError, match="cannot be read"):
        opened_release(tmp_path / NAME, memory=1 << 28, threads=1).__enter__()


def test_a_folder_of_nothing_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no folder of a survey or a release"):
        Snapshot(tmp_path, tmp_path)
