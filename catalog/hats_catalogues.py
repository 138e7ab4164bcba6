"""A Parquet table as a HATS catalogue: Parquet partitioned by place on the sky.

HATS (IVOA note "HATS: Hierarchical Adaptive Tiling Scheme") puts the galaxies of one
HEALPix pixel into one file, pixels the larger the fewer galaxies there are, and gives each
galaxy its pixel of order 29 in the column `_healpix_29`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.arrays import Places
from catalog.columns import column
from catalog.hats_pixels import INDEX_ORDER, Partition, histogram, partitions, spatial_index
from catalog.sorted_rows import rows_in_order
from catalog.votables import parquet_metadata
from catalog.whole_files import replacing_folder

INDEX = "_healpix_29"

_MAP_ORDER = 6  # of the map of counts, at least
_GROUP_ROWS = 32_768
_INDEX_FIELD = column(
    INDEX, pa.int64(), "HEALPix pixel of order 29, nested, ICRS", ucd="pos.healpix"
)
_LEVEL = 3  # of zstd: hats' own, 15, took three times as long and saved 2 % where measured


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

    Raises `CatalogError` where a galaxy has no position on the sky, where there is no
    galaxy, where `out` exists or cannot be written; then nothing is.
    """
    index = spatial_index(table, ra, dec, named)
    pixels = partitions(index, most_rows)
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
        _write_partitions(table, index, pixels, folder)
        _write_around(folder, index, pixels, said)
    return len(pixels)


def _write_partitions(table: Path, index: Places, pixels: list[Partition], folder: Path) -> None:
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
    for number, pieces in groupby(_pieces(parts, pixels), key=lambda piece: piece[0]):
        pixel = HealpixPixel(*pixels[number][:2])
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


def _pieces(parts: Iterable[pa.Table], pixels: list[Partition]) -> Iterator[tuple[int, pa.Table]]:
    """The parts, cut where partitions end, each with the number of its partition."""
    number, left = 0, pixels[0][2]
    for part in parts:
        while len(part):
            if not left:
                number += 1
                left = pixels[number][2]
            piece, part = part.slice(0, left), part.slice(left)
            left -= len(piece)
            yield number, piece


def _write_around(
    folder: Path, index: Places, pixels: list[Partition], said: dict[str, Any]
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
    PartitionInfo([HealpixPixel(*pixel[:2]) for pixel in pixels]).write_to_file(catalog_path=folder)
    order = max(_MAP_ORDER, *(pixel[0] for pixel in pixels))
    counts = histogram(index, order)
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
