"""A Parquet table as CSV."""

from pathlib import Path

import pyarrow.parquet as pq
from pyarrow import csv

from catalog.records import blocks
from catalog.whole_files import replacing

_ROW_BYTES = 4096  # taken for the length of a row, to read a few thousand at a time


def write_csv(table: Path, out: Path) -> None:
    """Write a Parquet file as CSV with a header: NULL empty, text in quotes, floats exact.

    An empty field is NULL, empty text is `""`. CSV has no place for units and words.
    Raises `CatalogError` where the file cannot be written; then nothing is.
    """
    with replacing(out) as part, csv.CSVWriter(part, pq.read_schema(table)) as writer:
        for batch in blocks(table, _ROW_BYTES):
            writer.write_batch(batch)
