"""`zoolens histogram`."""

from pathlib import Path
from typing import Annotated

from typer import Option, echo

from zoolens.catalog.output.answer import from_arrow, write
from zoolens.commands import options


def histogram(
    out: Annotated[
        Path | None, Option(help="Folder for the figures; with --suggest, file for the list.")
    ] = None,
    predicted: Annotated[
        bool, Option("--predicted", help="Draw the predicted fractions beside the votes.")
    ] = False,
    suggest: Annotated[
        bool, Option("--suggest", help="List the answers balanced enough to weigh.")
    ] = False,
    min_votes: options.FewestVotes = 0,
    form: options.Format = None,
    catalog: options.Catalog = options.CATALOG,
) -> None:
    """Distributions of the vote fractions, of the emphasised answers and of all."""
    from zoolens.jobs import histogram as job

    if suggest:
        write(from_arrow(job.suggest(catalog, min_votes=min_votes)), form, out)
        return
    drawn = job.histogram(catalog, out or Path("."), predicted=predicted, min_votes=min_votes)
    for path in drawn.figures:
        echo(path)
