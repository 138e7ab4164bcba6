"""Parquet files that say what their columns hold, in three ways.

In each field's own metadata (`catalog.formats.columns`), which Arrow and pandas keep; as a VOTable
(IVOA's VOTable-in-Parquet 1.0), which astropy and TOPCAT read; and by name.
"""

from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zoolens.catalog.formats.votable import parquet_metadata


def _repetitive(columns: pa.Schema) -> list[str]:
    """Columns worth a dictionary: not numbers that hardly repeat, nor lists of them."""
    return [
        field.name
        for field in columns
        if not pa.types.is_floating(field.type) and not pa.types.is_nested(field.type)
    ]


class DescribedParquet:
    """A Parquet file to which rows are written in blocks; a context manager.

    row: what one row is. group: rows that are held back until there are so many, since
    Parquet reads them together. A file with arrays has no VOTable: it could not say of
    what shape they are.
    """

    def __init__(
        self, file: Path, columns: pa.Schema, name: str, row: str, *, group: int = 20_000
    ) -> None:
        self._writer = pq.ParquetWriter(
            file, columns, compression="zstd", use_dictionary=_repetitive(columns)
        )
        self._columns, self._name, self._row, self._group = columns, name, row, group
        texts = [field.name for field in columns if pa.types.is_string(field.type)]
        self._longest = dict.fromkeys(texts, 1)  # character
        self._waiting = [columns.empty_table()]
        self.groups = 0  # written so far

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            self._flush()
            if not any(pa.types.is_nested(field.type) for field in self._columns):
                self._writer.add_key_value_metadata(
                    parquet_metadata(
                        self._columns,
                        name=self._name,
                        description=f"One row per {self._row}.",
                        lengths=self._longest,
                    )
                )
        self._writer.close()

    def write(self, rows: pa.Table) -> None:
        """Add rows with the file's columns."""
        for name, longest in self._longest.items():
            here = pc.max(pc.utf8_length(rows[name])).as_py()
            self._longest[name] = max(longest, here or 0)
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= self._group:
            self._flush()

    def end_group(self) -> None:
        """Let the rows written from now on be read apart from those before."""
        self._flush()

    def _flush(self) -> None:
        rows = pa.concat_tables(self._waiting)
        self._waiting = [rows.slice(0, 0)]
        if len(rows):
            self._writer.write_table(rows, row_group_size=len(rows))
            self.groups += 1
