"""Which galaxies of a survey are explained, by their pieces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zoolens.catalog.errors import CatalogError, NothingHere, UnknownName
from zoolens.catalog.explain.choice import Choice, Which, choose
from zoolens.catalog.store.galaxies import shown_galaxies
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import Comparison
from zoolens.catalog.survey.folder import name_of_piece


@dataclass(frozen=True)
class Chosen:
    """Galaxies to draw: their names in order, and their numbers and answers by piece."""

    names: Sequence[str]
    choices: Mapping[Path, Sequence[Choice]]


def choose_of_all(folder: Path, paths: Sequence[Path], which: Which) -> Chosen:
    """`catalog.explain.choice.choose` over those pieces of a survey that can be read.

    which: of names or the worst. Raises as it does, and `CatalogError` if the losses of pieces, of
    which the worst are chosen, may not be compared.
    """
    return _worst(folder, paths, which) if which.worst is not None else _named(folder, paths, which)


def _worst(folder: Path, paths: Sequence[Path], which: Which) -> Chosen:
    """The worst of the worst of each piece; equals by name."""
    fewest = FEWEST_VOTES if which.min_votes is None else which.min_votes
    limit = which.worst or 0
    ranked: list[tuple[float, str, Path, Choice]] = []
    empty: CatalogError | None = None
    compared = Comparison(folder, ["score"])
    for path in paths:
        try:
            with Store.open(path, read_only=True) as store:
                compared.note(name_of_piece(path), store)
                rows = rank_galaxies(
                    store, limit, min_votes=fewest, label=which.answer, where=which.where
                )
        except (NothingHere, UnknownName) as error:
            empty = error
            continue
        ranked += [
            (-row["weighted_ce"], row["iauname"], path, Choice(row["galaxy_id"], row["answer_id"]))
            for row in rows.to_pylist()
        ]
        ranked = sorted(ranked, key=lambda one: one[:2])[:limit]
    compared.check()
    if not ranked:
        raise empty or NothingHere(f"no galaxy of {folder} ranks; ask for fewer votes")
    choices: dict[Path, list[Choice]] = {}
    for _, _, path, choice in ranked:
        choices.setdefault(path, []).append(choice)
    return Chosen([name for _, name, *_ in ranked], choices)


def _named(folder: Path, paths: Sequence[Path], which: Which) -> Chosen:
    wanted = list(dict.fromkeys(which.names))
    choices = {}
    for path, here in galaxies_by_piece(folder, paths, wanted).items():
        with Store.open(path, read_only=True) as store:
            choices[path] = choose(store, replace(which, names=here))
    return Chosen(wanted, choices)


def galaxies_by_piece(
    folder: Path, paths: Sequence[Path], names: Sequence[str]
) -> dict[Path, list[str]]:
    """The names of galaxies by the piece that has them, in their order.

    Raises `UnknownName` for the first that no piece has of those at `paths`.
    """
    wanted = list(dict.fromkeys(names))
    found = {}
    for path in paths:
        with Store.open(path, read_only=True) as store:
            known = shown_galaxies(store, wanted)
        if known:
            found[path] = [name for name in wanted if name in known]
    known_at_all = {name for here in found.values() for name in here}
    for name in wanted:
        if name not in known_at_all:
            raise UnknownName(
                f"no galaxy {name!r} in {folder}, of which {len(paths)} pieces can be read"
            )
    return found
