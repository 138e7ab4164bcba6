"""The functions that ADQL has not and this service has: what they take, and what they give."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlglot import exp

from zoolens.catalog.serve.adql.parsing import place, refused
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.functions import AS_MAPS, PREDICTIONS, VOTES


@dataclass(frozen=True)
class Own:
    """A function: how it is written (TAPRegExt), what it does, and the column that it gives.

    names: what each of its arguments names; words: which words the arguments after these may be,
    of which the first is meant where none is given; reads: the tables that it needs, of which
    {0}, {1} are those words; macro: its name in DuckDB, by the same words.
    """

    form: str
    description: str
    column: Column
    names: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    reads: tuple[str, ...]
    macro: str


OWN: Mapping[str, Own] = {
    "SIMILARITY": Own(
        "similarity(galaxy VARCHAR, other VARCHAR, question VARCHAR, of_galaxy VARCHAR, "
        "of_other VARCHAR) -> DOUBLE",
        "How alike a galaxy is to another one in the answers to a question, as zoolens similar has "
        "it: the sum over the answers of p log q + (1 - p) log(1 - q), in nat, 0 or less, larger "
        "for more alike; q: fractions of the galaxy, p: of the other one. Both are vote fractions "
        "unless the words 'votes' or 'predictions' say which each is (one word for both, or two). "
        "NULL where nobody was asked, or nothing is predicted.",
        Column(
            "similarity",
            "DOUBLE",
            "similarity of answers to a question, nat, 0 or less",
            ucd="stat.fit.goodness",
        ),
        ("galaxy", "galaxy", "question"),
        ((VOTES, PREDICTIONS), (VOTES, PREDICTIONS)),
        ("{0}", "{1}"),
        "zoolens_similarity_{0}_{1}",
    ),
    "SALIENCY_MAP": Own(
        "saliency_map(galaxy VARCHAR, label VARCHAR, what VARCHAR) -> REAL[]",
        "The saliency map of a galaxy for an answer, an array of height times width, row-major, in "
        "units of concentration: positive pixels raise the answer. It is the mean over dropout "
        "samples, or with 'sd' their standard deviation. NULL where there is none.",
        Column(
            "saliency_map",
            "FLOAT[]",
            "saliency map, row-major, in units of concentration",
            ucd="stat.value",
            arraysize=AS_MAPS,
        ),
        ("galaxy", "label"),
        (("mean", "sd"),),
        ("saliency", "answers"),
        "zoolens_map_{0}",
    ),
}
FUNCTIONS = frozenset(OWN)


def also_read(text: str) -> str:
    """A query with the names of tables that it may ask by functions of our own."""
    named = {"similarity": "galaxies answers votes", "saliency_map": "galaxies answers saliency"}
    return " ".join([text, *(words for name, words in named.items() if name in text.lower())])


class Given(NamedTuple):
    """A name that is written out in a query: of what, and where it stands."""

    kind: str
    name: str
    at: str


class Called(NamedTuple):
    """What the functions of a query need: their macros, tables, and the names they were given."""

    macros: frozenset[str]
    reads: frozenset[str]
    given: tuple[Given, ...]


def replaced(text: str, tree: exp.Expr) -> Called:
    """Let a tree call macros; which, and what they need. Raises `AdqlError` for a wrong call."""
    macros: set[str] = set()
    reads: set[str] = set()
    given: list[Given] = []
    for node in list(tree.find_all(exp.Anonymous)):
        own = OWN.get(node.name.upper())
        if own is None:
            continue
        words = _words(text, node, own)
        names = node.expressions[: len(own.names)]
        given += [
            Given(kind, part.name, place(text, node))
            for kind, part in zip(own.names, names, strict=True)
            if isinstance(part, exp.Literal)
        ]
        reads |= {name.format(*words) for name in own.reads}
        node.set("this", own.macro.format(*words))
        node.set("expressions", names)
        macros.add(node.name)
    return Called(frozenset(macros), frozenset(reads), tuple(given))


def _words(text: str, node: exp.Anonymous, own: Own) -> list[str]:
    """The words after the names; where there are fewer, the last again, or the first of all."""
    least, most = len(own.names), len(own.names) + len(own.words)
    if not least <= len(node.expressions) <= most:
        raise refused(
            text, node, f"{node.name} takes {least} to {most}: {own.form.split(' -> ')[0]}"
        )
    found: list[str] = []
    for part, choice in zip(node.expressions[least:], own.words, strict=False):
        if not (isinstance(part, exp.Literal) and part.is_string and part.name.lower() in choice):
            raise refused(text, part, f"this is one of {', '.join(map(repr, choice))}")
        found.append(part.name.lower())
    while len(found) < len(own.words):
        found.append(found[-1] if found else own.words[0][0])
    return found
