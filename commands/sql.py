"""`zoolens sql`."""

from typing import Annotated

from typer import Argument

from zoolens.catalog.output.answer import write
from zoolens.commands import options


def sql(
    query: Annotated[
        str | None, Argument(help="One SELECT; without it, the views and their columns.")
    ] = None,
    form: options.Format = None,
    out: options.Out = None,
    catalog: options.Catalog = options.CATALOG,
) -> None:
    """Ask the catalogue in SQL, read-only."""
    from zoolens.jobs.sql import sql as job

    with job(catalog, query) as answer:
        write(answer, form, out)
