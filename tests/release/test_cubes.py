"""Cubes of saliency maps as astropy reads them."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tests.made.catalogues import TOY
from tests.made.releases import EXPLAINED, SIDE
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.release.cubes import write_cubes
from zoolens.catalog.release.galaxies import Block
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow


def test_planes_are_the_stored_maps(full_gz: Path, full_cut: Path) -> None:
    cubes = sorted((full_cut / "cubes").iterdir())
    assert len(cubes) == len(EXPLAINED)
    with fits.open(cubes[1]) as file:
        name = file[0].header["OBJECT"]
        assert [*file["ANSWERS"].data["label"]] == [*TOY.labels]
        assert [*file["ANSWERS"].data["plane"]] == [*range(1, len(TOY.labels) + 1)]
        for plane, label in enumerate(TOY.labels):
            for image, sd in (("MEAN", False), ("SD", True)):
                stored = saliency_of(full_gz, name, label, sd=sd)
                np.testing.assert_array_equal(file[image].data[plane], stored)


def test_only_galaxies_asked_for_that_are_explained(
    store: Store, block: Block, tmp_path: Path
) -> None:
    assert block.runs.explain is not None
    asked = np.array([1, 3, 4, 6])  # every third galaxy is explained
    assert write_cubes(store, block.runs.explain, asked, tmp_path / "cubes") == 2
    heads = [fits.getheader(file) for file in sorted((tmp_path / "cubes").iterdir())]
    assert [head["OBJECT"] for head in heads] == ["J000003.00+000003.0", "J000006.00+000006.0"]
    assert [(head["RA"], head["DEC"]) for head in heads] == [(291, -55), (6 * 97 - 360, -40)]
    shapes = fits.getdata(next((tmp_path / "cubes").iterdir()), "SD").shape
    assert shapes == (len(TOY.labels), SIDE, SIDE)
