"""Two catalogues of different trees, some of whose galaxies are the same, to train on together."""

from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from tests.made.catalogues import random_counts
from tests.made.images import folder, picture
from zoolens.catalog.trees.published import get_tree

EACH = 24


def two_catalogues(made: Path) -> list[Path]:
    """`gz2.duckdb` of A00 to A23 and `gzd5.duckdb` of B00 to B23, each with an image and votes.

    The second has two galaxies of the first: A05 by that name, B07's image is that of A07.
    Nobody was asked GZ2's odd-feature. The bytes of B04's image are bad.
    """
    paths = []
    for number, (name, letter) in enumerate((("gz2", "A"), ("gzd5", "B"))):
        tree = get_tree(name)
        names = [f"{letter}{n:02d}" for n in range(EACH)]
        if letter == "B":
            names[5] = "A05"
        counts = 1 + random_counts(EACH, tree, seed=number).astype(int)
        if letter == "A":
            counts[:, tree.slices[-1]] = 0
        table = pa.table({"iauname": names, **dict(zip(tree.labels, counts.T, strict=True))})
        csv.write_csv(table, made / f"{name}.csv")
        seeds = [7 if n == 7 else 100 * number + n for n in range(EACH)]
        contents = {
            f"{n}.png": picture(seed, side=40) for n, seed in zip(names, seeds, strict=True)
        }
        images = folder(made / f"{name}-images", contents)
        paths.append(made / f"{name}.duckdb")
        _ingest(paths[-1], made / f"{name}.csv", images, name)
    (made / "gzd5-images" / "B04.png").write_bytes(picture(999, side=40))
    return paths


def _ingest(path: Path, votes: Path, images: Path, tree: str) -> None:
    from zoolens.jobs.ingest import ingest

    ingest(path, votes, images=images, tree=tree)
