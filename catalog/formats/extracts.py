"""Some rows of a table, set aside in files that say which rows of which table they are.

    extract/extract.json           the table: its path, checksum and columns
    extract/part-000000.parquet    rows, with their numbers in the table

An extract is read as its table would be (`catalog.formats.reading`): it is called by the table's
name, its rows have the table's numbers, and it says that it has all of the table's columns, though
only those are there that whoever set it aside will ask for.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from zoolens.catalog.arrays import Ints
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.parquet_blocks import open_parquet, parquet_blocks
from zoolens.catalog.runtime.files import replacing, text_of

ABOUT = "extract.json"
_ROW = "row number"  # beside the columns
_HELD = 128 << 20  # bytes of rows that wait for others of their extract
_SCHEMA, _PATH, _DIGEST = "schema", "table", "sha256"


@dataclass(frozen=True)
class Extract:
    """An extract: the table that its rows are of, that table's SHA-256, and its columns."""

    folder: Path
    table: Path
    digest: str
    schema: pa.Schema

    def blocks(self, columns: Sequence[str], rows: int) -> Iterator[tuple[Ints, pa.Table]]:
        """Numbers in the table, and some columns, of the extract's rows, in the table's order."""
        for path in sorted(self.folder.glob("part-*.parquet")):
            with open_parquet(path) as file:
                for found in parquet_blocks(path, file, [_ROW, *columns], rows):
                    yield found[_ROW].to_numpy(), found.select([*columns])


def is_extract(path: Path) -> bool:
    """Whether a folder is an extract."""
    return (path / ABOUT).is_file()


def open_extract(folder: Path) -> Extract:
    """The extract in a folder. Raises `TableRefused` if it is damaged."""
    try:
        said = json.loads(text_of(folder / ABOUT))
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(said[_SCHEMA])))
        return Extract(folder, Path(said[_PATH]), said[_DIGEST], schema)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise TableRefused(f"{folder / ABOUT} is damaged ({error}); remove {folder}") from None


class Extracts:
    """Extracts of one table that are written side by side, in bounded memory.

    Rows wait until there are many together; then all are written, those of each extract as a file
    that is closed again: there may be thousands of extracts.
    """

    def __init__(self, table: Path, digest: str, schema: pa.Schema, *, held: int = _HELD) -> None:
        self._said = {
            _PATH: str(table),
            _DIGEST: digest,
            _SCHEMA: base64.b64encode(schema.serialize().to_pybytes()).decode(),
        }
        self._most, self._bytes = held, 0
        self._waiting: dict[Path, list[pa.Table]] = defaultdict(list)
        self._parts: dict[Path, int] = defaultdict(int)

    def add(self, folder: Path, numbers: Ints, rows: pa.Table) -> None:
        """Set rows aside for the extract in a folder; their numbers ascend from call to call."""
        table = rows.add_column(0, _ROW, pa.array(numbers, pa.int64()))
        self._waiting[folder].append(table)
        self._bytes += table.nbytes
        if self._bytes > self._most:
            self._write()

    def finish(self) -> None:
        """Write what waits, and then what says that the extracts are whole."""
        self._write()
        for folder in self._parts:
            with replacing(folder / ABOUT) as part:
                part.write_text(json.dumps(self._said))

    def _write(self) -> None:
        for folder, tables in self._waiting.items():
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"part-{self._parts[folder]:06d}.parquet"
            self._parts[folder] += 1
            rows = pa.concat_tables(tables).combine_chunks()
            parquet.write_table(rows, path, compression="zstd", compression_level=1)
        self._waiting.clear()
        self._bytes = 0


def split(numbers: Ints, rows: pa.Table, keys: Ints) -> Iterator[tuple[int, Ints, pa.Table]]:
    """Rows by their key (N,), each key's in their order; those of a key below 0 are left out."""
    order = np.argsort(keys, kind="stable")
    order = order[np.searchsorted(keys[order], 0) :]
    if not len(order):
        return
    taken, among, of = rows.take(pa.array(order)), numbers[order], keys[order]
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(of)], strict=True):
        yield int(of[start]), among[start:end], taken.slice(start, end - start)
