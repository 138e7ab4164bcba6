"""`truth.parquet`: what made each simulated galaxy, its votes and its pixels.

One row per galaxy. Columns: iauname, ra, dec; every true parameter of
`catalog.sky.galaxy.Galaxy`; seeing and noise; `visibility_FEATURE`;
`LABEL_probability`, the chance of an answer for a volunteer who is asked its question;
`LABEL_errors`, how many of its votes were given in error; volunteers, misvoted;
`mask_FEATURE`, NULL where the galaxy has no such feature; and `size`, the masks' side.

A mask is a square bool array, row 0 on top as in the image, packed to bits in row-major
order (numpy.packbits, most significant bit first) and compressed by zlib.
"""

import dataclasses
import zlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.sky.galaxy import Galaxy
from zoolens.catalog.sky.light import PARTS
from zoolens.catalog.sky.render import FEATURES

VISIBLE = tuple(name for name in PARTS if name != "disc")
_TYPES = {float: pa.float32(), int: pa.int16(), str: pa.string(), bool: pa.bool_()}


def encode_mask(mask: npt.NDArray[np.bool_]) -> bytes:
    """A mask (H, W) as bytes."""
    return zlib.compress(np.packbits(mask).tobytes(), 6)


def decode_mask(data: bytes, size: int) -> npt.NDArray[np.bool_]:
    """The mask (size, size) that was encoded.

    Raises `ValueError` or `zlib.error` if the bytes are not a mask of that size.
    """
    length = -(-size * size // 8)
    # limited to the right size, so that a decompression bomb does no harm
    packed = zlib.decompressobj().decompress(data, length + 1)
    if len(packed) != length:
        raise ValueError(f"mask of other than {length} bytes, not of {size} x {size} pixels")
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    return bits[: size * size].reshape(size, size).astype(bool)


def truth_schema(tree: DecisionTree) -> pa.Schema:
    """Columns of `truth.parquet` and their types."""
    parameters = [(field.name, _TYPES[field.type]) for field in dataclasses.fields(Galaxy)]  # type: ignore[index]
    return pa.schema(
        [
            ("iauname", pa.string()),
            ("ra", pa.float64()),
            ("dec", pa.float64()),
            *parameters,
            ("seeing", pa.float32()),
            ("noise", pa.float32()),
            *((f"visibility_{name}", pa.float32()) for name in VISIBLE),
            *((f"{label}_probability", pa.float32()) for label in tree.labels),
            *((f"{label}_errors", pa.int16()) for label in tree.labels),
            ("volunteers", pa.int16()),
            ("misvoted", pa.bool_()),
            ("size", pa.int16()),
            *((f"mask_{name}", pa.binary()) for name in FEATURES),
        ]
    )


def votes_schema(tree: DecisionTree) -> pa.Schema:
    """Columns of the vote table: GZ DECaLS's, with the image's path beside it."""
    fields = [
        ("iauname", pa.string()),
        ("ra", pa.float64()),
        ("dec", pa.float64()),
        ("file_loc", pa.string()),
    ]
    for question in tree.questions:
        fields += [(label, pa.int16()) for label in question.labels]
        fields.append((f"{question.name}_total-votes", pa.int16()))
        fields += [(f"{label}_fraction", pa.float64()) for label in question.labels]
    return pa.schema(fields)


def vote_columns(tree: DecisionTree, counts: npt.NDArray[np.int64]) -> dict[str, object]:
    """One galaxy's counts (A,), totals and fractions by column; NULL where nobody was asked."""
    columns: dict[str, object] = {}
    for question, where in zip(tree.questions, tree.slices, strict=True):
        total = int(counts[where].sum())
        columns[f"{question.name}_total-votes"] = total
        for label, count in zip(question.labels, counts[where].tolist(), strict=True):
            columns[label] = count
            columns[f"{label}_fraction"] = count / total if total else None
    return columns
