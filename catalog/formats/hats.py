"""A Parquet table as a HATS catalogue: Parquet partitioned by place on the sky.

HATS (IVOA note "HATS: Hierarchical Adaptive Tiling Scheme") puts the galaxies of one
HEALPix pixel into one file, pixels the larger the fewer galaxies there are, and gives each
galaxy its pixel of order 29 in the column `_healpix_29`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Floats, Places
from zoolens.catalog.errors import CatalogError, needs
from zoolens.catalog.formats.columns import column
from zoolens.catalog.formats.sorting import rows_in_order
from zoolens.catalog.formats.votable import parquet_metadata
from zoolens.catalog.runtime.files import replacing_folder

INDEX = "_healpix_29"
INDEX_ORDER = 29

_FINEST = 10  # order of the smallest partitions: 3.4 arcmin
_MAP_ORDER = 6  # of the map of counts, at least
_GROUP_ROWS = 32_768
_LEVEL = 3  # of zstd: hats' own, 15, took three times as long and saved 2 % where measured
_INDEX_FIELD = column(
    INDEX, pa.int64(), "HEALPix pixel of order 29, nested, ICRS", ucd="pos.healpix"
)


class Partition(NamedTuple):
    """A file of the catalogue: the rows of one HEALPix pixel, nested, of an order."""

    order: int
    pixel: int
    rows: int


def needs_hats() -> None:
    """Raises `NotInstalled` if `hats` is not."""
    needs("the HATS format", "hats", "hats")


def write_hats(
    table: Path,
    out: Path,
    *,
    name: str,
    created: str,
    builder: str,
    ra: str = "ra",
    dec: str = "dec",
    named: str | None = None,
    most_rows: int = 100_000,
    properties: Mapping[str, str] | None = None,
) -> int:
    """Write a Parquet file as the HATS catalogue `name` in the new folder `out`.

    ra, dec: the columns with the position, ICRS degrees; named: the column that names a
    galaxy, the first one unless said; most_rows: in a partition; created, builder: what
    the catalogue says of its making, the only place where a time goes; properties: further
    lines of `hats.properties`. Rows are ordered by `_healpix_29`, equal ones as they were.
    Gives the number of partitions. The same input gives the same bytes.

    Raises `CatalogError` if a galaxy has no position on the sky, where there is no
    galaxy, where `out` exists or cannot be written; then nothing is.
    """
    needs_hats()
    index = spatial_index(table, ra, dec, named)
    layout = partitions(index, most_rows)
    said: dict[str, Any] = {
        "catalog_name": name,
        "catalog_type": "object",
        "ra_column": ra,
        "dec_column": dec,
        "hats_max_rows": most_rows,
        "hats_creation_date": created,
        "hats_builder": builder,
        **(properties or {}),
    }
    with replacing_folder(out) as folder:
        _write_partitions(table, index, layout, folder)
        _write_around(folder, index, layout, said)
    return len(layout)


def spatial_index(table: Path, ra: str, dec: str, named: str | None) -> Places:
    """The `_healpix_29` of each row, (N,).

    Raises `CatalogError` if a galaxy has no position on the sky, and for no galaxy.
    """
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


def partitions(index: Places, most_rows: int) -> list[Partition]:
    """The partitions, as large as `most_rows` allows, along the sky's index.

    Raises `CatalogError` if more galaxies lie in a pixel of the finest order.
    """
    from hats.pixel_math.partition_stats import generate_alignment

    for order in range(_FINEST + 1):
        counts = pixel_counts(index, order)
        if counts.max() <= most_rows:
            break
    else:
        raise CatalogError(
            f"{counts.max()} galaxies lie in one pixel of order {_FINEST}, more than the"
            f" {most_rows} of a partition; allow more"
        )
    # a finer order would give the same pixels, more slowly
    aligned = generate_alignment(counts, highest_order=order, threshold=most_rows)
    found = {Partition(*map(int, numbers)) for numbers in filter(None, aligned)}
    return sorted(found, key=lambda one: one.pixel << 2 * (INDEX_ORDER - one.order))


def pixel_counts(index: Places, order: int) -> Places:
    """How many galaxies are in each pixel of an order, (12 4^order,)."""
    counts: Places = np.bincount(index >> 2 * (INDEX_ORDER - order), minlength=12 * 4**order)
    return counts


def _write_partitions(table: Path, index: Places, layout: list[Partition], folder: Path) -> None:
    from hats.io.file_io.file_io import get_parquet_write_table_kwargs
    from hats.io.paths import new_pixel_catalog_file
    from hats.pixel_math.healpix_pixel import HealpixPixel

    schema = pq.read_schema(table).remove_metadata().insert(0, _INDEX_FIELD)
    options = get_parquet_write_table_kwargs(
        schema, write_table_kwargs={"compression": "zstd", "compression_level": _LEVEL}
    )
    options.pop("row_group_size")
    order = np.argsort(index, kind="stable")
    parts = _indexed(rows_in_order(table, order, folder), index[order])
    for number, pieces in groupby(_pieces(parts, layout), key=lambda piece: piece[0]):
        pixel = HealpixPixel(layout[number].order, layout[number].pixel)
        path = Path(str(new_pixel_catalog_file(folder, pixel)))
        with pq.ParquetWriter(path, schema, **options) as writer:
            for _, piece in pieces:
                writer.write_table(piece.cast(schema), row_group_size=_GROUP_ROWS)


def _indexed(parts: Iterable[pa.Table], index: Places) -> Iterator[pa.Table]:
    first = 0
    for part in parts:
        values = pa.array(index[first : first + len(part)])
        yield part.add_column(0, _INDEX_FIELD, values)
        first += len(part)


def _pieces(parts: Iterable[pa.Table], layout: list[Partition]) -> Iterator[tuple[int, pa.Table]]:
    """The parts, cut where partitions end, each with the number of its partition."""
    number, left = 0, layout[0].rows
    for part in parts:
        while len(part):
            if not left:
                number += 1
                left = layout[number].rows
            piece, part = part.slice(0, left), part.slice(left)
            left -= len(piece)
            yield number, piece


def _write_around(
    folder: Path, index: Places, layout: list[Partition], said: dict[str, Any]
) -> None:
    """Write what stands beside the partitions: metadata, counts on the sky, properties."""
    from hats.catalog.dataset.table_properties import TableProperties
    from hats.catalog.partition_info import PartitionInfo
    from hats.io import paths
    from hats.io.file_io import file_io
    from hats.io.parquet_metadata import write_parquet_metadata
    from hats.io.skymap import write_skymap
    from hats.pixel_math.healpix_pixel import HealpixPixel

    write_parquet_metadata(folder)
    common = paths.get_common_metadata_pointer(folder)
    schema = pq.read_schema(common).remove_metadata()
    words = parquet_metadata(schema, name=said["catalog_name"])
    file_io.write_parquet_metadata(schema.with_metadata(words), common)
    written = [HealpixPixel(partition.order, partition.pixel) for partition in layout]
    PartitionInfo(written).write_to_file(catalog_path=folder)
    order = max(_MAP_ORDER, *(partition.order for partition in layout))
    counts = pixel_counts(index, order)
    write_skymap(counts, folder)
    # the old name of the same map, from which LSDB knows where there is something
    file_io.write_fits_image(counts, paths.get_point_map_file_pointer(folder))
    counted: dict[str, Any] = {
        "total_rows": len(index),
        "healpix_column": INDEX,
        "healpix_order": INDEX_ORDER,
        "skymap_order": order,
    }
    about = TableProperties.new_provenance_dict(folder)
    TableProperties(**(about | counted | said)).to_properties_file(folder)


def _degrees(values: pa.ChunkedArray) -> Floats:
    degrees: Floats = values.cast(pa.float64()).to_numpy()
    return degrees
