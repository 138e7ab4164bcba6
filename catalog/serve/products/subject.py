"""The galaxy that something is made of, found by its name in a catalogue or a survey."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zoolens.catalog.errors import UnknownName
from zoolens.catalog.serve.products.kept import KeptMaps
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.release_file import NAME
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.counterparts import Home, home_of
from zoolens.catalog.survey.folder import is_survey


@dataclass(frozen=True)
class Subject:
    """A galaxy, with the catalogue that holds it, open.

    home: where it is in the survey `served`, None if that is a catalogue; kept: maps that need not
    be made again.
    """

    served: Path
    store: Store
    galaxy_id: int
    name: str
    home: Home | None
    kept: KeptMaps


@dataclass(frozen=True)
class Made:
    """Something that was made: its media type, a name of a file for it, and its bytes."""

    mime: str
    name: str
    body: bytes


@contextmanager
def found(served: Path, name: str, kept: Path) -> Iterator[Subject]:
    """The galaxy of a name; kept: a folder for maps that were made.

    Raises `UnknownName`, with the nearest names, if there is none; and for a release, which has
    tables alone.
    """
    if served.name == NAME:
        raise UnknownName("a release has tables alone: of its galaxies nothing is made; ask TAP")
    home = home_of(served, name) if is_survey(served) else None
    with Store.open(served if home is None else home.path, read_only=True) as store:
        number = galaxy_ids(store, [name])[0] if home is None else home.galaxy_id
        yield Subject(served, store, number, name, home, KeptMaps(kept))
