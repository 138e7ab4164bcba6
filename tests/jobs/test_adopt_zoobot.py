"""What Zoobot writes of its predictions is adopted, whichever of its functions wrote it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from galaxy_datasets.shared import label_metadata
from zoobot.shared import load_predictions, save_predictions, schemas

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from zoolens.catalog.formats import reading
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.store.matrices import read_posteriors
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.adopt import adopt

N, T = 5, 3
TREE = get_tree("gzd5")
LABELS = label_metadata.decals_dr5_ortho_label_cols
NAMES = [f"G{i:04d}" for i in range(N)]
ALPHA = random_concentrations(N, T, TREE)  # (N, T, A)
AS_ZOOBOT = ALPHA.transpose(0, 2, 1)  # (N, A, T)


@pytest.fixture
def gz(tmp_path: Path) -> Path:
    return catalogue(tmp_path / "gz.duckdb", random_counts(N, TREE), tree=TREE, names=NAMES)


def table(path: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(path, read_only=True) as store:
        return store.arrow(sql).to_pylist()


def column(path: Path, name: str) -> npt.NDArray[np.float64]:
    """A column of the predictions, (N, A), NaN where NULL."""
    sql = f"SELECT {name} AS x FROM prediction ORDER BY run_id DESC, galaxy_id, answer_id"
    rows = [row["x"] for row in table(path, f"{sql} LIMIT {N * len(LABELS)}")]
    return np.array(rows, float).reshape(N, -1)


@pytest.mark.parametrize("name", ["p.csv", "p.hdf5"])
@pytest.mark.parametrize("samples", [T, 1])
@pytest.mark.slow
def test_every_sample_is_kept(gz: Path, tmp_path: Path, name: str, samples: int) -> None:
    path = tmp_path / name
    write = (
        save_predictions.predictions_to_csv
        if name.endswith(".csv")
        else save_predictions.predictions_to_hdf5
    )
    write(AS_ZOOBOT[..., :samples], NAMES, LABELS, str(path))
    report = adopt(gz, path)
    assert (report.galaxies, report.rejects, report.missing_questions) == (N, 0, ())
    with Store.open(gz) as store:
        ((_, found),) = read_posteriors(store, report.run_id, np.arange(N))
    np.testing.assert_array_equal(found, ALPHA[:, :samples])
    expected = summarise(ALPHA[:, :samples], TREE)
    np.testing.assert_array_equal(column(gz, "fraction"), expected.fraction)
    np.testing.assert_allclose(column(gz, "fraction_lo"), expected.lo, rtol=1e-6)


def test_todays_predict_on_catalog(gz: Path, tmp_path: Path) -> None:
    """It writes the bare labels, one number each, and the identifier last."""
    frame = pd.DataFrame(ALPHA[:, 0], columns=LABELS)
    frame["id_str"] = NAMES
    frame.to_csv(tmp_path / "p.csv", index=False)
    adopt(gz, tmp_path / "p.csv")
    expected = summarise(ALPHA[:, :1], TREE)
    np.testing.assert_allclose(column(gz, "fraction"), expected.fraction, rtol=1e-6)
    np.testing.assert_allclose(column(gz, "fraction_hi"), expected.hi, rtol=1e-5)


def test_a_row_that_contradicts_the_others_is_refused(
    gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_ROWS", 2)
    values = AS_ZOOBOT.copy()
    values[3, 0, 0] = 0.5  # a fraction among concentrations
    path = tmp_path / "p.hdf5"
    save_predictions.predictions_to_hdf5(values, NAMES, LABELS, str(path))
    report = adopt(gz, path)
    assert (report.galaxies, report.rejects) == (N - 1, 1)
    (reject,) = table(gz, "SELECT key, reason FROM rejects")
    assert reject["key"] == NAMES[3]
    assert reject["reason"].startswith("concentration outside 1..1e+06")


@pytest.mark.parametrize("path", ["/data/images/{}.png", r"C:\images\{}.fits.fz"])
def test_galaxies_are_named_after_the_files_of_their_images(
    gz: Path, tmp_path: Path, path: str
) -> None:
    file = tmp_path / "p.hdf5"
    names = [path.format(name) for name in NAMES]
    save_predictions.predictions_to_hdf5(AS_ZOOBOT, names, LABELS, str(file))
    report = adopt(gz, file)
    assert (report.galaxies, report.rejects) == (N, 0)
    assert report.notes == ("id_str holds paths: galaxies are named after the files",)


@pytest.mark.slow
def test_its_summaries(gz: Path, tmp_path: Path) -> None:
    """Fractions are taken as stated; the advanced table also has intervals and reach."""
    schema = schemas.Schema(
        label_metadata.decals_dr5_ortho_pairs, label_metadata.decals_ortho_dependencies
    )
    ids = pd.DataFrame({"id_str": NAMES, "hdf5_loc": "p.hdf5"})
    load_predictions.concentrations_to_summary_parquet(
        str(tmp_path / "p.parquet"), schema, ids, AS_ZOOBOT, LABELS
    )
    report = adopt(gz, tmp_path / "p_advanced.parquet")
    assert "intervals are as the table states them" in report.notes[0]
    stated = pd.read_parquet(tmp_path / "p_advanced.parquet")
    for name, ending in (
        ("fraction", "_fraction"),
        ("fraction_lo", "_90pc-lower"),
        ("fraction_hi", "_90pc-upper"),
    ):
        values = stated[[label + ending for label in LABELS]].to_numpy()
        np.testing.assert_allclose(column(gz, name), values, rtol=1e-6)
    reach = stated[[f"{label}_proportion-asked" for label in LABELS]].to_numpy()
    np.testing.assert_allclose(column(gz, "reach"), reach, rtol=1e-6)
    assert np.isnan(column(gz, "fraction_sd")).all()

    for name in ("p_friendly.parquet", "p_friendly.csv"):
        adopt(gz, tmp_path / name)
        stated = pd.read_parquet(tmp_path / "p_friendly.parquet")
        values = stated[[f"{label}_fraction" for label in LABELS]].to_numpy()
        assert np.isnan(values).any()
        np.testing.assert_allclose(column(gz, "fraction"), values, rtol=1e-6)
        assert np.isnan(column(gz, "fraction_lo")).all(), "no interval is invented"


def test_euclids_table_beside_fractions_that_are_null(gz: Path, tmp_path: Path) -> None:
    columns: dict[str, Any] = {"iauname": NAMES}
    fractions = summarise(ALPHA[:, :1], TREE).fraction
    for k, label in enumerate(TREE.labels):
        shown = np.where(np.arange(N) % 2 == 0, fractions[:, k], np.nan)
        columns[f"{label}_fraction"] = shown
        columns[f"{label}_dirichlet"] = ALPHA[:, 0, k]
    path = tmp_path / "q1.parquet"
    pd.DataFrame(columns).to_parquet(path)
    report = adopt(gz, path)
    assert report.notes == ()
    np.testing.assert_allclose(column(gz, "fraction"), fractions, rtol=1e-12)
    assert not np.isnan(column(gz, "fraction_lo")).any()
    assert table(gz, "SELECT DISTINCT samples AS s FROM posterior") == [{"s": 1}]
