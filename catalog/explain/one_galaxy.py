"""One galaxy to look at: its image, what volunteers and network say of it, and the loss."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.maps import image_of
from zoolens.catalog.explain.wording import votes_of
from zoolens.catalog.output.notebook import Markup, beside, fractions, picture, sentence, table
from zoolens.catalog.similarity.listing import costliest_answer
from zoolens.catalog.store.facts import AnswerFacts, facts_of
from zoolens.catalog.store.galaxies import galaxy_ids, read_places
from zoolens.catalog.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 212  # of the image on the page, in pixels: half of what Galaxy Zoo shows
_HEAD = (
    "question",
    "answer",
    "votes",
    "observed",
    "predicted",
    "90 %",
    "votes ▬ network ┃",
    "loss",
)


@dataclass(frozen=True)
class GalaxyShown:
    """A galaxy as a notebook shows it.

    name: its `iauname`; ra, dec: degrees, ICRS, None where unknown; image: (H, W, 3) in 0..255 as
    the model saw it, None where there is none; facts: `AnswerFacts` of each answer, in tree order;
    costliest: the label of the answer to look at first, None where none stands out.
    """

    name: str
    ra: float | None
    dec: float | None
    image: npt.NDArray[np.uint8] | None
    facts: Sequence[AnswerFacts]
    costliest: str | None

    @property
    def table(self) -> "pd.DataFrame":
        """A row an answer: votes, observed and predicted fraction, its 90 % interval, loss, nat."""
        from zoolens.catalog.output.frame import Frame

        return Frame([vars(fact) for fact in self.facts])

    def __repr__(self) -> str:
        look = next((fact for fact in self.facts if fact.label == self.costliest), None)
        if look is None:
            return f"galaxy {self.name}"
        return f"galaxy {self.name}: {look.label}, {_said(look)}"

    def _repr_html_(self) -> str:
        at = "" if self.ra is None or self.dec is None else f"at {self.ra:.5f} {self.dec:+.5f} deg"
        numbers = table(_HEAD, self._rows(), units={"loss": "nat"})
        left_out = len({fact.question for fact in self.facts} - {*self._asked()})
        more = (
            sentence(f"questions that nobody was asked, {left_out}: in .table") if left_out else ""
        )
        head = sentence(at, strong=self.name)
        if self.image is None:
            return head + numbers + more
        shown = picture(self.image, f"image of {self.name}", width=_WIDTH)
        return head + beside(shown, numbers + more)

    def _asked(self) -> list[str]:
        """Questions that somebody was asked; without votes, all that are predicted."""
        voted = [fact.question for fact in self.facts if fact.total]
        return voted or [fact.question for fact in self.facts if fact.predicted is not None]

    def _rows(self) -> Iterator[list[object]]:
        last = ""
        for fact in self.facts:
            if fact.question not in self._asked():
                continue
            named, last = ("" if fact.question == last else fact.question), fact.question
            interval = "" if fact.lo is None else f"{fact.lo:.2f} to {fact.hi:.2f}"
            here = "▸ " if fact.label == self.costliest else ""
            yield [
                named,
                here + fact.answer,
                votes_of(fact.count, fact.total) if fact.total else "-",
                _fraction(fact.observed),
                _fraction(fact.predicted),
                interval,
                Markup(fractions(fact.observed, fact.predicted, fact.lo, fact.hi)),
                fact.ce,
            ]


def one_galaxy(store: Store, name: str) -> GalaxyShown:
    """A galaxy of a catalogue to look at. Raises `UnknownName` if it is not there."""
    (number,) = galaxy_ids(store, [name])
    (place,) = read_places(store, np.array([number], np.int64))
    try:
        image = image_of(store, name)
    except CatalogError:  # none was ingested, or its file is not there any more
        image = None
    try:
        costliest = store.tree.labels[costliest_answer(store, name, number)]
    except CatalogError:  # neither loss nor prediction
        costliest = None
    facts = facts_of(store, [number])[number]
    return GalaxyShown(name, place.ra, place.dec, image, facts, costliest)


def _said(fact: AnswerFacts) -> str:
    observed = votes_of(fact.count, fact.total) if fact.total else "no"
    predicted = "none" if fact.predicted is None else f"{fact.predicted:.2f}"
    return f"{observed} votes, predicted {predicted}"


def _fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
