"""Whether the rows of a HATS catalogue are where they should be, galaxy by galaxy.

The validation in `hats` looks only at names and footers: two exchanged partitions pass it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.formats.hats import needs_hats
from zoolens.catalog.formats.hats_pixels import INDEX_ORDER

if TYPE_CHECKING:
    from hats.pixel_math.healpix_pixel import HealpixPixel


def check_hats(folder: Path) -> list[str]:
    """What is wrong with a HATS catalogue, one line per fault.

    Each row's spatial index must lie in the pixel that the name of its file says, must be
    what its position gives, and must not be less than that of the row before; the rows of
    all partitions must be as many as the properties and `_metadata` say.
    """
    needs_hats()
    from hats.catalog.dataset.table_properties import TableProperties
    from hats.catalog.partition_info import PartitionInfo
    from hats.io import paths

    said = TableProperties.read_from_dir(folder)
    columns = [str(said.healpix_column), str(said.ra_column), str(said.dec_column)]
    found, rows = [], 0
    for pixel in PartitionInfo.read_from_dir(folder).get_healpix_pixels():
        path = Path(str(paths.pixel_catalog_file(folder, pixel)))
        if not path.is_file():
            found.append(f"{path.name} of order {pixel.order} is missing")
            continue
        with pq.ParquetFile(path) as file:
            rows += file.metadata.num_rows
            found += [
                f"order {pixel.order}, {path.name}: {fault}"
                for fault in _faults(file, pixel, columns)
            ]
    recorded = pq.read_metadata(paths.get_parquet_metadata_pointer(folder)).num_rows
    for where, count in (("the properties", said.total_rows), ("_metadata", recorded)):
        if count != rows:
            found.append(f"the partitions have {rows} rows, {where} {count}")
    return found


def _faults(file: pq.ParquetFile, pixel: "HealpixPixel", columns: list[str]) -> Iterator[str]:
    from hats.pixel_math.spatial_index import compute_spatial_index

    outside = misplaced = unordered = 0
    last = np.int64(-1)
    for group in range(file.num_row_groups):
        rows = file.read_row_group(group, columns=columns)
        index = rows[columns[0]].fill_null(-1).to_numpy()
        ra, dec = (rows[name].cast(pa.float64()).to_numpy() for name in columns[1:])
        outside += int(np.sum(index >> 2 * (INDEX_ORDER - pixel.order) != pixel.pixel))
        misplaced += int(np.sum(index != compute_spatial_index(ra, dec)))
        unordered += int(np.sum(np.diff(index, prepend=last) < 0))
        last = index[-1]
    if outside:
        yield f"{outside} galaxies lie outside of the pixel"
    if misplaced:
        yield f"{misplaced} galaxies have another {columns[0]} than their position gives"
    if unordered:
        yield f"{unordered} rows are not in the order of {columns[0]}"
