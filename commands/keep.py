"""`zoolens keep`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from zoolens.commands import options
from zoolens.commands.shell import say


def keep(
    table: Annotated[Path, Argument(help="Table of galaxies: CSV, CSV.gz, Parquet or FITS.")],
    columns: Annotated[
        str, Option(help="Columns to keep, comma-separated; new=old gives one another name.")
    ],
    id_column: options.IdColumn = None,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Columns of your own, such as a redshift, from a table into the catalogue."""
    from zoolens.catalog.own.asked import listed
    from zoolens.jobs.everywhere import keep as job

    say(job(catalog, table, listed(columns), id_column=id_column))
