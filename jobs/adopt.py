"""`predict --predictions`: published posteriors or fractions, without a model."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere, TableRefused
from zoolens.catalog.formats.reading import TableFile, table_digest
from zoolens.catalog.predictions.from_table import read_posteriors
from zoolens.catalog.predictions.layouts import PublishedLayout, tell_tree
from zoolens.catalog.predictions.matching import (
    UNKNOWN,
    NewGalaxies,
    match_rows,
    new_galaxies,
    read_new_galaxies,
)
from zoolens.catalog.predictions.posterior import REACH
from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows, question_rows
from zoolens.catalog.predictions.table import (
    PredictionTable,
    Wanted,
    open_predictions,
    unread_reason,
    wanted_rows,
)
from zoolens.catalog.store.galaxies import Numbering, galaxies_of_run, galaxy_table
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest, settle_tree, settled_tree
from zoolens.catalog.store.log import log_path
from zoolens.catalog.store.rejects import add_rejects, commonest_reason, reject_table, rows_refused
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.sharing import Shares, Strangers, shares_of
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.votes.checks import Rows, named
from zoolens.jobs.reports import PredictReport

SHARD = 32_768  # galaxies committed at a time, fewer if they have many samples
_HELD = 16 << 20  # bytes of a table's columns that are worked on at a time


def adopt(
    catalog: Path,
    predictions: Path,
    *,
    id_column: str | None = None,
    tree: str | DecisionTree | None = None,
    strangers: Strangers | None = None,
) -> PredictReport:
    """Take over the predictions in a published table, as a run of `predict`.

    predictions: a table (`catalog.formats.reading`) in a layout of `catalog.predictions.layouts`.
    id_column: by default found by its name. A catalogue without galaxies, or that does not exist,
    gets those of the table, with their positions where it has them, as a run of `ingest`; if it
    has no tree yet, it gets `tree`, or the one that the columns tell. Rows that are refused, or
    of galaxies that the catalogue does not have, go to `rejects`; called again, only galaxies
    that are new since are added. The table is read block by block, whatever its size. strangers: of
    a table that the pieces of a survey share, of whose galaxies none is made.

    Raises `TableRefused` for a table that holds nothing of the catalogue's tree or galaxies,
    `CatalogError` if no row could be used; a catalogue that did not exist then does not either.
    """
    made_here = not catalog.exists()
    try:
        return _adopt(catalog, predictions, id_column, tree, strangers)
    except CatalogError:
        if made_here:
            for file in (catalog, log_path(catalog)):
                file.unlink(missing_ok=True)
        raise


def _adopt(
    catalog: Path,
    predictions: Path,
    id_column: str | None,
    tree: str | DecisionTree | None,
    strangers: Strangers | None,
) -> PredictReport:
    """As `adopt`, but a new catalogue stays."""
    held, bare = _held(catalog)
    if bare and strangers is not None:
        raise NothingHere(f"{catalog} has no galaxies")
    if isinstance(tree, DecisionTree):
        held = held or tree
    elif held is None:
        held = tell_tree(predictions, TableFile(predictions).schema.names, tree)
    table = open_predictions(predictions, held, identifier=id_column)
    inputs = {"predictions_sha256": table_digest(predictions), "id_column": table.layout.identifier}
    origin = {"predictions": str(table.path.resolve())}
    with Store.open(catalog, create=True) as store:
        made = _make_galaxies(store, table, inputs, origin) if bare else 0
        match = match_rows(store, table, strangers)
        if not len(match.wanted):
            raise (TableRefused if strangers is None else NothingHere)(
                f"{predictions} has no galaxy of {catalog} in its column "
                f"{table.layout.identifier}; choose the right one with --id"
            )
        settle_tree(store, held)
        settings = {**inputs, "tree": held.name, "reach": REACH}
        if table.layout.lower:
            settings["intervals"] = "as stated"
        run = store.begin("predict", settings, origin=origin)
        rejects = add_rejects(store, run, match.rejects)
        galaxies, refused = _adopt_all(store, run, table, match.wanted)
        rejects += refused
        total = len(galaxies_of_run(store, run, "prediction"))
        if not total:
            raise CatalogError(
                f"no row of {predictions} could be used: {commonest_reason(store, run)}"
            )
        changed = store.conclude(run, added=galaxies + rejects > 0)
    report = PredictReport(
        run.run_id, galaxies, total, rejects, None, table.layout.missing_questions(held), changed
    )
    return replace(report, remarks=tuple(_remarks(table, made)))


def check(
    predictions: Path,
    tree: DecisionTree | None,
    *,
    id_column: str | None = None,
    named: str | None = None,
) -> DecisionTree:
    """Raises as `adopt` does if a table holds nothing of the tree; its rows are not read.

    tree: that of the catalogue, None if it has none yet. named: the table's by name, else it is
    told from the columns. Returns the one that the catalogue then has.
    """
    tree = tree or tell_tree(predictions, TableFile(predictions).schema.names, named)
    open_predictions(predictions, tree, identifier=id_column)
    return tree


def shares(
    predictions: Path, catalogues: Sequence[Path], tree: DecisionTree, id_column: str | None
) -> Shares:
    """Which of several catalogues have the galaxies of a table's rows.

    Raises `TableRefused` if none has any, or the table holds nothing of the tree.
    """
    table = open_predictions(predictions, tree, identifier=id_column)
    with TemporaryDirectory(prefix=".names.", dir=catalogues[0].parent) as folder:
        found = shares_of(named(table.blocks(table.identifiers)), catalogues, Path(folder))
    if not any(found.found.values()):
        raise TableRefused(
            f"{predictions} has no galaxy of these catalogues in its column "
            f"{table.layout.identifier}; choose the right one with --id"
        )
    return found


def _held(catalog: Path) -> tuple[DecisionTree | None, bool]:
    """The tree that predictions have to be of, if any, and whether there are no galaxies yet."""
    if not catalog.exists():
        return None, True
    with Store.open(catalog) as store:
        return settled_tree(store), not store.complete_runs("ingest")


def _remarks(table: PredictionTable, made: int) -> Iterator[str]:
    layout = table.layout
    if table.paths:
        yield f"{layout.identifier} holds paths: galaxies are named after the files"
    if made:
        yield f"{made:,} galaxies were new and made from that table"
    if layout.medians:
        yield (
            "intervals are as the table states them; Zoobot's are the medians of those of its "
            "samples, without the spread between samples"
        )
    if layout.unread:
        yield unread_reason(layout)


def _make_galaxies(
    store: Store, table: PredictionTable, inputs: dict[str, str], origin: dict[str, str]
) -> int:
    """Fill a catalogue without galaxies with those of a table; how many they are."""
    run = begin_ingest(store, {**inputs, "tree": None, "images": None}, origin, None)
    if not run.complete:
        wanted = new_galaxies(store, table, run)
        blocks = read_new_galaxies(table, wanted)
        fill(
            store,
            run,
            (Part(each, len(each.names), f"galaxies-{i:06d}") for i, each in enumerate(blocks)),
            _galaxy_rows,
            read=as_they_are,
            describe="reading galaxies",
            total=len(wanted),
        )
        with store.transaction():
            finish_ingest(store, run)
    return store.rows_of(run, "galaxy")


def _galaxy_rows(new: NewGalaxies) -> dict[str, pa.Table]:
    numbers = len(new.names)
    every = Numbering(new.galaxy_id, np.zeros(numbers, bool), np.full(numbers, np.nan))
    return {
        "galaxy": galaxy_table(every, new.names, new.ra, new.dec),
        "reject": reject_table(new.rejects),
    }


def _adopt_all(store: Store, run: Run, table: PredictionTable, wanted: Wanted) -> tuple[int, int]:
    """Commit what the run lacks, in shards; how many galaxies, how many rejects."""
    done = galaxies_of_run(store, run, "prediction")
    waiting = ~np.isin(wanted.galaxy_id, done)
    waiting &= ~np.isin(wanted.rows, rows_refused(store, run, but=UNKNOWN))
    wanted = Wanted(wanted.rows[waiting], wanted.galaxy_id[waiting])
    if not len(wanted):
        return 0, 0
    place = store.path
    with TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as folder:
        blocks = wanted_rows(table, wanted, Path(folder), most=SHARD, held=_HELD)
        filled = fill(
            store,
            run,
            (Part(each, len(each[1])) for each in blocks),
            partial(_shard, table.layout, table.tree),
            read=as_they_are,
            describe="reading predictions",
            total=len(wanted),
        )
    return filled["prediction"] // len(table.tree.labels), filled["reject"]


def _shard(
    layout: PublishedLayout, tree: DecisionTree, block: tuple[Rows, Ids]
) -> dict[str, pa.Table]:
    rows, galaxy_id = block
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
