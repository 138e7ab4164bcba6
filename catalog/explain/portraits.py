"""What is known of a galaxy and an answer, collected for figures and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Mask
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.choice import Subject
from zoolens.catalog.explain.derived import known, made_fractions, of_fractions
from zoolens.catalog.explain.maps import NO_VOTES, question_maps
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import central_segment, coverage
from zoolens.catalog.saliency.arithmetic import Of, map_statistics
from zoolens.catalog.similarity.target import Target
from zoolens.catalog.store.facts import AnswerFacts, facts_of
from zoolens.catalog.store.galaxies import read_galaxies
from zoolens.catalog.store.store import Run, Store

if TYPE_CHECKING:
    from torch import Tensor

    from zoolens.catalog.explain.model import ExplainedModel

SELECTED = "selected"
OBSERVED = "observed counterpart"
PREDICTED = "predicted counterpart"
ALIKE = "predicted alike"


@dataclass(frozen=True)
class Picture:
    """A galaxy's image and its map for one answer.

    pixels: (H, W, 3), as the model saw it, in colour; segment: (H, W) of the central
    galaxy, or None; mean: (h, w), the map itself; sd: over dropout
    samples, known only for maps of concentrations; on_target and lowered_on_target: share of
    the positive and of the negative saliency on the segment, or None; predicted: of a map of the
    fraction, the expected fraction that it is of; baseline: what that would be without what the
    map shows, where the map adds up to the difference.
    """

    pixels: npt.NDArray[np.uint8]
    segment: Mask | None
    mean: npt.NDArray[np.floating]
    sd: npt.NDArray[np.float32] | None
    on_target: float | None
    lowered_on_target: float | None = None
    predicted: float | None = None
    baseline: float | None = None


def picture_of(
    pixels: npt.NDArray[np.uint8],
    mean: npt.NDArray[np.floating],
    sd: npt.NDArray[np.float32] | None = None,
    *,
    predicted: float | None = None,
    baseline: float | None = None,
) -> Picture:
    """The picture of an image (H, W, 3) and a map (h, w), its segment found in the image."""
    segment = central_segment(pixels)
    covered = None if segment is None else coverage(segment, *mean.shape)
    shares = map_statistics(np.stack([mean, -mean]), covered)["on_target"].tolist()
    raised, lowered = map(known, shares)
    return Picture(pixels, segment, mean, sd, raised, lowered, predicted, baseline)


@dataclass(frozen=True)
class Portrait:
    """A galaxy in its role: facts for all A answers, and a picture or why there is none.

    target: of a counterpart, what was asked for beside what it has: observed fractions of an
    observed one, predicted ones of others.
    """

    role: str
    iauname: str
    facts: Sequence[AnswerFacts]
    picture: Picture | None
    missing: str = ""
    target: Target | None = None

    @property
    def by_votes(self) -> bool:
        """Whether it is the observed fraction that was asked for."""
        return self.role == OBSERVED

    @property
    def voted(self) -> bool:
        """Whether anybody voted on the galaxy."""
        return any(fact.total is not None for fact in self.facts)


@dataclass(frozen=True)
class Explanation:
    """A selected galaxy and its counterparts, for one answer.

    answer_id: which of the facts it is about; portraits: the selected galaxy first;
    notes: what a reader must know of them; of: what the maps are of.
    """

    answer_id: int
    portraits: Sequence[Portrait]
    notes: Sequence[str]
    of: Of = "fraction"

    @property
    def selected(self) -> Portrait:
        return self.portraits[0]

    @property
    def fact(self) -> AnswerFacts:
        """What is known of the selected galaxy's answer."""
        return self.selected.facts[self.answer_id]


def read_explanation(
    store: Store,
    run: Run,
    subject: Subject,
    explained: "ExplainedModel",
    reader: ImageReader,
    of: Of,
) -> Explanation:
    """A subject and its counterparts, with the maps of an explain run.

    Maps of fractions and losses are made from the images anew (`catalog.explain.derived`).
    A galaxy without such a map has the reason in its place.
    """
    second = PREDICTED if subject.exchanged else ALIKE
    others = [(OBSERVED, subject.observed), (second, subject.predicted)]
    cast: list[tuple[str, int, Target | None]] = [(SELECTED, subject.galaxy_id, None)]
    cast += [(role, other.galaxy_id, other.target) for role, other in others if other is not None]
    facts = facts_of(store, {galaxy_id for _, galaxy_id, _ in cast})
    portraits = []
    for role, galaxy_id, target in cast:
        known = _shown(store, run, galaxy_id, subject.answer_id, explained, reader, of)
        name, picture, missing = known
        portraits.append(Portrait(role, name, facts[galaxy_id], picture, missing, target))
    return Explanation(subject.answer_id, portraits, (*explained.notes, *subject.notes), of)


def _shown(
    store: Store,
    run: Run,
    galaxy_id: int,
    answer_id: int,
    explained: "ExplainedModel",
    reader: ImageReader,
    of: Of,
) -> tuple[str, Picture | None, str]:
    """A galaxy's name, and its picture or why there is none."""
    (galaxy,) = read_galaxies(store, np.array([galaxy_id]))
    if not galaxy.source:
        return galaxy.iauname, None, "no image of this galaxy was ingested"
    try:
        image = reader.open(galaxy.source, galaxy.member, sha256=galaxy.sha256)
        seen, pixels = explained.view.both(image)
        picture = _picture(store, run, galaxy_id, answer_id, explained, seen, pixels, of)
    except CatalogError as error:
        return galaxy.iauname, None, str(error)
    return galaxy.iauname, picture, ""


def _picture(
    store: Store,
    run: Run,
    galaxy_id: int,
    answer_id: int,
    explained: "ExplainedModel",
    seen: "Tensor",
    pixels: npt.NDArray[np.uint8],
    of: Of,
) -> Picture:
    """An image as the model saw it, with the map of an answer."""
    tree = store.tree
    place = answer_id - tree.slices[tree.question_of[answer_id]].start
    mean, sd = (
        question_maps(store, run, galaxy_id, answer_id, tree, sd=sd)[place] for sd in (False, True)
    )
    if of == "concentration":
        return picture_of(pixels, mean, sd)
    wanted = {galaxy_id: [answer_id]}
    fractions = made_fractions(store, explained, seen[None], np.array([galaxy_id]), wanted)
    found = of_fractions(store, fractions, of)
    if (galaxy_id, answer_id) not in found:
        raise CatalogError(NO_VOTES.format(tree.labels[answer_id]))
    shown = found[galaxy_id, answer_id]
    if of != "fraction":
        return picture_of(pixels, shown)
    made = fractions[galaxy_id, answer_id]
    return picture_of(pixels, shown, predicted=made.expected, baseline=made.baseline)


def outside_votes(portrait: Portrait, question: str) -> float:
    """How many volunteers gave a question an answer that the tree does not have."""
    facts = [fact for fact in portrait.facts if fact.question == question]
    return (facts[0].total or 0) - sum(fact.count or 0 for fact in facts)


def relevant_questions(explanation: Explanation, tree: DecisionTree) -> list[str]:
    """Questions that matter for an explanation, in tree order.

    These are the question of its answer, those that lead to it, and those that at least half
    of the selected galaxy's volunteers were asked (Walmsley et al. 2022, section 4).
    """
    chosen = {explanation.fact.question}
    parents = {q.name: {a.rsplit("_", 1)[0] for a in q.asked_after} for q in tree.questions}
    while missing := set().union(*(parents[name] for name in chosen)) - chosen:
        chosen |= missing
    totals = {fact.question: fact.total or 0 for fact in explanation.selected.facts}
    most = max(totals.values())
    chosen |= {name for name, total in totals.items() if total and total >= most / 2}
    return [question.name for question in tree.questions if question.name in chosen]
