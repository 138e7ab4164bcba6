"""What is to go: names of `zoolens`, options, views and columns, from when on, and until when.

The rule is in docs/decisions/deprecation.md. What is listed here still works, and says that it will
not; a test fails once the version has come that was to be without it.
"""

import re
from dataclasses import dataclass
from typing import Literal

from zoolens.catalog.errors import Deprecation, tell

Kind = Literal["name", "option", "view", "column"]


@dataclass(frozen=True)
class Deprecated:
    """One thing that is to go.

    name: `similar`; of an option with its command, `predict --seed`; of a column with its view,
    `losses.ce`. since: the version that first says so; until: the first version without it, at
    least two minor versions on. instead: what to use, in a few words.
    """

    kind: Kind
    name: str
    since: str
    until: str
    instead: str

    @property
    def said(self) -> str:
        """The line that whoever uses it sees."""
        return f"{self.name} goes with Zoolens {self.until}; use {self.instead}"


DEPRECATED: tuple[Deprecated, ...] = ()


def listed(kind: Kind) -> dict[str, Deprecated]:
    """What of a kind is to go, by name."""
    return {one.name: one for one in DEPRECATED if one.kind == kind}


def tell_of_name(name: str) -> None:
    """Warn of a name of `zoolens` that is to go."""
    if found := listed("name").get(name):
        tell(found.said, Deprecation)


def tell_of_query(query: str | None) -> None:
    """Warn of the views and columns that a query names and that are to go."""
    words = set(re.findall(r"\w+", (query or "").lower()))
    for name, found in (listed("view") | listed("column")).items():
        if words.issuperset(name.split(".")):
            tell(found.said, Deprecation)


def typed(words: list[str]) -> list[str]:
    """What to say of a command line, `predict --seed=3`, whose options are to go."""
    known = listed("option")
    names = (f"{words[0]} {word.partition('=')[0]}" for word in words[1:])
    return [known[name].said for name in names if name in known]
