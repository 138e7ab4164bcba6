"""SQL over a survey, as a user asks it."""

import shutil
from pathlib import Path

import pytest

import zoolens
from zoolens.catalog.errors import CatalogError, Outdated, QueryRefused, Told
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import open_survey
from zoolens.jobs.keep import keep
from zoolens.jobs.sql import sql, views

pytestmark = pytest.mark.slow

RANKED = "SELECT rank, iauname, label, weighted_ce FROM worst ORDER BY rank LIMIT 10"
JOINED = """SELECT g.iauname, l.label, l.ce, p.reach FROM losses l JOIN galaxies g USING (galaxy_id)
JOIN predictions p USING (galaxy_id, label) WHERE g.ra BETWEEN 90 AND 200 ORDER BY ALL"""


def _rows(path: Path, query: str | None) -> list[tuple[object, ...]]:
    with sql(path, query) as answer:
        return [tuple(row) for row in answer.rows]


@pytest.mark.parametrize(
    "query",
    [RANKED, JOINED, "FROM answers", "EXPLAIN SELECT 1", "SELECT max(rank), count(*) FROM worst"],
)
def test_it_answers_as_the_whole(full_gz: Path, full_survey: Path, query: str) -> None:
    assert _rows(full_survey, query) == _rows(full_gz, query)


def test_views_are_described(full_gz: Path, full_survey: Path) -> None:
    described = [row for row in _rows(full_survey, "losses") if row[0] != "piece"]
    assert described == _rows(full_gz, "losses")
    whole = _rows(full_gz, None)
    assert {row for row in _rows(full_survey, None) if row[1] != "piece"} == {*whole}
    with views(full_survey) as answer:
        assert len([*answer.rows]) == len({row[0] for row in whole})


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nothing FROM galaxies", 'column "nothing" not found'),
        ("SELECT * FROM galaxy_zoo", "galaxy_zoo does not exist"),
        ("DROP VIEW galaxies", "read-only"),
        ("ATTACH 'other.duckdb'", "read-only"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration"),
    ],
)
def test_what_is_wrong_or_hostile_is_refused(full_survey: Path, query: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        _rows(full_survey, query)


def test_a_query_that_takes_too_much_is_stopped(full_survey: Path) -> None:
    query = "SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1"
    with (
        pytest.raises(CatalogError, match=r"it took more than 0.2 s"),
        sql(full_survey, query, timeout=0.2) as answer,
    ):
        next(iter(answer.rows))
    with pytest.raises(QueryRefused):
        _rows(full_survey, "SELEC")


def test_a_query_of_pieces_that_differ_is_told(full_survey: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(full_survey, tmp_path / "dr1")
    pieces = open_survey(folder).named
    odd, bare = [*pieces][1:3]
    with Store.open(pieces[odd]) as store:
        store.execute("UPDATE run SET model_sha256 = '11' WHERE job = 'predict'")
        store.execute(
            "UPDATE run SET config = json_merge_patch(config, ?) WHERE job = 'score'",
            ['{"votes": []}'],
        )
    with Store.open(pieces[bare]) as store:
        store.execute("UPDATE run SET status = 'running' WHERE job = 'score'")
    with (
        pytest.warns(Told, match=f"predictions of {odd} are not as .* differ in model"),
        pytest.warns(Told, match=f"without losses: {bare} of"),
        pytest.warns(Outdated, match=f"the losses of {odd} are outdated"),
    ):
        _rows(folder, "SELECT count(*) FROM losses")
    assert _rows(folder, "SELECT count(*) FROM galaxies") == [(30,)]


def test_a_survey_opens_in_python(full_gz: Path, full_survey: Path) -> None:
    whole = zoolens.open(full_gz)
    with zoolens.open(full_survey) as survey:
        assert survey.sql(RANKED).equals(whole.sql(RANKED))
        assert survey.worst(3).equals(whole.worst(3))
        with pytest.raises(CatalogError, match="is a folder"):
            survey.image("J000012.00+000012.0")


def test_own_columns_of_another_type_or_unit_are_told(full_survey: Path, tmp_path: Path) -> None:
    survey = Path(shutil.copytree(full_survey, tmp_path / "survey"))
    pieces = open_survey(survey).named
    for path, values in zip(pieces.values(), ("0.5", "a"), strict=False):
        with Store.open(path, read_only=True) as store:
            galaxy = store.value("SELECT min(iauname) FROM galaxies")
        table = tmp_path / f"{path.stem}.csv"
        table.write_text(f"iauname,mine\n{galaxy},{values}\n")
        keep(path, table, ["mine"])
    first, second, *_ = pieces
    said = f"'mine' is VARCHAR without a unit in {second}, and DOUBLE without a unit in {first}"
    with pytest.warns(Told, match=said):
        assert len(_rows(survey, "SELECT mine FROM own WHERE mine IS NOT NULL")) == 2
