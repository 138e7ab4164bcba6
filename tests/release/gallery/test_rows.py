"""What a gallery tells of the worst galaxies, against the ranking and the similarity search."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_predictions,
    random_concentrations,
)
from tests.made.galleries import (
    gallery_catalogue,
    page_data,
    write_page,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow


def test_questions_are_those_that_lead_to_the_answer(page: Path) -> None:
    parents = {"round": "shape", "bar": "shape", "merging": "shape"}
    for one in page_data(page):
        shown = [question["question"] for question in one["questions"]]
        assert one["question"] in shown
        assert parents.get(one["question"], one["question"]) in shown


def test_counterparts_are_the_best_ones(path: Path, page: Path) -> None:
    shown = page_data(page)
    with Store.open(path, read_only=True) as store:
        for one in shown:
            (galaxy_id,) = store.arrow(
                "SELECT galaxy_id FROM galaxies WHERE iauname = ?", [one["name"]]
            )["galaxy_id"].to_pylist()
            found = find_counterparts(store, galaxy_id, TOY.labels.index(one["label"]))
            expected = [("observed", found.observed[0]), ("predicted", found.predicted[0])]
            for other, (role, counterpart) in zip(one["counterparts"], expected, strict=True):
                assert (other["role"], other["shown"]) == (role, counterpart.iauname)
                assert shown[other["place"]]["name"] == counterpart.iauname
                fact = store.arrow(
                    "SELECT fraction, fraction_lo FROM predictions WHERE iauname = ? AND label = ?",
                    [counterpart.iauname, one["label"]],
                ).to_pylist()[0]
                assert other["predicted"] == pytest.approx(fact["fraction"], abs=6e-5)
                assert other["lo"] == pytest.approx(fact["fraction_lo"], abs=6e-5)
                target = counterpart.target
                assert target is not None
                assert other["asked"] == pytest.approx(target.fraction, abs=6e-5)
                assert other["close"] == (target.words if target.close else None)
                assert target.close or target.words in one["notes"]
            assert one["notes"] == " ".join(found.notes)


def test_too_few_votes_do_not_count(path: Path, tmp_path: Path) -> None:
    write_page(path, tmp_path / "gallery", min_votes=20)
    with Store.open(path, read_only=True) as store:
        ranking = rank_galaxies(store, 100, min_votes=20)
    assert [one["name"] for one in page_data(tmp_path / "gallery")] == ranking[
        "iauname"
    ].to_pylist()
    assert all(one["votes"] >= 20 for one in page_data(tmp_path / "gallery"))
    with Store.open(path, read_only=True) as store:
        for one in page_data(tmp_path / "gallery"):
            for other in one["counterparts"]:
                sql = "SELECT total FROM votes WHERE iauname = ? AND label = ?"
                assert store.value(sql, [other["shown"], one["label"]]) >= 20
    assert "at least 20 volunteers" in (tmp_path / "gallery" / "index.html").read_text("utf-8")


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_only_those_among(path: Path, tmp_path: Path, limit: int) -> None:
    with Store.open(path, read_only=True) as store:
        ranking = rank_galaxies(store, 100)
    among = [11, 0, 7]
    expected = [row["iauname"] for row in ranking.to_pylist() if row["galaxy_id"] in among]
    assert expected != ranking["iauname"].to_pylist()[:3]
    write_page(path, tmp_path, limit=limit, among=np.array(among))
    assert [one["name"] for one in page_data(tmp_path)] == expected[:limit]


def test_a_limit_of_none_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="limit"):
        write_page(path, tmp_path, limit=0)


def test_without_an_index_there_are_no_counterparts(tmp_path: Path) -> None:
    path = gallery_catalogue(tmp_path, [f"G{n}" for n in range(6)], indexed=False)
    assert write_page(path, tmp_path / "gallery").galaxies == 6
    for one in page_data(tmp_path / "gallery"):
        assert one["counterparts"] == []
        assert "no similarity index" in one["notes"]


def test_a_galaxy_alone_has_no_counterparts(tmp_path: Path) -> None:
    path = gallery_catalogue(tmp_path, ["alone"])
    assert write_page(path, tmp_path / "gallery").galaxies == 1
    (one,) = page_data(tmp_path / "gallery")
    assert one["counterparts"] == []
    assert one["notes"].startswith("No counterparts: no other galaxy has 10 votes on ")


def test_losses_of_other_predictions_make_no_gallery(tmp_path: Path) -> None:
    path = gallery_catalogue(tmp_path, [f"G{n}" for n in range(4)])
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(4, seed=9), seed=4)
    with pytest.raises(CatalogError, match="no complete score run of the predictions that show"):
        write_page(path, tmp_path / "gallery")
