"""`predict --predictions`: published posteriors or fractions, without a model."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids, Places
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, TableRefused
from zoolens.catalog.formats.identifiers import check_digits
from zoolens.catalog.formats.reading import TableFile
from zoolens.catalog.predictions.from_table import read_posteriors
from zoolens.catalog.predictions.layouts import PublishedLayout, recognise_predictions
from zoolens.catalog.predictions.posterior import REACH
from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows, question_rows
from zoolens.catalog.runtime.files import sha256_of
from zoolens.catalog.store.galaxies import galaxies_of_run, shown_galaxies
from zoolens.catalog.store.rejects import add_rejects, reject_table, rows_refused
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.votes.checks import Rows, check_identifiers, repeated, repeated_reason
from zoolens.catalog.votes.spelling import respelt
from zoolens.jobs.reports import PredictReport

SHARD = 2_000  # galaxies committed at a time

_UNKNOWN = "unknown galaxy"  # the kind of reject that a later ingest may resolve


def adopt(catalog: Path, predictions: Path, *, id_column: str | None = None) -> PredictReport:
    """Take over the predictions in a published table, as a run of `predict`.

    predictions: CSV, CSV.gz, Parquet or FITS, in a layout of `catalog.predictions.layouts`.
    id_column: by default `iauname`. Rows that are refused, or of galaxies that the catalogue
    does not have, go to `rejects`; called again, only galaxies that are new since are added.
    Raises `TableRefused` for a table that holds nothing of the catalogue's tree or galaxies,
    `CatalogError` if no row could be used.
    """
    with Store.open(catalog) as store:
        tree = store.tree
        rows, layout = _open(predictions, tree, id_column)
        galaxy_id = _match(store, rows)
        if not rows.good.any():
            raise TableRefused(
                f"{predictions} has no galaxy of {catalog} in its column {layout.identifier}; "
                "choose the right one with --id"
            )
        run = store.begin(
            "predict",
            {
                "predictions_sha256": sha256_of(predictions),
                "tree": tree.name,
                "id_column": layout.identifier,
                "reach": REACH,
            },
            origin={"predictions": str(predictions.resolve())},
        )
        rejects = add_rejects(store, run, rows.rejects)
        galaxies, refused = _adopt_all(store, run, rows, galaxy_id, layout, tree)
        rejects += refused
        total = len(galaxies_of_run(store, run, "prediction"))
        if not total:
            raise CatalogError(
                f"no row of {predictions} could be used; the reasons: zoolens sql 'FROM rejects'"
            )
        changed = store.conclude(run, added=galaxies + rejects > 0)
        missing = layout.missing_questions(tree)
        return PredictReport(run.run_id, galaxies, total, rejects, None, missing, changed)


def check(predictions: Path, tree: DecisionTree | None, *, id_column: str | None = None) -> None:
    """Raises as `adopt` does if a table holds nothing of the tree; no row is read."""
    if tree is None:
        return
    names = TableFile(predictions).schema.names
    recognise_predictions(predictions, names, tree, identifier=id_column)


def _open(path: Path, tree: DecisionTree, id_column: str | None) -> tuple[Rows, PublishedLayout]:
    """The rows of a table of predictions, and the layout of its columns."""
    misshapen: dict[int, str] = {}
    file = TableFile(path)
    names = respelt(path, file.schema.names, [tree])
    file.rename(names)
    layout = recognise_predictions(path, file.schema.names, tree, identifier=id_column)
    numbers, table = file.whole(layout.columns, misshapen)
    rows = Rows(path, table, layout.identifier, numbers)
    for row, what in misshapen.items():
        rows.add(row, None, f"ragged row: {what}")
    for old, new in names.items():
        if new in layout.columns:
            rows.add(None, old, f"respelt column: read as {new}")
    for name in layout.incomplete:
        rows.add(None, name, "missing column: concentrations of some answers; not used")
    return rows, layout


def _match(store: Store, rows: Rows) -> Ids:
    """Numbers of the galaxies (N,); refuses rows without one, or with that of another row."""
    check_identifiers(rows)
    check_digits(rows.path, rows.identifier, rows.names)
    known = shown_galaxies(store, filter(None, rows.names))
    galaxy_id = np.array([known.get(name or "", -1) for name in rows.names], dtype=np.int64)
    rows.refuse(galaxy_id < 0, lambda i: f"{_UNKNOWN}: the catalogue has none of that name")
    good = np.flatnonzero(rows.good)
    which, first = repeated(pa.chunked_array([galaxy_id[good]]))
    first_of = dict(zip(good[which].tolist(), rows.numbers[good[first]].tolist(), strict=True))
    rows.refuse(
        np.isin(np.arange(len(galaxy_id)), good[which]), lambda i: repeated_reason(first_of[i])
    )
    return galaxy_id


def _adopt_all(
    store: Store,
    run: Run,
    rows: Rows,
    galaxy_id: Ids,
    layout: PublishedLayout,
    tree: DecisionTree,
) -> tuple[int, int]:
    """Commit what the run lacks, in shards; how many galaxies, how many rejects."""
    refused = rows_refused(store, run, but=_UNKNOWN)
    waiting = rows.good & ~np.isin(galaxy_id, galaxies_of_run(store, run, "prediction"))
    waiting &= ~np.isin(rows.numbers, refused)
    order = np.flatnonzero(waiting)
    order = order[np.argsort(galaxy_id[order])]
    shards = [order[i : i + SHARD] for i in range(0, len(order), SHARD)]

    def shard(which: Places) -> dict[str, pa.Table]:
        block = Rows(rows.path, rows.table.take(which), rows.identifier, rows.numbers[which])
        return _shard(block, galaxy_id[which], layout, tree)

    filled = fill(
        store,
        run,
        (Part(which, len(which)) for which in shards),
        shard,
        read=as_they_are,
        describe="reading predictions",
        total=len(order),
    )
    return filled["prediction"] // len(tree.labels), filled["reject"]


def _shard(
    rows: Rows, galaxy_id: Ids, layout: PublishedLayout, tree: DecisionTree
) -> dict[str, pa.Table]:
    posteriors = read_posteriors(rows, layout, tree)
    good = np.flatnonzero(rows.good)
    summary = posteriors.summary.take(good)
    tables = {
        "prediction": prediction_rows(galaxy_id[good], summary),
        "question_prediction": question_rows(galaxy_id[good], summary),
        "reject": reject_table(rows.rejects),
    }
    blobs = [posterior_rows(galaxy_id[which], alpha) for which, alpha in posteriors.samples]
    if blobs:
        tables["posterior"] = pa.concat_tables(blobs).sort_by("galaxy_id")
    return tables
