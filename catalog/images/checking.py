"""Checks of images when they are ingested: rows for the good ones and for the refused."""

import os
from collections.abc import Sequence
from functools import partial

import pyarrow as pa

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.reader import ImageFacts, ImageReader
from zoolens.catalog.images.sources import ImageEntry
from zoolens.catalog.runtime.parallel import in_order
from zoolens.catalog.store.rejects import reject_table
from zoolens.catalog.store.tables import arrow_schema


def image_rows(reader: ImageReader, shard: Sequence[tuple[int, ImageEntry]]) -> dict[str, pa.Table]:
    """Rows of `image` for the good images, and of `reject` for the others and for remarks.

    Decodes them in as many threads as there are processors. shard: galaxy numbers and their
    images.
    """
    rows, rejects = [], []
    entries = [entry for _, entry in shard]
    checked = in_order(partial(_checked, reader), entries, threads=os.cpu_count() or 1)
    for (galaxy, entry), facts in zip(shard, checked, strict=True):
        if isinstance(facts, ImageRefused):
            rejects.append(entry.refused(str(facts)))
        else:
            place = {"galaxy_id": galaxy, "source": entry.source, "member": entry.member}
            columns = {name: value for name, value in vars(facts).items() if name != "remarks"}
            rows.append({**place, **columns})
            rejects += [entry.refused(remark) for remark in facts.remarks]
    rows.sort(key=lambda row: row["galaxy_id"])
    return {
        "image": pa.Table.from_pylist(rows, schema=arrow_schema("image")),
        "reject": reject_table(rejects),
    }


def _checked(reader: ImageReader, entry: ImageEntry) -> ImageFacts | ImageRefused:
    try:
        return reader.inspect(entry.source, entry.member)
    except ImageRefused as refused:
        return refused
