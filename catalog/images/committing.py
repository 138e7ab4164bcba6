"""Images into the catalogue: what is wrong with their list, then those that can be read."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from zoolens.catalog.images.checking import image_rows
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import ImageEntry
from zoolens.catalog.store.galaxies import Numbering, galaxy_table
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.store import Run, Store

Paired = Sequence[tuple[int, ImageEntry]]


def commit_images(
    store: Store,
    run: Run,
    paired: Paired,
    rejects: Sequence[Reject],
    *,
    together: int,
    new: Mapping[int, str] | None = None,
) -> None:
    """Commit rejects of the list of images, then images and what is wrong with them.

    paired: galaxy numbers and their images, of which `together` are a shard. new: names of
    galaxies that the catalogue does not have, by number: they come with an image that can be
    read, and not without.
    """
    if not store.committed(run, "listing"):
        store.commit(run, "listing", {"reject": reject_table(rejects)})
    shards = [paired[i : i + together] for i in range(0, len(paired), together)]
    parts = (Part(shard, len(shard), f"images-{i:06d}") for i, shard in enumerate(shards))
    with ImageReader() as reader:
        fill(
            store,
            run,
            parts,
            partial(_rows, reader, new or {}),
            read=as_they_are,
            describe="checking images",
            total=len(paired),
        )


def _rows(reader: ImageReader, new: Mapping[int, str], shard: Paired) -> dict[str, pa.Table]:
    """Rows of a shard of images, and of the new galaxies that they show."""
    tables = image_rows(reader, shard)
    if not new:
        return tables
    shown = [number for number in tables["image"]["galaxy_id"].to_pylist() if number in new]
    none = np.full(len(shown), np.nan)
    numbering = Numbering(np.array(shown, np.int64), np.zeros(len(shown), bool), none)
    names = [new[number] for number in shown]
    return {"galaxy": galaxy_table(numbering, names, none, none), **tables}
