"""What is asked of a process that answers a query, and what it may take."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


def scratch_of(process: int) -> Path:
    """The folder of what a process that answers writes; gone with it, however that ends."""
    return Path(tempfile.gettempdir()) / f"zoolens-query-{process}"


def reason_of(process: int) -> Path:
    """The file in which such a process says why it breaks off an answer that has begun."""
    return scratch_of(process) / "reason.txt"


# How such a process ends, beside well: what it lacked, or that there is a fault in it, or that the
# answer cannot be ended, for which it gives a reason.
MEMORY, FAILED, BROKEN = 71, 70, 69


@dataclass(frozen=True)
class Limits:
    """What a query may take: seconds, bytes of memory, bytes of its answer; threads."""

    seconds: float = 60.0
    memory: int = 1 << 30
    size: int = 1 << 32
    threads: int = 2


def too_much(limits: Limits) -> str:
    """What is said of a query that took too much memory."""
    return (
        f"the query was stopped: it took more than {limits.memory / 1e9:.3g} GB of memory; ask for "
        "less at a time (fewer rows to sort or join), by /async too, or have the server allow more "
        "(--memory)"
    )


@dataclass(frozen=True)
class Asked:
    """A query: its text, the name of a format, the most rows, tables that came with it.

    uploads: VOTables, by the name of the table; links: the address of DataLink, for answers with
    names of galaxies.
    """

    query: str
    form: str
    rows: int
    uploads: tuple[tuple[str, str], ...] = ()
    links: str = ""


@dataclass(frozen=True)
class Product:
    """Something that is made of one galaxy.

    galaxy: its iauname; what: one of `catalog.serve.products.making.WAYS`; choices: by name, as
    `catalog.serve.products.choices` lets them through.
    """

    galaxy: str
    what: str
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def sees(self) -> bool:
        """Whether pixels are looked at as a model does, which takes its libraries."""
        return self.what in ("image.png", "outline.png", "map", "maps.json")

    def choice(self, name: str) -> str | None:
        """What was chosen by a name; None if nothing was."""
        return dict(self.choices).get(name)


# A part of the sky: CIRCLE, RANGE or POLYGON, with its numbers in degrees, as DALI has them.
Region = tuple[str, tuple[float, ...]]


@dataclass(frozen=True)
class Links:
    """What there is of galaxies (DataLink).

    names: each as it was given, and the galaxy's; root: the server's address.
    """

    names: tuple[tuple[str, str], ...]
    root: str
    form: str


@dataclass(frozen=True)
class Cone:
    """Galaxies within a radius (Simple Cone Search), degrees; None for those of no place.

    verbosity: 1 for few columns to 3 for all; rows: the most; root: the server's address.
    """

    circle: tuple[float, float, float] | None
    verbosity: int
    rows: int
    root: str


@dataclass(frozen=True)
class Images:
    """Images of galaxies (SIA 2): in any of some regions, of any of some names, of any format.

    Of each that is empty all count. none: what was asked for has no image here, such as a time.
    """

    regions: tuple[Region, ...]
    names: tuple[str, ...]
    formats: tuple[str, ...]
    none: bool
    rows: int
    root: str
    form: str


Listing = Links | Cone | Images
Request = Asked | Product | Listing
_KINDS: dict[str, type[Request]] = {
    "query": Asked,
    "product": Product,
    "links": Links,
    "cone": Cone,
    "images": Images,
}


def packed(asked: Request) -> dict[str, Any]:
    """What is asked, as JSON has it."""
    (kind,) = (name for name, one in _KINDS.items() if isinstance(asked, one))
    return {"kind": kind, **asdict(asked)}


def unpacked(given: dict[str, Any]) -> Request:
    """What `packed` was given."""
    fields = {name: _tuples(value) for name, value in given.items() if name != "kind"}
    return _KINDS[given["kind"]](**fields)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
