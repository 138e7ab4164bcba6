"""Galaxies and partitions of a HATS catalogue as HEALPix pixels, nested."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.arrays import Floats, Places
from catalog.errors import CatalogError

Partition = tuple[int, int, int]  # order, pixel, rows

INDEX_ORDER = 29

_FINEST = 10  # order of the smallest partitions: 3.4 arcmin


def spatial_index(table: Path, ra: str, dec: str, named: str | None) -> Places:
    """The `_healpix_29` of each row, (N,)."""
    from hats.pixel_math.spatial_index import compute_spatial_index

    parts, wrong, example = [np.empty(0, np.int64)], 0, ""
    with pq.ParquetFile(table) as file:
        named = named or file.schema_arrow.names[0]
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=[ra, dec, named])
            lon, lat = _degrees(rows[ra]), _degrees(rows[dec])
            off = ~((lon >= 0) & (lon <= 360) & (lat >= -90) & (lat <= 90))
            if off.any() and not wrong:
                example = str(rows[named][int(np.argmax(off))].as_py())
            wrong += int(off.sum())
            if not wrong:
                parts.append(compute_spatial_index(lon, lat))
    if wrong:
        raise CatalogError(
            f"{wrong} galaxies have no position on the sky, such as {example!r}; HATS needs"
            f' one of each: leave them out with --where "{ra} IS NOT NULL"'
        )
    if sum(map(len, parts)) == 0:
        raise CatalogError("there is no galaxy to write; a HATS catalogue needs at least one")
    return np.concatenate(parts)


def _degrees(values: pa.ChunkedArray) -> Floats:
    degrees: Floats = values.cast(pa.float64()).to_numpy()
    return degrees


def partitions(index: Places, most_rows: int) -> list[Partition]:
    """Order, pixel and number of rows of each partition, along the sky's index."""
    from hats.pixel_math.partition_stats import generate_alignment

    for order in range(_FINEST + 1):
        counts = histogram(index, order)
        if counts.max() <= most_rows:
            break
    else:
        raise CatalogError(
            f"{counts.max()} galaxies lie in one pixel of order {_FINEST}, more than the"
            f" {most_rows} of a partition; allow more"
        )
    # a finer order would give the same pixels, more slowly
    aligned = generate_alignment(counts, highest_order=order, threshold=most_rows)
    pixels = {(int(o), int(p), int(rows)) for o, p, rows in filter(None, aligned)}
    return sorted(pixels, key=lambda pixel: pixel[1] << 2 * (INDEX_ORDER - pixel[0]))


def histogram(index: Places, order: int) -> Places:
    """How many galaxies are in each pixel of an order, (12 4^order,)."""
    counts: Places = np.bincount(index >> 2 * (INDEX_ORDER - order), minlength=12 * 4**order)
    return counts
