"""Galaxies without votes: a table of names, positions and image paths, or the names of images."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_FAULTS
from zoolens.catalog.formats.identifiers import (
    check_digits,
    identifier_columns,
    known_identifiers,
    texts,
)
from zoolens.catalog.formats.kept import KeptTables
from zoolens.catalog.formats.reading import TableFile, check_identifiers_type
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.trees.published import TREE_NAMES, get_tree
from zoolens.catalog.votes.checks import (
    Rows,
    check_identifiers,
    check_positions,
    repeated,
    repeated_reason,
)
from zoolens.catalog.votes.layouts import position_columns
from zoolens.catalog.votes.numbered import numbered

IMAGE = "file_loc"
# What follows the label in the name of a column of votes; a campaign may stand in the label.
_OF_VOTES = r"(_count|_weight|_weighted)?"
_TASKS = re.compile(r"t\d\d_\w+?_a\d+_\w+?_(count|weight|weighted)")


@dataclass(frozen=True)
class GalaxyBlock:
    """N galaxies of a list, in its order.

    names and rows (N,): identifiers, and rows in the file from 1. ra, dec (N,): deg, NaN
    where unknown.
    """

    names: list[str]
    rows: npt.NDArray[np.int64]
    ra: Floats
    dec: Floats


@dataclass(frozen=True)
class GalaxyList:
    """The galaxies of a table without votes, whatever its size.

    position and image: its columns of coordinates and image paths, None if there are none;
    unread: the other columns. rejects: what was
    refused, in row order.
    """

    identifier: str
    position: tuple[str, str] | None = None
    image: str | None = None
    unread: tuple[str, ...] = ()
    rejects: list[Reject] = field(default_factory=list)
    _kept: KeptTables = field(default_factory=KeptTables)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def names(self) -> list[str]:
        """Identifiers of all galaxies, as in the blocks."""
        return self._kept.column("name").to_pylist() if len(self) else []

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Rows in the file of all galaxies, as in the blocks."""
        return self._kept.column("row").to_numpy() if len(self) else np.empty(0, np.int64)

    @property
    def files(self) -> list[str | None] | None:
        """Image paths of all galaxies as the table gives them; None where it has none."""
        if self.image is None:
            return None
        return self._kept.column("file").to_pylist() if len(self) else []

    def blocks(self) -> Iterator[GalaxyBlock]:
        """The galaxies, tens of thousands at a time."""
        for kept in self._kept:
            numbers = (kept[name].to_numpy() for name in ("row", "ra", "dec"))
            yield GalaxyBlock(kept["name"].to_pylist(), *numbers)


def is_galaxy_list(
    path: Path, identifier: str | None = None, trees: Iterable[DecisionTree] = ()
) -> bool:
    """Whether a table names galaxies, and has no column of votes of any tree.

    Such a column is `QUESTION_ANSWER`, of whatever campaign and in either spelling, or one of
    `catalog.votes.numbered`. trees: other than the published ones. Columns of predictions,
    as a release or a published catalogue has them, are none. Raises `TableRefused` if there is
    no table.
    """
    columns = TableFile(path).schema.names
    own = {_plain(label) for tree in trees for label in tree.labels}
    if any(_is_of_votes(column) or _plain(column) in own for column in columns):
        return False
    if numbered(columns, weighted=False).names:
        return False
    # without one, what is missing is said of a table of votes
    return identifier is not None or len(known_identifiers(columns)) > 0


def read_galaxy_list(path: Path, *, identifier: str | None = None) -> GalaxyList:
    """Read and check a table of galaxies without votes.

    A row is refused if its identifier is empty, not a printable name, or that of an earlier
    accepted row, and if ra is outside 0..360 or dec outside -90..90. identifier: its column, as
    `catalog.formats.identifiers.identifier_columns` takes it. Raises `TableRefused` if the table
    cannot be understood at all, or no row of it can be used.
    """
    file = TableFile(path)
    path, columns = file.path, file.schema.names
    named, position = identifier_columns(path, columns, identifier), position_columns(columns)
    image = IMAGE if IMAGE in columns else None
    wanted = [*named.split(","), *(position or ()), image]
    unread = tuple(column for column in columns if column not in wanted)
    galaxies = GalaxyList(named, position, image, unread)
    check_identifiers_type(path, file.schema, named)
    misshapen: dict[int, str] = {}
    found = 0
    for numbers, table in file.blocks(list(dict.fromkeys(filter(None, wanted))), misshapen):
        _check_block(Rows(path, table, galaxies.identifier, numbers), galaxies)
        found += len(table)
        _check_faults(path, galaxies, len(misshapen))
    if not found:
        raise TableRefused(f"{path} has a header but no row of that length; is it complete?")
    ragged = [Reject(str(path), r, None, f"ragged row: {what}") for r, what in misshapen.items()]
    galaxies.rejects.extend(ragged)
    if not len(galaxies) and not file.is_extract:
        first = min(galaxies.rejects, key=lambda reject: reject.row or 0)
        raise TableRefused(
            f"{path}: every one of its {found + len(misshapen):,} rows is refused; row "
            f"{first.row}, the first: {first.reason}"
        )
    check_digits(path, galaxies.identifier, galaxies.names)
    _refuse_repeated(path, galaxies)
    galaxies.rejects.sort(key=lambda reject: reject.row or 0)
    return galaxies


def unusable_names(source: Path, names: Sequence[str]) -> dict[int, str]:
    """Why some file names, without suffix, cannot be names of galaxies, by their place.

    They are checked as the identifiers of a table are. Raises `TableRefused` if they went
    through floating point.
    """
    table = pa.table({"file name": pa.array(names, pa.string())})
    rows = Rows(source, table, "file name", np.arange(len(names)))
    rows.names = list(names)  # a file may be called nan, which in a table is a missing name
    check_identifiers(rows)
    check_digits(source, "file name", rows.names)
    return {reject.row: reject.reason for reject in rows.rejects if reject.row is not None}


def _check_block(rows: Rows, galaxies: GalaxyList) -> None:
    """Check a block of rows; keep the good ones, and the reasons against the others."""
    check_identifiers(rows)
    ra, dec = np.full((2, len(rows.names)), np.nan)
    if galaxies.position is not None:
        ra, dec = check_positions(rows, galaxies.position)
    galaxies.rejects.extend(rows.rejects)
    good = np.flatnonzero(rows.good)
    kept = {
        "name": pa.array([rows.names[i] for i in good.tolist()], pa.string()),
        "row": rows.numbers[good],
        "ra": ra[good],
        "dec": dec[good],
    }
    if galaxies.image is not None:
        files = texts(rows.table[galaxies.image])
        kept["file"] = pa.array([files[i] for i in good.tolist()], pa.string())
    if len(good):
        galaxies._kept.add(pa.table(kept))


def _refuse_repeated(path: Path, galaxies: GalaxyList) -> None:
    """Refuse rows that repeat the identifier of an earlier good row."""
    if not len(galaxies):
        return
    names, rows = galaxies._kept.column("name"), galaxies.rows
    which, first = repeated(names)
    _check_faults(path, galaxies, len(which))
    for i, earlier in zip(which.tolist(), first.tolist(), strict=True):
        reason = repeated_reason(int(rows[earlier]))
        galaxies.rejects.append(Reject(str(path), int(rows[i]), names[i].as_py(), reason))
    galaxies._kept.drop("row", rows[which])


def _check_faults(path: Path, galaxies: GalaxyList, more: int) -> None:
    """Refuse a table with so much wrong that the list of it would fill the memory."""
    if len(galaxies.rejects) + more > MOST_FAULTS:
        raise TableRefused(
            f"{path} has more than {MOST_FAULTS:,} faults; does {galaxies.identifier} name "
            "galaxies, a row each?"
        )


def _is_of_votes(column: str) -> bool:
    return bool(_labels().fullmatch(_plain(column)) or _TASKS.fullmatch(column.lower()))


def _plain(text: str) -> str:
    """A name in small letters, with underscores for hyphens."""
    return text.lower().replace("-", "_")


@cache
def _labels() -> re.Pattern[str]:
    """A column of votes: any label of any tree, maybe of a campaign, or a question's total."""
    names = sorted(
        f"{_plain(question)}(_[a-z0-9]+)?_({_plain('|'.join(answers))}){_OF_VOTES}"
        for question, answers in _asked().items()
    )
    totals = "|".join(map(_plain, sorted(_asked())))
    return re.compile("|".join([*names, f"({totals})(_[a-z0-9]+)?_total_votes"]))


@cache
def _asked() -> dict[str, list[str]]:
    """All answers to each question of all trees."""
    found: dict[str, set[str]] = {}
    for name in TREE_NAMES:
        for question in get_tree(name).questions:
            found.setdefault(question.name, set()).update(question.answers)
    return {question: sorted(answers) for question, answers in found.items()}
