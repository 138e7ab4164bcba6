"""`evaluate` over a survey: on a sample of the galaxies of all pieces."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.errors import CatalogError, NothingHere
from zoolens.catalog.evaluation.sample import comparable, drawn
from zoolens.catalog.paths import evaluation_dir
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import is_survey
from zoolens.catalog.survey.gathering import gather
from zoolens.jobs.evaluate import EvaluateReport
from zoolens.jobs.evaluate import evaluate as job
from zoolens.jobs.pieces import Pieces


def evaluate(
    catalog: Path,
    *,
    split: str | None = None,
    where: str | None = None,
    galaxies: int = 20_000,
    out: Path | None = None,
    **settings: Any,
) -> EvaluateReport:
    """`jobs.evaluate`, of a survey on galaxies that are drawn from all of its pieces together.

    They are measured in a small catalogue of their own, which is made for that and left again: what
    is measured is in the tables and on the page alone, and a call that was stopped begins
    anew. Raises `CatalogError` also if a piece cannot be read.
    """
    settings |= {"galaxies": galaxies}
    if not is_survey(catalog):
        return job(catalog, split=split, where=where, out=out, **settings)
    pieces = Pieces.of(catalog)
    pieces.check_readable()
    found: dict[Path, Ids] = {}
    empty: CatalogError | None = None
    for path in pieces.paths:
        try:
            with Store.open(path, read_only=True) as store:
                store.needs_votes("an evaluation")
                found[path] = comparable(store, store.newest_run("predict"), split, where)
        except NothingHere as error:
            empty = error
    sample = drawn(np.sort(np.concatenate([np.empty(0, np.int64), *found.values()])), galaxies)
    if not len(sample):
        raise empty or NothingHere(f"no galaxy of {catalog} is to be evaluated; ask for others")
    some = {path: np.intersect1d(ids, sample) for path, ids in found.items()}
    with TemporaryDirectory(prefix=".evaluate.", dir=catalog) as scratch:
        gz = gather(catalog, Path(scratch) / catalog.name, some)
        report = job(gz, out=out or evaluation_dir(catalog), **settings)
    return replace(report, run_id=None)
