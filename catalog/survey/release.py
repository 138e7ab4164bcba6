"""What a release holds of one catalogue, or of all pieces of a survey: tables, cubes, a gallery.

One catalogue is open at a time, and of a survey only its worst galaxies are held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import CUBES, GALLERY
from zoolens.catalog.release.contents import Contents
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.release.holdings import Holdings
from zoolens.catalog.release.writing import TableWriter, sort_tables, write_answers, write_facts
from zoolens.catalog.store.one_ranking import rank_together, worst_of
from zoolens.catalog.survey.best_counterparts import counterpart_table

if TYPE_CHECKING:
    from zoolens.catalog.release.gallery.page import GalleryReport
    from zoolens.catalog.survey.gallery import Ranked


@dataclass(frozen=True)
class Extras:
    """What a release has beside its tables.

    cubes: saliency maps as FITS; gallery: how many of the worst galaxies it shows, of which
    `min_votes` volunteers were asked (None: the default of `read_worst`), under `title`.
    """

    cubes: bool
    gallery: int
    min_votes: float | None
    title: str


@dataclass(frozen=True)
class Written:
    """What was written: rows of each table, row groups of galaxies of each catalogue, a gallery."""

    rows: dict[str, int]
    groups: list[range]
    gallery: "GalleryReport | None"


def write_contents(
    contributions: Sequence[Contribution],
    held: Holdings,
    contents: Contents,
    extras: Extras,
    folder: Path,
    scratch: Path,
) -> Written:
    """Write tables, cubes and gallery of catalogues that agree into a folder.

    held: what they have together; scratch: a folder for temporary files. Raises `CatalogError` if
    no galaxy is left, or a catalogue was written to meanwhile.
    """
    scored = [contribution.path for contribution in contributions if contribution.held.losses]
    facts = _write_facts(contributions, contents, scratch)
    with contributions[0].opened(scratch) as store:
        if len(contributions) > 1:
            rank_together(store, facts, scratch)
        worst = worst_of(store, facts, contents.counterparts)
    paths = [contribution.path for contribution in contributions]
    best = counterpart_table(paths, scored, worst, contents.min_votes or None)
    ranked: list[Ranked] = []
    with TableWriter(contents, folder, best) as tables:
        for number, (contribution, file) in enumerate(zip(contributions, facts, strict=True)):
            with contribution.opened(scratch) as store:
                of = (
                    f", piece {number + 1} of {len(contributions)}"
                    if len(contributions) > 1
                    else ""
                )
                ids = tables.add(store, contribution.runs, file, f"release{of}")
                if extras.cubes and contribution.runs.explain is not None:
                    from zoolens.catalog.release.cubes import write_cubes

                    write_cubes(store, contribution.runs.explain, ids, folder / CUBES)
                if extras.gallery and contribution.held.losses:
                    from zoolens.catalog.survey.gallery import ranked_of

                    ranked = ranked_of(store, ranked, extras.gallery, extras.min_votes, ids)
    if not tables.rows["galaxies"]:
        raise CatalogError(
            "no galaxy is left to release; ask for fewer votes or loosen the condition"
        )
    with contributions[0].opened(scratch) as store:
        sort_tables(store, contents.tables, folder, scratch)
        if contents.tables:
            write_answers(store, held.weights, folder)
    gallery = None
    if extras.gallery:
        from zoolens.catalog.survey.gallery import draw_gallery

        gallery = draw_gallery(
            scored,
            ranked,
            folder / GALLERY,
            tree=held.answers,
            min_votes=extras.min_votes,
            title=extras.title,
        )
    return Written(tables.rows, tables.groups, gallery)


def _write_facts(
    contributions: Sequence[Contribution], contents: Contents, scratch: Path
) -> list[Path]:
    files = []
    for number, contribution in enumerate(contributions):
        files.append(scratch / f"facts-{number}.parquet")
        with contribution.opened(scratch) as store:
            write_facts(store, contribution, contents, number, files[-1])
    return files
