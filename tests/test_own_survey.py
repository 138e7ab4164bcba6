"""The survey that the guide plays, and how its models are judged, on galaxies that are none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import spearmanr

from benchmarks.own_survey import FEATURED, make, measured
from tests.made.catalogues import random_concentrations
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow  # with what they load

N = 60


def test_only_galaxies_that_no_training_saw_are_in_it(tmp_path: Path) -> None:
    names = [str(number) for number in range(N)]
    (tmp_path / "images").mkdir()
    for name in names:
        picture = np.full((40, 48, 3), 100, np.uint8)
        Image.fromarray(picture).save(tmp_path / "images" / f"{name}.jpg")
    pd.DataFrame({"galaxy": names, "bar": 1}).to_csv(tmp_path / "votes.csv", index=False)
    out = tmp_path / "survey"
    voted, kept = make(tmp_path / "votes.csv", tmp_path / "images", out, voted=2)
    held_out = {f"S{n}" for n in np.array(names)[split_galaxies(names, 0, 0.1) != "train"]}
    assert 3 <= len(held_out) == voted + kept
    votes, aside = (set(pd.read_csv(out / f"{n}.csv")["galaxy"]) for n in ("votes", "aside"))
    assert (len(votes), len(aside)) == (voted, kept) == (2, len(held_out) - 2)
    assert votes | aside == held_out
    for folder, size in (("like", (48, 40)), ("unlike", (12, 10))):
        assert {file.stem for file in (out / folder).iterdir()} == held_out
        assert {Image.open(file).size for file in (out / folder).iterdir()} == {size}
    noise = [np.asarray(Image.open(file)).astype(float) for file in (out / "unlike").iterdir()]
    assert np.std(noise) == pytest.approx(20, rel=0.1)
    assert len({picture.tobytes() for picture in noise}) == len(noise)


def test_ranks_errors_and_losses_are_of_the_galaxies_that_were_asked() -> None:
    tree = get_tree("gz2")
    alpha = random_concentrations(N, 3, tree)
    votes = np.random.default_rng(1).gamma(1.0, 5.0, (N, len(tree.labels)))
    found = {one.name: one for one in measured(votes, alpha, tree)}
    first = votes[:, tree.slices[0]].sum(axis=1)
    for label in (FEATURED, "has-spiral-arms_yes"):
        answer = tree.answer_id(label)
        part = tree.slices[tree.question_of[answer]]
        asked = votes[:, part].sum(axis=1)
        fraction = (alpha[..., answer] / alpha[..., part].sum(axis=2)).mean(axis=1)
        known = asked >= first / 2
        expected = spearmanr(fraction[known], (votes[:, answer] / asked)[known]).statistic
        one = found[f"Spearman, {label}"].estimate
        assert (one.value, one.galaxies) == (pytest.approx(expected), known.sum())
    assert not (votes[:, tree.slices[3]].sum(axis=1) >= first / 2).all()
    part = tree.slices[0]
    fractions = (alpha[..., part] / alpha[..., part].sum(axis=2, keepdims=True)).mean(axis=1)
    off = np.abs(fractions - votes[:, part] / first[:, None])[:, :2].mean()
    assert found["error of fractions"].estimate.value == pytest.approx(off)
    loss = dirichlet_multinomial_nll(votes, alpha, tree).sum(axis=1).mean()
    assert found["loss"].estimate.value == pytest.approx(loss)
    for value, _, lo, hi in (one.estimate for one in found.values()):
        assert lo is not None
        assert hi is not None
        assert lo < value < hi
