"""One image explained without a catalogue, as a user types it, against a catalogue's own run."""

from pathlib import Path

import numpy as np
import pytest

from tests.jobs.test_estimate import made
from tests.jobs.test_predict import SMALL, column, imaged, table
from tests.made.checkpoints import save, zoobot_tree
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError, ImageRefused, UnknownName
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import load_model
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.estimate import estimate
from zoolens.jobs.picture import explain_picture
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference, Maps

pytestmark = pytest.mark.slow

TREE = get_tree("gzd5")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two of GZD-5 that say their view, in colour and in grey; and one of rings."""
    folder = tmp_path_factory.mktemp("models")
    files: list[str] = []
    for name, tree, channels in (("a", "gzd5", 3), ("b", "gzd5", 1), ("rings", "rings", 3)):
        model = zoobot_tree("test_resnet", tree, seed=len(files), awake=True, channels=channels)
        checkpoint = save(model, folder / f"{name}.ckpt")
        files.append(str(folder / f"{name}.safetensors"))
        write_model(load_model(str(checkpoint)), SMALL, Path(files[-1]))
    return files


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imaged(tmp_path_factory.mktemp("gz") / "gz.duckdb", 2)


@pytest.mark.parametrize("several", [False, True])
def test_it_is_what_a_catalogue_would_hold(
    tmp_path: Path, gz: Path, models: list[str], several: bool
) -> None:
    chosen = models[:2] if several else models[:1]
    run = predict(gz, chosen, Inference()).run_id
    report = explain_picture(gz.parent / "gz" / "G0001.png", Maps(chosen), out=tmp_path)
    rows = {
        f"{row['question']}_{row['answer']}": row for row in report.table.to_pylist()
    }  # as printed, to four digits
    assert rows.keys() == set(TREE.labels)
    names = ["fraction", "fraction_lo", "fraction_hi", "reach"]
    for name in [*names, *(["fraction_model_sd"] if several else [])]:
        expected = column(gz, name, run)[1]
        found = [rows[label][name.removeprefix("fraction_")] for label in TREE.labels]
        np.testing.assert_allclose(found, expected, atol=1.1e-4)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_classifier_or_regressor_estimates_one_image_too(
    tmp_path: Path, gz: Path, kind: str
) -> None:
    _, model = made(kind, tmp_path)
    run = estimate(gz, model, Inference(view=SMALL)).run_id
    image = gz.parent / "gz" / "G0001.png"
    report = explain_picture(image, Maps(model), Inference(view=SMALL), out=tmp_path)
    columns = "name, value, value_sd, value_lo, value_hi"
    rows = table(
        gz, f"SELECT {columns} FROM estimate WHERE run_id = {run} AND galaxy_id = 1 ORDER BY name"
    )
    assert report.table.column_names == columns.split(", ")
    for found, expected in zip(report.table.to_pylist(), rows, strict=True):
        # as in test_estimate: the encoder of a job has its norms folded
        assert found == {
            n: v if n == "name" else pytest.approx(v, abs=5e-6) for n, v in expected.items()
        }
    assert {file.suffix for file in report.figures if file.is_file()} == {".png", ".pdf"}
    with pytest.raises(CatalogError, match="leave out tree, answer and of"):
        explain_picture(image, Maps(model), answer="bar_weak")


def test_a_user_types_the_file_and_gets_a_table_and_a_figure(
    tmp_path: Path, gz: Path, models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my galaxy.png").write_bytes((gz.parent / "gz" / "G0000.png").read_bytes())
    result = zoolens("explain", "my galaxy.png", "--model", models[2])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "question",
        "answer",
        *["fraction", "lo", "hi", "reach"],
    ]
    assert [line.split()[:2] for line in lines[2:4]] == [["ring", "yes"], ["ring", "no"]]
    assert max(map(len, lines)) <= 100
    made = {file.name for file in tmp_path.iterdir()}
    (stem,) = {Path(name).stem for name in made if "explained" in name}
    assert made == {"my galaxy.png", f"{stem}.png", f"{stem}.pdf"}, "and no catalogue"
    assert f"{stem}.png" in result.stderr


def test_the_trees_table_fits_a_terminal_and_out_is_where_the_figure_goes(
    tmp_path: Path, gz: Path, models: list[str]
) -> None:
    image = gz.parent / "gz" / "G0000.png"
    result = zoolens(
        "explain",
        image,
        "--model",
        models[0],
        "--model",
        models[1],
        "--out",
        tmp_path / "new",
        "--answer",
        "bar_weak",
        "--of",
        "concentration",
    )
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert len(result.stdout.splitlines()) == 2 + len(TREE.labels)
    assert (tmp_path / "new" / "G0000-explained.png").is_file()


def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, gz: Path, models: list[str]
) -> None:
    image, other = (gz.parent / "gz" / f"G000{n}.png" for n in (0, 1))
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    none = tmp_path / "none.duckdb"
    for arguments, words in (
        ([image], "name the model that is to explain"),
        ([tmp_path / "typo.png", "--model", models[0], "--catalog", none], "no image file"),
        ([image, other, "--model", models[0]], "explain one at a time"),
        ([image, "--model", models[0], "--worst", "3"], "leave out --worst"),
        ([bad, "--model", models[0]], "bad.png: unreadable image"),
        ([image, "--model", models[0], "--of", "cross_entropy"], "without votes has no loss"),
        ([image, "--model", models[0], "--answer", "bar_huge"], "no answer 'bar_huge'"),
        ([image, "--model", models[0], "--tree", "rings"], "no question of tree rings"),
        (["G0000", "--tree", "rings", "--catalog", gz], "are of an image file"),
    ):
        result = zoolens("explain", *arguments)
        assert result.exit_code != 0
        assert words in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert not none.exists()


def test_mistakes_are_errors_of_their_kind(gz: Path, models: list[str]) -> None:
    image = gz.parent / "gz" / "G0000.png"
    with pytest.raises(CatalogError, match="--model CHECKPOINT"):
        explain_picture(image, Maps())
    with pytest.raises(ImageRefused, match=r"absent\.png"):
        explain_picture(image.with_name("absent.png"), Maps(models[0]))
    with pytest.raises(UnknownName, match="tree"):
        explain_picture(image, Maps(models[0]), tree="rings")
