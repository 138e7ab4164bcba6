"""Whether columns that Zoobot's models wrote hold concentrations or fractions.

`predict_on_catalog` writes what the model gives under the label, or the label and `_pred`: of a
decision tree concentrations, from 1 up, since Zoobot's head ends so; of a classifier
probabilities. The file does not say which. The values do: fractions of a question are never above
1 and add up to it, and concentrations of two answers never do.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.sample_lists import Samples, read_samples
from zoolens.catalog.predictions.layouts import PublishedLayout

_SUM = 0.01  # by which fractions of a question may miss 1
_RENAME = "; if they are, rename the columns to end in _concentration or _fraction"


def told(
    source: Path, layout: PublishedLayout, table: pa.Table, tree: DecisionTree
) -> PublishedLayout:
    """The layout with its untold columns taken for what the rows of `table` show them to be.

    Rows that contradict it are refused later, each for itself.
    Raises `TableRefused`, saying how to say it, if they show neither.
    """
    if not layout.untold:
        return layout
    columns = {label: read_samples(table[name]) for label, name in layout.untold.items()}
    values = np.concatenate([column.values for column in columns.values()])
    values = values[np.isfinite(values)]
    example = next(iter(layout.untold.values()))
    others = f" and {len(columns) - 1} more" if len(columns) > 1 else ""
    if not len(values):
        raise TableRefused(
            f"{source}: the first {len(table):,} rows of {example}{others} are empty"
        )
    bare = not example.endswith("_pred")
    if bare and (values == np.floor(values)).all():
        raise TableRefused(
            f"{source}: {example}{others} hold whole numbers, as counts of votes are; read them "
            "with: zoolens ingest"
        )
    if values.min() >= 1:
        concentrations = {**layout.concentrations, **layout.untold}
        return replace(layout, concentrations=concentrations, untold={}, least=1.0)
    if values.min() >= 0 and values.max() <= 1 and _add_up(columns, tree):
        return replace(layout, fractions={**layout.fractions, **layout.untold}, untold={})
    raise TableRefused(
        f"{source}: {example}{others} hold values from {values.min():.4g} to {values.max():.4g}: "
        f"neither concentrations, which are 1 or more, nor fractions that add up to 1{_RENAME}"
    )


def _add_up(columns: Mapping[str, Samples], tree: DecisionTree) -> bool:
    """Whether all columns hold one number a row, and those of each question add up to 1."""
    for question in tree.questions:
        if question.labels[0] not in columns:
            continue
        found = [columns[label] for label in question.labels]
        rows = np.arange(len(found[0].lengths))
        if any((column.lengths > 1).any() for column in found):
            return False
        sums = np.sum([column.matrix(rows, 1)[:, 0] for column in found], axis=0)
        if (np.abs(sums - 1) > _SUM).any():  # NaN is not
            return False
    return True
