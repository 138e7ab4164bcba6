"""How the pieces of a survey stand before a job that has to be the same on all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.galaxies import check_is, number_of_galaxies, number_with_image
from zoolens.catalog.store.ingests import settled_tree
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import several_trees
from zoolens.catalog.survey.folder import name_of_piece
from zoolens.catalog.survey.tour import visit


@dataclass(frozen=True)
class Standing:
    """A piece that can be read.

    tree: that predictions have to be of, if any; voted: whether anybody voted; galaxies: how many
    it shows; imaged: how many of them have an image.
    """

    path: Path
    tree: DecisionTree | None
    voted: bool
    galaxies: int
    imaged: int


def standings(paths: Iterable[Path]) -> list[Standing]:
    """How those pieces stand that can be read."""
    visits = (visit(standing_of, path) for path in paths)
    return [one.done for one in visits if one.done is not None]


def standing_of(path: Path) -> Standing:
    """How a piece stands. Raises `CatalogError` if it cannot be read."""
    with Store.open(path, read_only=True) as store:
        check_is(store, name_of_piece(path))
        return Standing(
            path,
            settled_tree(store),
            store.has_votes,
            number_of_galaxies(store),
            number_with_image(store),
        )


def tree_of_all(folder: Path, pieces: Sequence[Standing]) -> DecisionTree | None:
    """The tree of a survey: that of the votes, or else of the predictions, in its pieces.

    Raises `CatalogError` if they have several.
    """
    voted = [one for one in pieces if one.voted and one.tree is not None]
    trees = {name_of_piece(one.path): one.tree for one in voted or pieces if one.tree is not None}
    if said := several_trees(folder, trees):
        raise CatalogError(f"{said}; a survey has one tree")
    return next(iter(trees.values()), None)
