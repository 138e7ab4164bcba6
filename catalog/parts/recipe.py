"""How a part's rows are made, from settings alone: what a process elsewhere needs to know.

A recipe is small: it names the models, and where they are, and does not hold them. A process
prepares it once, however many parts it computes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Protocol, TypeVar

from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.store.shards import Tables

Work = Callable[[Sequence[Galaxy]], Tables]
Ready = TypeVar("Ready")
ReadyFor = TypeVar("ReadyFor", covariant=True)

# What is typed for each job that has recipes.
COMMANDS = {
    "predict": "predict",
    "estimate": "predict",
    "explain": "explain --all",
    "estimate_maps": "explain --all",
}


class Prepares(Protocol[ReadyFor]):
    """What a process prepares once, such as models; settings and job are as of `Recipe`."""

    @property
    def job(self) -> str: ...

    def settings(self) -> Mapping[str, Any]: ...

    def prepared(self) -> ReadyFor: ...


class Recipe(Protocol):
    """How galaxies with images become rows; it can be pickled, and told apart by its settings.

    job: whose rows they are; table: in which a galaxy has rows once it is done; batch_size:
    galaxies that are worked on together.
    """

    @property
    def job(self) -> str: ...

    @property
    def table(self) -> str: ...

    @property
    def batch_size(self) -> int: ...

    def settings(self) -> Mapping[str, Any]:
        """All that the rows depend on, as JSON has it, and where the models are."""
        ...

    def prepared(self) -> Work:
        """What turns a batch into rows by table, without their run; threads may share it.

        Raises `ModelRefused` for a model that is not there, or not the one that is meant.
        """
        ...


def digest(recipe: Prepares[Any]) -> str:
    """SHA-256 of what a recipe is."""
    return digest_of(recipe.job, recipe.settings())


def digest_of(job: str, settings: Mapping[str, Any]) -> str:
    """As `digest`, of what a recipe says of itself."""
    text = json.dumps([job, dict(settings)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


_PREPARING = Lock()
_ready: dict[str, Any] = {}  # of this process: the last one


def prepared_here(recipe: Prepares[Ready]) -> Ready:
    """A recipe prepared in this process, once: models take seconds to load, and much memory."""
    name = digest(recipe)
    with _PREPARING:
        if name not in _ready:
            _ready.clear()
            _ready[name] = recipe.prepared()
        ready: Ready = _ready[name]
        return ready


def tree_settings(tree: DecisionTree) -> dict[str, Any]:
    """A decision tree as JSON has it."""
    questions = [[one.name, [*one.answers], [*one.asked_after]] for one in tree.questions]
    return {"name": tree.name, "questions": questions}


def tree_from(settings: Any) -> DecisionTree:
    """The tree of `tree_settings`, from a file that cannot be trusted. Raises `CatalogError`."""
    try:
        questions = tuple(
            Question(_text(name), tuple(map(_text, answers)), tuple(map(_text, after)))
            for name, answers, after in settings["questions"]
        )
        return DecisionTree(_text(settings["name"]), questions)
    except (KeyError, TypeError, ValueError):
        raise CatalogError(f"{str(settings)[:80]!r} is no decision tree") from None


def names_from(told: Any) -> tuple[str, ...]:
    """Names from a file that cannot be trusted. Raises `TypeError` for what are none."""
    if not isinstance(told, list) or not told:
        raise TypeError
    return tuple(map(_text, told))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
