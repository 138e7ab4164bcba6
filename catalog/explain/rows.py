"""Rows of the saliency tables, from batches of images."""

from collections.abc import Sequence
from itertools import compress

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats, Ints
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.explain.members import MapMaker
from zoolens.catalog.images.loading import ImageBatch
from zoolens.catalog.images.segments import coverages
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.saliency.arithmetic import DTYPE, Of, encode, map_statistics
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.tables import arrow_schema


def saliency_tables(
    batch: ImageBatch, explainer: MapMaker, model: ZoobotModel, tree: DecisionTree
) -> dict[str, pa.Table]:
    """Rows of `saliency_map`, `saliency_stat` and `reject`, without their run.

    model: what is explained, or the first of several, which answer the same questions.
    Rejects are the images refused in the batch, and galaxies whose maps are not finite.
    """
    if not batch.galaxies:
        return {"reject": reject_table(batch.rejects)}
    saliency, of_fractions = explainer.both(batch.images, tree.slices)
    mean, sd = saliency.mean.numpy(), saliency.sd.numpy()  # (N, A, h, w)
    fractions, *told = (
        one.numpy() for one in (of_fractions.mean, of_fractions.expected, of_fractions.baseline)
    )
    has = ~model.bias.isnan().numpy()  # (A,)
    finite = np.logical_and.reduce(
        [np.isfinite(maps[:, has]).all((1, 2, 3)) for maps in (mean, sd, fractions)]
    )  # (N,)
    rejects = list(batch.rejects)
    for galaxy, sound in zip(batch.galaxies, finite, strict=True):
        if not sound:
            reason = "no finite map: the model overflows on this image"
            rejects.append(Reject(galaxy.source, None, galaxy.iauname, reason))
    ids = [galaxy.galaxy_id for galaxy in compress(batch.galaxies, finite)]
    seen = [*compress(batch.segments, finite)]
    grids = {maps.shape[-2:] for maps in (mean, fractions)}
    covered = {cells: coverages(seen, *cells) for cells in grids}
    statistics = [
        statistic_rows(ids, "concentration", mean[finite], covered[mean.shape[-2:]]),
        statistic_rows(
            ids,
            "fraction",
            fractions[finite],
            covered[fractions.shape[-2:]],
            *(values[finite] for values in told),
        ),
    ]
    return {
        "saliency_map": map_rows(ids, mean[finite], sd[finite], tree),
        "saliency_stat": in_galaxy_order(statistics),
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
    galaxy_id: Sequence[int],
    of: Of,
    maps: npt.NDArray[np.floating],
    covered: tuple[Floats, Floats],
    predicted: Floats | None = None,
    baseline: Floats | None = None,
) -> pa.Table:
    """Rows of `saliency_stat`, one per galaxy and answer with a map; NaN becomes NULL.

    maps: (N, A, h, w), of what `of` says; covered: as `segments.coverages` gives them;
    predicted, baseline: (N, A), what the model makes of each answer, and what a map that adds up
    counts from; None where that is not told.
    """
    galaxy, answer = np.nonzero(~np.isnan(maps).any((2, 3)))  # of each of the M maps
    on_galaxy, on_neighbours = covered
    told = {"predicted": predicted, "baseline": baseline}
    columns = {
        "galaxy_id": np.asarray(galaxy_id, np.int64)[galaxy],
        "answer_id": answer,
        "of": np.full(len(answer), of, object),
        **{name: _told(values, galaxy, answer) for name, values in told.items()},
        **map_statistics(maps[galaxy, answer], on_galaxy[galaxy], on_neighbours[galaxy]),
    }
    return pa.table(
        {
            field.name: pa.array(columns[field.name], from_pandas=True).cast(field.type)
            for field in arrow_schema("saliency_stat")
        }
    )


def _told(values: Floats | None, galaxy: Ints, answer: Ints) -> Floats:
    return np.full(len(answer), np.nan) if values is None else values[galaxy, answer]


def in_galaxy_order(rows: Sequence[pa.Table]) -> pa.Table:
    """Rows of one galaxy after those of another, each galaxy's in the order given."""
    together = pa.concat_tables(rows)
    return together.take(np.argsort(together["galaxy_id"].to_numpy(), kind="stable"))
