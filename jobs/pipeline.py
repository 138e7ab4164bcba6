"""Several jobs in a row: what one needs of another is done first.

The jobs themselves know nothing of each other: they meet in the catalogue. Each function
imports those that it calls, as some of them take seconds to load.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoolens.catalog.errors import CatalogError, NothingHere, TableRefused
from zoolens.catalog.network.bundled import BUNDLED, HUB, located
from zoolens.catalog.runtime.files import check_file
from zoolens.jobs.elsewhere import elsewhere
from zoolens.jobs.patience import patiently
from zoolens.jobs.reports import IngestReport, Report
from zoolens.jobs.settings import Cut, Inference, Maps, Which

if TYPE_CHECKING:
    from zoolens.catalog.decision_tree import DecisionTree
    from zoolens.catalog.release.provenance import Title
    from zoolens.catalog.saliency.arithmetic import Of
    from zoolens.catalog.similarity.exchange import Exchange
    from zoolens.jobs.explain import ExplainReport
    from zoolens.jobs.release import ReleaseReport
    from zoolens.jobs.similar import SimilarReport
    from zoolens.jobs.survey_reports import SurveyReport

Say = Callable[[Report], None]  # shows each report as soon as it is there


def silently(report: Report) -> None:
    """Say nothing of a report."""


def ingest_to_index(
    catalog: Path,
    votes: Path | None = None,
    *,
    images: Path | None = None,
    model: str | Sequence[str] = (),
    predictions: Path | None = None,
    tree: str | None = None,
    id_column: str | None = None,
    keep: Sequence[str] = (),
    weighted: bool = False,
    inference: Inference = Inference(),
    weights: str = "paper",
    survey: bool = False,
    most_rows: int | None = None,
    say: Say = silently,
) -> None:
    """Ingest votes and images and, with a model or predictions, go on to the index.

    keep: columns of the table to keep, as `jobs.keep` takes them. survey: make `catalog` the
    folder of a survey, of pieces of at most `most_rows` galaxies (`jobs.ingest_survey`), if it is
    none yet. The other settings are those of `ingest`, `predict_or_adopt` and `score`, which is
    left out where there are no votes to compare with. Predictions alone bring their galaxies;
    after the estimates of a classifier or regressor there is nothing to compare or index. What
    later steps would refuse is refused before the first one begins. A reader who holds the
    catalogue for a moment between two steps does not stop the work. Raises `CatalogError` and its
    kinds for what the user can put right.
    """
    from zoolens.catalog.survey.cutting import MOST
    from zoolens.catalog.survey.folder import asked_for
    from zoolens.jobs.everywhere import index, is_comparable, score
    from zoolens.jobs.ingest import tree_of
    from zoolens.jobs.ingest_survey import ingest_survey, tree_of_survey

    if model and predictions:
        raise CatalogError("give --model or --predictions, not both")
    _check_files(model, predictions, weights)
    survey = asked_for(catalog, survey)
    of_table: dict[str, Any] = {"tree": tree, "id_column": id_column, "weighted": weighted}
    held = (tree_of_survey if survey else tree_of)(catalog, votes, **of_table)
    _check_contents(held, model, predictions, weights, inference, id_column)
    if keep and votes is None:
        raise CatalogError("--keep takes columns of a table, and none is given")
    done: Iterable[Report] = ()
    if survey:
        # predictions bring galaxies, as a table without votes does
        table = predictions if votes is None and images is None else votes
        bound = most_rows or MOST
        done = ingest_survey(catalog, table, images=images, keep=keep, most_rows=bound, **of_table)
    elif votes is not None or images is not None or not predictions:
        done = _ingest(catalog, votes, images, keep, held, of_table)
    voted = False
    for report in done:
        say(report)
        voted = voted or (isinstance(report, IngestReport) and report.voted)
    if model or predictions:
        made = patiently(
            predict_or_adopt,
            catalog,
            model=model,
            predictions=predictions,
            id_column=id_column,
            tree=tree,
            inference=inference,
        )
        say(made)
        if made.job == "estimate":
            return
        if voted or patiently(is_comparable, catalog):
            say(patiently(score, catalog, weights=weights))
        say(patiently(index, catalog))


def _ingest(
    catalog: Path,
    votes: Path | None,
    images: Path | None,
    keep: Sequence[str],
    held: "DecisionTree | None",
    of_table: Mapping[str, Any],
) -> Iterator[Report]:
    """Ingest into one catalogue, and keep columns of the table."""
    from zoolens.jobs import keep as own
    from zoolens.jobs.ingest import ingest

    id_column, kept = of_table["id_column"], list[str]()
    if keep and votes is not None:
        kept = own.check(votes, keep, tree=held, id_column=id_column)
    yield ingest(catalog, votes, images=images, kept=kept, **of_table)
    if keep and votes is not None:
        yield patiently(own.keep, catalog, votes, keep, id_column=id_column)


def _listed(model: str | Sequence[str]) -> Sequence[str]:
    return [model] if isinstance(model, str) else model


def _check_files(model: str | Sequence[str], predictions: Path | None, weights: str) -> None:
    """Refuse names of what is no file."""
    from zoolens.catalog.scoring.weights import PRESETS

    for one in _listed(model):
        if not one.startswith(HUB) and one != BUNDLED:
            located(one)
    if predictions and not predictions.is_dir():  # of Parquet files
        check_file(predictions, "table", TableRefused)
    if weights not in PRESETS and not Path(weights).is_file():
        raise CatalogError(f"no weights {weights!r}; give {', '.join(PRESETS)} or a file of them")


def _check_contents(
    tree: "DecisionTree | None",
    model: str | Sequence[str],
    predictions: Path | None,
    weights: str,
    inference: Inference,
    id_column: str | None,
) -> None:
    """Refuse what later steps would refuse, before hours of work."""
    from zoolens.catalog.scoring.weights import read_weights

    if predictions:
        from zoolens.jobs import adopt

        tree = adopt.check(predictions, tree, id_column=id_column)
    if model:
        from zoolens.catalog.network.engines import choose_engine
        from zoolens.catalog.network.ensemble import predict_votes
        from zoolens.jobs import estimate, predict

        models = _listed(model)
        choose_engine(inference.engine, 1)
        if not predict_votes(models):
            estimate.check(models[0], inference)
            return
        tree = predict.check(models, tree, inference)
    if tree is not None:
        read_weights(weights, tree)


def predict_or_adopt(
    catalog: Path,
    *,
    model: str | Sequence[str] = (),
    predictions: Path | None = None,
    id_column: str | None = None,
    tree: str | None = None,
    inference: Inference = Inference(),
    names: Sequence[str] = (),
    cluster: str | None = None,
    parts: Path | None = None,
) -> Report:
    """Predictions of every galaxy, by a model or from a published table.

    Without either, a catalogue gets those of the bundled model of its tree, or goes on with them.

    inference: of the model, a tree's, or a classifier or regressor, whose outputs `names` calls
    otherwise; id_column: of the table; tree: of a catalogue that has none yet, by
    name or file, told from the labels of the model or table if not given. cluster, parts: who
    computes, and through which folder, as of `elsewhere`.
    """
    if model and predictions:
        raise CatalogError("give --model or --predictions, not both")
    from zoolens.jobs import everywhere

    if predictions:
        return everywhere.adopt(catalog, predictions, id_column=id_column, tree=tree)
    from zoolens.catalog.network.ensemble import predict_votes

    models = _listed(model) or [everywhere.model_unless_named(catalog)]
    votes = predict_votes(models)
    if names and votes:
        raise CatalogError("the model is of a decision tree, which names its answers: no --names")
    with elsewhere(cluster, catalog, parts) as through:
        if not votes:
            return everywhere.estimate(catalog, models[0], inference, names=names, through=through)
        return everywhere.predict(catalog, models, inference, tree=tree, through=through)


def similar(
    catalog: Path,
    galaxy: str,
    *,
    answer: str | None = None,
    k: int = 5,
    weights: str | None = None,
    approximate: bool = False,
    min_votes: float | None = None,
    exchange: "Exchange" = "question",
) -> "SimilarReport":
    """A galaxy's k observed and k predicted counterparts, by an index brought up to date first.

    answer, weights, min_votes, exchange, approximate: as of `Catalog.similar`.
    """
    from zoolens.catalog.survey.folder import catalogues
    from zoolens.jobs.index import index
    from zoolens.jobs.similar import check
    from zoolens.jobs.similar import similar as job

    check(catalog, galaxy, answer=answer, k=k, weights=weights, exchange=exchange)
    for one in catalogues(catalog):
        try:
            index(one, approximate=approximate)
        except NothingHere:
            if one == catalog:
                raise
    return job(
        catalog,
        galaxy,
        answer=answer,
        k=k,
        weights=weights,
        approximate=approximate,
        min_votes=min_votes,
        exchange=exchange,
    )


def explain(
    catalog: Path,
    which: Which,
    maps: Maps = Maps(),
    *,
    of: "Of" = "fraction",
    out: Path | None = None,
    figures: bool = True,
    cluster: str | None = None,
    parts: Path | None = None,
) -> "ExplainReport | SurveyReport":
    """Store the maps of galaxies for all answers; draw them for one answer each.

    which: the galaxies, and the answer to draw; maps: how they are made; of: what the drawn ones
    are of. out: folder of figures and page, beside the catalogue unless given; figures: with
    counterparts, by an index brought up to date first. cluster, parts: who computes the maps, and
    through which folder.
    """
    from zoolens.jobs.explain_survey import explain

    with elsewhere(cluster, catalog, parts) as through:
        return explain(catalog, which, maps, of=of, out=out, figures=figures, through=through)


def is_of_estimates(catalog: Path, models: Sequence[str]) -> bool:
    """Whether an explanation is of a classifier or regressor: of `models`, or all there is."""
    from zoolens.catalog.network.ensemble import predict_votes
    from zoolens.jobs.explain_survey import only_estimates

    return not predict_votes(models) if models else only_estimates(catalog)


def release(catalog: Path, out: Path, title: "Title", cut: Cut = Cut()) -> "ReleaseReport":
    """Cut a release from the newest runs of a catalogue, or of a survey's, into the folder `out`.

    cut: what it holds; counterparts and a gallery get up-to-date indexes first.
    """
    from zoolens.catalog.survey.folder import catalogues
    from zoolens.jobs.index import index
    from zoolens.jobs.release import is_scored
    from zoolens.jobs.release import release as job

    for path in catalogues(catalog) if cut.needs_index else ():
        if is_scored(path):
            index(path)
    return job(catalog, out, title, cut)
