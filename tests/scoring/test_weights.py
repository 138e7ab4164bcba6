"""Presets and files of weights, and everything that can be wrong with a file."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.scoring.weights import PAPER_FACTOR, PAPER_LABELS, read_weights
from zoolens.catalog.trees.published import get_tree


def test_paper_preset_is_the_papers(data: Path) -> None:
    paper = json.loads((data / "paper_tables.json").read_text())
    assert sorted(PAPER_LABELS) == sorted(paper["weighted_answers"])
    assert paper["weights_factor"] == PAPER_FACTOR
    tree = get_tree("gzd5")
    weights = read_weights("paper", tree).array(tree)
    assert sorted(np.array(tree.labels)[weights == 5]) == sorted(PAPER_LABELS)
    assert (weights[weights != 5] == 1).all()


def test_paper_preset_on_another_tree_says_what_is_absent() -> None:
    tree = get_tree("gz2")
    weights = read_weights("paper", tree)
    assert set(weights.factors) | set(weights.absent) == set(PAPER_LABELS)
    assert "bar_no" in weights.factors
    assert "bar_weak" in weights.absent
    assert set(weights.factors) <= set(tree.labels)


def test_none_is_one_for_all() -> None:
    assert (read_weights("none", TOY).array(TOY) == 1).all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w.yaml", "shape_disk: 5\nbar_weak: 0.25\n"),
        ("w.YML", "{shape_disk: 5.0, bar_weak: '0.25'}\n"),
        ("w.csv", "label,weight\nshape_disk,5\nbar_weak,0.25\n"),
        ("bom.csv", "\ufeffweight,why,label\r\n5,like it,shape_disk\r\n.25,,bar_weak\r\n"),
    ],
)
def test_files(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    weights = read_weights(str(path), TOY)
    assert weights.factors == {"shape_disk": 5.0, "bar_weak": 0.25}
    assert weights.array(TOY).tolist() == [1, 5, 1, 1, 1, 1, 0.25, 1, 1, 1]


def test_campaign_suffix_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("how-rounded-dr5_round: 2\n")
    assert read_weights(str(path), get_tree("gzd5")).factors == {"how-rounded_round": 2.0}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("w.yaml", "shape_disk: 5\nbar_week: 2\n", "line 2: no answer 'bar_week'"),
        ("w.yaml", "shape_disk: 5\nshape_disk: 6\n", "line 2: shape_disk already stands in line 1"),
        ("w.csv", "label,weight\nshape_disk,1\nshape_disk,1\n", "line 3: shape_disk already"),
        ("w.yaml", "shape_disk: -1\n", "line 1: weight of shape_disk is '-1'"),
        ("w.yaml", "shape_disk: .nan\n", "weight of shape_disk"),
        ("w.yaml", "shape_disk: nan\n", "weight of shape_disk"),
        ("w.csv", "label,weight\nshape_disk,inf\n", "line 2: weight of shape_disk is 'inf'"),
        ("w.csv", "label,weight\nshape_disk,\n", "weight of shape_disk is ''"),
        ("w.csv", "label,weight\nshape_disk\n", "line 2: not 2 values"),
        ("w.csv", "label,weight\nshape_disk,1,2\n", "line 2: not 2 values"),
        ("w.csv", "answer,weight\nshape_disk,1\n", "needs the columns label and weight"),
        ("w.csv", "", "needs the columns label and weight; it has none"),
        ("w.csv", "label,weight\n", "holds no weights"),
        ("w.csv", 'label,weight\n"shape_disk,1\n', "line"),
        ("w.yaml", "", "must map labels to weights"),
        ("w.yaml", "- shape_disk\n", "must map labels to weights"),
        ("w.yaml", "shape_disk: [5]\n", "line 1: not one label and its weight"),
        ("w.yaml", "shape_disk: {a: 5}\n", "line 1: not one label and its weight"),
        ("w.yaml", "[a]: 5\n", "line 1: not one label and its weight"),
        ("w.yaml", "shape_disk: 5: 6\n", "is no YAML"),
        ("w.yaml", "[" * 100_000, "nested too deep"),
        ("w.yaml", "{}\n", "holds no weights"),
        ("w.txt", "shape_disk: 5\n", "neither a preset"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TableRefused) as refused:
        read_weights(str(path), TOY)
    assert told in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_unknown_label_comes_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text("label,weight\nbar_week,2\n")
    with pytest.raises(TableRefused, match="nearest: bar_weak"):
        read_weights(str(path), TOY)


def test_a_tag_builds_nothing(tmp_path: Path) -> None:
    path, victim = tmp_path / "w.yaml", tmp_path / "victim"
    path.write_text(f"shape_disk: !!python/object/apply:os.mkdir [{victim}]\n")
    with pytest.raises(TableRefused):
        read_weights(str(path), TOY)
    assert not victim.exists()


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableRefused, match="no weights at"):
        read_weights(str(tmp_path / "absent.yaml"), TOY)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TableRefused, match="a folder is there"):
        read_weights(str(tmp_path / "folder.csv"), TOY)
    (tmp_path / "latin.csv").write_bytes(b"label,weight\n\xff\xfe,1\n")
    with pytest.raises(TableRefused, match="UTF-8"):
        read_weights(str(tmp_path / "latin.csv"), TOY)
    (tmp_path / "nul.yaml").write_bytes(b"shape_disk: 5\n\x00")
    with pytest.raises(TableRefused, match="YAML"):
        read_weights(str(tmp_path / "nul.yaml"), TOY)


@pytest.mark.parametrize("preset", ["Paper", "", "papre"])
def test_misspelt_preset_is_refused(preset: str) -> None:
    with pytest.raises(TableRefused, match="paper, none"):
        read_weights(preset, TOY)


def test_the_papers_answers_are_emphasised_in_every_campaign() -> None:
    weights = read_weights("paper", get_tree("decals_all_campaigns"))
    assert {"bar-dr5_weak", "bar-dr8_weak", "bar-dr12_no"} <= weights.factors.keys()
    assert "bar-dr12_yes" not in weights.factors
    assert weights.absent == ()
