"""`evaluate`: how far predictions and explanations can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.evaluation.causes import Case, cases, typical_answers
from zoolens.catalog.evaluation.localisation import CAUSES
from zoolens.catalog.evaluation.measures import Measure, evaluation_rows, read_measures
from zoolens.catalog.evaluation.neighbours import FEATURES as NEIGHBOURS
from zoolens.catalog.evaluation.neighbours import NeighbourTrial, others_alone
from zoolens.catalog.evaluation.of_fractions import fraction_measures, warning_measures
from zoolens.catalog.evaluation.of_maps import MapTrial, faithfulness_measures, sanity_measures
from zoolens.catalog.evaluation.sample import Evaluated, read_evaluated
from zoolens.catalog.evaluation.section import LEAD, TITLE, evaluation_section, evaluation_tables
from zoolens.catalog.evaluation.truth import Truth, read_truth
from zoolens.catalog.explain.model import ExplainedModel, explained_model
from zoolens.catalog.images.loading import ImageBatch, image_batch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.bundled import settled
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.output.html import Section, write_report
from zoolens.catalog.paths import evaluation_dir, evaluation_page
from zoolens.catalog.runtime.files import sha256_of
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.saliency.oriented import OrientedExplainer
from zoolens.catalog.saliency.pooled import PooledExplainer
from zoolens.catalog.store.matrices import predictions_state, read_predictions, votes_state
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.store import Run, Store

_BATCH = 16
_FEATURES = tuple(
    dict.fromkeys([name for causes in CAUSES.values() for name in causes] + [*NEIGHBOURS])
)
_SEED = 0  # of the random choice of galaxies


@dataclass(frozen=True)
class EvaluateReport:
    """What `evaluate` measured.

    run_id: None over a survey. galaxies: that have votes and posteriors. tables: by title; section:
    all of it, for another page to take in. changed: False if all had been measured before. pooled:
    whether several models predicted; turned: in how many orientations, where maps were tested.
    """

    job: ClassVar[str] = "evaluate"
    run_id: int | None
    galaxies: int
    measures: tuple[Measure, ...]
    tables: dict[str, pa.Table]
    section: Section
    page: Path
    changed: bool
    pooled: bool = False
    turned: int = 1

    @property
    def notes(self) -> tuple[str, ...]:
        untested = "several models predicted: their maps are not tested; evaluate one at a time"
        upright = (
            f"predicted in {self.turned} orientations: the maps that are tested are those of the "
            "upright images alone, one of the orientations"
        )
        return (*([untested] if self.pooled else []), *([upright] if self.turned > 1 else []))

    @property
    def summary(self) -> str:
        return f"{self.galaxies:,} galaxies, {len(self.measures):,} measured values"


@dataclass(frozen=True)
class _Work:
    """What the measures are made from; maps, typical: as of `evaluate`."""

    data: Evaluated
    predicted: Floats
    reach: Floats
    truth: Truth | None
    explained: ExplainedModel | None
    control: ZoobotModel | None
    maps: int
    typical: int


def evaluate(
    catalog: Path,
    *,
    truth: Path | None = None,
    control: str | None = None,
    split: str | None = None,
    where: str | None = None,
    galaxies: int = 20_000,
    maps: int = 300,
    typical: int = 20,
    out: Path | None = None,
) -> EvaluateReport:
    """Measure the newest predictions, and the maps of the model that made them.

    Always: calibration, errors and accuracies against the votes. With images and a model, but
    not of several together: whether `on_target` warns of wrong predictions, on `maps` galaxies;
    and sanity, faithfulness and stability of the maps of `typical` galaxies. truth: the
    `truth.parquet` of a simulated sky, for errors against the truth, and whether maps
    point at the cause. control: a model trained on shuffled votes, for the second
    sanity check. split: only galaxies of that split of the newest training; where: only those of
    which an SQL condition on the views `galaxies` and `own` is true. galaxies: at most so many,
    chosen at random. out: folder of page and figures, beside the catalogue
    unless given.

    The measures of a topic are committed together, and the same call continues where
    it was stopped. Raises `CatalogError` and its kinds for what the user can put right.
    """
    with Store.open(catalog) as store, ImageReader() as reader:
        store.needs_votes("an evaluation")
        warn_of(store, "predict")
        if control is not None:
            (control,), _ = settled([control], store.tree)
        predictions = store.run(store.newest_run("predict"))
        data = read_evaluated(store, predictions.run_id, split, galaxies, where)
        explained = None
        pooled = "models" in predictions.config
        if predictions.model_sha256 is not None and data.images and not pooled:
            # the tests shuffle and perturb one network on one image
            explained = explained_model(store, None, "deeplift", None, upright=True)
        work = _Work(
            data,
            *read_predictions(store, store.tree, predictions.run_id, data.galaxy_id),
            None if truth is None else read_truth(truth, data.names, store.tree, _FEATURES),
            explained,
            None if control is None else _control(control, explained, store),
            maps,
            typical,
        )
        run = store.begin(
            "evaluate",
            {
                "predictions": predictions_state(store, predictions.run_id),
                "votes": votes_state(store),
                "truth_sha256": truth and sha256_of(truth),
                "control_sha256": work.control and work.control.sha256,
                "split": split,
                "galaxies": galaxies,
                "maps": maps,
                "typical": typical,
                "explained": explained and explained.config,
                "maps of fractions": "a dropout sample at a time",
                "ranks": "Spearman's",
                # which galaxies these are can change with a later training or column
                **({"where": where} if where else {}),
                **({"galaxies_sha256": data.sha256} if split or where else {}),
            },
            model_sha256=predictions.model_sha256,
            origin={"truth": str(truth or ""), "control": control or ""},
        )
        changed = not run.complete or run.again
        if not run.complete:
            _measure(store, run, reader, work)
            store.finish(run)
        measures = read_measures(store.rows_made(run, "evaluation"))
        tables = evaluation_tables(measures, store.tree)
    folder = out or evaluation_dir(catalog)
    section = evaluation_section(folder, measures, tables, len(data.names))
    page = evaluation_page(folder)
    foot = f"Evaluation run {run.run_id}, predictions of run {predictions.run_id}."
    write_report(page, TITLE, LEAD, [section], foot)
    turned = predictions.config.get("orientations", 1) if explained else 1
    return EvaluateReport(
        run.run_id, len(data.names), tuple(measures), tables, section, page, changed, pooled, turned
    )


def _control(source: str, explained: ExplainedModel | None, store: Store) -> ZoobotModel:
    control = load_model(source).for_tree(store.tree)
    own = explained.model.architecture if explained else "nothing that could be explained"
    if control.architecture != own:
        raise ModelRefused(
            f"{source} is a {control.architecture}, and what predicted is {own}; a control is "
            "trained as the model was, on shuffled votes"
        )
    return control


def _measure(store: Store, run: Run, reader: ImageReader, work: _Work) -> None:
    """Commit the measures of each topic that the run does not have yet."""
    if not store.committed(run, "fractions"):
        found = fraction_measures(work.data, work.truth, store.tree, work.predicted, work.reach)
        store.commit(run, "fractions", {"evaluation": evaluation_rows(found)})
    explained = work.explained
    if explained is None or isinstance(explained.explainer, PooledExplainer | OrientedExplainer):
        return
    trial = MapTrial(explained.model, explained.explainer, store.tree)
    if not store.committed(run, "maps"):
        found, rejects = _test_maps(reader, work, explained, trial)
        tables = {"evaluation": evaluation_rows(found), "reject": reject_table(rejects)}
        store.commit(run, "maps", tables)
    lacking = [name for name in ("sanity", "faithfulness") if not store.committed(run, name)]
    if not lacking:
        return
    batch = next(_batches(reader, work, explained, _drawn(work, work.typical), work.typical))
    if len(batch.galaxies) < 2:  # batch norms of one image have no statistics
        return
    numbers = _numbers(work, batch)
    chosen = typical_answers(work.predicted[numbers], work.reach[numbers], store.tree)
    answers = chosen.tolist()
    with progress("testing sanity and faithfulness", 2) as bar:
        if "sanity" in lacking:
            found = sanity_measures(trial, batch.images, answers, work.control)
            store.commit(run, "sanity", {"evaluation": evaluation_rows(found)})
        bar.advance()
        if "faithfulness" in lacking:
            found = faithfulness_measures(trial, batch.images, answers, explained.seed + 1)
            store.commit(run, "faithfulness", {"evaluation": evaluation_rows(found)})
        bar.advance()


def _test_maps(
    reader: ImageReader, work: _Work, explained: ExplainedModel, trial: MapTrial
) -> tuple[list[Measure], list[Reject]]:
    """Localisation, if the truth is known, and warnings; also the images that were refused."""
    tree, available = trial.tree, list(work.data.images)
    causes: list[Case] = []
    if work.truth is not None:
        each = -(-work.maps // 10)  # per answer: cases of different answers overlap
        causes = cases(work.truth, tree, explained.view, available, each)
    by_number = {
        number: [case for case in causes if case.number == number]
        for number in {case.number for case in causes}
    }
    numbers = sorted({*by_number, *_drawn(work, work.maps)})
    rejects: list[Reject] = []
    beside = NeighbourTrial()
    with progress("explaining", len(numbers)) as bar:
        for batch in _batches(reader, work, explained, numbers, _BATCH):
            shown = _numbers(work, batch)
            if shown:
                maps = trial.add(shown, batch.images, batch.segments, by_number)
                if work.truth is not None:
                    known = {n: others_alone(work.truth, n, explained.view) for n in shown}
                    beside.add(shown, maps, batch.segments, known)
            rejects += batch.rejects
            bar.advance(len(shown) + len(batch.rejects))
    refused = {reject.key for reject in rejects}
    seen = [n for n in _drawn(work, work.maps) if work.data.names[n] not in refused]
    found = trial.localised()
    if seen:
        on_galaxy = {
            name: {number: values[number] for number in seen}
            for name, values in trial.warnings.items()
        }
        found += warning_measures(work.data, work.truth, tree, work.predicted, on_galaxy)
        if work.truth is not None:
            found += beside.measures(seen, work.predicted, tree)
    return found, rejects


def _numbers(work: _Work, batch: ImageBatch) -> list[int]:
    """Places of a batch's galaxies among those that are evaluated."""
    ids = [galaxy.galaxy_id for galaxy in batch.galaxies]
    return np.searchsorted(work.data.galaxy_id, ids).tolist()


def _drawn(work: _Work, most: int) -> list[int]:
    """Numbers of galaxies with images, at most `most`, chosen at random."""
    available = np.array(list(work.data.images), dtype=np.int64)
    drawn = np.random.default_rng(_SEED).permutation(available)[:most]
    return np.sort(drawn).tolist()


def _batches(
    reader: ImageReader,
    work: _Work,
    explained: ExplainedModel,
    numbers: Sequence[int],
    size: int,
) -> Iterator[ImageBatch]:
    galaxies = [work.data.images[number] for number in numbers]
    parts = [galaxies[i : i + size] for i in range(0, len(galaxies), size)]
    yield from torch_in_order(partial(image_batch, reader, explained.view), parts)
