"""Figures as files, and which answers are suggested on real votes."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    catalogue,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.scoring.weights import PAPER_LABELS
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.histogram import histogram, suggest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return catalogue(
        tmp_path_factory.mktemp("gz") / "gz.duckdb",
        random_counts(200),
        concentrations=random_concentrations(200),
    )


@pytest.mark.parametrize("predicted", [False, True])
def test_figures_are_drawn(gz: Path, tmp_path: Path, predicted: bool) -> None:
    from PIL import Image

    report = histogram(gz, tmp_path / "new" / "folder", predicted=predicted)
    assert report.galaxies == 200
    assert [path.name for path in report.figures] == [
        "fractions-emphasised.pdf",
        "fractions-emphasised.png",
        "fractions-all.pdf",
        "fractions-all.png",
    ]
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(
        path.name for path in report.figures
    )
    for path in report.figures:
        if path.suffix == ".png":
            with Image.open(path) as image:
                r, g, b = np.moveaxis(np.asarray(image.convert("RGB"), int), 2, 0)
            assert np.any((r > 150) & (g < 80) & (b < 80)) == predicted  # the model's line
        else:
            assert path.read_bytes().startswith(b"%PDF")


def test_again_the_same_files(gz: Path, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in histogram(gz, tmp_path).figures]
    assert [path.read_bytes() for path in histogram(gz, tmp_path).figures] == first


def test_a_tree_without_the_papers_answers_has_one_figure(tmp_path: Path) -> None:
    tree = DecisionTree("other", (Question("colour", ("red", "blue")),))
    path = catalogue(tmp_path / "gz.duckdb", np.ones((3, 2)), tree=tree)
    assert {p.stem for p in histogram(path, tmp_path).figures} == {"fractions-all"}


def test_nobody_asked_anything(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", np.zeros((3, 10)))
    assert len(histogram(path, tmp_path).figures) == 4
    table = suggest(path)
    assert table["galaxies"].to_pylist() == [0] * 10
    assert table["evenness"].null_count == 10
    assert not any(table["suggested"].to_pylist())


def test_what_cannot_be_drawn(gz: Path, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("in the way")
    with pytest.raises(CatalogError, match="file cannot be made"):
        histogram(gz, occupied)
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    with pytest.raises(CatalogError, match="zoolens predict"):
        histogram(path, tmp_path, predicted=True)


def test_suggestions_by_hand(tmp_path: Path) -> None:
    counts = np.zeros((200, 10))
    counts[:, 0] = np.arange(200) % 21  # smooth: 0/20, 1/20, … evenly
    counts[:, 1] = 20 - counts[:, 0]
    counts[:, 3] = 20  # round: everybody says yes
    rows = {
        row["label"]: row for row in suggest(catalogue(tmp_path / "gz.duckdb", counts)).to_pylist()
    }
    assert rows["shape_smooth"]["suggested"]
    assert rows["shape_smooth"]["evenness"] > 0.98
    assert rows["shape_star"] == {
        "label": "shape_star",
        "galaxies": 200,
        "evenness": 0.0,
        "extreme_share": 1.0,
        "suggested": False,
        "in_paper": False,
    }
    assert rows["bar_no"]["galaxies"] == 0
    assert rows["bar_no"]["in_paper"]
    evenness = [row["evenness"] for row in rows.values() if row["galaxies"]]
    assert evenness == sorted(evenness, reverse=True)


def test_suggestions_agree_with_the_papers_list(data: Path, tmp_path: Path) -> None:
    """On the 30 answers asked of the 1,088 galaxies, all but three stand as in appendix C."""
    import pandas as pd

    tree = get_tree("gzd5")
    table = pd.read_csv(data / "gzd5_votes.csv")
    counts = table.reindex(columns=tree.labels, fill_value=0.0).to_numpy(float)
    totals = table[[f"{q.name}_total-votes" for q in tree.questions]].to_numpy(float)
    path = catalogue(tmp_path / "gz.duckdb", counts, totals=totals, tree=tree)
    rows = [row for row in suggest(path).to_pylist() if row["galaxies"]]
    assert len(rows) == 30
    assert {row["label"] for row in rows if row["suggested"] and not row["in_paper"]} == {
        "spiral-arm-count_cant-tell",
        "spiral-winding_medium",
    }
    assert {row["label"] for row in rows if row["in_paper"] and not row["suggested"]} == {
        "bulge-size_large"
    }
    assert {row["label"] for row in rows if row["in_paper"]} == set(PAPER_LABELS) - {"merging_none"}


def test_fractions_of_few_votes_can_be_left_out(gz: Path, tmp_path: Path) -> None:
    counts = random_counts(200)
    asked = question_totals(counts)[:, TOY.question_of]
    for fewest in (0, 30):
        told = {row["label"]: row["galaxies"] for row in suggest(gz, min_votes=fewest).to_pylist()}
        expected = np.count_nonzero(asked >= max(fewest, 1), axis=0)
        assert told == dict(zip(TOY.labels, expected.tolist(), strict=True))
    before = histogram(gz, tmp_path / "all").figures
    after = histogram(gz, tmp_path / "some", min_votes=30).figures
    assert before[-1].read_bytes() != after[-1].read_bytes()
