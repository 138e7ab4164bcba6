"""`zoolens sql`."""

import sys
from typing import Annotated

from typer import Argument, Option, echo

from zoolens.catalog.output.answer import write
from zoolens.commands import options
from zoolens.commands.shell import end_now

_WIDTH = 100  # of the list of views where nothing says how wide it may be
_TIMEOUT = 3600.0  # as in jobs.sql, which is imported when it is needed


def sql(
    query: Annotated[
        str | None,
        Argument(
            help="One SELECT, - to read it from standard input, or a view to describe; "
            "without it, the views and their columns."
        ),
    ] = None,
    memory: Annotated[
        float | None,
        Option(min=0.05, help="GB that it may take; four fifths of the machine's if not given."),
    ] = None,
    timeout: Annotated[float, Option(min=0.1, help="Seconds that it may take.")] = _TIMEOUT,
    form: options.Format = None,
    out: options.Out = None,
    catalog: options.Catalog = options.CATALOG,
) -> None:
    """Ask the catalogue in SQL, read-only."""
    from zoolens.jobs import sql as job

    if query is None and out is None and form in (None, "table"):
        with job.views(catalog) as answer:
            write(answer, width=_WIDTH)
        echo("\nwhat the columns of a view mean: zoolens sql VIEW; of all: zoolens sql --out FILE")
        return
    asked = sys.stdin.read() if query == "-" else query
    with job.sql(catalog, asked, memory=memory, timeout=timeout, end=end_now) as answer:
        write(answer, form, out)
