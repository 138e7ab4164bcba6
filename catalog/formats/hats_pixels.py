"""Where on the sky rows of a table lie, and how a HATS catalogue is cut into partitions."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Floats, Places
from zoolens.catalog.errors import CatalogError

INDEX_ORDER = 29
FINEST = 10  # order of the smallest partitions, unless spans are smaller: 3.4 arcmin


class Partition(NamedTuple):
    """A file of the catalogue: the rows of one HEALPix pixel, nested, of an order."""

    order: int
    pixel: int
    rows: int


class Span(NamedTuple):
    """The rows of a table that lie in a HEALPix pixel, nested, of an order: whole row groups.

    Order and pixel are None if they may lie anywhere.
    """

    groups: range
    order: int | None = None
    pixel: int | None = None


class SkyCounts:
    """How many galaxies are in each pixel of the order `FINEST`."""

    def __init__(self) -> None:
        none = np.empty(0, np.int64)
        self._pixels, self._counts = [none], [none]

    def add(self, index: Places) -> None:
        """More galaxies, by `_healpix_29` (N,)."""
        pixels, counts = np.unique(index >> 2 * (INDEX_ORDER - FINEST), return_counts=True)
        self._pixels.append(pixels)
        self._counts.append(counts)

    def of_order(self, order: int) -> Places:
        """Of an order that is no finer, (12 4^order,)."""
        pixels = np.concatenate(self._pixels) >> 2 * (FINEST - order)
        found = np.zeros(12 * 4**order, np.int64)
        np.add.at(found, pixels, np.concatenate(self._counts))
        return found


def spatial_index(table: Path, ra: str, dec: str, named: str | None, span: Span) -> Places:
    """The `_healpix_29` of each row of a span, (N,).

    Raises `CatalogError` if a galaxy has no position on the sky, or lies outside of the span.
    """
    from hats.pixel_math.spatial_index import compute_spatial_index

    parts, wrong, example = [np.empty(0, np.int64)], 0, ""
    with pq.ParquetFile(table) as file:
        named = named or file.schema_arrow.names[0]
        for group in span.groups:
            rows = file.read_row_group(group, columns=[ra, dec, named])
            lon, lat = _degrees(rows[ra]), _degrees(rows[dec])
            off = ~((lon >= 0) & (lon <= 360) & (lat >= -90) & (lat <= 90))
            if off.any() and not wrong:
                example = str(rows[named][int(np.argmax(off))].as_py())
            wrong += int(off.sum())
            if not wrong:
                parts.append(compute_spatial_index(lon, lat))
                _check_within(span, parts[-1], rows[named])
    if wrong:
        raise CatalogError(
            f"{wrong} galaxies have no position on the sky, such as {example!r}; HATS needs"
            f' one of each: leave them out with --where "{ra} IS NOT NULL"'
        )
    return np.concatenate(parts)


def _check_within(span: Span, index: Places, names: pa.ChunkedArray) -> None:
    if span.order is None:
        return
    outside = index >> 2 * (INDEX_ORDER - span.order) != span.pixel
    if outside.any():
        name = names[int(np.argmax(outside))].as_py()
        raise CatalogError(
            f"{name} lies outside of pixel {span.pixel} of order {span.order}, whose catalogue has "
            "it; cut the survey anew"
        )


def partitions(index: Places, most_rows: int, lowest: int = 0) -> list[Partition]:
    """The partitions, as large as `most_rows` allows, along the sky's index.

    lowest: order of the largest; if it is finer than `FINEST`, all galaxies lie in one such pixel,
    which is the partition, whatever `most_rows`.
    Raises `CatalogError` if more galaxies lie in a pixel of the finest order.
    """
    from hats.pixel_math.partition_stats import generate_alignment

    if lowest > FINEST:
        pixel = int(index[0]) >> 2 * (INDEX_ORDER - lowest)
        return [Partition(lowest, pixel, len(index))]
    for order in range(lowest, FINEST + 1):
        counts = pixel_counts(index, order)
        if counts.max() <= most_rows:
            break
    else:
        raise CatalogError(
            f"{counts.max()} galaxies lie in one pixel of order {FINEST}, more than the"
            f" {most_rows} of a partition; allow more"
        )
    # a finer order would give the same pixels, more slowly
    aligned = generate_alignment(
        counts, highest_order=order, lowest_order=lowest, threshold=most_rows
    )
    found = {Partition(*map(int, numbers)) for numbers in filter(None, aligned)}
    return sorted(found, key=along_the_sky)


def along_the_sky(one: Partition) -> int:
    """The place of a partition among others."""
    return one.pixel << 2 * (INDEX_ORDER - one.order)


def pixel_counts(index: Places, order: int) -> Places:
    """How many galaxies are in each pixel of an order, (12 4^order,)."""
    counts: Places = np.bincount(index >> 2 * (INDEX_ORDER - order), minlength=12 * 4**order)
    return counts


def _degrees(values: pa.ChunkedArray) -> Floats:
    degrees: Floats = values.cast(pa.float64()).to_numpy()
    return degrees
