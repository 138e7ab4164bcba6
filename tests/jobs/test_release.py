"""Releases against the catalogue's own views, read by programs that are not ours."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from astropy import units
from astropy.io import fits
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table

from tests.made.catalogues import (
    TOY,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.releases import EXPLAINED, TITLE_NAME, N, full_catalogue
from zoolens.catalog.decision_tree import get_tree
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.release.galaxies import ERROR_RATE
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.scoring.credence import credence
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.store.matrices import read_posteriors, read_votes
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.jobs.adopt import adopt
from zoolens.jobs.ingest import ingest
from zoolens.jobs.release import release
from zoolens.jobs.release_verify import verify
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow

TITLE = Title(TITLE_NAME, "1.0", ("A. Founder",), "CC-BY-4.0")
FORMATS = ("parquet", "fits", "votable", "csv", "hats")


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_catalogue(tmp_path_factory.mktemp("gz") / "gz.duckdb")


@pytest.fixture(scope="module")
def cut(gz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of everything."""
    out = tmp_path_factory.mktemp("cut") / "toy-1.0"
    release(gz, out, TITLE, Cut(formats=FORMATS, counterparts=10, cubes=True))
    return out


def rows(path: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(path, read_only=True) as store:
        found: list[dict[str, Any]] = store.arrow(sql).to_pylist()
    return found


def table(cut: Path) -> pd.DataFrame:
    return pq.read_table(cut / "galaxies.parquet").to_pandas().set_index("iauname")


def same(found: Any, expected: Any) -> bool:
    if expected is None or expected != expected:
        return bool(pd.isna(found) or found == "")
    return bool(found == expected)


# view, its column, and the ending of the columns of the release
_OF_ANSWERS = [
    ("votes", "count", ""),
    ("votes", "fraction", "_fraction"),
    ("predictions", "concentration", "_concentration"),
    ("predictions", "fraction", "_pred_frac"),
    ("predictions", "fraction_sd", "_pred_frac_sd"),
    ("predictions", "fraction_lo", "_pred_frac_lo"),
    ("predictions", "fraction_hi", "_pred_frac_hi"),
    ("losses", "ce", "_ce"),
    ("saliency_stats", "on_target", "_on_target"),
    ("saliency_stats", "centroid_offset", "_centroid_offset"),
    ("saliency_stats", "entropy", "_map_entropy"),
    ("saliency_stats", "increase", "_increase"),
    ("saliency_stats", "decrease", "_decrease"),
    ("saliency_stats", "peak_x", "_peak_x"),
    ("saliency_stats", "peak_y", "_peak_y"),
]
_OF_QUESTIONS = [
    ("votes", "total", "_total-votes"),
    ("predictions", "reach", "_proportion_volunteers_asked"),
    ("question_losses", "nll", "_nll"),
]


def test_every_cell_is_that_of_the_public_view(gz: Path, cut: Path) -> None:
    galaxies = table(cut)
    assert [*galaxies.index] == [
        row["iauname"] for row in rows(gz, "FROM galaxies ORDER BY galaxy_id")
    ]
    checked = set()
    for view, source, ending in _OF_ANSWERS:
        values = {(r["iauname"], r["label"]): r[source] for r in rows(gz, f"FROM {view}")}
        for label in TOY.labels:
            column = galaxies[label + ending]
            assert all(same(column[n], values.get((n, label))) for n in galaxies.index), label
            checked.add(label + ending)
    for view, source, ending in _OF_QUESTIONS:
        values = {(r["iauname"], r["question"]): r[source] for r in rows(gz, f"FROM {view}")}
        for question in TOY.questions:
            column = galaxies[question.name + ending]
            assert all(same(column[n], values.get((n, question.name))) for n in galaxies.index)
            checked.add(question.name + ending)
    rest = set(galaxies.columns) - checked
    others = ("_vote_weight", "_mutual_information")  # tested below, or constant here
    assert {name for name in rest if not name.endswith(others)} == {
        "ra", "dec", "rank", "worst_answer", "worst_weighted_ce", "worst_ce",
        "observed_counterpart", "predicted_counterpart", "image_sha256",
    }  # fmt: skip


def test_ranks_and_counterparts_are_those_of_the_commands(gz: Path, cut: Path) -> None:
    galaxies = table(cut)
    with Store.open(gz, read_only=True) as store:
        ranking = rank_galaxies(store, N).to_pylist()
        for row in ranking:
            found = galaxies.loc[row["iauname"]]
            assert found["rank"] == row["rank"]
            assert found["worst_answer"] == row["label"]
            assert found["worst_weighted_ce"] == row["weighted_ce"]
            others = found[["observed_counterpart", "predicted_counterpart"]]
            if row["rank"] > 10:
                assert (others == "").all()
                continue
            best = find_counterparts(store, row["galaxy_id"], row["answer_id"])
            assert [*others] == [best.observed[0].iauname, best.predicted[0].iauname]
    assert galaxies["rank"].notna().sum() == len(ranking) < N


def test_vote_weights_are_credences_and_doubtful_votes_come_first(gz: Path, cut: Path) -> None:
    galaxies = table(cut)
    with Store.open(gz, read_only=True) as store:
        ids = np.arange(N - 2)
        counts = read_votes(store, TOY, ids).tree_counts
        ((where, alpha),) = read_posteriors(store, store.newest_run("predict"), ids)
        weights = credence(counts[where], alpha, TOY, ERROR_RATE).astype(np.float32)
    given = counts > 0
    for answer, label in enumerate(TOY.labels):
        found = galaxies[f"{label}_vote_weight"].to_numpy()[: N - 2]
        np.testing.assert_array_equal(found, np.where(given[:, answer], weights[:, answer], np.nan))
    noise = pq.read_table(cut / "tables/label_noise.parquet").to_pandas()
    assert len(noise) == given.sum()
    assert noise["vote_weight"].is_monotonic_increasing
    for row in noise.to_dict("records"):
        galaxy = galaxies.loc[row["iauname"]]
        assert row["vote_weight"] == galaxy[f"{row['label']}_vote_weight"]
        assert row["label"] == f"{row['question']}_{row['answer']}"
        assert (row["count"], row["total"]) == (
            galaxy[row["label"]],
            galaxy[f"{row['question']}_total-votes"],
        )


@pytest.mark.parametrize(
    "view", ["votes", "predictions", "losses", "question_losses", "saliency_stats"]
)
def test_long_tables_are_the_views(gz: Path, cut: Path, view: str) -> None:
    found = pq.read_table(cut / f"tables/{view}.parquet")
    expected = rows(gz, f"SELECT {', '.join(found.column_names)} FROM {view}")
    key = "label" if "label" in found.column_names else "question"
    by = sorted(expected, key=lambda row: (row["iauname"], row[key]))
    assert sorted(found.to_pylist(), key=lambda row: (row["iauname"], row[key])) == by
    assert [*found["iauname"].to_pylist()] == sorted(found["iauname"].to_pylist())


def test_maps_are_arrays(gz: Path, cut: Path) -> None:
    found = pq.read_table(cut / "tables/saliency.parquet").to_pylist()
    assert len(found) == len(EXPLAINED) * len(TOY.labels)
    for row in found[::7]:
        for column, sd in (("mean", False), ("sd", True)):
            stored = saliency_of(gz, row["iauname"], row["label"], sd=sd)
            np.testing.assert_array_equal(np.array(row[column], np.float32), stored)
    cubes = sorted((cut / "cubes").iterdir())
    assert len(cubes) == len(EXPLAINED)
    with fits.open(cubes[1]) as file:
        name = file[0].header["OBJECT"]
        assert [*file["ANSWERS"].data["label"]] == [*TOY.labels]
        for plane, label in enumerate(TOY.labels):
            stored = saliency_of(gz, name, label)
            np.testing.assert_array_equal(file["MEAN"].data[plane], stored)


def test_every_format_holds_the_same(cut: Path) -> None:
    from hats.catalog.dataset.table_properties import TableProperties

    galaxies = table(cut).reset_index()
    in_fits = Table.read(cut / "galaxies.fits").to_pandas()
    in_votable = Table.read(cut / "galaxies.vot").to_pandas()
    in_csv = pd.read_csv(cut / "galaxies.csv")
    in_hats = pd.concat([
        pd.read_parquet(file) for file in (cut / "hats/dataset").rglob("Npix=*.parquet")
    ])  # fmt: skip
    assert TableProperties.read_from_dir(cut / "hats").total_rows == N
    for name in galaxies.columns:
        expected = galaxies[name]
        for other in (in_fits, in_votable, in_csv, in_hats.sort_values("iauname")):
            if pd.api.types.is_string_dtype(expected):
                texts = [one.decode() if isinstance(one, bytes) else one for one in other[name]]
                assert ["" if pd.isna(one) else one for one in texts] == [*expected], name
            else:
                values = other[name].to_numpy(float)
                if expected.dtype == np.float32:  # which CSV does not say
                    values = values.astype(np.float32)
                np.testing.assert_array_equal(values, expected.to_numpy(float), err_msg=name)


def test_columns_say_what_they_hold(cut: Path) -> None:
    for file in [cut / "galaxies.parquet", *(cut / "tables").iterdir()]:
        for field in pq.read_schema(file):
            said = meaning(field)
            assert said.description, field.name
            assert not said.ucd or check_ucd(said.ucd, check_controlled_vocabulary=True), said
            assert not said.unit or units.Unit(said.unit, format="vounit")
    read = Table.read(cut / "galaxies.parquet", format="parquet.votable")
    assert read["ra"].unit == units.deg
    assert read["ra"].meta["ucd"] == "pos.eq.ra;meta.main"
    assert read["round_yes_ce"].description == meaning(
        pq.read_schema(cut / "galaxies.parquet").field("round_yes_ce")
    ).description  # fmt: skip


def test_the_dictionary_is_that_of_the_files(cut: Path) -> None:
    said = (cut / "DICTIONARY.md").read_text()
    for file in [cut / "galaxies.parquet", *(cut / "tables").iterdir()]:
        part = said.split(f"## {file.stem}: ")[1].split("\n## ")[0]
        lines = [line for line in part.splitlines() if line.startswith("| `")]
        schema = pq.read_schema(file)
        assert [line.split("`")[1] for line in lines] == schema.names
        for line, field in zip(lines, schema, strict=True):
            assert meaning(field).description in line.replace("\\|", "|")


def test_the_same_catalogue_gives_the_same_bytes(gz: Path, cut: Path, tmp_path: Path) -> None:
    release(gz, tmp_path / "again", TITLE, Cut(formats=FORMATS, counterparts=10, cubes=True))
    sums = [(folder / "SHA256SUMS").read_text() for folder in (cut, tmp_path / "again")]
    assert sums[0] == sums[1]


def test_checksums_are_those_of_coreutils(cut: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=cut, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    files = {f.relative_to(cut).as_posix() for f in cut.rglob("*") if f.is_file()}
    assert {line.split(": ")[0] for line in done.stdout.splitlines()} == files - {"SHA256SUMS"}


def test_machines_can_read_what_it_is(cut: Path) -> None:
    from mlcroissant import Dataset

    dataset = Dataset(str(cut / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    first = next(iter(dataset.records("galaxies")))
    assert first["galaxies/iauname"] == b"J000000.00+000000.0"
    cited = yaml.safe_load((cut / "CITATION.cff").read_text())
    assert (cited["version"], cited["license"]) == ("1.0", "CC-BY-4.0")
    assert cited["authors"] == [{"name": "A. Founder"}]
    assert any("Zoobot" in work["title"] for work in cited["references"])


def test_provenance_has_runs_and_no_folders(gz: Path, cut: Path) -> None:
    facts = json.loads((cut / "release.json").read_text())
    with Store.open(gz, read_only=True) as store:
        for job in ("predict", "score", "explain"):
            (record,) = [run for run in facts["runs"] if run["job"] == job]
            assert record["run_id"] == store.newest_run(job)
    assert facts["rows"]["galaxies"] == N
    for file in cut.iterdir():
        if file.suffix in (".md", ".json", ".cff"):
            assert str(gz.parent) not in file.read_text()


def test_a_release_taken_back_has_the_same_losses(tmp_path: Path) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb", tree=get_tree("gzd5"))
    out = tmp_path / "out"
    release(path, out, TITLE, Cut(formats=["fits", "csv"]))
    losses = "SELECT * EXCLUDE (run_id, galaxy_id) FROM losses ORDER BY iauname, label"
    likelihoods = "SELECT iauname, question, nll FROM question_losses ORDER BY ALL"
    for votes, predictions in (
        ("galaxies.parquet", "tables/posteriors.parquet"),
        ("galaxies.parquet", "galaxies.parquet"),
        ("galaxies.fits", "galaxies.fits"),
        ("galaxies.csv", "galaxies.csv"),
    ):
        again = tmp_path / f"{predictions.replace('/', '-')}.duckdb"
        ingest(again, out / votes)
        adopt(again, out / predictions)
        score(again)
        assert rows(again, losses) == rows(path, losses), predictions
        if "posteriors" in predictions:
            assert rows(again, likelihoods) == rows(path, likelihoods)


def test_friendly_has_few_columns_and_nothing_else(gz: Path, tmp_path: Path) -> None:
    report = release(gz, tmp_path / "out", TITLE, Cut(preset="friendly", formats=[]))
    names = pq.read_schema(tmp_path / "out/galaxies.parquet").names
    assert report.columns == len(names) < 60
    assert {"iauname", "ra", "rank", "round_yes_fraction", "round_yes_pred_frac"} < set(names)
    assert not (tmp_path / "out/tables").exists()


def test_columns_conditions_and_fewest_votes_choose(gz: Path, cut: Path, tmp_path: Path) -> None:
    galaxies = table(cut)
    condition = '"shape_smooth_pred_frac" > 0.3 -- and so on'
    release(
        gz, tmp_path / "a", TITLE, Cut(columns=["dec", "round_yes"], where=condition, formats=[])
    )
    found = pq.read_table(tmp_path / "a/galaxies.parquet").to_pandas()
    assert [*found.columns] == ["iauname", "dec", "round_yes"]
    assert [*found["iauname"]] == [*galaxies.index[galaxies["shape_smooth_pred_frac"] > 0.3]]
    release(gz, tmp_path / "b", TITLE, Cut(min_votes=30, formats=[]))
    found = table(tmp_path / "b")
    totals = galaxies[[f"{question.name}_total-votes" for question in TOY.questions]]
    assert [*found.index] == [*galaxies.index[(totals >= 30).any(axis=1)]]
    with Store.open(gz, read_only=True) as store:
        ranking = rank_galaxies(store, N, min_votes=30).to_pylist()
    assert {n: r for n, r in found["rank"].items() if r == r} == {
        row["iauname"]: row["rank"] for row in ranking
    }
    for name, kept in pq.read_table(tmp_path / "b/tables/losses.parquet").to_pandas().groupby(
        "iauname"
    ):  # fmt: skip
        assert name in found.index
        assert len(kept) == len(TOY.labels)


@pytest.mark.parametrize(
    ("chosen", "error", "says"),
    [
        ({"columns": ["round_yess"]}, UnknownName, "no column 'round_yess'.*round_yes"),
        ({"columns": ["ra", "ra"]}, CatalogError, "'ra' is named twice"),
        ({"preset": "tiny"}, UnknownName, "no preset 'tiny'; choose one of full, friendly"),
        ({"formats": ["xls"]}, UnknownName, "no format 'xls'"),
        ({"where": "ra >"}, CatalogError, "--where 'ra >'"),
        ({"where": "ra > 1) UNION SELECT 1 WHERE (1 = 1"}, CatalogError, "syntax error"),
        ({"where": "ra > (SELECT 1 FROM '/etc/passwd')"}, CatalogError, "--where"),
        ({"where": "ra; DROP TABLE galaxy"}, CatalogError, "--where"),
        ({"where": "count(*) > 1"}, CatalogError, "cannot contain aggregates"),
        ({"where": "ra > 400"}, CatalogError, "no galaxy is left"),
        ({"min_votes": 1e9}, CatalogError, "no galaxy is left"),
        ({"min_votes": float("nan")}, CatalogError, "0 or more"),
        ({"formats": ["hats"], "columns": ["rank"]}, CatalogError, "ra and dec"),
    ],
)
def test_what_cannot_be_released_leaves_nothing(
    gz: Path, tmp_path: Path, chosen: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        release(gz, tmp_path / "out", TITLE, Cut(**chosen))
    assert "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_titles_are_checked(gz: Path, tmp_path: Path) -> None:
    for title in (Title("", "1"), Title("a\nb", "1"), Title("a", "../1"), Title("a", "")):
        with pytest.raises(CatalogError):
            release(gz, tmp_path / "out", title)
    with pytest.raises(CatalogError, match="exists"):
        release(gz, gz.parent, TITLE)
    assert not [*tmp_path.iterdir()]


def test_without_predictions_or_scores_there_is_nothing_to_release(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(5))
    with pytest.raises(CatalogError, match="no complete predict run"):
        release(path, tmp_path / "out", TITLE)
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(5))
    with pytest.raises(CatalogError, match="no complete score run"):
        release(path, tmp_path / "out", TITLE)
    score(path)
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(5, seed=9), seed=9)
    with pytest.raises(CatalogError, match="since it was scored; do first: zoolens score"):
        release(path, tmp_path / "out", TITLE)
    assert [*tmp_path.iterdir()] == [path]


def test_hats_needs_positions(tmp_path: Path) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb")
    with Store.open(path) as store:
        store.execute("UPDATE galaxy SET ra = NULL WHERE galaxy_id = 3")
    before = {*tmp_path.iterdir()}
    with pytest.raises(CatalogError, match="J000003"):
        release(path, tmp_path / "out", TITLE, Cut(formats=["hats"]))
    assert {*tmp_path.iterdir()} == before
    release(path, tmp_path / "out", TITLE, Cut(formats=["hats"], where="ra IS NOT NULL"))
    assert not len(verify(tmp_path / "out").faults)


def test_weighted_votes_stay_fractional(tmp_path: Path) -> None:
    counts = random_counts(8) * 1.5
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(8))
    score(path)
    release(path, tmp_path / "out", TITLE, Cut(counterparts=0, formats=["fits"]))
    found = pq.read_table(tmp_path / "out/galaxies.parquet")
    assert found.schema.field("round_yes").type == pa.float64()
    np.testing.assert_array_equal(found["round_yes"].to_numpy(), counts[:, 3])
