"""Which columns of a table are to be kept, and by what name."""

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from zoolens.catalog.errors import CatalogError, TableRefused, UnknownName, nearest
from zoolens.catalog.formats.columns import LONGEST_NAME

_MOST = 200  # columns


def listed(text: str) -> list[str]:
    """Names separated by commas; one that has a comma itself stands in quotation marks."""
    (row,) = csv.reader([text], skipinitialspace=True)
    return [name.strip() for name in row if name.strip()]


def asked(path: Path, columns: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Columns of a table by the name that each is to have: its own, or `new` of `new=old`.

    columns: those of the table; names: what was asked for. Raises `UnknownName`, with the nearest,
    for one that the table does not have, `CatalogError` for none, too many, names that no table
    can have, and two that differ by nothing but case.
    """
    if not names:
        raise CatalogError(f"name the columns of {path} to keep, such as {', '.join(columns[:3])}")
    if len(names) > _MOST:
        raise CatalogError(f"{len(names)} columns of your own are too many; keep up to {_MOST}")
    found: dict[str, str] = {}
    for name in names:
        new, old = _renamed(name, columns)
        if old not in columns:
            near = nearest(old, list(columns))
            raise UnknownName(f"{path} has no column {old!r} to keep; nearest: {near}")
        if not new.isprintable() or not 0 < len(new) <= LONGEST_NAME or new != new.strip():
            raise CatalogError(
                f"{path}: {new!r:.80} is no name of a column; keep it under one of up to "
                f"{LONGEST_NAME} printable letters: new=old"
            )
        if twin := next((other for other in found if other.lower() == new.lower()), None):
            raise CatalogError(
                f"two columns to keep are called {new!r} and {twin!r}, and SQL does not tell "
                "capitals: name one another way, new=old"
            )
        found[new] = old
    return found


def check_names(names: Mapping[str, str], taken: Collection[str], held: Collection[str]) -> None:
    """Refuse names that the catalogue's own views and releases have, or that differ by case.

    taken: those names; held: columns of the user's that there are already. Raises `CatalogError`.
    """
    reserved = {name.lower(): name for name in taken}
    known = {name.lower(): name for name in held}
    for new, old in names.items():
        if (theirs := reserved.get(new.lower())) is not None:
            raise CatalogError(
                f"the catalogue and its releases have a column {theirs!r} already; keep yours "
                f"under another name, such as my_{new}={old}"
            )
        if (own := known.get(new.lower(), new)) != new:
            raise CatalogError(
                f"the catalogue has your column {own!r}, and SQL does not tell capitals: if "
                f"{new!r} is the same, write {own}={old}, else keep it under another name, new=old"
            )


def _renamed(name: str, columns: Sequence[str]) -> tuple[str, str]:
    """The new and the old name of what was asked for."""
    new, sign, old = name.partition("=")
    if name in columns or not sign:
        return name, name
    return new.strip(), old.strip()


def conflict(path: Path, name: str, held: str, new: str) -> TableRefused:
    """The error for a column that is of another kind than the one of that name."""
    return TableRefused(
        f"{path}: your column {name!r} is {held} in the catalogue, and {new} here; keep this one "
        "under another name, new=old"
    )
