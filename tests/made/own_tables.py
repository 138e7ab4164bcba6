"""Tables with columns of a user's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq


def own_table(path: Path, columns: Mapping[str, Sequence[object] | pa.Array]) -> Path:
    """A table of these columns: CSV, FITS (by astropy) or Parquet, by the name."""
    table = pa.table(dict(columns))
    if path.suffix == ".csv":
        pa.csv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        from astropy.table import MaskedColumn, Table

        made = Table()
        for name in table.column_names:
            column = table[name].combine_chunks()
            blank = "" if pa.types.is_string(column.type) else pa.scalar(0).cast(column.type)
            values = column.fill_null(blank).to_numpy(zero_copy_only=False)
            if pa.types.is_string(column.type):
                made[name] = values.astype(str)
            else:
                made[name] = MaskedColumn(values, mask=column.is_null().to_numpy(False))
        made.write(path)
    return path
