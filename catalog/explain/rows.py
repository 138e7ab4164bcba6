"""From batches of images to rows of saliency."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.explain.model import ExplainedModel
from zoolens.catalog.images.loading import ImageBatch
from zoolens.catalog.images.segments import coverage
from zoolens.catalog.saliency.arithmetic import DTYPE, encode, map_statistics
from zoolens.catalog.store.rejects import Reject

_STATISTICS = {
    "on_target": pa.float32(),
    "centroid_offset": pa.float32(),
    "entropy": pa.float32(),
    "peak_x": pa.int32(),
    "peak_y": pa.int32(),
    "increase": pa.float64(),
    "decrease": pa.float64(),
}


def saliency_tables(
    batch: ImageBatch, explained: ExplainedModel, tree: DecisionTree
) -> tuple[dict[str, pa.Table], list[Reject]]:
    """Rows of `saliency_map` and `saliency_stat`, without their run, and the rejects.

    Rejects are those of the batch, and galaxies whose maps are not finite.
    """
    if not batch.galaxies:
        return {}, list(batch.rejects)
    saliency = explained.explainer(batch.images)
    mean, sd = saliency.mean.numpy(), saliency.sd.numpy()  # (N, A, h, w)
    has = ~explained.model.bias.isnan().numpy()  # (A,)
    finite = (np.isfinite(mean) & np.isfinite(sd))[:, has].all((1, 2, 3))  # (N,)
    rejects = list(batch.rejects)
    ids, covered = [], []
    for galaxy, segment, sound in zip(batch.galaxies, batch.segments, finite, strict=True):
        if sound:
            ids.append(galaxy.galaxy_id)
            covered.append(None if segment is None else coverage(segment, *mean.shape[-2:]))
        else:
            reason = "no finite map: the model overflows on this image"
            rejects.append(Reject(galaxy.source, None, galaxy.iauname, reason))
    tables = {
        "saliency_map": map_rows(ids, mean[finite], sd[finite], tree),
        "saliency_stat": statistic_rows(ids, mean[finite], covered),
    }
    return tables, rejects


def map_rows(
    galaxy_id: Sequence[int],
    mean: npt.NDArray[np.float32],
    sd: npt.NDArray[np.float32],
    tree: DecisionTree,
) -> pa.Table:
    """Rows of `saliency_map`, one a galaxy and question, of maps (N, A, h, w).

    Questions that the model does not answer, whose maps are NaN, have none.
    """
    height, width = mean.shape[-2:]
    rows = [
        (galaxy, question, where.stop - where.start, encode(m[where]), encode(s[where]))
        for galaxy, m, s in zip(galaxy_id, mean, sd, strict=True)
        for question, where in enumerate(tree.slices)
        if not np.isnan(m[where]).any()
    ]
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 5
    return pa.table(
        {
            "galaxy_id": pa.array(columns[0], pa.int64()),
            "question_id": pa.array(columns[1], pa.int32()),
            "answers": pa.array(columns[2], pa.int32()),
            "height": pa.array([height] * len(rows), pa.int32()),
            "width": pa.array([width] * len(rows), pa.int32()),
            "dtype": pa.array([DTYPE] * len(rows), pa.string()),
            "mean": pa.array(columns[3], pa.binary()),
            "sd": pa.array(columns[4], pa.binary()),
        }
    )


def statistic_rows(
    galaxy_id: Sequence[int], mean: npt.NDArray[np.float32], coverages: Sequence[Floats | None]
) -> pa.Table:
    """Rows of `saliency_stat`, one a galaxy and answer that has a map; NaN becomes NULL.

    mean: (N, A, h, w); coverages: of each galaxy's segment (`segments.coverage`), or
    None.
    """
    parts = []
    for galaxy, maps, covered in zip(galaxy_id, mean, coverages, strict=True):
        answers = np.flatnonzero(~np.isnan(maps).any((1, 2)))
        statistics = map_statistics(maps[answers], covered)
        parts.append(
            {
                "galaxy_id": np.full(len(answers), galaxy),
                "answer_id": answers,
                **statistics,
            }
        )
    types = {"galaxy_id": pa.int64(), "answer_id": pa.int32(), **_STATISTICS}
    return pa.table(
        {
            name: pa.array(
                np.concatenate([part[name] for part in parts] or [np.empty(0)]).astype(
                    kind.to_pandas_dtype()
                ),
                kind,
                from_pandas=True,
            )
            for name, kind in types.items()
        }
    )
