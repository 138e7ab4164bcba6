"""`zoolens evaluate`."""

from pathlib import Path
from typing import Annotated

from typer import Option, echo

from zoolens.catalog.output.answer import from_arrow, write
from zoolens.commands import options
from zoolens.commands.shell import say


def evaluate(
    truth: Annotated[Path | None, Option(help="The truth.parquet of a simulated sky.")] = None,
    control: Annotated[
        str | None, Option(help="A model that was trained with --shuffle-votes.")
    ] = None,
    split: Annotated[
        str | None, Option(help="Only the train, validation or test galaxies.")
    ] = None,
    where: options.Where = None,
    galaxies: Annotated[
        int, Option(min=1, help="Galaxies whose predictions are judged, at most.")
    ] = 20_000,
    maps: Annotated[int, Option(min=1, help="Galaxies whose maps are judged, at most.")] = 300,
    typical: Annotated[
        int, Option(min=2, help="Galaxies for the slow tests of sanity and faithfulness.")
    ] = 20,
    out: Annotated[Path | None, Option(help="Folder for figures and page.")] = None,
    cluster: options.Cluster = None,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """How far predictions and explanations can be trusted: tables, figures, a page."""
    from zoolens.jobs.evaluate_survey import evaluate as job

    report = job(
        catalog,
        truth=truth,
        control=control,
        split=split,
        where=where,
        galaxies=galaxies,
        maps=maps,
        typical=typical,
        out=out,
        cluster=cluster,
    )
    say(report)
    for title, table in report.tables.items():
        echo(title)
        write(from_arrow(table))
        echo()
    echo(report.page)
