"""`zoolens release`, `zoolens release verify` and `zoolens release diff`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer, echo

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.answer import from_arrow, write
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.commands import options
from zoolens.commands.help import CutUnlessNamed
from zoolens.commands.shell import guarded, say

app = Typer(
    cls=CutUnlessNamed,
    help="Cut a release of the catalogue (release DIR --version V), verify one, compare two.",
    no_args_is_help=True,
)


@app.command("cut")
@guarded
def cut(
    out: Annotated[Path, Argument(help="A new folder for the release.")],
    version: Annotated[str, Option("--version", help="Version, such as 1.0.0.")],
    name: Annotated[str, Option(help="Name of the release.")] = "Galaxy morphology",
    author: Annotated[
        list[str] | None, Option(help="Who is to be cited: 'Family, Given; ORCID'; repeatable.")
    ] = None,
    licence: Annotated[
        str | None, Option("--license", help="Licence, SPDX, such as CC-BY-4.0.")
    ] = None,
    preset: Annotated[str, Option(help="full, or friendly: few columns, no long tables.")] = "full",
    columns: Annotated[str | None, Option(help="Only these columns, comma-separated.")] = None,
    where: Annotated[
        str | None, Option(help="Only galaxies for which this SQL condition holds.")
    ] = None,
    min_votes: Annotated[
        float | None,
        Option(
            min=0,
            help="Only galaxies, answers, counterparts asked of so many volunteers; unless given "
            f"all, and those of {FEWEST_VOTES} in the gallery.",
        ),
    ] = None,
    formats: Annotated[
        str, Option(help="parquet, fits, votable, csv, hats: comma-separated.")
    ] = "parquet,fits",
    counterparts: Annotated[
        int, Option(min=0, help="Name the counterparts of the N worst galaxies.")
    ] = 1000,
    gallery: Annotated[
        int, Option(min=0, help="A page to browse the N worst galaxies; 0 for none.")
    ] = 0,
    cubes: Annotated[bool, Option("--cubes", help="Saliency maps as FITS cubes too.")] = False,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Cut a release: frozen, documented, checksummed files for others."""
    from zoolens.catalog.release.provenance import Title
    from zoolens.jobs import pipeline
    from zoolens.jobs.settings import Cut

    title = Title(name, version, tuple(author or ()), licence)
    chosen = Cut(
        preset, _listed(columns), where, min_votes, _listed(formats), counterparts, gallery, cubes
    )
    report = pipeline.release(catalog, out, title, chosen)
    say(report)
    echo(report.folder)


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


@app.command("verify")
@guarded
def verify(
    folder: Annotated[Path, Argument(help="Folder of the release.")],
    form: options.Format = None,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Check every file of a release; exit code 1 where it is at fault."""
    from zoolens.jobs.release_verify import verify as job

    report = job(folder)
    say(report)
    if form or out or len(report.faults):
        write(from_arrow(report.faults), form, out)
    if len(report.faults):
        raise CatalogError(f"{folder} is not as it was cut; fetch it again")


@app.command("diff")
@guarded
def diff(
    before: Annotated[Path, Argument(help="Folder of a release.")],
    after: Annotated[Path, Argument(help="Folder of another.")],
    galaxies: Annotated[
        bool, Option("--galaxies", help="Every value that changed, galaxy by galaxy.")
    ] = False,
    form: options.Format = None,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Which galaxies and columns changed from one release to another, and by how much."""
    from zoolens.jobs.release_diff import diff as job

    report = job(before, after, galaxies=galaxies)
    if not len(report.table):
        say(report)
    write(from_arrow(report.table), form, out)
