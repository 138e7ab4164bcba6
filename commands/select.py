"""`zoolens select`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from zoolens.commands import options
from zoolens.commands.shell import say


def select(
    out: Annotated[Path, Argument(help="A new folder for the manifest and the images.")],
    budget: Annotated[int, Option("-n", "--budget", min=1, help="Galaxies to select.")],
    by: Annotated[str, Option(help="mutual_information or loss.")] = "mutual_information",
    quota: Annotated[
        list[str] | None,
        Option(help="QUESTION=N: so many of them for this question; repeatable."),
    ] = None,
    min_votes: Annotated[
        float, Option(min=0, help="By loss: only questions asked of so many volunteers.")
    ] = 0,
    max_votes: Annotated[
        float | None, Option(min=0, help="Only questions asked of no more volunteers so far.")
    ] = None,
    where: options.Where = None,
    columns: Annotated[
        str | None, Option(help="Own columns for the manifest, hidden from volunteers.")
    ] = None,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Galaxies that deserve more votes, as a manifest and images for the Zooniverse."""
    from zoolens.catalog.own.asked import listed
    from zoolens.jobs.select import select as job

    report = job(
        catalog,
        out,
        budget,
        by=by,
        quotas=quota or (),
        min_votes=min_votes,
        max_votes=max_votes,
        where=where,
        columns=listed(columns or ""),
    )
    say(report)
    echo(report.manifest)
