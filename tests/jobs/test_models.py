"""The models that come with Zoolens: what is told of them is so, and each can be used by name."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.test_predict import imaged, table
from tests.made.catalogues import add_predictions, catalogue, random_counts
from tests.made.terminal import zoolens
from tests.network.test_bundled import bundle
from zoolens.catalog import paths
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.network.bundled import bundled_models, labels_of
from zoolens.catalog.runtime.files import sha256_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.trees.telling import rows_of
from zoolens.jobs.models import models

SIMULATED = "gzd5-simulated"
NAMES = [model.name for model in bundled_models()]
each_name = pytest.mark.parametrize("name", NAMES)


def test_the_folder_holds_the_models_that_are_listed_and_their_cards() -> None:
    for suffix in (".safetensors", ".md"):
        found = {file.stem for file in paths.BUNDLED_MODELS.glob(f"*{suffix}")} - {"README"}
        assert found == set(NAMES)


@each_name
def test_what_is_told_of_a_model_is_so(name: str) -> None:
    (model,) = (model for model in bundled_models() if model.name == name)
    assert model.sha256 == sha256_of(model.path)
    tree = get_tree(model.tree)
    rows = rows_of(labels_of(model), tree)
    missing = {label for label, row in zip(tree.labels, rows, strict=True) if row is None}
    assert all(label.startswith("odd-feature_") for label in missing), "as Zoobot's of GZ2 lack"
    (row,) = models(name).to_pylist()
    assert row["sha256"] == model.sha256
    assert row["answers"] == len(labels_of(model)) >= row["questions"] * 2
    assert row["MB"] == round(model.path.stat().st_size / 1e6, 1) <= 12
    assert all(row[key] for key in row if key != "limits")
    assert model.galaxies == "real" or model.limits, "a simulated sky is not the sky"


@each_name
def test_card_and_index_say_the_same(name: str) -> None:
    (row,) = models(name).to_pylist()
    card = Path(row["card"]).read_text()
    assert card.startswith(f"# {name}: ")
    assert f"`{row['sha256']}`" in card
    assert f"{row['MB']} MB" in card
    index = (paths.BUNDLED_MODELS / "README.md").read_text()
    (line,) = re.findall(rf"^\| \[{name}\]\({name}\.md\) \|(.*)\|$", index, re.M)
    assert [cell.strip() for cell in line.split("|")] == [
        row["tree"],
        f"{row['questions']}, {row['answers']}",
        f"{row['galaxies']} ({row['survey']})",
        row["encoder"],
        row["view"],
        f"{row['MB']} MB",
        f"`{row['sha256'][:8]}`",
    ]


def test_the_list_fits_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bundle(
        tmp_path / "models",
        **{"gz2-sdss": ("gz2", "real", ""), SIMULATED: ("gzd5", "simulated", "it is weak")},
    )
    monkeypatch.setattr(paths, "BUNDLED_MODELS", folder)
    result = zoolens("models")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["gz2-sdss", SIMULATED]
    assert lines[2].split()[1:5] == ["gz2", "37", "real", "minimal"]
    assert "minimal 128, zoom 1.5" in lines[2]
    assert max(map(len, map(str.rstrip, lines))) <= 80
    told = json.loads(zoolens("models", "--format", "json").stdout)
    assert [row["limits"] for row in told] == ["", "it is weak"]


def test_a_name_tells_all_of_one_and_a_misspelt_one_the_nearest() -> None:
    result = zoolens("models", SIMULATED)
    (row,) = models(SIMULATED).to_pylist()
    told = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert told == {key: str(value) for key, value in row.items()}
    assert Path(told["card"]).is_file()
    result = zoolens("models", "gzd5")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(f"nearest: {', '.join(NAMES)}\n")


@pytest.mark.slow
def test_listing_loads_no_torch() -> None:
    script = (
        "import sys; sys.argv = ['zoolens', 'models']\n"
        "from zoolens.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'timm', 'zoobot', 'galaxy_datasets', 'duckdb'} & {*sys.modules}))\n"
    )
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout
    assert SIMULATED in shown
    assert shown.splitlines()[-1] == "[]"


@pytest.fixture
def gz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two galaxies with images; the working folder is an empty one."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return imaged(tmp_path / "gz.duckdb", 2)


def runs(path: Path) -> list[dict[str, str]]:
    sql = "SELECT run_id, model_sha256, config ->> '$.origin.model' AS model FROM run"
    return table(path, f"{sql} WHERE job = 'predict' ORDER BY run_id")


@pytest.mark.slow
def test_predict_takes_the_bundled_model_unless_told_and_goes_on_with_it(
    gz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ["--samples", "2", "--catalog", gz]
    first = zoolens("predict", *few)
    assert first.exit_code == 0, first.stderr
    assert f"bundled: {SIMULATED}, the only one of tree gzd5, trained on simulated" in first.stderr
    assert f"{SIMULATED}: it has seen simulated galaxies alone" in first.stderr
    (known,) = [row["sha256"] for row in models().to_pylist() if row["name"] == SIMULATED]
    (run,) = runs(gz)
    assert (run["model_sha256"], run["model"]) == (known, SIMULATED)
    for again in ([], ["--model", "bundled"], ["--model", SIMULATED]):
        assert "nothing changed" in zoolens("predict", *again, *few).stderr
    assert len(runs(gz)) == 1
    monkeypatch.chdir("/")
    shown = zoolens("explain", "--all", "--method", "hirescam", "--catalog", gz)
    assert shown.exit_code == 0, shown.stderr


@pytest.mark.slow
def test_what_another_model_predicted_is_not_hidden_unasked(gz: Path) -> None:
    with Store.open(gz) as store:
        alpha = np.full((2, 1, 34), 2, np.float32)
        add_predictions(store, alpha)
    before = runs(gz)
    result = zoolens("predict", "--catalog", gz)
    assert result.exit_code == 1
    assert re.match(
        r"zoolens: run \d+ has predicted already, from .*--model bundled", result.stderr
    )
    assert runs(gz) == before


@pytest.mark.slow
def test_a_tree_without_a_bundled_model_is_one_line(tmp_path: Path) -> None:
    path = imaged(tmp_path / "gz.duckdb", 1, tree=get_tree("rings"))
    for model in ([], ["--model", "bundled"]):
        result = zoolens("predict", *model, "--catalog", path)
        assert result.exit_code == 1
        assert result.stderr.startswith("zoolens: no bundled model answers tree rings; there are ")
        assert len(result.stderr.splitlines()) == 1
    assert runs(path) == []


@pytest.mark.slow
def test_one_image_is_explained_by_a_name(gz: Path) -> None:
    image = gz.with_suffix("") / "G0000.png"
    for model, said in ((SIMULATED, "simulated galaxies alone"), ("bundled", "bundled: ")):
        result = zoolens("explain", image, "--model", model, "--method", "hirescam")
        assert result.exit_code == 0, result.stderr
        assert said in result.stderr


@pytest.mark.slow
def test_a_catalogue_without_a_tree_gets_that_of_the_first(gz: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.duckdb"
    images = gz.with_suffix("")
    options = ["--images", images, "--samples", "1", "--catalog", new]
    result = zoolens("ingest", *options, "--model", "bundled")
    assert result.exit_code == 0, result.stderr
    first = bundled_models()[0]
    assert f"bundled: {first.name}, of tree {first.tree}" in result.stderr
    with Store.open(new, read_only=True) as store:
        assert store.tree == get_tree(first.tree)


@pytest.mark.slow
def test_training_and_trials_take_names_too(gz: Path, tmp_path: Path) -> None:
    from zoolens.jobs.evaluate import evaluate
    from zoolens.jobs.train import train

    for encoder in ("bundled", SIMULATED):
        with pytest.raises(CatalogError, match=r"the encoder is a \w+, not resnet18"):
            train(gz, tmp_path / "out", encoder=encoder, architecture="resnet18")
    with pytest.raises(CatalogError, match="nearest: bundled"):
        train(gz, tmp_path / "out", encoder="bundle")
    tree, alpha = get_tree("gzd5"), np.full((2, 1, 34), 2, np.float32)
    new = tmp_path / "new.duckdb"
    catalogue(new, random_counts(2, tree), concentrations=alpha, tree=tree)
    for control in ("bundled", SIMULATED):
        with pytest.raises(CatalogError, match=f"{SIMULATED} is a resnet10t"):
            evaluate(new, control=control)
