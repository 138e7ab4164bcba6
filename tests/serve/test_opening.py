"""A survey answers as the one catalogue that it was cut from."""

import shutil
from pathlib import Path

import pytest

from tests.made.catalogues import add_galaxies, add_predictions, random_concentrations
from zoolens.catalog.serve.asking import Asked, Limits
from zoolens.catalog.serve.child import _said
from zoolens.catalog.serve.opening import opened_to_ask
from zoolens.catalog.serve.snapshots import Snapshot
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import read_survey

_LIMITS = Limits()


def _lines(path: Path, query: str) -> list[bytes]:
    said = b"".join(_said(path, Asked(query, "csv", 10_000), _LIMITS)).splitlines()
    assert said[0] == b'{"status": "ok"}', said
    return said[1:]


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "SELECT iauname, ra, dec FROM galaxies ORDER BY iauname",
        "SELECT iauname FROM galaxies WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(100, 0, 60)) "
        "ORDER BY iauname",
        "SELECT rank, iauname, label, weighted_ce FROM worst ORDER BY rank",
        "SELECT label, COUNT(*), MAX(fraction) FROM votes GROUP BY label ORDER BY label",
        "SELECT g.iauname, l.label, l.ce FROM losses AS l JOIN galaxies AS g USING (galaxy_id) "
        "ORDER BY g.iauname, l.label",
        "SELECT question, answer FROM answers ORDER BY answer_id",
        "SELECT iauname, similarity(iauname, 'J000003.00+000003.0', 'shape') AS votes, "
        "similarity(iauname, 'J000003.00+000003.0', 'bar', 'predictions', 'votes') AS predicted "
        "FROM galaxies ORDER BY iauname",
        "SELECT iauname, label, saliency_map(iauname, label) AS pixels, "
        "saliency_map(iauname, label, 'sd') AS sds FROM saliency_stats ORDER BY iauname, label",
    ],
)
def test_it_answers_as_the_whole(full_gz: Path, full_survey: Path, query: str) -> None:
    found = _lines(full_survey, query)
    assert found == _lines(full_gz, query)
    assert len(found) > 3


@pytest.mark.slow
def test_its_rows_tell_their_piece(full_survey: Path) -> None:
    pieces = _lines(full_survey, "SELECT DISTINCT piece FROM history.losses ORDER BY piece")
    assert {line.decode().strip('"') for line in pieces[1:]} <= {
        piece.name for piece in read_survey(full_survey).pieces
    }
    with opened_to_ask(full_survey, "galaxies", memory=1 << 28, threads=1) as (foreign, _):
        (galaxies,) = [table for table in foreign.tables if table.full == "zoolens.galaxies"]
    assert galaxies.columns[-1].name == "piece"


@pytest.mark.slow
def test_its_copy_is_renewed_piece_by_piece(full_survey: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(full_survey, tmp_path / "survey")
    snapshot = Snapshot(folder, tmp_path / "served")
    assert not snapshot.renew()
    (changed, *_) = read_survey(folder).paths
    with Store.open(changed) as store:
        add_galaxies(store, 1)
    assert snapshot.renew()
    assert _lines(snapshot.path, "SELECT COUNT(*) AS n FROM galaxies") == [b"n", b"31"]


@pytest.mark.slow
def test_what_is_outdated_is_said_with_the_answer(full_gz: Path, tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    path.write_bytes(full_gz.read_bytes())
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(30, samples=5))  # so that losses are of others
    query = "SELECT COUNT(*) AS n FROM losses"
    said = b"".join(_said(path, Asked(query, "votable/td", 10), _LIMITS))
    assert b'<INFO name="WARNING_1" value="' in said
    assert b"WARNING" not in b"".join(_said(full_gz, Asked(query, "votable/td", 10), _LIMITS))
