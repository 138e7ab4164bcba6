"""What is compared on images of another survey."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from benchmarks import real_images
from benchmarks.real_images import DATA, FEATURED, SHARED, TREES, compared
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow  # with what they load


def frame(seed: int, galaxies: int = 30) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    names = [f"J{n}" for n in random.permutation(galaxies)]
    return pd.DataFrame(random.random((galaxies, len(SHARED))), index=names, columns=list(SHARED))


def test_both_trees_ask_what_is_compared() -> None:
    assert all(label in get_tree(tree).labels for tree in TREES for label in SHARED)


def test_models_are_compared_on_the_same_galaxies() -> None:
    truth = frame(0).iloc[:20]
    truth.loc[truth.index[:4], FEATURED] = np.nan
    one, other = frame(1), frame(2)
    rows = list(compared({"one": one, "other": other}, {"volunteers": truth}))
    assert len(rows) == 2 * len(SHARED)
    first, second = rows[:2]
    known = truth[FEATURED].dropna()
    for row, model in ((first, one), (second, other)):
        assert row["galaxies"] == 16
        assert row["value"] == pytest.approx(spearmanr(known, model.loc[known.index, FEATURED])[0])
    assert first["first_less_value"] is None
    assert second["first_less_value"] == pytest.approx(first["value"] - second["value"])  # type: ignore[operator]


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_how_many_galaxies_others_know() -> None:
    others = real_images.references()
    found = {name: len(said.dropna(how="all")) for name, said in others.items()}
    images = {file.stem for file in (DATA / "images").glob("*.png")}
    assert found["GZ DECaLS automated"] == 100 == len(images)
    assert found["GZ2 volunteers"] in range(20, 25)
    assert len(images & set(others["GZ DECaLS volunteers"].index)) == 39
