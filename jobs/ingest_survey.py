"""`ingest` into a survey: a table and images, shared out among catalogues of pieces of the sky."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.identifiers import identifier_columns
from zoolens.catalog.formats.reading import TableFile, table_digest
from zoolens.catalog.images.sources import ImageListing, list_images
from zoolens.catalog.runtime.files import make_folder, replacing
from zoolens.catalog.runtime.progress import progress, within
from zoolens.catalog.store.galaxies import number_after
from zoolens.catalog.store.identity import identity_of
from zoolens.catalog.store.ingests import held_tree
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.cutting import MOST
from zoolens.catalog.survey.folder import (
    Piece,
    Survey,
    check_there,
    is_listed,
    name_of_piece,
    read_survey,
    write_survey,
)
from zoolens.catalog.survey.imaging import SharedImages, share_images
from zoolens.catalog.survey.routing import Routed, Sought, route
from zoolens.catalog.survey.work import plan, planned, working
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.galaxy_list import IMAGE, is_galaxy_list
from zoolens.catalog.votes.layouts import position_columns
from zoolens.catalog.votes.reading import open_vote_table
from zoolens.jobs import keep as own
from zoolens.jobs.ingest import ingest
from zoolens.jobs.reports import IngestReport
from zoolens.jobs.settings import Share
from zoolens.jobs.survey_reports import ingested, kept_together

_LARGEST = 2**63 - 1  # rows: a survey has as many as its disk holds


def ingest_survey(
    folder: Path,
    votes: Path | None = None,
    *,
    images: Path | None = None,
    tree: str | None = None,
    id_column: str | None = None,
    weighted: bool = False,
    keep: Sequence[str] = (),
    most_rows: int = MOST,
) -> Iterator[IngestReport | own.KeepReport]:
    """Read a table and images into the survey in a folder; create it if there is none.

    The arguments are those of `jobs.ingest`; keep: columns to keep, as `jobs.keep` takes them.
    Rows of galaxies that the survey has go to the piece that has them, others to the piece where
    they lie, or to new pieces of at most `most_rows` galaxies, which are appended. Rows that no
    piece has are among the rejects of one. Yields the report of what went into all pieces, then
    that of what was kept. A new survey shows when all is done; if killed, the same call goes on.

    Raises what those jobs raise, `CatalogError` if a piece is missing or another ingest is half
    done, and `TableRefused` for a table by which no survey can be cut.
    """
    survey = _opened(folder)
    held = _held(survey)
    sought, read = _sought(votes, tree, held, id_column, weighted, keep)
    _check_tree(folder, held, read)
    listing = list_images(images) if images else None
    if survey is None and sought is None:
        raise CatalogError(
            f"{folder} is no survey yet, and images do not say where their galaxies are: give a "
            "table with ra and dec too"
        )
    settings = {
        "table": sought and sought.digest,
        "images": listing and listing.digest,
        "tree": tree,
        "id_column": id_column,
        "weighted": weighted,
        "keep": list(keep),
        "most_rows": most_rows,
    }
    with working(folder, settings, str(votes or images)) as work:
        routed = planned(work)
        if routed is None:
            routed = _routed(sought, survey, most_rows, work)
            plan(work, routed)
        extracts = {piece: work / piece.name for piece in routed.rows}
        shared = _shared(folder, routed, extracts, listing, sought)
        into = partial(
            ingest,
            images=images,
            tree=tree,
            id_column=id_column,
            weighted=weighted,
            kept=sought.kept if sought else (),
        )
        reports = _ingest_pieces(
            folder, routed, extracts, shared, read or held, into, work / "blank.duckdb"
        )
        noted = survey.identities if survey else {}
        if survey is None or len(noted) < len(routed.pieces):
            write_survey(folder, routed.pieces, _identities(folder, routed.pieces, noted))
        yield ingested(reports.values(), routed, survey)
        if keep and votes is not None:
            types = own.told_types(votes, keep, id_column=id_column)
            kept = [
                own.keep(
                    piece.path(folder), extracts[piece], keep, id_column=id_column, types=types
                )
                for piece, report in reports.items()
                if piece in extracts and report.galaxies
            ]
            yield kept_together(kept)


def tree_of_survey(
    folder: Path,
    votes: Path | None = None,
    *,
    tree: str | None = None,
    id_column: str | None = None,
    weighted: bool = False,
) -> DecisionTree | None:
    """As `jobs.ingest.tree_of`, of a survey that there may not be yet."""
    held = _held(_opened(folder))
    return _sought(votes, tree, held, id_column, weighted, ())[1] or held


def _opened(folder: Path) -> Survey | None:
    """The survey, whose pieces are there; None if there is none yet."""
    if not is_listed(folder):
        return None
    survey = read_survey(folder)
    for path in survey.paths:
        check_there(path)
    return survey


def _held(survey: Survey | None) -> DecisionTree | None:
    """The tree of a survey: that of the first piece that holds one."""
    for path in survey.paths if survey else ():
        with Store.open(path) as store:
            tree = held_tree(store)
        if tree is not None:
            return tree
    return None


def _check_tree(folder: Path, held: DecisionTree | None, read: DecisionTree | None) -> None:
    if held is not None and read is not None and held.questions != read.questions:
        name = f"another {read.name}" if read.name == held.name else read.name
        raise CatalogError(f"{folder} is of tree {held.name}, not {name}; keep it in another one")


def _sought(
    votes: Path | None,
    tree: str | None,
    held: DecisionTree | None,
    id_column: str | None,
    weighted: bool,
    keep: Sequence[str],
) -> tuple[Sought | None, DecisionTree | None]:
    """The table, with the columns that will be read of it; its tree, or the one that is named."""
    named = None if tree is None else held if held and tree == held.name else get_tree(tree)
    if votes is None:
        return None, named
    file = TableFile(votes, most=_LARGEST)
    names: list[str] = file.schema.names
    kept = own.check(votes, keep, tree=held or named, id_column=id_column) if keep else []
    voted = not is_galaxy_list(votes, id_column, filter(None, (held, named)))
    if not voted:
        identifier, position = identifier_columns(votes, names, id_column), position_columns(names)
        columns = [*identifier.split(","), *(position or ()), *([IMAGE] if IMAGE in names else [])]
        found = named
    else:
        _, layout, spelt = open_vote_table(
            votes, tree=tree, prefer=held, identifier=id_column, weighted=weighted
        )
        own_name = {new: old for old, new in spelt.items()}
        columns = [own_name.get(name, name) for name in layout.columns]
        identifier, position, found = layout.identifier, layout.position, layout.tree
    columns = [*dict.fromkeys([*columns, *kept])]
    digest = table_digest(votes)
    return Sought(file, digest, identifier, position, columns, voted, kept), found


def _routed(sought: Sought | None, survey: Survey | None, most_rows: int, work: Path) -> Routed:
    if sought is not None:
        return route(sought, survey, most_rows, work)
    assert survey is not None  # noqa: S101
    return Routed(survey.pieces, {})


def _shared(
    folder: Path,
    routed: Routed,
    extracts: Mapping[Piece, Path],
    listing: ImageListing | None,
    sought: Sought | None,
) -> SharedImages | None:
    if listing is None:
        return None
    if sought is None:
        without, identifier = "no position", None
    else:
        identifier = sought.identifier
        without = "image without votes" if sought.voted else "image without galaxy"
    there = {piece: piece.path(folder) for piece in routed.pieces}
    return share_images(listing, there, extracts, identifier, without)


def _ingest_pieces(
    folder: Path,
    routed: Routed,
    extracts: Mapping[Piece, Path],
    shared: SharedImages | None,
    tree: DecisionTree | None,
    into: Callable[..., IngestReport],
    blank: Path,
) -> dict[Piece, IngestReport]:
    """Give each piece what it has got; the reports, by piece."""
    whole = Survey(folder, routed.pieces)
    images = shared.entries if shared else {}
    given = [piece for piece in routed.pieces if piece in extracts or piece in images]
    given = given or [*routed.pieces[:1]]
    steps = sum(routed.rows.values()) + sum(map(len, images.values()))
    found: dict[Piece, IngestReport] = {}
    with progress("into pieces", steps) as bar, within(bar):
        for piece in given:
            path = piece.path(folder)
            _begin_piece(path, whole.first_number(piece), blank)
            home = not found  # which records what no piece has
            own_images = shared.of(piece, rejects=home) if shared else None
            share = Share(tree, own_images, routed.rejects if home else ())
            found[piece] = into(path, extracts.get(piece), share=share)
    return found


def _identities(
    folder: Path, pieces: Sequence[Piece], noted: Mapping[Piece, str]
) -> dict[Piece, str]:
    """What tells the catalogue of each piece from any other."""
    found = dict(noted)
    for piece in pieces:
        if piece not in noted:
            with Store.open(piece.path(folder), read_only=True) as store:
                found |= {piece: identity} if (identity := identity_of(store)) else {}
    return found


def _begin_piece(path: Path, number: int, blank: Path) -> None:
    """The catalogue of a piece, whose galaxies follow a number; it may be there.

    blank: an empty one, made for the first of them: to copy it is a hundred times faster.
    """
    if path.exists():
        return
    if not blank.exists():
        with Store.open(blank, create=True):
            pass
    make_folder(path.parent)
    with replacing(path) as part:
        shutil.copyfile(blank, part)
        with Store.open(part) as store:
            number_after(store, number, name_of_piece(path))
