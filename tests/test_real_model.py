"""The figures of real galaxies, by hand and by loops, on galaxies that are none."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks import real_model
from benchmarks.real_figures import (
    Figure,
    Judged,
    asked_as_published,
    difference,
    figures,
    predicted,
)
from tests.made.catalogues import catalogue, random_concentrations
from zoolens.catalog.arrays import Floats
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow  # with what they load

GZ2 = get_tree("gz2")
N = 240


def votes(seed: int = 0) -> Floats:
    """Weighted votes of 44 volunteers that fall down the tree, of a third without arms and bars."""
    random = np.random.default_rng(seed)
    tree = asked_as_published(GZ2)
    fractions = np.concatenate(
        [random.dirichlet(np.full(len(q.answers), 0.8), N) for q in GZ2.questions], axis=1
    )
    each = np.array([len(q.answers) for q in GZ2.questions])[GZ2.question_of]
    fractions = 0.9 * fractions + 0.1 / each  # somebody comes to every question
    counts = 44 * tree.reach(fractions)[:, tree.question_of] * fractions
    deep = [q.asked_after == ("disk-edge-on_no",) for q in GZ2.questions]
    deep = [
        d or "spiral" in q.name or q.name == "bulge-shape"
        for d, q in zip(deep, GZ2.questions, strict=True)
    ]
    counts[np.ix_(np.arange(N) % 3 == 0, np.array(deep)[GZ2.question_of])] = 0
    return counts


@pytest.fixture(scope="module")
def judged() -> Judged:
    return Judged(GZ2, [f"G{n:04}" for n in range(N)], votes(), np.arange(N) % 2 == 0)


@pytest.fixture(scope="module")
def alpha() -> Floats:
    """Concentrations of a model that knows something."""
    known = 1 + votes()[:, None]
    return known + random_concentrations(N, 2, GZ2) / 4


@pytest.fixture(scope="module")
def found(judged: Judged, alpha: Floats) -> dict[tuple[str, str], Figure]:
    return {(f.name, f.of): f for f in figures(judged, predicted(alpha, GZ2))}


def test_anything_odd_is_asked_of_everybody_in_the_published_shares(judged: Judged) -> None:
    odd = GZ2.slices[GZ2.question_id("something-odd")]
    np.testing.assert_allclose(judged.cumulative[:, odd].sum(axis=1), 1)
    known = ~np.isnan(judged.cumulative)
    assert known[1::3].all()
    assert known[0].sum() == 17


def test_ranks_are_scipys_on_the_galaxies_they_are_of(
    judged: Judged, alpha: Floats, found: dict[tuple[str, str], Figure]
) -> None:
    model = predicted(alpha, GZ2)
    place = GZ2.answer_id("bar_yes")
    asked = judged.votes[:, GZ2.slices[GZ2.question_id("bar")]].sum(axis=1)
    for of, some in (
        ("held out", asked > 0),
        ("held out, half asked", asked >= 22),
        ("unselected, half asked", judged.unselected & (asked >= 22)),
    ):
        figure = found["Spearman, bar", of]
        truth = judged.votes[some, place] / asked[some]
        assert figure.estimate.value == pytest.approx(
            spearmanr(truth, model.fractions[some, place])[0]
        )
        assert figure.estimate.galaxies == some.sum()


def test_roots_of_squares_are_those_of_loops(
    judged: Judged, alpha: Floats, found: dict[tuple[str, str], Figure]
) -> None:
    fractions = np.stack(
        [alpha[..., w] / alpha[..., w].sum(-1, keepdims=True) for w in GZ2.slices[:1]]
    )
    assert fractions.shape == (1, N, 2, 3)
    shares = predicted(alpha, GZ2).cumulative
    np.testing.assert_allclose(shares[:, :3], fractions[0].mean(axis=1))
    squares = (shares - votes() / 44) ** 2
    deep = np.isnan(judged.cumulative[0])
    some = judged.unselected
    whole = some & (np.arange(N) % 3 > 0)
    expected = {
        ("RMSE, 37 answers", "unselected, all known"): squares[whole].mean(),
        ("RMSE, 17 answers", "unselected"): squares[some][:, ~deep].mean(),
        ("RMSE, 37 answers, each by itself", "unselected"): np.mean(
            [squares[whole if deep[k] else some, k].mean() for k in range(37)]
        ),
    }
    for key, mean in expected.items():
        estimate = found[key].estimate
        assert estimate.value == pytest.approx(np.sqrt(mean))
        assert estimate.lo is not None
        assert estimate.hi is not None
        assert estimate.lo < estimate.value < estimate.hi


def test_giving_the_mean_reaches_the_floor(judged: Judged) -> None:
    everywhere = np.nanmean(judged.observed[judged.unselected], axis=0)
    mean = np.tile(100 * everywhere, (N, 1, 1))
    of = {(f.name, f.of): f for f in figures(judged, predicted(mean, GZ2))}
    figure = of["MAE, smooth, featured", "unselected"]
    assert figure.estimate.value == pytest.approx(figure.floor)
    assert ("Spearman, featured", "unselected") not in of  # all alike: no order


def test_errors_of_what_is_predicted_exactly_are_0(judged: Judged) -> None:
    exact = np.where(judged.votes > 0, judged.votes, 1e-9)[:, None]
    for figure in figures(judged, predicted(exact, GZ2)):
        if figure.name.startswith("MAE"):
            assert figure.estimate.value == pytest.approx(0, abs=1e-6), figure.name
        if figure.name.startswith(("Spearman", "accuracy")):
            assert figure.estimate.value == pytest.approx(1), figure.name


def test_a_difference_is_of_pairs(found: dict[tuple[str, str], Figure]) -> None:
    for figure in found.values():
        none = difference(figure, figure)
        assert none.value == 0
        if none.lo is not None:
            assert (none.lo, none.hi) == (0, 0)


def test_from_catalogues_to_a_table_and_a_file(
    tmp_path: Path,
    alpha: Floats,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one, other = (
        catalogue(tmp_path / name, votes(), concentrations=a.astype(np.float32), tree=GZ2)
        for name, a in (("one.duckdb", alpha), ("other.duckdb", alpha[::-1].copy()))
    )
    names = [f"G{n:04}" for n in range(N)]
    table = tmp_path / "votes.csv"
    lines = [f"{name},{'unselected' if n % 2 else 'confident'}" for n, name in enumerate(names)]
    table.write_text("\n".join(["galaxy,sample", *lines]) + "\n")
    arguments = [one, other, "--unselected", table, "--held-out", 0.5]
    arguments += ["--out", tmp_path / "found.json"]
    monkeypatch.setattr(sys, "argv", ["real_model", *map(str, arguments)])
    real_model.main()
    told = capsys.readouterr().out
    held_out = np.count_nonzero(split_galaxies(names, 0, 0.5) != "train")
    assert told.startswith(f"{held_out} held-out galaxies")
    assert "Spearman, featured" in told
    rows = json.loads((tmp_path / "found.json").read_text())
    featured = [row for row in rows if row["figure"] == "Spearman, featured"]
    good, bad = featured
    assert good["first_less_value"] is None
    assert bad["first_less_value"] == pytest.approx(good["value"] - bad["value"])
    assert bad["first_less_lo"] > 0


def test_what_is_not_known_is_asked_for(tmp_path: Path, alpha: Floats) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", votes(), concentrations=alpha.astype(np.float32), tree=GZ2
    )
    with pytest.raises(CatalogError, match="no training; say which galaxies"):
        real_model.read(path, None, "model", None)
    held_out = real_model.read(path, None, "model", (0, 0.5))
    with pytest.raises(CatalogError, match="--unselected FILE"):
        real_model.judge([held_out], None)
    table = tmp_path / "votes.csv"
    table.write_text("galaxy,sample\nG9999,unselected\n")
    with pytest.raises(CatalogError, match="has no galaxy G0"):
        real_model.judge([held_out], table)
