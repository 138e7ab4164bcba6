"""What may be chosen of a galaxy's products, checked before any process sees it."""

import math
from collections.abc import Callable, Mapping

from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.tap.formats import format_of
from zoolens.catalog.serve.tap.parameters import BadRequest

Check = Callable[[str], bool]
_WEIGHT = "weight."
_MOST = 100  # counterparts of a kind
_HEAVIEST = 1e9  # as of `catalog.scoring.weights`
_LONGEST = 1_000  # characters of a value


def _number(least: float, most: float) -> Check:
    def check(value: str) -> bool:
        try:
            return math.isfinite(float(value)) and least <= float(value) <= most
        except ValueError:
            return False

    return check


def _whole(least: int, most: int) -> Check:
    return lambda value: value.isascii() and value.isdecimal() and least <= int(value) <= most


def _one_of(*names: str) -> Check:
    return lambda value: value in names


def _text(value: str) -> bool:
    return 0 < len(value) <= _LONGEST


_RUN = (_whole(1, 2**31 - 1), "the number of a run")
_OF = (
    _one_of("fraction", "concentration", "cross_entropy"),
    "fraction, concentration or cross_entropy",
)
_K = (_whole(1, _MOST), f"a whole number from 1 to {_MOST}")
_FORM = (_text, "the name of a format")
_NAME = (_text, "the name of a question or label")
# Of each product the choices by name: whether a value is one, and what one is.
_CHOICES: dict[str, dict[str, tuple[Check, str]]] = {
    "image": {},
    "image.png": {},
    "outline.png": {},
    "maps.json": {"run": _RUN, "of": _OF},
    "map": {
        "run": _RUN,
        "of": _OF,
        "show": (_one_of("increase", "decrease", "both"), "increase, decrease or both"),
        "on": (_one_of("image", "nothing"), "image or nothing"),
    },
    "maps.fits": {"run": _RUN},
    "votes.json": {},
    "counterparts": {
        "question": _NAME,
        "answer": _NAME,
        "exchange": (_one_of("question", "answer"), "question or answer"),
        "k": _K,
        "min_votes": (_number(0, _HEAVIEST), "a number of votes"),
        "RESPONSEFORMAT": _FORM,
        _WEIGHT: (_number(0, _HEAVIEST), f"a number from 0 to {_HEAVIEST:.0e}"),
    },
    "similar": {
        "k": _K,
        "RESPONSEFORMAT": _FORM,
        _WEIGHT: (_number(0, _HEAVIEST), f"a number from 0 to {_HEAVIEST:.0e}"),
    },
}


def product_of(galaxy: str, what: str, given: Mapping[str, str], **fixed: str) -> Product:
    """The product that parameters ask for; fixed: choices that the address itself makes.

    What is chosen of something else is passed over, as of parameters that are not known. Raises
    `BadRequest` for a value that is none, `CatalogError` for a format that is none.
    """
    if not _text(galaxy):
        raise BadRequest(f"the name of a galaxy has 1 to {_LONGEST:,} characters")
    known = _CHOICES[what]
    chosen = dict(fixed)
    for name, value in given.items():
        kind = _WEIGHT if name.startswith(_WEIGHT) else name
        if kind not in known or value == "":
            continue
        check, words = known[kind]
        if not check(value):
            raise BadRequest(f"{name[:80]}={value[:80]}; it is {words}")
        if kind == "RESPONSEFORMAT":
            format_of(value)
        chosen[name] = value
    return Product(galaxy, what, tuple(sorted(chosen.items())))
