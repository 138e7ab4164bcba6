"""Vote tables in the published layouts and file formats, made from counts."""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv, parquet

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.formats.reading import TableFile
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.reading import VoteBlock, VoteTable

FEW = np.arange(3 * 34, dtype=float).reshape(3, 34) % 7  # votes of three galaxies, gzd5
SUFFIXES = (".csv", ".csv.gz", ".parquet", ".fits")

# The columns of Willett et al. 2013, table 5, as in the published file, and what the tree
# calls them, paired by hand.
GZ2 = dict(
    line.split()
    for line in """\
t01_smooth_or_features_a01_smooth smooth-or-featured_smooth
t01_smooth_or_features_a02_features_or_disk smooth-or-featured_featured-or-disk
t01_smooth_or_features_a03_star_or_artifact smooth-or-featured_artifact
t02_edgeon_a04_yes disk-edge-on_yes
t02_edgeon_a05_no disk-edge-on_no
t03_bar_a06_bar bar_yes
t03_bar_a07_no_bar bar_no
t04_spiral_a08_spiral has-spiral-arms_yes
t04_spiral_a09_no_spiral has-spiral-arms_no
t05_bulge_prominence_a10_no_bulge bulge-size_no
t05_bulge_prominence_a11_just_noticeable bulge-size_just-noticeable
t05_bulge_prominence_a12_obvious bulge-size_obvious
t05_bulge_prominence_a13_dominant bulge-size_dominant
t06_odd_a14_yes something-odd_yes
t06_odd_a15_no something-odd_no
t07_rounded_a16_completely_round how-rounded_round
t07_rounded_a17_in_between how-rounded_in-between
t07_rounded_a18_cigar_shaped how-rounded_cigar
t08_odd_feature_a19_ring odd-feature_ring
t08_odd_feature_a20_lens_or_arc odd-feature_lens-or-arc
t08_odd_feature_a21_disturbed odd-feature_disturbed
t08_odd_feature_a22_irregular odd-feature_irregular
t08_odd_feature_a23_other odd-feature_other
t08_odd_feature_a24_merger odd-feature_merger
t08_odd_feature_a38_dust_lane odd-feature_dust-lane
t09_bulge_shape_a25_rounded bulge-shape_round
t09_bulge_shape_a26_boxy bulge-shape_boxy
t09_bulge_shape_a27_no_bulge bulge-shape_no-bulge
t10_arms_winding_a28_tight spiral-winding_tight
t10_arms_winding_a29_medium spiral-winding_medium
t10_arms_winding_a30_loose spiral-winding_loose
t11_arms_number_a31_1 spiral-arm-count_1
t11_arms_number_a32_2 spiral-arm-count_2
t11_arms_number_a33_3 spiral-arm-count_3
t11_arms_number_a34_4 spiral-arm-count_4
t11_arms_number_a36_more_than_4 spiral-arm-count_more-than-4
t11_arms_number_a37_cant_tell spiral-arm-count_cant-tell
""".splitlines()
)


def names(count: int) -> list[str]:
    """IAU names, with their dots and signs."""
    return [f"J{i:06d}.19{'+' if i % 2 else '-'}014709.{i % 10}" for i in range(count)]


def decals(
    counts: npt.ArrayLike,
    *,
    tree: str = "gzd5",
    campaign: str = "",
    called: Sequence[str] | None = None,
    questions: Sequence[str] | None = None,
    stated: bool = True,
) -> pa.Table:
    """Counts (N, A) as Galaxy Zoo DECaLS publishes them, with totals and fractions."""
    matrix = np.asarray(counts, dtype=np.float64)
    decision = get_tree(tree)
    columns: dict[str, object] = {"iauname": list(called or names(len(matrix)))}
    for question, where in zip(decision.questions, decision.slices, strict=True):
        if questions is not None and question.name not in questions:
            continue
        name = question.name + campaign
        total = matrix[:, where].sum(axis=1)
        for answer, values in zip(question.answers, matrix[:, where].T, strict=True):
            columns[f"{name}_{answer}"] = values
            if stated:
                fraction = np.divide(values, total, out=np.zeros(len(total)), where=total > 0)
                columns[f"{name}_{answer}_fraction"] = fraction
        if stated:
            columns[f"{name}_total-votes"] = total
    return pa.table(columns)


def gz2(counts: npt.ArrayLike, *, kind: str = "count") -> pa.Table:
    """Counts (N, 37), in tree order, as Galaxy Zoo 2 publishes them, without fractions."""
    matrix = np.asarray(counts, dtype=np.float64)
    tree: DecisionTree = get_tree("gz2")
    columns: dict[str, object] = {"iauname": names(len(matrix))}
    for column, label in GZ2.items():
        columns[f"{column}_{kind}"] = matrix[:, tree.answer_id(label)]
    return pa.table(columns)


def write(path: Path, table: pa.Table) -> Path:
    """Write a table in the format that the file's name asks for."""
    if path.name.endswith(".csv"):
        csv.write_csv(table, path)
    elif path.name.endswith(".csv.gz"):
        text = io.BytesIO()
        csv.write_csv(table, text)
        path.write_bytes(gzip.compress(text.getvalue(), 1))
    elif path.name.endswith(".parquet"):
        parquet.write_table(table, path)
    else:
        from astropy.table import Table

        Table(table.to_pydict()).write(path, overwrite=True)
    return path


def edit(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    """The table as text, with one cell (row from 0) changed."""
    cells = [None if v is None else str(v) for v in table[column].to_pylist()]
    cells[row] = None if value is None else str(value)
    place = table.column_names.index(column)
    return table.set_column(place, column, pa.array(cells, pa.string()))


def whole(table: VoteTable) -> VoteBlock:
    """All blocks of a table as one."""
    blocks = [*table.blocks()]
    columns = ("rows", "ra", "dec", "counts", "totals", "voted")
    joined = {name: np.concatenate([getattr(b, name) for b in blocks]) for name in columns}
    return VoteBlock([name for b in blocks for name in b.names], **joined)


def read_table(path: Path, misshapen: dict[int, str] | None = None) -> pa.Table:
    """All columns and rows of a table file."""
    file = TableFile(path)
    blocks = file.blocks(file.schema.names, {} if misshapen is None else misshapen)
    return pa.concat_tables(table for _, table in blocks)


def kinds(table: VoteTable) -> list[tuple[int | None, str]]:
    """Row and kind of each reject of a table."""
    return [(reject.row, reject.reason.split(":")[0]) for reject in table.rejects]


def text_of_bytes(*cells: bytes) -> pa.Array:
    """An array that says it is text, whatever its bytes are."""
    offsets = np.cumsum([0, *map(len, cells)]).astype(np.int32)
    buffers = (pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(cells)))
    return pa.StringArray.from_buffers(len(cells), *buffers)
