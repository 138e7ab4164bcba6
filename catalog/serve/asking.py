"""What is asked of a process that answers a query, and what it may take."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What a query may take: seconds, bytes of memory, bytes of its answer; threads."""

    seconds: float = 60.0
    memory: int = 1 << 30
    size: int = 1 << 32
    threads: int = 2


@dataclass(frozen=True)
class Asked:
    """A query: its text, the name of a format, the most rows, tables that came with it.

    uploads: VOTables, by the name of the table.
    """

    query: str
    form: str
    rows: int
    uploads: tuple[tuple[str, str], ...] = ()


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


Request = Asked | Product
_KINDS: dict[str, type[Asked] | type[Product]] = {"query": Asked, "product": Product}


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
