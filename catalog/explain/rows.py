"""Rows of the saliency tables, from batches of images."""

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
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.tables import arrow_schema


def saliency_tables(
    batch: ImageBatch, explained: ExplainedModel, tree: DecisionTree
) -> dict[str, pa.Table]:
    """Rows of `saliency_map`, `saliency_stat` and `reject`, without their run.

    Rejects are the images refused in the batch, and galaxies whose maps are not finite.
    """
    if not batch.galaxies:
        return {"reject": reject_table(batch.rejects)}
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
    return {
        "saliency_map": map_rows(ids, mean[finite], sd[finite], tree),
        "saliency_stat": statistic_rows(ids, mean[finite], covered),
        "reject": reject_table(rejects),
    }


def map_rows(
    galaxy_id: Sequence[int],
    mean: npt.NDArray[np.float32],
    sd: npt.NDArray[np.float32],
    tree: DecisionTree,
) -> pa.Table:
    """Rows of `saliency_map`, one per galaxy and question, from maps (N, A, h, w).

    Questions that the model does not answer, whose maps are NaN, have no row.
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
            "galaxy_id": columns[0],
            "question_id": columns[1],
            "answers": columns[2],
            "height": [height] * len(rows),
            "width": [width] * len(rows),
            "dtype": [DTYPE] * len(rows),
            "mean": columns[3],
            "sd": columns[4],
        },
        schema=arrow_schema("saliency_map"),
    )


def statistic_rows(
    galaxy_id: Sequence[int], mean: npt.NDArray[np.float32], coverages: Sequence[Floats | None]
) -> pa.Table:
    """Rows of `saliency_stat`, one per galaxy and answer with a map; NaN becomes NULL.

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
    return pa.table(
        {
            field.name: pa.array(
                np.concatenate([part[field.name] for part in parts] or [np.empty(0)]).astype(
                    field.type.to_pandas_dtype()
                ),
                field.type,
                from_pandas=True,
            )
            for field in arrow_schema("saliency_stat")
        }
    )
