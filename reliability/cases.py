"""A case of a campaign, and how it ended.

A case is named `CAMPAIGN/JOB/NUMBER` and draws everything from its own random numbers, so that
its name and the seed say what was done.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from reliability.world import World
from zoolens.catalog.errors import CatalogError, QueryRefused


class Outcome(StrEnum):
    """How a case ended; all but the last are as promised."""

    HELD = "held"  # done, with everything accounted for
    HARMLESS = "harmless"  # damage that changes no answer
    NOTICED = "noticed"  # damage that is said
    REFUSED = "refused"  # an input that is refused, in one line
    FAILED = "FAILED"


@dataclass(frozen=True)
class Verdict:
    """How a case ended, and of how many events (kills, damages, inputs).

    words: what failed, or what was said.
    """

    outcome: Outcome
    words: str = ""
    events: int = 1


@dataclass(frozen=True)
class Case:
    """One try; what it is about is drawn from `random`."""

    campaign: str
    job: str
    number: int
    seed: int
    random: Random = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "random", Random(f"{self.seed}/{self.name}"))

    @property
    def name(self) -> str:
        return f"{self.campaign}/{self.job}/{self.number}"


@dataclass(frozen=True)
class Job:
    """What cases of one name do.

    run: judges a case, whose files are in a folder of its own, in any process. parts: of the
    world, made beforehand. share: how many of the campaign's cases, relative to other jobs;
    events: how many events a case has on average. short: whether the short form has it.
    isolated: whether cases run in workers, which may crash or hang.
    """

    run: Callable[[Case, World, Path], Verdict]
    parts: tuple[str, ...] = ()
    share: float = 1
    events: float = 1
    short: bool = False
    isolated: bool = True


def failed(words: str, events: int = 1) -> Verdict:
    """What was not as promised."""
    return Verdict(Outcome.FAILED, words, events)


def refusal(error: CatalogError) -> Verdict:
    """A refusal; it failed if it is not one line that says something."""
    words = str(error)
    if not words.strip():
        return failed(f"a refusal without a word ({type(error).__name__})")
    if "\n" in words.strip() and not isinstance(error, QueryRefused):
        return failed(f"a refusal of several lines: {words!r}")
    return Verdict(Outcome.REFUSED, words)


def judged(work: Callable[[], Verdict]) -> Verdict:
    """The verdict of some work, or of what it raised."""
    try:
        return work()
    except CatalogError as error:
        return refusal(error)
    except BaseException as error:  # whatever it is, a user would see a traceback
        place = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in place if "reliability" not in frame.filename][-4:]
        where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(ours))
        return failed(f"traceback: {type(error).__name__}: {str(error)[:300]} ({where})")
