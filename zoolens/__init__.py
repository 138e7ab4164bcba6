"""Zoolens: a galaxy-morphology catalogue that can say why.

`zoolens.open` gives a catalogue to look at; the jobs that make and use one are here by
name, as on the command line: `zoolens.ingest(catalog, votes, ...)`, paths as `Path` or as
text. Everything is imported only when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from zoolens.catalog.errors import CatalogError as CatalogError
    from zoolens.catalog.images.view import View as View
    from zoolens.catalog.release.provenance import Title as Title
    from zoolens.catalog.sky.volunteers import Crowd as Crowd
    from zoolens.jobs.adopt import adopt as adopt
    from zoolens.jobs.evaluate import evaluate as evaluate
    from zoolens.jobs.histogram import histogram as histogram
    from zoolens.jobs.index import index as index
    from zoolens.jobs.ingest import ingest as ingest
    from zoolens.jobs.keep import keep as keep
    from zoolens.jobs.picture import explain_picture as explain_picture
    from zoolens.jobs.pipeline import explain as explain
    from zoolens.jobs.pipeline import release as release
    from zoolens.jobs.pipeline import similar as similar
    from zoolens.jobs.predict import predict as predict
    from zoolens.jobs.score import score as score
    from zoolens.jobs.select import select as select
    from zoolens.jobs.settings import Cut as Cut
    from zoolens.jobs.settings import Inference as Inference
    from zoolens.jobs.settings import Maps as Maps
    from zoolens.jobs.settings import Which as Which
    from zoolens.jobs.simulate import simulate as simulate
    from zoolens.jobs.status import status as status
    from zoolens.jobs.train import train as train
    from zoolens.jobs.verify import verify as verify
    from zoolens.jobs.worst import worst as worst
    from zoolens.opened import Catalog as Catalog
    from zoolens.opened import open as open  # noqa: A004

    __version__: str

# Every public name and the module that has it; the imports above say the same to type checkers.
_PLACES = {
    "Catalog": "zoolens.opened",
    "CatalogError": "zoolens.catalog.errors",
    "Crowd": "zoolens.catalog.sky.volunteers",
    "Cut": "zoolens.jobs.settings",
    "Inference": "zoolens.jobs.settings",
    "Maps": "zoolens.jobs.settings",
    "Title": "zoolens.catalog.release.provenance",
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
