"""The worst galaxies of a survey are those of the catalogue that it was cut from."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from zoolens.catalog.errors import CatalogError, NothingHere, Told, UnknownName
from zoolens.catalog.predictions.estimates import estimate_rows
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece, open_survey
from zoolens.jobs.keep import keep
from zoolens.jobs.score import score
from zoolens.jobs.worst import worst, worst_estimates

from ..made.catalogues import add_predictions, blank, random_concentrations
from ..made.own_tables import own_table
from ..made.surveys import cut

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"limit": 3},
        {"limit": 1000, "min_votes": 0},
        {"min_votes": 25, "limit": 4},
        {"answer": "bar_no"},
        {"question": "merging", "limit": 7},
        {"by": "ce", "limit": 12},
        {"by": "reach_weighted_ce", "min_votes": 0, "limit": 30},
        {"where": "ra < 120 AND dec > -30"},
        {"where": "galaxy_id = 12"},
    ],
)
def test_the_worst_are_those_of_the_whole(
    full_gz: Path, full_survey: Path, asked: dict[str, object]
) -> None:
    ranking = worst(full_survey, **asked)  # type: ignore[arg-type]
    assert len(ranking)
    assert ranking.equals(worst(full_gz, **asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"by": "votes"},
        {"answer": "bar_maybe"},
        {"answer": "bar_no", "question": "round"},
        {"where": "z < 0.1"},
        {"where": "ra < 'east'"},
        {"where": "ra < 0"},
    ],
)
def test_what_is_wrong_is_refused_in_the_words_of_one_catalogue(
    full_gz: Path, full_survey: Path, asked: dict[str, object]
) -> None:
    with pytest.raises(CatalogError) as whole:
        worst(full_gz, **asked)  # type: ignore[arg-type]
    with pytest.raises(type(whole.value)) as refused:
        worst(full_survey, **asked)  # type: ignore[arg-type]
    assert str(refused.value) == str(whole.value).replace(str(full_gz), str(full_survey))


def test_an_empty_ranking_says_why(full_gz: Path, full_survey: Path) -> None:
    said = []
    for catalogue in (full_gz, full_survey):
        with pytest.warns(Told, match="ask for fewer votes") as told:
            assert not len(worst(catalogue, min_votes=1000))
        said.append([str(one.message) for one in told if one.category is Told])
    assert said[0] == said[1]


@pytest.fixture
def survey(full_survey: Path, tmp_path: Path) -> Path:
    return shutil.copytree(full_survey, tmp_path / "dr1")


def test_losses_of_other_weights_or_models_are_not_ranked_together(survey: Path) -> None:
    pieces = open_survey(survey).named
    odd = [*pieces][2]
    score(pieces[odd], weights="none")
    with pytest.raises(CatalogError, match=rf"losses of {odd} .*Norder=0/Npix=1.* in weights;"):
        worst(survey)
    with Store.open(pieces[odd]) as store:
        ids = [row[0] for row in store.rows("SELECT galaxy_id FROM votes GROUP BY ALL ORDER BY 1")]
        add_predictions(store, random_concentrations(len(ids), 5), galaxy_ids=ids)
    score(pieces[odd])
    with pytest.raises(CatalogError, match=rf"predictions of {odd} .* differ in samples;"):
        worst(survey)


def test_pieces_without_losses_are_told(full_gz: Path, survey: Path) -> None:
    pieces = open_survey(survey).named
    left, lacking = [*pieces][3:], [*pieces][:3]
    for name in lacking:
        with Store.open(pieces[name]) as store:
            store.execute("UPDATE run SET status = 'running' WHERE job = 'score'")
    with pytest.warns(Told, match=rf"without losses: {', '.join(lacking)} of {len(pieces)} pieces"):
        ranking = worst(survey, limit=1000)
    names = set(ranking["iauname"].to_pylist())
    assert names
    assert names < set(worst(full_gz, limit=1000)["iauname"].to_pylist())
    for name in left:
        with Store.open(pieces[name]) as store:
            store.execute("UPDATE run SET status = 'running' WHERE job = 'score'")
    with pytest.raises(CatalogError, match="has no complete score run"):
        worst(survey)


def test_pieces_without_a_column_of_the_user_s_own_are_told(survey: Path, tmp_path: Path) -> None:
    path = open_survey(survey).paths[1]
    with Store.open(path) as store:
        ((galaxy,),) = store.rows("SELECT iauname FROM worst LIMIT 1")
    keep(path, own_table(tmp_path / "z.csv", {"iauname": [galaxy], "z": [0.1]}), ["z"])
    with pytest.warns(Told, match="left out: the condition 'z < 1'.*not found"):
        assert worst(survey, min_votes=0, where="z < 1")["iauname"].to_pylist() == [galaxy]
    with pytest.raises(NothingHere, match=f"no galaxy of {survey} has z > 1"):
        worst(survey, where="z > 1")
    with pytest.raises(UnknownName, match="'y < 1'"):
        worst(survey, where="y < 1")


def _estimated(path: Path, output: str, names: list[str]) -> Path:
    """Forty galaxies in three pixels of order 0, with labels `mine`, some of no class."""
    random = np.random.default_rng(3)
    count = 40
    with Store.open(blank(path)) as store:
        run = store.begin("ingest", {})
        galaxies = {
            "galaxy_id": range(1, count + 1),
            "iauname": [f"G{random.integers(10**6):06d}" for _ in range(count)],
            "ra": random.uniform(10, 260, count),
            "dec": random.uniform(45, 60, count),
        }
        store.commit(run, "all", {"galaxy": pa.table(galaxies)})
        store.finish(run)
        run = store.begin("estimate", {"names": names, "output": output})
        samples = random.integers(1, 4, (count, 3, len(names))) / 4
        rows = estimate_rows(range(1, count + 1), names, samples, dropout=True)
        store.commit(run, "all", {"estimate": rows})
        store.finish(run)
    labels = random.integers(0, 4, count).tolist()
    values = [f"{label}" for label in labels] if output == "probability" else labels
    table = own_table(
        path.with_suffix(".parquet"), {"iauname": galaxies["iauname"], "mine": values}
    )
    keep(path, table, ["mine"])
    return path


@pytest.mark.parametrize(
    ("output", "names", "ways"),
    [("probability", ["0", "1", "2"], ["ce"]), ("value", ["value"], ["error", "deviation"])],
)
def test_estimates_rank_as_those_of_the_whole(
    tmp_path: Path, output: str, names: list[str], ways: list[str]
) -> None:
    whole = _estimated(tmp_path / "gz.duckdb", output, names)
    folder = cut(whole, tmp_path / "dr1", [Piece(0, pixel) for pixel in range(12)])
    told = pytest.warns(Told, match="are no class") if output == "probability" else None
    for by in (None, *ways):
        for asked in ({"limit": 5}, {"limit": 100}, {"limit": 100, "where": "ra < 90"}):
            if told is None:
                both = [worst_estimates(one, "mine", by=by, **asked) for one in (whole, folder)]
            else:
                with told:
                    both = [worst_estimates(one, "mine", by=by, **asked) for one in (whole, folder)]
            assert len(both[0])
            assert both[1].equals(both[0])
    with pytest.raises(CatalogError, match="no column 'yours' of your own"):
        worst_estimates(folder, "yours")
