"""What is planned in a folder of parts: of one catalogue, or of each piece of a survey.

    parts/plan.json                    the plan of one catalogue (`catalog.parts.plan`)
    parts/plans.json                   or: which pieces of a survey have a plan, in order
    parts/Norder=2/Npix=37/plan.json   then: the plan of a piece, beside its part files

Parts are numbered through the cells of all of them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.plan import Plan, read_plan, sha256_of_plan
from zoolens.catalog.parts.planning import put_first, remove_plan
from zoolens.catalog.parts.state import adopted
from zoolens.catalog.runtime.files import text_of

PLANS = "plans.json"
_FORMAT = 1
_MOST_PARTS = 1000  # that are recommended: what Slurm lets an array have, unless configured
_CELLS = 16  # of a recommended part: some minutes to an hour of a core
_PIECE = re.compile(r"Norder=\d{1,2}/Npix=\d{1,12}", re.ASCII)


@dataclass(frozen=True)
class Planned:
    """A plan among several; piece: whose it is, empty of one catalogue; sha256: of the plan."""

    piece: str
    sha256: str
    cells: int
    galaxies: int


@dataclass(frozen=True)
class Plans:
    """The plans of a folder, in order.

    survey: the folder of the survey whose pieces they are of; None of one catalogue.
    """

    folder: Path
    survey: str | None
    planned: tuple[Planned, ...]

    @property
    def cells(self) -> int:
        """How many cells there are: the most parts that they can be cut into."""
        return sum(one.cells for one in self.planned)

    @property
    def galaxies(self) -> int:
        """How many galaxies wait."""
        return sum(one.galaxies for one in self.planned)

    @property
    def recommended(self) -> int:
        """A number of parts that keeps each to minutes, or an hour."""
        return max(1, min(-(-self.cells // _CELLS), _MOST_PARTS))

    def part(self, number: int, of: int) -> range:
        """The cells of part `number`, from 1, of `of`: neighbours, evenly shared out."""
        return range((number - 1) * self.cells // of, number * self.cells // of)

    def within(self, wanted: range) -> Iterator[tuple[Plan, range]]:
        """The plans that have some of these cells, and which of their own these are.

        Raises `CatalogError` if one is damaged, or is not the one that was planned together
        with the others.
        """
        for one, first in self._firsts():
            start, end = max(wanted.start, first), min(wanted.stop, first + one.cells)
            if start < end:
                yield self.plan(one), range(start - first, end - first)

    def every(self) -> Iterator[Plan]:
        """All plans. Raises as `within`."""
        return map(self.plan, self.planned)

    def plan(self, one: Planned) -> Plan:
        """The plan of a piece. Raises as `within`."""
        plan = read_plan(self.folder / one.piece)
        if plan is None or plan.sha256 != one.sha256:
            why = "is not there any more" if plan is None else "is not the one that was made"
            raise CatalogError(
                f"the plan of {one.piece or 'the catalogue'} in {self.folder} {why}; plan anew, in "
                "another folder"
            )
        return plan

    def numbered(self, cells: Mapping[str, Sequence[int]]) -> set[int]:
        """Cells of pieces, by their own numbers, as cells of all."""
        return {first + cell for one, first in self._firsts() for cell in cells.get(one.piece, ())}

    def adopted(self) -> int:
        """How many cells are in the catalogues. Raises as `within`."""
        return sum(len(adopted(plan)) for plan in self.every())

    def _firsts(self) -> Iterator[tuple[Planned, int]]:
        """Each plan, and the number of its first cell among all."""
        first = 0
        for one in self.planned:
            yield one, first
            first += one.cells


def read_plans(folder: Path) -> Plans | None:
    """What is planned in a folder; None if nothing is. Raises `CatalogError` if it is damaged."""
    path = folder / PLANS
    if not path.exists():
        plan = read_plan(folder)
        return None if plan is None else Plans(folder, None, (_planned("", plan),))
    try:
        content = json.loads(text_of(path, 1 << 28))
        version, told = content["format"], content["plans"]
        if version == _FORMAT and content["sha256"] != sha256_of_plan(told):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise CatalogError(f"{path} is damaged; plan anew, in another folder") from None
    if version != _FORMAT:
        raise CatalogError(
            f"{path} is of format {version!r}, this Zoolens knows {_FORMAT}; plan anew, in another "
            "folder"
        )
    try:
        plans = Plans(folder, told["survey"], tuple(Planned(**one) for one in told["planned"]))
        _check(plans)
    except (ValueError, KeyError, TypeError):
        raise CatalogError(f"{path} is no list of plans; plan anew, in another folder") from None
    return plans


def _check(plans: Plans) -> None:
    """Raises `ValueError` or `TypeError` for what no list has that this Zoolens wrote."""
    names = [one.piece for one in plans.planned]
    sound = isinstance(plans.survey, str) and bool(names) and len({*names}) == len(names)
    for one in plans.planned:
        sound &= _PIECE.fullmatch(one.piece) is not None and isinstance(one.sha256, str)
        sound &= all(isinstance(n, int) and 0 < n < 2**62 for n in (one.cells, one.galaxies))
    if not sound:
        raise ValueError


def write_plans(folder: Path, survey: Path, plans: Mapping[str, Plan]) -> Plans | None:
    """List plans of pieces of a survey, by name, that lie below a folder; None if there are none.

    Raises `CatalogError` if the disk does not take it, or there is another one.
    """
    if not plans:
        return None
    planned = [asdict(_planned(piece, plan)) for piece, plan in plans.items()]
    told = {"survey": str(survey.resolve()), "planned": planned}
    put_first(folder / PLANS, {"format": _FORMAT, "sha256": sha256_of_plan(told), "plans": told})
    return read_plans(folder)


def _planned(piece: str, plan: Plan) -> Planned:
    return Planned(piece, plan.sha256, plan.cells, plan.galaxies)


def remove_plans(plans: Plans) -> None:
    """Remove plans, all of whose parts are adopted."""
    every = [*plans.every()]
    (plans.folder / PLANS).unlink(missing_ok=True)
    for plan in every:
        remove_plan(plan)
    for file in plans.folder.glob(".of-*"):
        file.unlink(missing_ok=True)


def numbers(parts: Sequence[int]) -> str:
    """Numbers, ascending, as `--array` of Slurm takes them: 3,7-9."""
    said = []
    for _, run in groupby(enumerate(parts), lambda pair: pair[1] - pair[0]):
        found = [number for _, number in run]
        said.append(f"{found[0]}-{found[-1]}" if len(found) > 1 else str(found[0]))
    return ",".join(said)
