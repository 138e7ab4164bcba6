"""Published predictions in the store: what is taken over, refused, added later."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import zoolens.jobs.adopt
from tests.made.catalogues import TOY, add_votes, catalogue, random_concentrations, random_counts
from zoolens.catalog.errors import CatalogError, TableRefused
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.store.matrices import read_posteriors, read_predictions
from zoolens.catalog.store.store import Store
from zoolens.jobs.adopt import adopt
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

N, T, A = 8, 3, 10


@pytest.fixture
def gz(tmp_path: Path) -> Path:
    return catalogue(tmp_path / "gz.duckdb", random_counts(N))


def published(path: Path, galaxies: int = N, **changes: dict[int, Any]) -> Path:
    """A Parquet or CSV file of samples for G0000 and on; changes by column and row."""
    alpha = random_concentrations(galaxies, T)
    columns: dict[str, list[Any]] = {"iauname": [f"G{i:04d}" for i in range(galaxies)]}
    for k, label in enumerate(TOY.labels):
        columns[f"{label}_concentration"] = alpha[:, :, k].tolist()
    for name, cells in changes.items():
        for row, cell in cells.items():
            columns[name][row] = cell
    frame = pd.DataFrame(columns)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


def table(path: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(path, read_only=True) as store:
        return store.arrow(sql).to_pylist()


def test_posteriors_come_back_as_published(gz: Path, tmp_path: Path) -> None:
    report = adopt(gz, published(tmp_path / "p.parquet"))
    assert (report.galaxies, report.total, report.rejects) == (N, N, 0)
    assert report.changed
    assert report.samples is None
    assert report.missing_questions == ()
    alpha = random_concentrations(N, T)
    expected = summarise(alpha, TOY)
    ids = np.arange(N)
    with Store.open(gz) as store:
        ((where, found),) = read_posteriors(store, report.run_id, ids)
        fractions, reach = read_predictions(store, TOY, report.run_id, ids)
        information = store.arrow(
            "SELECT mutual_information AS m FROM question_prediction "
            "ORDER BY galaxy_id, question_id"
        )["m"].to_numpy()
    np.testing.assert_array_equal(where, ids)
    np.testing.assert_array_equal(found, alpha)
    np.testing.assert_array_equal(fractions, expected.fraction)
    np.testing.assert_allclose(reach, expected.reach, rtol=1e-6)  # float32 in the table
    np.testing.assert_array_equal(information, expected.information.ravel())
    assert verify(gz).errors == 0


def test_the_run_is_one_of_predict_and_names_its_file(gz: Path, tmp_path: Path) -> None:
    path = published(tmp_path / "p.csv")
    run_id = adopt(gz, path).run_id
    (run,) = table(gz, f"SELECT * FROM runs WHERE run_id = {run_id}")
    assert (run["job"], run["status"], run["model_sha256"]) == ("predict", "complete", None)
    assert str(path.resolve()) in run["config"]
    assert "predictions_sha256" in run["config"]


def test_the_same_again_changes_nothing_and_news_are_added(gz: Path, tmp_path: Path) -> None:
    path = published(tmp_path / "p.parquet", N + 2)
    first = adopt(gz, path)
    assert (first.galaxies, first.rejects) == (N, 2)
    kinds = table(gz, 'SELECT "row", key, reason FROM rejects ORDER BY "row"')
    assert [(k["row"], k["key"]) for k in kinds] == [(9, "G0008"), (10, "G0009")]
    assert all(k["reason"].startswith("unknown galaxy") for k in kinds)
    again = adopt(gz, path)
    assert (again.run_id, again.changed, again.total) == (first.run_id, False, N)
    with Store.open(gz) as store:
        add_votes(store, random_counts(1))  # G0008
    news = adopt(gz, path)
    assert (news.run_id, news.galaxies, news.rejects, news.total) == (first.run_id, 1, 0, N + 1)
    counts = table(gz, "SELECT count(*) AS n FROM prediction GROUP BY galaxy_id, answer_id")
    assert [row["n"] for row in counts] == [1] * (N + 1) * A


def test_bad_rows_are_rejects_and_the_rest_goes_on(gz: Path, tmp_path: Path) -> None:
    path = published(
        tmp_path / "p.csv",
        iauname={3: "G0002", 6: None},
        bar_no_concentration={0: [1.0, -2.0, 3.0], 4: [1.0]},
    )
    with path.open("a") as file:
        file.write("G0003,1\n")
    report = adopt(gz, path)
    rejects = table(gz, "SELECT \"row\", key, split_part(reason, ':', 1) AS kind FROM rejects")
    assert sorted(((r["row"], r["key"], r["kind"]) for r in rejects), key=lambda r: r[0]) == [
        (1, "G0000", "concentration outside 1e-06..1e+06"),
        (4, "G0002", "duplicated identifier"),
        (5, "G0004", "uneven samples"),
        (7, None, "missing identifier"),
        (9, None, "ragged row"),
    ]
    assert (report.galaxies, report.rejects) == (4, 5)
    predicted = table(gz, "SELECT DISTINCT iauname AS n FROM predictions ORDER BY n")
    assert [row["n"] for row in predicted] == ["G0001", "G0002", "G0005", "G0007"]
    assert not adopt(gz, path).changed


def test_rows_in_any_order_become_galaxies_in_order(
    gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoolens.jobs.adopt, "SHARD", 3)
    frame = pd.read_parquet(published(tmp_path / "p.parquet")).iloc[::-1]
    frame.to_parquet(tmp_path / "q.parquet")
    report = adopt(gz, tmp_path / "q.parquet")
    shards = table(gz, f"SELECT name FROM shard WHERE run_id = {report.run_id}")
    assert [row["name"] for row in shards] == ["part 1", "part 2", "part 3"]
    with Store.open(gz) as store:
        ((_, found),) = read_posteriors(store, report.run_id, np.arange(N))
        stored = store.arrow("SELECT galaxy_id FROM prediction")["galaxy_id"].to_numpy()
    np.testing.assert_array_equal(found, random_concentrations(N, T))
    np.testing.assert_array_equal(stored, np.repeat(np.arange(N), A))


def test_interrupted_between_shards_it_resumes(
    gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = published(tmp_path / "p.parquet")
    commit = Store.commit

    def full_disk(self: Store, run: Any, name: str, tables: Any) -> None:
        if name == "part 3":
            raise KeyboardInterrupt
        commit(self, run, name, tables)

    with monkeypatch.context() as patch:
        patch.setattr(zoolens.jobs.adopt, "SHARD", 3)
        patch.setattr(Store, "commit", full_disk)
        with pytest.raises(KeyboardInterrupt):
            adopt(gz, path)
    assert table(gz, "SELECT count(*) AS n FROM predictions") == [{"n": 0}], "not shown"
    resumed = adopt(gz, path)
    assert (resumed.galaxies, resumed.total) == (2, N)
    assert table(gz, "SELECT count(*) AS n FROM predictions") == [{"n": N * A}]


def test_real_automated_fractions_of_real_galaxies(data: Path, tmp_path: Path) -> None:
    from zoolens.catalog.trees.published import get_tree

    path = data / "decals_automated_fractions.csv"
    stated = pd.read_csv(path)
    tree = get_tree("gzd5")
    names = stated["iauname"].tolist()
    gz = catalogue(tmp_path / "gz.duckdb", random_counts(100, tree), tree=tree, names=names)
    report = adopt(gz, path)
    assert (report.galaxies, report.rejects) == (100, 0)
    assert report.missing_questions == (
        "bar",
        "bulge-size",
        "how-rounded",
        "edge-on-bulge",
        "spiral-winding",
        "spiral-arm-count",
        "merging",
    )
    rows = table(gz, "SELECT * FROM predictions ORDER BY galaxy_id")
    given = [row for row in rows if row["fraction"] is not None]
    assert len(given) == 300
    for row in given:
        column = stated.loc[row["galaxy_id"], f"{row['label']}_fraction"]
        assert row["fraction"] == column
    for name in ("concentration", "fraction_sd", "fraction_lo", "fraction_hi"):
        assert all(row[name] is None for row in rows)
    assert table(gz, "SELECT count(*) AS n FROM posterior") == [{"n": 0}]
    assert table(
        gz, "SELECT count(*) AS n, count(mutual_information) AS m FROM question_prediction"
    ) == [{"n": 1000, "m": 0}]


def test_tables_of_other_things_are_refused(gz: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("iauname,ra\nG0000,1\n")
    with pytest.raises(TableRefused, match="predicts nothing of tree toy"):
        adopt(gz, path)
    with pytest.raises(TableRefused, match="no table at"):
        adopt(gz, tmp_path / "none.csv")
    with pytest.raises(CatalogError, match="no question of any known tree"):
        adopt(tmp_path / "none.duckdb", path)
    assert not (tmp_path / "none.duckdb").exists()
    assert table(gz, "SELECT count(*) AS n FROM runs WHERE job = 'predict'") == [{"n": 0}]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("", "has a header but no row"),
        ("nobody,0.5\n", "has no galaxy of"),
        ("G0000,7\n", "no row of .* could be used"),
    ],
)
def test_tables_without_a_usable_row_hide_nothing(
    gz: Path, tmp_path: Path, rows: str, told: str
) -> None:
    before = adopt(gz, published(tmp_path / "p.parquet"))
    path = tmp_path / "p.csv"
    path.write_text(f"iauname,shape_disk_fraction\n{rows}")
    with pytest.raises(CatalogError, match=told):
        adopt(gz, path)
    assert table(gz, "SELECT DISTINCT run_id AS r FROM predictions") == [{"r": before.run_id}]
