"""A classifier and a regressor go the whole way, as a user types it, without votes and tree."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from tests.jobs.test_predict import table
from tests.made.checkpoints import finetuned, save
from tests.made.images import folder, picture
from tests.made.terminal import zoolens
from tests.made.vote_tables import names
from zoolens.jobs.release_verify import verify as verify_release
from zoolens.jobs.verify import verify

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn_figures")]

GALAXIES = 5
NAMES = names(GALAXIES)
CLASSES = ["ring", "disc", "other"]
KINDS = ["disc", "ring", "spiral", "other", ""]
REDSHIFTS = [0.1, 0.2, -1.0, 0.3, 3.0]


def ran(*arguments: object) -> str:
    result = zoolens(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models, and a catalogue of images and labels alone."""
    path = tmp_path_factory.mktemp("estimates")
    save(
        finetuned("Classifier", num_classes=3, label_col="kind", head_dropout_prob=0.4),
        path / "kind.ckpt",
    )
    save(finetuned("Regressor", label_col="z", head_dropout_prob=0.4), path / "z.ckpt")
    folder(path / "images", {f"{name}.png": picture(i, side=64) for i, name in enumerate(NAMES)})
    rows = pd.DataFrame({"iauname": NAMES, "ra": 10.0, "dec": 5.0, "kind": KINDS, "z": REDSHIFTS})
    rows.to_csv(path / "galaxies.csv", index=False)
    told = ran(
        *("ingest", path / "galaxies.csv", "--images", path / "images", "--keep", "kind,z"),
        *("--catalog", path / "gz.duckdb"),
    )
    assert "columns not read" not in told, "what is kept is read"
    return path


@pytest.fixture
def gz(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made / "gz.duckdb", tmp_path / "gz.duckdb"))


def test_a_classifier_goes_the_whole_way(gz: Path, made: Path, tmp_path: Path) -> None:
    on = ("--catalog", gz)
    model = ("--model", made / "kind.ckpt", "--size", 64, "--samples", 3)
    told = ran("predict", *model, "--names", ",".join(CLASSES), *on)
    assert f"{GALAXIES} galaxies, {GALAXIES} in all; 0 refused" in told
    assert "wait for" not in ran("status", *on), "nothing else is to be done"
    rows = table(gz, "SELECT value, value_sd AS sd FROM estimates ORDER BY galaxy_id, run_id")
    value = np.array([row["value"] for row in rows]).reshape(GALAXIES, 3)

    ce = {NAMES[i]: -np.log(value[i, CLASSES.index(KINDS[i])]) for i in (0, 1, 3)}
    told = ran("worst", "--against", "kind", *on, "--format", "csv")
    assert "the label of 1 galaxy is no class and left out, such as 'spiral'" in told
    worst = sorted(ce, key=lambda name: -ce[name])
    assert [line.split(",")[1] for line in told.splitlines() if line[0].isdigit()] == worst
    told = ran("worst", "--against", "kind", "--where", "z < 0.25", *on, "--format", "csv")
    assert {line.split(",")[1] for line in told.splitlines() if line[0].isdigit()} == {*NAMES[:2]}

    told = ran("explain", NAMES[0], NAMES[2], *on, "--out", tmp_path / "drawn")
    assert "2 figures in" in told
    assert len([*(tmp_path / "drawn").glob("*_estimate.png")]) == 2
    ran("explain", "--all", *on)
    found = table(gz, "SELECT name, count(*) AS n FROM estimate_maps GROUP BY 1 ORDER BY 1")
    assert found == [{"name": name, "n": GALAXIES} for name in sorted(CLASSES)]
    assert verify(gz).errors == 0

    out = tmp_path / "out"
    ran("release", out, "--version", 1, "--formats", "fits,csv,votable", *on)
    assert not verify_release(out).faults
    released = pd.read_parquet(out / "galaxies.parquet").set_index("iauname").loc[NAMES]
    columns = [f"{name}_estimate" for name in CLASSES]
    np.testing.assert_array_equal(released[columns], value)
    spread = released[[f"{name}_sd" for name in columns]].to_numpy().ravel()
    np.testing.assert_array_equal(spread, [row["sd"] for row in rows])
    for other in ("galaxies.fits", "galaxies.vot"):
        read = Table.read(out / other)
        np.testing.assert_array_equal(read[columns[1]], released[columns[1]])
    assert "estimate of disc by a classifier" in read[columns[1]].description
    readme = (out / "README.md").read_text()
    assert "a classifier's probabilities of `ring`, `disc`, `other`, trained on `kind`." in readme
    assert "`disc_estimate_hi`" in (out / "DICTIONARY.md").read_text()


def test_a_regressor_goes_the_whole_way(gz: Path, made: Path, tmp_path: Path) -> None:
    on = ("--catalog", gz)
    ran("predict", "--model", made / "z.ckpt", "--size", 64, "--samples", 3, *on)
    rows = table(gz, "SELECT value, value_sd AS sd FROM estimates ORDER BY galaxy_id")
    value = np.array([row["value"] for row in rows])
    told = ran("worst", "--against", "z", "-n", GALAXIES, *on, "--format", "csv")
    expected = np.argsort(-abs(value - REDSHIFTS))
    assert [line.split(",")[1] for line in told.splitlines() if line[0].isdigit()] == [
        NAMES[i] for i in expected
    ]
    assert "1 figure in" in ran("explain", NAMES[1], *on, "--out", tmp_path / "drawn")
    ran("release", tmp_path / "out", "--version", 1, "--preset", "friendly", *on)
    released = pd.read_parquet(tmp_path / "out" / "galaxies.parquet").set_index("iauname")
    assert [*released] == ["ra", "dec", "kind", "z", "value_estimate"]
    np.testing.assert_array_equal(released.loc[NAMES, "value_estimate"], value)
    for needing in (("similar", NAMES[0]), ("index",)):
        refused = zoolens(*needing, *on)
        assert refused.exit_code == 1
        assert "no predictions of votes, only what a classifier or regressor" in refused.stderr


def test_ingest_goes_on_to_the_estimates(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    told = ran(
        *("ingest", "--images", made / "images", "--model", made / "kind.ckpt", "--size", 64),
        *("--samples", 2, "--catalog", path),
    )
    assert f"estimate run 2   {GALAXIES} galaxies" in told
    assert [row["job"] for row in table(path, "SELECT job FROM runs ORDER BY run_id")] == [
        "ingest",
        "estimate",
    ]
    both = ("--model", made / "kind.ckpt", "--model", made / "z.ckpt")
    refused = zoolens("ingest", "--images", made / "images", *both, "--catalog", tmp_path / "no")
    assert refused.exit_code == 1
    assert "only those predict together" in refused.stderr
    assert not (tmp_path / "no").exists(), "before any work"
