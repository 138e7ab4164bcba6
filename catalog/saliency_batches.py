"""From batches of images to rows of saliency."""

import numpy as np
import pyarrow as pa

from catalog.decision_tree import DecisionTree
from catalog.explained_model import ExplainedModel
from catalog.image_batches import ImageBatch
from catalog.rejects import Reject
from catalog.saliency_rows import map_rows, statistic_rows
from catalog.segments import coverage


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
