"""Predictions in an HDF5 file as Zoobot writes them, as a table: `LABEL_pred` beside `id_str`.

The file has three datasets: `id_str` (N,), `label_cols` (A,) and `predictions`, (N, A) or
(N, A, T). What it declares is checked before anything is read: nothing outside the file, no
filter but HDF5's own, no more than is allowed. So no plugin is loaded, and no memory is taken
that the file does not hold.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_BLOCK_BYTES, MOST_ROWS
from zoolens.catalog.runtime.files import check_file

HDF5_SUFFIXES = (".hdf5", ".h5")
IDENTIFIER = "id_str"
_PREDICTIONS, _LABELS, _ENDING = "predictions", "label_cols", "_pred"
_MOST_LABELS, _MOST_SAMPLES = 10_000, 10_000
_OWN_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
_REFERENCE = struct.Struct("<I")  # the length that begins a variable-length value in its dataset


def hdf5_schema(path: Path) -> pa.Schema:
    """The columns of the table: text, and numbers or lists of them.

    Raises `TableRefused` if the file is not one of predictions, or not to be trusted.
    """
    with _opened(path) as file:
        values = file[_PREDICTIONS]
        kind = pa.from_numpy_dtype(values.dtype)
        if _samples(values) > 1:
            kind = pa.list_(kind, _samples(values))
        names = [name + _ENDING for name in _text(path, file[_LABELS], 0, len(file[_LABELS]))]
        return pa.schema([(IDENTIFIER, pa.string()), *((name, kind) for name in names)])


def hdf5_blocks(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """Some columns of all rows, at most `rows` at a time.

    Raises as `hdf5_schema`, and if text is not UTF-8 or takes too much memory.
    """
    with _opened(path) as file:
        values = file[_PREDICTIONS]
        count, answers, samples = len(values), values.shape[1], _samples(values)
        labels = _text(path, file[_LABELS], 0, answers)
        place = {label + _ENDING: k for k, label in enumerate(labels)}
        wanted = any(name in place for name in columns)
        row_bytes = answers * samples * values.dtype.itemsize
        rows = max(1, min(rows, MOST_BLOCK_BYTES // row_bytes))
        for start in range(0, count, rows):
            stop = min(start + rows, count)
            block = values[start:stop].reshape(stop - start, answers, samples) if wanted else None
            found = {}
            for name in columns:
                if name == IDENTIFIER:
                    found[name] = pa.array(_text(path, file[name], start, stop), pa.string())
                else:
                    found[name] = _column(block[:, place[name]])  # type: ignore[index]
            yield pa.table(found)


def _column(values: np.ndarray[Any, Any]) -> pa.Array:
    """Samples (N, T) as numbers if T is 1, else as lists."""
    flat = pa.array(np.ascontiguousarray(values).ravel())
    samples = values.shape[1]
    return flat if samples == 1 else pa.FixedSizeListArray.from_arrays(flat, samples)


def _samples(predictions: Any) -> int:
    return int(predictions.shape[2]) if predictions.ndim == 3 else 1


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, once its three datasets are found to be what they should."""
    import h5py

    check_file(path, "table", TableRefused)
    with h5py.File(path, "r") as file:
        try:
            for name in (IDENTIFIER, _LABELS, _PREDICTIONS):
                _check_dataset(path, file, name)
        except (KeyError, RuntimeError) as error:  # what h5py finds damaged
            raise OSError(str(error)) from error
        values = file[_PREDICTIONS]
        shape = values.shape
        expected = (len(file[IDENTIFIER]), len(file[_LABELS]))
        if len(shape) not in (2, 3) or shape[:2] != expected or 0 in shape:
            raise TableRefused(
                f"{path} has predictions of shape {shape} for {expected[0]:,} galaxies and "
                f"{expected[1]:,} answers; expected (galaxies, answers, samples)"
            )
        if values.dtype.kind != "f":
            raise TableRefused(f"{path} stores predictions as {values.dtype}, which is no number")
        if shape[0] > MOST_ROWS or shape[1] > _MOST_LABELS or _samples(values) > _MOST_SAMPLES:
            raise TableRefused(
                f"{path} has predictions of shape {shape}; a table may have {MOST_ROWS:,} rows, "
                f"{_MOST_LABELS:,} answers and {_MOST_SAMPLES:,} samples: split it"
            )
        yield file


def _check_dataset(path: Path, file: Any, name: str) -> None:
    """Raises `TableRefused` unless `name` is a plain dataset, whole and inside the file."""
    import h5py

    link = file.get(name, getlink=True)
    if link is None:
        raise TableRefused(
            f"{path} has no dataset {name!r}; of HDF5 files those are read that Zoobot writes, "
            f"with {IDENTIFIER}, {_LABELS} and {_PREDICTIONS}: save others as Parquet or CSV"
        )
    found = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise TableRefused(f"{path} keeps {name} outside of its datasets; copy it into the file")
    if name != _PREDICTIONS and found.ndim != 1:
        raise TableRefused(f"{path} has {name} of shape {found.shape}; expected one dimension")
    plist = found.id.get_create_plist()
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    if filters - _OWN_FILTERS.keys():
        raise TableRefused(f"{path} compresses {name} by a filter that is not read; use gzip")
    chunk = int(np.prod(found.chunks or (1,), dtype=object)) * found.dtype.itemsize
    if chunk > MOST_BLOCK_BYTES:
        raise TableRefused(
            f"{path} keeps {name} in pieces of {chunk / 2**20:,.0f} MiB; up to "
            f"{MOST_BLOCK_BYTES / 2**20:.0f} are read: write smaller chunks"
        )
    if found.size and not found.id.get_storage_size():
        raise TableRefused(f"{path} says that it has {name}, and holds none")


def _text(path: Path, dataset: Any, start: int, stop: int) -> list[str]:
    """Text of some rows, stripped of padding; whole numbers as they are written."""
    import h5py

    if dataset.dtype.kind in "iu":
        return [str(number) for number in dataset[start:stop].tolist()]
    kind = h5py.check_string_dtype(dataset.dtype)
    if kind is None:
        raise TableRefused(f"{path} stores {dataset.name} as {dataset.dtype}, which is no text")
    if kind.length is None and _size(path, dataset, start, stop) > MOST_BLOCK_BYTES:
        raise TableRefused(f"{path}, {dataset.name}: too long a text for an identifier")
    try:
        return [value.decode("utf-8").rstrip("\x00") for value in dataset[start:stop].tolist()]
    except UnicodeDecodeError:
        raise TableRefused(f"{path}, {dataset.name}: not UTF-8 text; save it as UTF-8") from None


def _size(path: Path, dataset: Any, start: int, stop: int) -> int:
    """How many bytes variable-length values of rows say that they have.

    They are kept elsewhere in the file, and many may be the same: only the lengths in the
    dataset tell how much memory they will take.
    """
    width = dataset.id.get_type().get_size()
    if dataset.chunks is None:
        spans = [(dataset.id.get_offset(), len(dataset))]
    else:
        plist = dataset.id.get_create_plist()
        if plist.get_nfilters():
            raise TableRefused(f"{path} compresses {dataset.name}; save identifiers as they are")
        (rows,) = dataset.chunks
        first, last = start // rows, (stop - 1) // rows
        infos = (dataset.id.get_chunk_info_by_coord((c * rows,)) for c in range(first, last + 1))
        spans = [(info.byte_offset, rows) for info in infos]
        start, stop = start - first * rows, stop - first * rows
    lengths: list[int] = []
    with path.open("rb") as file:
        for offset, rows in spans:
            if offset is None:
                continue
            first, last = max(start, 0), min(stop, rows)
            file.seek(offset + first * width)
            raw = file.read((last - first) * width)
            lengths += (_REFERENCE.unpack_from(raw, at)[0] for at in range(0, len(raw), width))
            start, stop = start - rows, stop - rows
    return sum(lengths)
