"""`zoolens models`."""

from typing import Annotated

from typer import Argument, echo

from zoolens.catalog.output.answer import cell, from_arrow, write
from zoolens.commands import options

# What fits a terminal of 80 columns; other formats, and one model's name, have the rest.
_BRIEF = ["name", "tree", "answers", "galaxies", "view", "MB", "sha256"]
_SHORT = 8  # digits of a checksum that people compare


def models(
    name: Annotated[str | None, Argument(help="Of which to tell all; else all, briefly.")] = None,
    form: options.Format = None,
    out: options.Out = None,
) -> None:
    """The models that come with Zoolens, for --model and --encoder: by name, from any folder."""
    from zoolens.jobs.models import models as job

    table = job(name)
    if form or out:
        write(from_arrow(table), form, out)
    elif name is None:
        rows = table.select(_BRIEF).to_pylist()
        for row in rows:
            row["sha256"] = row["sha256"][:_SHORT]
        write(from_arrow(type(table).from_pylist(rows)))
        echo("\nbundled takes the first of the catalogue's tree; more: zoolens models NAME")
    else:
        for key, value in table.to_pylist()[0].items():
            echo(f"{key:<9}  {cell(value)}")
