"""A Parquet table as a HATS catalogue: Parquet partitioned by place on the sky.

HATS (IVOA note "HATS: Hierarchical Adaptive Tiling Scheme") puts the galaxies of one
HEALPix pixel into one file, with larger pixels where there are fewer galaxies, and gives each
galaxy its pixel of order 29 in the column `_healpix_29`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Places
from zoolens.catalog.errors import CatalogError, needs
from zoolens.catalog.formats.columns import column
from zoolens.catalog.formats.hats_pixels import (
    FINEST,
    INDEX_ORDER,
    Partition,
    SkyCounts,
    Span,
    along_the_sky,
    partitions,
    spatial_index,
)
from zoolens.catalog.formats.sorting import rows_in_order
from zoolens.catalog.formats.votable import parquet_metadata
from zoolens.catalog.runtime.files import replacing_folder

INDEX = "_healpix_29"
_MAP_ORDER = 6  # of the map of counts, at least
_GROUP_ROWS = 32_768
_LEVEL = 3  # of zstd: the default of hats, 15, took three times as long and saved 2 %
_INDEX_FIELD = column(
    INDEX, pa.int64(), "HEALPix pixel of order 29, nested, ICRS", ucd="pos.healpix"
)


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
    spans: Sequence[Span] = (),
) -> int:
    """Write a Parquet file as the HATS catalogue `name` in the new folder `out`.

    ra, dec: the columns with the position, ICRS degrees; named: the column that names a
    galaxy, by default the first; most_rows: of a partition; created, builder: when and by
    what it was made, the only place where a time is written; properties: further
    lines of `hats.properties`; spans: of all rows, if one after the other shall be partitioned,
    with no partition larger than the pixel of its span. Rows are ordered by `_healpix_29`, equal
    ones stay in order. Returns the number of partitions. The same input gives the same bytes.

    Raises `CatalogError` if a galaxy has no position on the sky, or lies outside of its span, if
    there is no galaxy, or if `out` exists or cannot be written; then nothing is.
    """
    needs_hats()
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
    layout: list[Partition] = []
    counts = SkyCounts()
    with replacing_folder(out) as folder:
        for span in spans or [Span(range(pq.read_metadata(table).num_row_groups))]:
            index = spatial_index(table, ra, dec, named, span)
            if not len(index):
                continue
            within = partitions(index, most_rows, span.order or 0)
            _write_partitions(table, span, index, within, folder)
            counts.add(index)
            layout += within
        if not layout:
            raise CatalogError("there is no galaxy to write; a HATS catalogue needs at least one")
        layout.sort(key=along_the_sky)
        _write_around(folder, counts, layout, said)
    return len(layout)


def _write_partitions(
    table: Path, span: Span, index: Places, layout: list[Partition], folder: Path
) -> None:
    from hats.io.file_io.file_io import get_parquet_write_table_kwargs
    from hats.io.paths import new_pixel_catalog_file
    from hats.pixel_math.healpix_pixel import HealpixPixel

    schema = pq.read_schema(table).remove_metadata().insert(0, _INDEX_FIELD)
    options = get_parquet_write_table_kwargs(
        schema, write_table_kwargs={"compression": "zstd", "compression_level": _LEVEL}
    )
    options.pop("row_group_size")
    order = np.argsort(index, kind="stable")
    parts = _indexed(rows_in_order(table, order, folder, groups=span.groups), index[order])
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
    folder: Path, counted: SkyCounts, layout: list[Partition], said: dict[str, Any]
) -> None:
    """Write the files beside the partitions: metadata, counts on the sky, properties."""
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
    order = max(_MAP_ORDER, *(min(one.order, FINEST) for one in layout))
    counts = counted.of_order(order)
    write_skymap(counts, folder)
    # the old name of the same map, which LSDB reads to find where there are galaxies
    file_io.write_fits_image(counts, paths.get_point_map_file_pointer(folder))
    known: dict[str, Any] = {
        "total_rows": int(counts.sum()),
        "healpix_column": INDEX,
        "healpix_order": INDEX_ORDER,
        "skymap_order": order,
    }
    about = TableProperties.new_provenance_dict(folder)
    TableProperties(**(about | known | said)).to_properties_file(folder)
