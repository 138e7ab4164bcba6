"""The paper's similarity in float64, every candidate in turn."""

import numpy as np

from zoolens.catalog.arrays import Floats, Ids


def ranking(
    query: Floats, candidates: Floats, weights: Floats, ids: Ids, exclude: int | None = None
) -> list[int]:
    """All candidates by the paper's formula, float64, equals by number."""
    p, w = np.where(np.isnan(query), 0, query), np.where(np.isnan(query), 0, weights)
    scores = (w * (p * np.log(candidates) + (1 - p) * np.log1p(-candidates))).sum(axis=1)
    return [int(i) for i in ids[np.lexsort((ids, -scores))] if i != exclude]
