"""`zoolens similar`."""

from typing import Annotated

from typer import Argument, Option

from zoolens.catalog.output.answer import from_arrow, write
from zoolens.commands import options
from zoolens.commands.shell import say


def similar(
    galaxy: Annotated[str, Argument(help="Name of the galaxy.")],
    answer: Annotated[
        str | None, Option(help="Answer of interest; the costliest if not given.")
    ] = None,
    k: Annotated[int, Option("-k", min=1, help="Counterparts of each kind.")] = 5,
    weights: Annotated[
        str | None, Option(help="paper, none, or a file of label and weight.")
    ] = None,
    approximate: Annotated[
        bool, Option("--approximate", help="Sooner in very large catalogues, and missing some.")
    ] = False,
    min_votes: options.MinVotes = None,
    exchange: options.Exchange = "question",
    form: options.Format = None,
    out: options.Out = None,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """A galaxy's fair comparisons: what if the volunteers, or the model, were right."""
    from zoolens.jobs import pipeline

    report = pipeline.similar(
        catalog,
        galaxy,
        answer=answer,
        k=k,
        weights=weights,
        approximate=approximate,
        min_votes=min_votes,
        exchange=exchange,  # type: ignore[arg-type]  # checked there
    )
    say(report)
    for_people = out is None and form in (None, "table")
    write(from_arrow(report.shown if for_people else report.table), form, out)
