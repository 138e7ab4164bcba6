"""What a counterpart was to have of the question of interest, and what it has.

The search gives the best there is, which may be far from what was asked for. A counterpart is
*close* if no fraction of the question is further from its target than `CLOSE`, or than chance
explains: two standard deviations of a fraction of so many votes (binomial), those of the
counterpart where its votes were sought, those of the selected galaxy where these are the target.
"""

import math
from dataclasses import dataclass

CLOSE = 0.1  # of a fraction: a tenth of the volunteers
_DEVIATIONS = 2.0  # of the binomial noise of votes: 95 % of chance lies within

Fractions = tuple[float | None, ...]  # of a question's K answers, in tree order; None: unknown


@dataclass(frozen=True)
class Target:
    """What was asked for, beside what was found, of the K answers of the question of interest.

    answers (K,): their names; place: which of them is the answer of interest. asked, found (K,):
    fractions in 0..1, None where unknown: votes of an observed counterpart, predictions of a
    predicted one. votes: how many volunteers gave the fractions that are votes, found or asked
    for; None where neither is (galaxies that are predicted alike).
    """

    answers: tuple[str, ...]
    place: int
    asked: Fractions
    found: Fractions
    votes: float | None

    @property
    def fraction(self) -> float | None:
        """What was asked for of the answer of interest."""
        return self.asked[self.place]

    @property
    def found_fraction(self) -> float | None:
        """What was found of the answer of interest."""
        return self.found[self.place]

    @property
    def distance(self) -> float | None:
        """The largest difference of a fraction that was found from its target; None if unknown."""
        return max((off for _, off, _ in self._differences), default=None)

    @property
    def furthest(self) -> tuple[float, float] | None:
        """`distance`, and how large that difference may be; None if unknown.

        A smaller one, of which less is allowed, may still be too large: see `words`.
        """
        return max(((off, allowed) for _, off, allowed in self._differences), default=None)

    @property
    def close(self) -> bool:
        """Whether all of it is as near as `CLOSE` or the chance of the votes (see above)."""
        differences = self._differences
        return bool(differences) and all(off <= allowed for _, off, allowed in differences)

    @property
    def words(self) -> str:
        """How close: `close, at most 0.04 off`, or `not close: smooth 0.49, asked for 0.13`."""
        if self.distance is None:
            return "how close is not known"
        if self.distance <= CLOSE:
            return f"close, at most {self.distance:.2f} off"
        place = max(self._differences, key=lambda one: one[1] / one[2])[0]
        both = f"{self.answers[place]} {self.found[place]:.2f}, asked for {self.asked[place]:.2f}"
        if self.close:
            return f"{both}: within the chance of {self.votes:.0f} votes"
        return f"not close: {both}"

    @property
    def _differences(self) -> list[tuple[int, float, float]]:
        """Of each answer of which both are known: its place, how far it is off, and may be."""
        return [
            (place, abs(asked - found), max(CLOSE, self._chance(asked)))
            for place, (asked, found) in enumerate(zip(self.asked, self.found, strict=True))
            if asked is not None and found is not None
        ]

    def _chance(self, asked: float) -> float:
        """How far chance may take a fraction of so many votes from its target.

        Half a vote more for and against, as among candidates: none of five is no certainty.
        """
        if not self.votes:
            return 0.0
        p = (self.votes * asked + 0.5) / (self.votes + 1)
        return _DEVIATIONS * math.sqrt(p * (1 - p) / self.votes)
