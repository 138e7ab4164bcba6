"""How two tables of galaxies differ, by pandas."""

import pandas as pd


def changed_by_pandas(
    before: pd.DataFrame, after: pd.DataFrame
) -> dict[str, tuple[int, float | None]]:
    """For each column that changed: how many galaxies, and the largest difference."""
    a, b = (table.set_index("iauname") for table in (before, after))
    both = a.index.intersection(b.index)
    a, b = a.loc[both], b.loc[both]
    found: dict[str, tuple[int, float | None]] = {}
    for name in a.columns.intersection(b.columns):
        changed = ~((a[name] == b[name]) | (a[name].isna() & b[name].isna()))
        if changed.any():
            gap = (b[name] - a[name])[changed].abs() if a[name].dtype.kind in "if" else None
            largest = None if gap is None or gap.isna().all() else float(gap.max())
            found[name] = int(changed.sum()), largest
    return found
