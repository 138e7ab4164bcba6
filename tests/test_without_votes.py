"""A catalogue nobody voted on goes the whole way; votes come later, for some of the galaxies."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import random_counts
from tests.made.checkpoints import save, zoobot_tree
from tests.made.images import folder, picture
from tests.made.terminal import zoolens
from tests.made.vote_tables import decals, names, write
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.matrices import read_predictions, read_votes
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs import pipeline
from zoolens.jobs.explain_survey import explain_one
from zoolens.jobs.ingest import ingest
from zoolens.jobs.release import release
from zoolens.jobs.release_verify import verify as verify_release
from zoolens.jobs.score import score
from zoolens.jobs.select import select
from zoolens.jobs.settings import Cut, Inference, Which
from zoolens.jobs.status import status
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

GALAXIES = 12
NAMES = names(GALAXIES)
VOTED = 5
TREE = get_tree("gzd5")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, and a catalogue `gz.duckdb` made of them and a model alone."""
    path = tmp_path_factory.mktemp("voteless")
    images = {f"{name}.png": picture(i, side=64) for i, name in enumerate(NAMES)}
    folder(path / "images", images)
    model = save(zoobot_tree("test_resnet", awake=True, dropout_rate=0.3), path / "model.ckpt")
    catalog = path / "gz.duckdb"
    told = zoolens(
        *("ingest", "--images", path / "images", "--model", model, "--size", 64),
        *("--samples", 4, "--catalog", catalog),
    )
    assert told.exit_code == 0, told.output
    assert "12 galaxies (12 new), 12 images, no tree yet; no votes came with them" in told.stderr
    assert "12 galaxies with predictions" in told.stderr
    assert "score" not in told.stderr
    return path


@pytest.fixture
def gz(made: Path, tmp_path: Path) -> Path:
    """A copy of the catalogue and its index."""
    for file in made.glob("gz*"):
        if file.is_file():
            shutil.copy(file, tmp_path / file.name)
    return tmp_path / "gz.duckdb"


def rows(catalog: Path, sql: str) -> list[tuple[object, ...]]:
    with Store.open(catalog, read_only=True) as store:
        return store.rows(sql)


def test_predictions_are_all_there(gz: Path) -> None:
    assert rows(gz, "SELECT count(DISTINCT iauname), count(fraction) FROM predictions") == [
        (GALAXIES, GALAXIES * len(TREE.labels))
    ]
    ((questions, informed),) = rows(
        gz,
        "SELECT count(*), count(*) FILTER (mutual_information > 0 AND reach BETWEEN 0 AND 1) "
        "FROM question_predictions",
    )
    assert questions == informed == GALAXIES * len(TREE.questions)
    told = status(gz)
    assert told.tree == "gzd5"
    assert not told.advice, "nothing is missing that could be done"
    assert verify(gz).errors == 0


def test_a_galaxy_is_shown_beside_the_one_predicted_alike(gz: Path, tmp_path: Path) -> None:
    found = pipeline.similar(gz, NAMES[3], answer="bar_strong", k=GALAXIES)
    assert found.table["counterpart"].to_pylist() == ["selected", *["alike"] * (GALAXIES - 1)]
    assert found.table["votes"].null_count == GALAXIES
    assert "nobody voted on it" in found.summary
    # by hand: the cross-entropy of its fractions and theirs, five times that of the answer
    with Store.open(gz, read_only=True) as store:
        ids = store.arrow("SELECT galaxy_id FROM galaxies ORDER BY 1")["galaxy_id"].to_numpy()
        q = read_predictions(store, TREE, 2, ids)[0]
    p = q[3]
    weights = np.where(np.array(TREE.labels) == "bar_strong", 5.0, 1.0)
    scores = (weights * (p * np.log(q) + (1 - p) * np.log(1 - q))).sum(axis=1)
    best = pd.Series(scores, index=NAMES).drop(NAMES[3]).sort_values(ascending=False)
    assert found.table["iauname"].to_pylist()[1:] == best.index.tolist()
    assert found.table["score"].to_pylist()[1:] == pytest.approx(best.tolist())

    drawn = explain_one(gz, Which(names=[NAMES[3]]), out=tmp_path / "drawn")
    assert drawn.total == 2
    page = (tmp_path / "drawn" / "index.html").read_text()
    assert "predicted alike" in page
    assert "Table 1: votes" not in page
    assert "No volunteer has seen this galaxy." in page


def test_a_release_has_what_there_is(gz: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = pipeline.release(gz, out, Title("Toy", "1"), Cut(formats=("fits", "csv")))
    assert report.galaxies == GALAXIES
    assert len(verify_release(out).faults) == 0
    columns = pq.read_schema(out / "galaxies.parquet").names
    assert "bar_strong_pred_frac" in columns
    assert "bar_mutual_information" in columns
    left_out = ("rank", "bar_strong", "bar_strong_ce", "bar_total-votes", "observed_counterpart")
    assert not {*left_out} & {*columns}
    tables = {file.stem for file in (out / "tables").iterdir()}
    assert tables == {"predictions", "question_predictions", "posteriors", "answers"}
    assert "There are no losses in it" in (out / "README.md").read_text()
    with pytest.raises(CatalogError, match="no votes, which a gallery"):
        release(gz, tmp_path / "gallery", Title("Toy", "1"), Cut(gallery=3))


def test_the_most_informative_are_selected(gz: Path, tmp_path: Path) -> None:
    assert select(gz, tmp_path / "out", 3).selected == 3
    manifest = pd.read_csv(tmp_path / "out" / "manifest.csv")
    worth = rows(
        gz,
        "SELECT iauname FROM question_predictions GROUP BY 1 "
        "ORDER BY sum(reach * mutual_information) DESC LIMIT 3",
    )
    assert [(name,) for name in manifest["!iauname"]] == worth
    assert (manifest["#votes"] == 0).all()


@pytest.mark.parametrize(
    "command",
    [
        ("score",),
        ("worst",),
        ("histogram", "--out", "drawn"),
        ("histogram", "--suggest"),
        ("evaluate",),
        ("train", "folder"),
        ("explain", "--worst", 3),
        ("explain", NAMES[0], "--of", "cross_entropy"),
        ("select", "out", "-n", 3, "--by", "loss"),
        ("release", "out", "--version", 1, "--gallery", 3),
    ],
    ids=str,
)
def test_what_needs_votes_says_so_in_one_line(made: Path, command: tuple[object, ...]) -> None:
    told = zoolens(*command, "--catalog", made / "gz.duckdb")
    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert "has no votes, which" in line
    assert line.endswith("zoolens ingest VOTES")


def test_votes_come_later_for_some(gz: Path, tmp_path: Path) -> None:
    before = rows(gz, "SELECT iauname, galaxy_id, image_sha256 FROM galaxies ORDER BY 1")
    counts = random_counts(VOTED, TREE, seed=3)
    report = ingest(gz, write(tmp_path / "votes.csv", decals(counts)))
    assert (report.new_galaxies, report.galaxies, report.tree) == (0, VOTED, "gzd5")
    assert "5 galaxies wait for: zoolens score" in status(gz).advice
    assert score(gz, weights="none").total == VOTED
    assert rows(gz, "SELECT iauname, galaxy_id, image_sha256 FROM galaxies ORDER BY 1") == before
    assert rows(gz, "SELECT count(DISTINCT iauname) FROM losses") == [(VOTED,)]

    voted, bare = NAMES[:VOTED], NAMES[VOTED]
    with Store.open(gz, read_only=True) as store:
        ids = store.arrow("SELECT galaxy_id FROM galaxies ORDER BY 1")["galaxy_id"].to_numpy()
        observed = read_votes(store, TREE, ids).observed[0]
    asked = next(label for label, y in zip(TREE.labels, observed, strict=True) if y == y)
    table = pipeline.similar(gz, NAMES[0], answer=asked, k=GALAXIES).table
    assert {*table["counterpart"].to_pylist()} == {"selected", "observed", "predicted"}
    assert {*table["iauname"].to_pylist()} == {*voted}, "counterparts are among those voted on"
    alike = pipeline.similar(gz, bare, k=GALAXIES).table
    assert {*alike["iauname"].to_pylist()} == {*NAMES}
    assert alike["votes"].null_count == GALAXIES - VOTED

    pipeline.release(gz, tmp_path / "out", Title("Toy", "1"), Cut(formats=()))
    released = pd.read_parquet(tmp_path / "out" / "galaxies.parquet").set_index("iauname")
    assert len(released) == GALAXIES
    assert released["rank"].notna().sum() == rows(gz, "SELECT count(*) FROM worst")[0][0]
    assert released["bar_strong"].notna().sum() == VOTED
    assert released.loc[[bare], "bar_strong"].isna().all()
    assert verify(gz).errors == 0


def test_votes_of_another_tree_are_refused(gz: Path, tmp_path: Path) -> None:
    gz2 = get_tree("gz2")
    table = pd.DataFrame(random_counts(3, gz2), columns=[*gz2.labels])
    table.insert(0, "iauname", NAMES[:3])
    table.to_csv(tmp_path / "gz2.csv", index=False)
    with pytest.raises(CatalogError, match="is of tree gzd5, not gz2"):
        ingest(gz, tmp_path / "gz2.csv", tree="gz2")


def test_the_same_again_changes_nothing(made: Path, gz: Path) -> None:
    assert not ingest(gz, images=made / "images").changed
    again = pipeline.predict_or_adopt(
        gz, model=str(made / "model.ckpt"), inference=Inference(samples=4)
    )
    assert again.run_id == 4, "of another size of images, and of the same tree"
    assert rows(gz, "SELECT count(*) FROM galaxies") == [(GALAXIES,)]
