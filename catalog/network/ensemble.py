"""Several models that answer the same questions, each with its own view: an ensemble.

The posterior of an ensemble is the even mixture of its models' dropout samples, as Galaxy Zoo
DECaLS and DESI pooled theirs (Walmsley et al. 2022, section 5; 2023). One model is an
ensemble of one, and nothing about it is different.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import (
    ZoobotModel,
    check_size,
    dropout_masks,
    load_model,
    path_of,
    predicts_votes,
)


@dataclass(frozen=True)
class Member:
    """A model of an ensemble, perhaps its only one.

    source: its file, absolute, or its name on the hub; model: with the answers of a tree; view:
    what it is shown, in as many channels as it takes.
    """

    source: str
    model: ZoobotModel
    view: View

    def masks(self, samples: int, seed: int, orientations: int = 1) -> Tensor:
        """Its masks of dropout (T, D): the same whatever models are beside it.

        Of sample t the image is seen in orientation t mod K: without dropout T is K.
        """
        model = self.model
        drawn = dropout_masks(samples, model.weight.shape[1], model.dropout_rate, seed)
        return drawn if samples else drawn.repeat(orientations, 1)


def predict_votes(sources: Sequence[str]) -> bool:
    """Whether models are of decision trees, and not one classifier or regressor.

    Raises `ModelRefused` if one of several is no tree's.
    """
    others = [source for source in sources if not predicts_votes(source)]
    if others and len(sources) > 1:
        raise ModelRefused(
            f"{others[0]} is no model of a decision tree: only those predict together"
        )
    return not others


def load_ensemble(
    sources: Sequence[str],
    tree: DecisionTree,
    view: View | None = None,
    grey_as_colour: bool = False,
) -> tuple[Member, ...]:
    """The models of `sources`, in that order, with the answers of a tree.

    view: of all of them; unless given each has its own, or else the default. grey_as_colour:
    those of three channels are shown images of one. Raises
    `ModelRefused` for a model that cannot be used (`load_model`, `check_size`), that is there
    twice, or that does not answer the very questions that the first one does; `CatalogError`
    for a greyscale view of a model that takes colour.
    """
    members = tuple(load_member(source, tree, view, grey_as_colour) for source in sources)
    check_together(members, tree)
    return members


def check_together(members: Sequence[Member], tree: DecisionTree) -> None:
    """Raises `ModelRefused` for members that cannot be pooled, as `load_ensemble` does."""
    first, known = members[0], {members[0].model.sha256: members[0].source}
    answered = first.model.missing_questions(tree)
    for member in members[1:]:
        sha256 = member.model.sha256
        if sha256 in known:
            raise ModelRefused(
                f"{known[sha256]} and {member.source} are the same model, of SHA-256 "
                f"{sha256[:12]}…; name each model once"
            )
        known[sha256] = member.source
        only = set(answered) ^ set(member.model.missing_questions(tree))
        if only:
            name = next(q.name for q in tree.questions if q.name in only)
            has, lacks = (member, first) if name in answered else (first, member)
            raise ModelRefused(
                f"{lacks.source} does not answer {name}, which {has.source} does; pool models "
                "that answer the same questions"
            )


def load_member(
    source: str, tree: DecisionTree, view: View | None = None, grey_as_colour: bool = False
) -> Member:
    """One model and its view; arguments, and what is raised, as of `load_ensemble`."""
    return _as_asked(source, load_model(source).for_tree(tree), view, grey_as_colour)


def load_estimator(
    source: str,
    view: View | None = None,
    grey_as_colour: bool = False,
    names: Sequence[str] = (),
) -> Member:
    """A classifier or regressor and its view, its outputs called `names` if they are given.

    Arguments, and what else is raised, as of `load_ensemble`. Raises `ModelRefused` for names that
    do not fit (`ZoobotModel.named`).
    """
    model = load_model(source)
    if names:
        model = model.named(tuple(names))
    return _as_asked(source, model, view, grey_as_colour)


def _as_asked(source: str, model: ZoobotModel, view: View | None, grey_as_colour: bool) -> Member:
    view = view or model.view or View()
    if view.greyscale and model.channels != 1:
        raise CatalogError(f"{source} takes colour images; leave out the greyscale view")
    return shown_to(source, model, view, grey_as_colour)


def shown_to(source: str, model: ZoobotModel, view: View, grey_as_colour: bool = False) -> Member:
    """A model that is shown a view, in its channels. Raises `ModelRefused` if it cannot be."""
    check_size(model, view.size)
    grey = model.channels == 1
    as_colour = (grey_as_colour or view.grey_as_colour) and not grey
    shown = replace(view, greyscale=grey, grey_as_colour=as_colour)
    return Member(path_of(source), model, shown)


def sha256_of_models(members: Sequence[Member]) -> str:
    """SHA-256 of the model's file; of several models that of their checksums, a line each."""
    each = [member.model.sha256 for member in members]
    if len(each) == 1:
        return each[0]
    return hashlib.sha256("".join(f"{sha256}\n" for sha256 in each).encode()).hexdigest()


def settings_of(members: Sequence[Member]) -> dict[str, Any]:
    """What of the models identifies a run beside their checksum, JSON-able.

    view: what galaxies are displayed in, the first model's; models: of several, the checksum
    and the view of each, in order.
    """
    settings: dict[str, Any] = {"view": members[0].view.config()}
    if len(members) > 1:
        settings["models"] = [
            {"sha256": member.model.sha256, "view": member.view.config()} for member in members
        ]
    return settings


def origin_of(members: Sequence[Member]) -> dict[str, Any]:
    """Where the models came from, and what they are, for the ledger."""
    sources = [member.source for member in members]
    architectures = [member.model.architecture for member in members]
    if len(members) == 1:
        return {"model": sources[0], "architecture": architectures[0]}
    return {"models": sources, "architectures": architectures}
