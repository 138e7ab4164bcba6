"""Maps through the store and back, as Python and as SQL users read them."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from tests.made.covered import covered
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.explain.rows import map_rows, statistic_rows
from zoolens.catalog.saliency.arithmetic import (
    cross_entropy_map,
    fraction_maps,
    upsample,
)
from zoolens.catalog.store.store import Store

GALAXIES, SIZE = 3, 7
COVERED = covered([np.ones((SIZE, SIZE)), None], (SIZE, SIZE))
LACKING = slice(5, 8)  # `bar`, which the model does not have


def random_maps() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    shape = (GALAXIES, len(TOY.labels), SIZE, SIZE)
    mean = random.normal(size=shape).astype(np.float32)
    sd = random.random(shape).astype(np.float32)
    mean[:, LACKING], sd[:, LACKING] = np.nan, np.nan
    return mean, sd


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A catalogue of three galaxies, the last one without maps."""
    path = catalogue(
        tmp_path_factory.mktemp("maps") / "gz.duckdb",
        random_counts(GALAXIES, seed=3),
        concentrations=random_concentrations(GALAXIES, 1),
    )
    mean, sd = random_maps()
    with Store.open(path) as store:
        config = {
            "predict_run": store.newest_run("predict"),
            "method": "hirescam",
            "samples": 0,  # one sample, with dropout off: fractions follow from what is stored
        }
        run = store.begin("explain", config)
        tables = {
            "saliency_map": map_rows([0, 1], mean[:2], sd[:2], TOY),
            "saliency_stat": statistic_rows([0, 1], "concentration", mean[:2], COVERED),
        }
        store.commit(run, "1", tables)
        store.finish(run)
        yield store


def test_a_stored_map_comes_back_bit_for_bit(explained: Store) -> None:
    mean, sd = random_maps()
    for answer, label in enumerate(TOY.labels):
        if LACKING.start <= answer < LACKING.stop:
            continue
        np.testing.assert_array_equal(saliency_of(explained, "G0001", label), mean[1, answer])
        np.testing.assert_array_equal(
            saliency_of(explained, "G0001", label, sd=True), sd[1, answer]
        )
    fine = saliency_of(explained, "G0000", "shape_disk", size=224)
    np.testing.assert_array_equal(fine, upsample(mean[0, 1], 224))


def test_a_path_will_do(explained: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    explained.execute("CHECKPOINT")
    copy.write_bytes(explained.path.read_bytes())
    np.testing.assert_array_equal(
        saliency_of(copy, "G0000", "shape_disk"), saliency_of(explained, "G0000", "shape_disk")
    )
    np.testing.assert_array_equal(
        saliency_of(str(copy), "G0000", "shape_disk", run_id=3), random_maps()[0][0, 1]
    )


def test_sql_users_decode_in_two_lines(explained: Store) -> None:
    (row,) = explained.arrow(
        "SELECT mean, answers, height, width FROM saliency "
        "WHERE iauname = 'G0000' AND question = 'round'"
    ).to_pylist()
    maps = np.frombuffer(row["mean"], "<f4").reshape(row["answers"], row["height"], row["width"])
    np.testing.assert_array_equal(maps, random_maps()[0][0, 3:5])


def test_questions_that_the_model_lacks_are_not_stored(explained: Store) -> None:
    questions = explained.arrow("SELECT DISTINCT question FROM saliency")["question"].to_pylist()
    assert sorted(questions) == ["merging", "round", "shape"]
    assert explained.value("SELECT count(*) FROM saliency_stats WHERE question = 'bar'") == 0
    assert explained.value("SELECT count(*) FROM saliency_stats") == 2 * (len(TOY.labels) - 3)
    with pytest.raises(CatalogError, match="the model of run 3 has no answer bar_weak"):
        saliency_of(explained, "G0000", "bar_weak")


def test_statistics_of_a_galaxy_without_segment_are_null(explained: Store) -> None:
    null = "SELECT count(*) FROM saliency_stats WHERE iauname = ? AND on_target IS NULL"
    assert explained.value(null, ["G0000"]) == 0
    assert explained.value(null, ["G0001"]) == len(TOY.labels) - 3


def test_without_dropout_derived_maps_come_from_the_stored_ones(explained: Store) -> None:
    alpha = random_concentrations(GALAXIES, 1)[0, 0, 3:5].astype(float)
    maps = random_maps()[0][0, 3:5]
    np.testing.assert_array_equal(
        saliency_of(explained, "G0000", "round_no", of="fraction"), fraction_maps(maps, alpha)[1]
    )
    counts = random_counts(GALAXIES, seed=3)[0, 3:5]
    assert counts.sum() > 0
    np.testing.assert_array_equal(
        saliency_of(explained, "G0000", "round_no", of="cross_entropy"),
        cross_entropy_map(
            fraction_maps(maps, alpha)[1], alpha[1] / alpha.sum(), counts[1] / counts.sum()
        ),
    )
    with pytest.raises(CatalogError, match="map of the fraction has no standard"):
        saliency_of(explained, "G0000", "round_no", of="fraction", sd=True)


def test_what_is_not_there_is_told(explained: Store) -> None:
    with pytest.raises(UnknownName, match="no galaxy 'G9'"):
        saliency_of(explained, "G9", "round_no")
    with pytest.raises(UnknownName, match="no answer 'round_maybe'"):
        saliency_of(explained, "G0000", "round_maybe")
    with pytest.raises(UnknownName, match="no run 77"):
        saliency_of(explained, "G0000", "round_no", run_id=77)
    with pytest.raises(CatalogError, match="run 2 is a predict run"):
        saliency_of(explained, "G0000", "round_no", run_id=2)
    with pytest.raises(CatalogError, match="no maps of G0002; make them with: zoolens explain"):
        saliency_of(explained, "G0002", "round_no")
    with pytest.raises(CatalogError, match="no catalogue at"):
        saliency_of("nowhere.duckdb", "G0002", "round_no")


def test_a_loss_without_votes_has_no_map(tmp_path: Path) -> None:
    nobody = np.zeros((1, len(TOY.labels)))
    path = catalogue(tmp_path / "gz.duckdb", nobody, concentrations=random_concentrations(1, 1))
    mean = np.ones((1, len(TOY.labels), 2, 2), np.float32)
    with Store.open(path) as store:
        config = {"predict_run": store.newest_run("predict"), "samples": 0}
        run = store.begin("explain", config)
        store.commit(run, "1", {"saliency_map": map_rows([0], mean, mean, TOY)})
        store.finish(run)
        with pytest.raises(CatalogError, match="no votes give a fraction of round_no"):
            saliency_of(store, "G0000", "round_no", of="cross_entropy")
        foreign = store.begin("explain", {"predict_run": None})
        store.commit(foreign, "1", {"saliency_map": map_rows([0], mean, mean, TOY)})
        store.finish(foreign)
        with pytest.raises(CatalogError, match="do first: zoolens predict"):
            saliency_of(store, "G0000", "round_no", of="fraction", run_id=foreign.run_id)


def test_damaged_rows_are_told(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(1), concentrations=random_concentrations(1)
    )
    mean = np.ones((1, len(TOY.labels), 2, 2), np.float32)
    with Store.open(path) as store:
        run = store.begin("explain", {"predict_run": store.newest_run("predict")})
        store.commit(run, "1", {"saliency_map": map_rows([0], mean, mean, TOY)})
        store.finish(run)
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE saliency_map SET height = 3000000")
    with pytest.raises(CatalogError, match="48 bytes for 3 x 3000000 x 2 numbers"):
        saliency_of(path, "G0000", "shape_disk")
