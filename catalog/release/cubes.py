"""Saliency maps as FITS cubes, one file per galaxy, for viewers such as DS9."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.paths import subject_stem
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.store.galaxies import Place, read_places
from zoolens.catalog.store.maps import read_maps
from zoolens.catalog.store.matrices import floats
from zoolens.catalog.store.store import Store

_BLOCK = 1_000  # galaxies read at a time


def write_cubes(store: Store, explain_run: int, galaxy_id: Ids, folder: Path) -> int:
    """Add the maps of the galaxies (N,) that the run explains to a folder; returns how many.

    Each file has the images MEAN and SD, of (A, h, w) planes, rows and columns of the
    explained layer's own grid, in units of concentration, and a table ANSWERS that says
    which plane belongs to which answer, numbered from 1, as in viewers.
    """
    folder.mkdir(exist_ok=True)
    tree, written = store.tree, 0
    with progress("cubes", len(galaxy_id)) as bar:
        for start in range(0, len(galaxy_id), _BLOCK):
            some = galaxy_id[start : start + _BLOCK]
            rows = read_maps(store, explain_run, some)
            for place in read_places(store, np.unique(rows["galaxy_id"].to_numpy())):
                one = rows.filter(np.equal(rows["galaxy_id"].to_numpy(), place.galaxy_id))
                _write_cube(one, place, tree, folder)
                written += 1
            bar.advance(len(some))
    return written


def _write_cube(rows: pa.Table, place: Place, tree: DecisionTree, folder: Path) -> None:
    """Write the maps of one galaxy, from its rows in the order of the questions."""
    from astropy.io import fits

    height, width = (rows[column][0].as_py() for column in ("height", "width"))
    labels = [tree.questions[q].labels for q in rows["question_id"].to_pylist()]
    planes = [label for some in labels for label in some]
    head = fits.PrimaryHDU()
    head.header["OBJECT"] = place.iauname.encode("ascii", "backslashreplace").decode()
    for key, value in (("RA", place.ra), ("DEC", place.dec)):
        if value is not None:
            head.header[key] = (value, "deg, ICRS")
    images = []
    for column, words in (("mean", "mean over dropout samples"), ("sd", "standard deviation")):
        cube = floats(rows[column]).reshape(len(planes), height, width)
        image = fits.ImageHDU(cube.astype(">f4"), name=column.upper())
        image.header["COMMENT"] = f"HiResCAM of each answer's concentration, {words}"
        images.append(image)
    answers = fits.BinTableHDU.from_columns(
        [
            fits.Column("plane", "J", array=np.arange(1, len(planes) + 1)),
            fits.Column("label", f"{max(map(len, planes))}A", array=np.array(planes)),
        ],
        name="ANSWERS",
    )
    file = folder / f"{subject_stem(place.iauname)}.fits"
    with replacing(file) as part:
        fits.HDUList([head, *images, answers]).writeto(part, checksum=False)
