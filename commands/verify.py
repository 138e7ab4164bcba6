"""`zoolens verify`."""

from typing import Annotated

from typer import Option, echo

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.answer import from_arrow, write
from zoolens.commands import options


def verify(
    images: Annotated[
        bool, Option("--images", help="Also read every image file and compare checksums.")
    ] = False,
    everything: Annotated[
        bool, Option("--all", help="Also list the checks that found nothing.")
    ] = False,
    form: options.Format = None,
    out: options.Out = None,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Check the catalogue against itself; exit code 1 where it is at fault."""
    from zoolens.jobs.verify import verify as job

    report = job(catalog, images=images)
    if everything or form or out:
        write(from_arrow(report.checks), form, out, len(report.checks))
    elif len(report.remarked):
        write(from_arrow(report.remarked))
        echo()
    if form in (None, "table") and out is None:
        echo(report.summary)
    if report.errors:
        raise CatalogError(f"{catalog} has faults ({report.errors}); {report.advice}")
