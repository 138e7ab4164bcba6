"""Zoolens: a galaxy-morphology catalogue that can say why.

`zoolens.open` gives a catalogue to look at; the jobs that make and use one are here by
name, as on the command line: `zoolens.ingest(catalog, votes, ...)`, paths as `Path` or as
text. Everything is imported only when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from zoolens.catalog.errors import CatalogBusy as CatalogBusy
    from zoolens.catalog.errors import CatalogError as CatalogError
    from zoolens.catalog.errors import Deprecation as Deprecation
    from zoolens.catalog.errors import ImageRefused as ImageRefused
    from zoolens.catalog.errors import ModelRefused as ModelRefused
    from zoolens.catalog.errors import NothingHere as NothingHere
    from zoolens.catalog.errors import NotInstalled as NotInstalled
    from zoolens.catalog.errors import Outdated as Outdated
    from zoolens.catalog.errors import QueryRefused as QueryRefused
    from zoolens.catalog.errors import TableRefused as TableRefused
    from zoolens.catalog.errors import Told as Told
    from zoolens.catalog.errors import UnknownName as UnknownName
    from zoolens.catalog.evaluation.measures import Measure as Measure
    from zoolens.catalog.explain.one_galaxy import GalaxyShown as GalaxyShown
    from zoolens.catalog.images.segments import Segments as Segments
    from zoolens.catalog.images.view import View as View
    from zoolens.catalog.release.provenance import Title as Title
    from zoolens.catalog.sky.volunteers import Crowd as Crowd
    from zoolens.catalog.store.facts import AnswerFacts as AnswerFacts
    from zoolens.catalog.store.ingests import Replaced as Replaced
    from zoolens.explained import Explained as Explained
    from zoolens.jobs.adopt import adopt as adopt
    from zoolens.jobs.evaluate import EvaluateReport as EvaluateReport
    from zoolens.jobs.evaluate import evaluate as evaluate
    from zoolens.jobs.explain import ExplainReport as ExplainReport
    from zoolens.jobs.histogram import HistogramReport as HistogramReport
    from zoolens.jobs.histogram import histogram as histogram
    from zoolens.jobs.index import IndexReport as IndexReport
    from zoolens.jobs.index import index as index
    from zoolens.jobs.ingest import ingest as ingest
    from zoolens.jobs.keep import KeepReport as KeepReport
    from zoolens.jobs.keep import keep as keep
    from zoolens.jobs.picture import PictureReport as PictureReport
    from zoolens.jobs.picture import explain_picture as explain_picture
    from zoolens.jobs.pipeline import explain as explain
    from zoolens.jobs.pipeline import release as release
    from zoolens.jobs.pipeline import similar as similar
    from zoolens.jobs.predict import predict as predict
    from zoolens.jobs.release import ReleaseReport as ReleaseReport
    from zoolens.jobs.reports import IngestReport as IngestReport
    from zoolens.jobs.reports import PredictReport as PredictReport
    from zoolens.jobs.reports import Report as Report
    from zoolens.jobs.score import ScoreReport as ScoreReport
    from zoolens.jobs.score import score as score
    from zoolens.jobs.select import SelectReport as SelectReport
    from zoolens.jobs.select import select as select
    from zoolens.jobs.settings import Cut as Cut
    from zoolens.jobs.settings import Inference as Inference
    from zoolens.jobs.settings import Maps as Maps
    from zoolens.jobs.settings import Which as Which
    from zoolens.jobs.similar import SimilarReport as SimilarReport
    from zoolens.jobs.simulate import SimulateReport as SimulateReport
    from zoolens.jobs.simulate import simulate as simulate
    from zoolens.jobs.status import StatusReport as StatusReport
    from zoolens.jobs.status import status as status
    from zoolens.jobs.survey_reports import SurveyReport as SurveyReport
    from zoolens.jobs.train import TrainReport as TrainReport
    from zoolens.jobs.train import train as train
    from zoolens.jobs.verify import VerifyReport as VerifyReport
    from zoolens.jobs.verify import verify as verify
    from zoolens.jobs.worst import worst as worst
    from zoolens.opened import Catalog as Catalog
    from zoolens.opened import open as open  # noqa: A004

    __version__: str

# Every public name and the module that has it; the imports above say the same to type checkers.
_PLACES = {
    "AnswerFacts": "zoolens.catalog.store.facts",
    "Catalog": "zoolens.opened",
    "CatalogBusy": "zoolens.catalog.errors",
    "CatalogError": "zoolens.catalog.errors",
    "Crowd": "zoolens.catalog.sky.volunteers",
    "Cut": "zoolens.jobs.settings",
    "Deprecation": "zoolens.catalog.errors",
    "EvaluateReport": "zoolens.jobs.evaluate",
    "ExplainReport": "zoolens.jobs.explain",
    "Explained": "zoolens.explained",
    "GalaxyShown": "zoolens.catalog.explain.one_galaxy",
    "HistogramReport": "zoolens.jobs.histogram",
    "ImageRefused": "zoolens.catalog.errors",
    "IndexReport": "zoolens.jobs.index",
    "Inference": "zoolens.jobs.settings",
    "IngestReport": "zoolens.jobs.reports",
    "KeepReport": "zoolens.jobs.keep",
    "Maps": "zoolens.jobs.settings",
    "Measure": "zoolens.catalog.evaluation.measures",
    "ModelRefused": "zoolens.catalog.errors",
    "NotInstalled": "zoolens.catalog.errors",
    "NothingHere": "zoolens.catalog.errors",
    "Outdated": "zoolens.catalog.errors",
    "PictureReport": "zoolens.jobs.picture",
    "PredictReport": "zoolens.jobs.reports",
    "QueryRefused": "zoolens.catalog.errors",
    "ReleaseReport": "zoolens.jobs.release",
    "Replaced": "zoolens.catalog.store.ingests",
    "Report": "zoolens.jobs.reports",
    "ScoreReport": "zoolens.jobs.score",
    "Segments": "zoolens.catalog.images.segments",
    "SelectReport": "zoolens.jobs.select",
    "SimilarReport": "zoolens.jobs.similar",
    "SimulateReport": "zoolens.jobs.simulate",
    "StatusReport": "zoolens.jobs.status",
    "SurveyReport": "zoolens.jobs.survey_reports",
    "TableRefused": "zoolens.catalog.errors",
    "Title": "zoolens.catalog.release.provenance",
    "Told": "zoolens.catalog.errors",
    "TrainReport": "zoolens.jobs.train",
    "UnknownName": "zoolens.catalog.errors",
    "VerifyReport": "zoolens.jobs.verify",
    "View": "zoolens.catalog.images.view",
    "Which": "zoolens.jobs.settings",
    "adopt": "zoolens.jobs.adopt",
    "evaluate": "zoolens.jobs.evaluate",
    "explain": "zoolens.jobs.pipeline",
    "explain_picture": "zoolens.jobs.picture",
    "histogram": "zoolens.jobs.histogram",
    "index": "zoolens.jobs.index",
    "ingest": "zoolens.jobs.ingest",
    "keep": "zoolens.jobs.keep",
    "open": "zoolens.opened",
    "predict": "zoolens.jobs.predict",
    "release": "zoolens.jobs.pipeline",
    "score": "zoolens.jobs.score",
    "select": "zoolens.jobs.select",
    "similar": "zoolens.jobs.pipeline",
    "simulate": "zoolens.jobs.simulate",
    "status": "zoolens.jobs.status",
    "train": "zoolens.jobs.train",
    "verify": "zoolens.jobs.verify",
    "worst": "zoolens.jobs.worst",
}


if not TYPE_CHECKING:  # to type checkers, any other name is a mistake

    def __getattr__(name: str) -> Any:
        """A public name, loaded when it is first asked for."""
        if name == "__version__":
            from importlib.metadata import version

            found: Any = version("zoolens")
        elif name in _PLACES:
            from importlib import import_module

            from zoolens.catalog.deprecated import tell_of_name

            tell_of_name(name)
            found = getattr(import_module(_PLACES[name]), name)
            if ".jobs." in _PLACES[name] and not isinstance(found, type):
                found = _taking_text(found)
        else:
            raise AttributeError(f"module 'zoolens' has no attribute {name!r}")
        globals()[name] = found
        return found


def _taking_text(job: "Callable[..., Any]") -> "Callable[..., Any]":
    """A job that also takes text where it takes a path."""
    import inspect
    from functools import wraps
    from pathlib import Path

    signature = inspect.signature(job)
    paths = {n for n, p in signature.parameters.items() if p.annotation in (Path, Path | None)}

    @wraps(job)
    def run(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named)
        for name in paths & given.arguments.keys():
            if isinstance(given.arguments[name], str):
                given.arguments[name] = Path(given.arguments[name])
        return job(*given.args, **given.kwargs)

    return run


def __dir__() -> list[str]:
    return [*_PLACES, "__version__"]
