"""`evaluate`: how far predictions and explanations can be trusted."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.evaluation.causes import Case, cases, typical_answers
from zoolens.catalog.evaluation.localisation import CAUSES
from zoolens.catalog.evaluation.measures import Measure, evaluation_rows, read_measures
from zoolens.catalog.evaluation.neighbours import FEATURES as NEIGHBOURS
from zoolens.catalog.evaluation.neighbours import others_alone
from zoolens.catalog.evaluation.of_fractions import fraction_measures, warning_measures
from zoolens.catalog.evaluation.of_maps import (
    faithfulness_measures,
    localised,
    sanity_measures,
    tested,
)
from zoolens.catalog.evaluation.recipe import TrialRecipe, Trials
from zoolens.catalog.evaluation.sample import Evaluated, read_evaluated
from zoolens.catalog.evaluation.section import LEAD, TITLE, evaluation_section, evaluation_tables
from zoolens.catalog.evaluation.trial import Batch, MapTrial, Typical
from zoolens.catalog.evaluation.truth import Truth, read_truth
from zoolens.catalog.explain.model import ExplainedModel, explained_model
from zoolens.catalog.explain.recipe import MapRecipe
from zoolens.catalog.images.loading import load
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.bundled import settled
from zoolens.catalog.network.ensemble import Member, shown_to
from zoolens.catalog.network.model import load_model
from zoolens.catalog.output.html import Section, write_report
from zoolens.catalog.parts.recipe import prepared_here
from zoolens.catalog.paths import evaluation_dir, evaluation_page
from zoolens.catalog.predictions.recipe import ModelFile
from zoolens.catalog.runtime.files import sha256_of
from zoolens.catalog.saliency.oriented import OrientedExplainer
from zoolens.catalog.saliency.pooled import PooledExplainer
from zoolens.catalog.store.matrices import predictions_state, read_predictions, votes_state
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.store import Run, Store
from zoolens.jobs.elsewhere import workers_elsewhere
from zoolens.jobs.reports import InNotebook

_BATCH = 16
_OF_MAPS = ("maps", "sanity", "faithfulness")  # topics
_FEATURES = tuple(
    dict.fromkeys([name for causes in CAUSES.values() for name in causes] + [*NEIGHBOURS])
)
_SEED = 0  # of the random choice of galaxies


@dataclass(frozen=True)
class EvaluateReport(InNotebook):
    """What `evaluate` measured.

    run_id: None over a survey. galaxies: that have votes and posteriors. measures: all measured
    values; tables: the same for people, by title; page: the file that shows them; section: all of
    it, for another page to take in. changed: False if all had been measured before. pooled:
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
    control: Member | None
    maps: int
    typical: int

    def drawn(self, most: int) -> list[int]:
        """Numbers of galaxies with images, at most so many, chosen at random."""
        available = np.array(list(self.data.images), dtype=np.int64)
        return np.sort(np.random.default_rng(_SEED).permutation(available)[:most]).tolist()


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
    cluster: str | None = None,
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
    unless given. cluster: workers that test the maps, as `jobs.elsewhere` takes it.

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
                "control_sha256": work.control and work.control.model.sha256,
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
            _measure(store, run, reader, work, cluster)
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


def _control(source: str, explained: ExplainedModel | None, store: Store) -> Member:
    control = load_model(source).for_tree(store.tree)
    own = explained.model.architecture if explained else "nothing that could be explained"
    if explained is None or control.architecture != own:
        raise ModelRefused(
            f"{source} is a {control.architecture}, and what predicted is {own}; a control is "
            "trained as the model was, on shuffled votes"
        )
    return shown_to(source, control, explained.view)


def _measure(store: Store, run: Run, reader: ImageReader, work: _Work, cluster: str | None) -> None:
    """Commit the measures of each topic that the run does not have yet."""
    if not store.committed(run, "fractions"):
        found = fraction_measures(work.data, work.truth, store.tree, work.predicted, work.reach)
        store.commit(run, "fractions", {"evaluation": evaluation_rows(found)})
    explained = work.explained
    if explained is None or isinstance(explained.explainer, PooledExplainer | OrientedExplainer):
        return
    lacking = {topic for topic in _OF_MAPS if not store.committed(run, topic)}
    typical = _typical(reader, work, explained, store.tree) if lacking - {"maps"} else None
    if typical is None:
        lacking &= {"maps"}
    if not lacking:
        return
    control = work.control
    trial = MapTrial(
        explained.model,
        explained.explainer,
        store.tree,
        explained.view,
        explained.seed,
        None if control is None else control.model,
    )
    recipe = TrialRecipe(
        MapRecipe.of(explained, store.tree, _BATCH),
        None if control is None else ModelFile.of(control),
    )
    with workers_elsewhere(cluster) as workers:
        if workers:
            workers.check(partial(prepared_here, recipe), [*work.data.images.values()])
        trials = Trials(trial, recipe, workers)
        if "maps" in lacking:
            found, rejects = _test_maps(trials, work)
            tables = {"evaluation": evaluation_rows(found), "reject": reject_table(rejects)}
            store.commit(run, "maps", tables)
        for topic, measure in zip(
            _OF_MAPS[1:], (sanity_measures, faithfulness_measures), strict=True
        ):
            if typical is not None and topic in lacking:
                rows = evaluation_rows(measure(trials, typical))
                store.commit(run, topic, {"evaluation": rows})


def _test_maps(trials: Trials, work: _Work) -> tuple[list[Measure], list[Reject]]:
    """Localisation, if the truth is known, and warnings; also the images that were refused."""
    tree, view, truth = trials.trial.tree, trials.trial.view, work.truth
    causes: list[Case] = []
    if truth is not None:
        each = -(-work.maps // 10)  # per answer: cases of different answers overlap
        causes = cases(truth, tree, view, list(work.data.images), each)
    by_number: dict[int, list[Case]] = {}
    for case in causes:
        by_number.setdefault(case.number, []).append(case)
    drawn = work.drawn(work.maps)
    numbers = sorted({*by_number, *drawn})
    batches = [
        Batch(
            {number: work.data.images[number] for number in some},
            {number: by_number[number] for number in some if number in by_number},
            None if truth is None else {n: others_alone(truth, n, view) for n in some},
        )
        for some in (numbers[i : i + _BATCH] for i in range(0, len(numbers), _BATCH))
    ]
    found = tested(trials, batches)
    seen = [number for number in drawn if number in found.warnings]
    measures = localised(tree, found.pointed)
    if seen:
        on_galaxy = {
            name: {number: found.warnings[number][name] for number in seen}
            for name in found.warnings[seen[0]]
        }
        measures += warning_measures(work.data, truth, tree, work.predicted, on_galaxy)
        if truth is not None:
            measures += found.beside.measures(seen, work.predicted, tree)
    return measures, found.rejects


def _typical(
    reader: ImageReader, work: _Work, explained: ExplainedModel, tree: DecisionTree
) -> Typical | None:
    """Galaxies for the slow tests; None if there are not two with sound images."""
    drawn = [work.data.images[number] for number in work.drawn(work.typical)]
    shown = load(reader, explained.view, drawn).galaxies
    if len(shown) < 2:  # batch norms of one image have no statistics
        return None
    numbers = np.searchsorted(work.data.galaxy_id, [galaxy.galaxy_id for galaxy in shown])
    answers = typical_answers(work.predicted[numbers], work.reach[numbers], tree)
    return Typical([*shown], answers.tolist())
