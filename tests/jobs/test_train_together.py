"""One training on two catalogues of different trees."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.made.catalogues import TOY, catalogue, random_counts
from tests.made.pairs import EACH, two_catalogues
from zoolens import cli
from zoolens.catalog.errors import CatalogBusy, CatalogError, ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import load_model
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.training.catalogues import read_catalogues
from zoolens.catalog.trees.joint import column_labels
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow

GZ2, GZD5 = get_tree("gz2"), get_tree("gzd5")
SETTINGS: dict[str, Any] = {
    "architecture": "test_resnet",
    "view": View("minimal", 64),
    "epochs": 1,
    "batch_size": 4,
    "held_out": 0.5,
    "seed": 2,
    "workers": 0,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return two_catalogues(tmp_path_factory.mktemp("together"))


@pytest.fixture
def pair(made: list[Path], tmp_path: Path) -> list[Path]:
    """Two catalogues of its own for one test."""
    return [Path(shutil.copy(path, tmp_path)) for path in made]


@pytest.fixture(scope="module")
def training(made: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Any]:
    """Two catalogues with a training on both in the folder `out` beside them, and its report."""
    paths = [Path(shutil.copy(path, tmp_path_factory.getbasetemp())) for path in made]
    return paths, _train(paths)


def _train(catalogs: list[Path] | Path, out: str = "out", **settings: Any) -> Any:
    from zoolens.jobs.train import train

    beside = catalogs if isinstance(catalogs, Path) else catalogs[0]
    return train(catalogs, beside.parent / out, **{**SETTINGS, **settings})


def _rows(catalog: Path, sql: str) -> list[tuple[Any, ...]]:
    with Store.open(catalog, read_only=True) as store:
        return store.rows(sql)


def _splits(catalog: Path) -> dict[str, str | None]:
    return dict(_rows(catalog, "SELECT iauname, split FROM galaxies"))


def test_the_head_has_the_columns_of_both_trees(training: tuple[list[Path], Any]) -> None:
    _, report = training
    model = load_model(str(report.model))
    assert model.labels == (*column_labels(GZ2), *column_labels(GZD5))
    for tree in (GZ2, GZD5):
        own = model.for_tree(tree)
        rows = [model.labels.index(label) for label in column_labels(tree)]
        assert torch.equal(own.weight, model.weight[rows])
        assert own.missing_questions(tree) == ()


def test_each_catalogue_records_its_own_galaxies(training: tuple[list[Path], Any]) -> None:
    paths, report = training
    for path in paths:
        ((status, sha256),) = _rows(
            path, "SELECT status, model_sha256 FROM runs WHERE job = 'train'"
        )
        assert (status, sha256) == ("complete", report.sha256)
    rejects = [
        _rows(path, "SELECT key, kind FROM rejects WHERE kind = 'changed image'") for path in paths
    ]
    assert rejects == [[], [("B04", "changed image")]]
    assert report.rejects == 1
    splits = [_splits(path) for path in paths]
    assert splits[1].pop("B04") is None
    every = [place for split in splits for place in split.values()]
    counted = [every.count(name) for name in ("train", "validation", "test")]
    assert counted == [report.train, report.validation, report.test]
    assert sum(counted) == 2 * EACH - 1


def test_one_galaxy_is_in_one_part_of_the_split(training: tuple[list[Path], Any]) -> None:
    (gz2, gzd5), report = training
    first, second = _splits(gz2), _splits(gzd5)
    by_name = dict(zip(first, split_galaxies(list(first), 2, 0.5).tolist(), strict=True))
    assert first == by_name, "the first catalogue's are where they would be alone"
    assert second["A05"] == first["A05"]
    (alone,) = split_galaxies(["B07"], 2, 0.5).tolist()
    assert alone != first["A07"], "else this shows nothing"
    assert second["B07"] == first["A07"]
    assert any(note.startswith("1 galaxies are also in an earlier") for note in report.notes)


def test_the_report_says_what_each_catalogue_gave(training: tuple[list[Path], Any]) -> None:
    (gz2, gzd5), report = training
    first, second = list(_splits(gz2).values()), list(_splits(gzd5).values())
    assert report.notes[0] == (
        f"{gz2}: run 2, tree gz2, {first.count('train')} of 24 galaxies to train on; 0 refused"
    )
    assert report.notes[1] == (
        f"{gzd5}: run 2, tree gzd5, {second.count('train')} of 23 galaxies to train on; 1 refused"
    )
    assert "not learnt, since nobody was asked: odd-feature-gz2" in report.notes


def test_votes_are_in_the_columns_of_their_own_tree(pair: list[Path]) -> None:
    with Store.open(pair[0]) as one, Store.open(pair[1]) as other:
        given = read_catalogues([one, other], 2, 0.5, None)
        apart = [read_catalogues([store], 2, 0.5, None) for store in (one, other)]
    expected = np.zeros((2 * EACH, 71))
    expected[:EACH, :37], expected[EACH:, 37:] = (alone.data.counts for alone in apart)
    np.testing.assert_array_equal(given.data.counts, expected)
    assert [galaxy.iauname for galaxy in given.data.galaxies] == [
        galaxy.iauname for alone in apart for galaxy in alone.data.galaxies
    ]
    assert given.data.worth.min() == 1


def test_two_catalogues_of_one_tree_share_its_columns(pair: list[Path], tmp_path: Path) -> None:
    copy = Path(shutil.copy(pair[1], tmp_path / "again.duckdb"))
    report = _train([pair[1], copy])
    assert load_model(str(report.model)).labels == tuple(column_labels(GZD5))
    assert _splits(copy) == _splits(pair[1])


def test_the_model_predicts_and_is_explained_in_either(
    training: tuple[list[Path], Any], tmp_path: Path
) -> None:
    from zoolens.jobs.evaluate import evaluate
    from zoolens.jobs.explain import explain
    from zoolens.jobs.predict import predict
    from zoolens.jobs.score import score
    from zoolens.jobs.settings import Inference, Maps, Which

    paths, report = training
    inference = Inference(samples=2, engine="torch")
    for path, tree in zip(paths, (GZ2, GZD5), strict=True):
        own = Path(shutil.copy(path, tmp_path))
        said = predict(own, str(report.model), inference)
        assert said.missing_questions == ()
        assert _rows(own, "SELECT count(DISTINCT label) FROM predictions") == [(len(tree.labels),)]
        score(own)
        drawn = explain(own, Which(everything=True), Maps(engine="torch"), figures=False)
        assert drawn.explained == EACH - drawn.rejects == EACH - (tree is GZD5)
        found = evaluate(own, control=str(report.model), maps=2, typical=1, out=tmp_path / "trust")
        assert found.measures


def test_the_same_again_changes_nothing(training: tuple[list[Path], Any]) -> None:
    paths, first = training
    second = _train(paths)
    assert not second.changed
    assert (second.sha256, second.notes) == (first.sha256, first.notes)
    with pytest.raises(CatalogError, match="a training with another"):
        _train(paths[::-1])
    for path in paths:
        assert _rows(path, "SELECT count(*) FROM runs WHERE job = 'train'") == [(1,)]


def test_nothing_is_half_done_where_one_catalogue_cannot_be_written_to(pair: list[Path]) -> None:
    with Store.open(pair[1]), pytest.raises(CatalogBusy, match=r"writes to .*gzd5\.duckdb"):
        _train(pair)
    with pytest.raises(CatalogError, match=r"no catalogue at .*none\.duckdb"):
        _train([pair[0], pair[0].parent / "none.duckdb"])
    link = pair[0].parent / "link.duckdb"
    link.symlink_to(pair[0])
    with pytest.raises(CatalogError, match=r"gz2\.duckdb and .*link\.duckdb are one catalogue"):
        _train([pair[0], link])
    bare = catalogue(pair[0].parent / "toy.duckdb", random_counts(5), tree=TOY)
    with pytest.raises(CatalogError, match=r"toy\.duckdb has both an image and votes"):
        _train([pair[0], bare])
    for path in pair:
        assert _rows(path, "SELECT count(*) FROM runs WHERE job = 'train'") == [(0,)]
    assert not (pair[0].parent / "out").exists()


def test_a_training_cut_between_two_catalogues_comes_to_the_same(
    training: tuple[list[Path], Any], pair: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once after the first has its split, and once after the first has its finished run."""
    commit, finish = Store.commit, Store.finish

    def only_first(work: Any) -> Any:
        def done(store: Store, *arguments: Any, **named: Any) -> None:
            if store.path == pair[1]:
                raise KeyboardInterrupt
            work(store, *arguments, **named)

        return done

    for name, work in (("commit", commit), ("finish", finish)):
        with monkeypatch.context() as patched:
            patched.setattr(Store, name, only_first(work))
            with pytest.raises(KeyboardInterrupt):
                _train(pair)
    report = _train(pair)
    assert report.changed
    assert report.sha256 == training[1].sha256
    for path, whole in zip(pair, training[0], strict=True):
        assert _splits(path) == _splits(whole)
        assert _rows(path, "SELECT status FROM runs WHERE job = 'train'") == [("complete",)]


def test_a_head_begins_with_the_columns_that_both_have(
    training: tuple[list[Path], Any], pair: list[Path]
) -> None:
    joint = load_model(str(training[1].model))
    start = {"encoder": str(training[1].model), "architecture": None, "learning_rate": 1e-9}
    report = _train(pair[1], "alone", **start)
    own = load_model(str(report.model))
    assert torch.allclose(own.weight, joint.for_tree(GZD5).weight, atol=1e-6)
    assert any(
        note.startswith("taken over: the encoder, and 34 of 34 columns of the head: smooth-or-fea")
        for note in report.notes
    )
    back = _train(pair, "back", **{**start, "encoder": str(report.model)})
    model = load_model(str(back.model))
    assert torch.allclose(model.for_tree(GZD5).weight, own.weight, atol=1e-6)
    assert not torch.allclose(model.for_tree(GZ2).weight, joint.for_tree(GZ2).weight, atol=1e-3)
    assert any(
        note.startswith("taken over: the encoder, and 34 of 71 columns") for note in back.notes
    )


def test_a_model_without_the_catalogues_questions_names_its_own_trees(
    training: tuple[list[Path], Any], tmp_path: Path
) -> None:
    model = load_model(str(training[1].model))
    message = (
        r"model\.safetensors answers no question of tree toy; it lacks shape_smooth .*"
        r"; its trees are gzd5, gz2: make a catalogue of one of them, with --tree gzd5"
    )
    with pytest.raises(ModelRefused, match=message):
        model.for_tree(TOY)
    with pytest.raises(ModelRefused, match="its tree is rings"):
        replace(model, labels=("ring_yes", "ring_no")).for_tree(TOY)


def test_a_catalogue_without_a_tree_is_told_to_choose_one(
    training: tuple[list[Path], Any], made: list[Path], tmp_path: Path
) -> None:
    from zoolens.jobs.ingest import ingest
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference

    path = tmp_path / "new.duckdb"
    ingest(path, None, images=made[0].parent / "gz2-images")
    report = training[1]
    with pytest.raises(CatalogError, match="of several trees, gzd5, gz2; choose one with --tree"):
        predict(path, str(report.model))
    said = predict(path, str(report.model), Inference(samples=2, engine="torch"), tree="gz2")
    assert (said.galaxies, said.missing_questions) == (EACH, ())


def test_the_command_takes_several_catalogues(pair: list[Path]) -> None:
    out = pair[0].parent / "out"
    named = [word for path in pair for word in ("--catalog", str(path))]
    done = CliRunner().invoke(cli.app, ["train", str(out), *named, "--batch-size", "64"])
    assert done.exit_code == 1
    assert "galaxies to train on, fewer than a batch of 64" in done.stderr
    (few, *_) = done.stderr.split("zoolens: ")[1].split()
    with Store.open(pair[0]) as one, Store.open(pair[1]) as other:
        given = read_catalogues([one, other], 0, 0.2, None)
    assert int(few) == np.sum(given.data.split == "train")
    assert int(few) > EACH
