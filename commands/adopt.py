"""`zoolens adopt`."""

from pathlib import Path
from typing import Annotated

from typer import Argument

from zoolens.commands import options
from zoolens.commands.shell import say


def adopt(
    folder: Annotated[Path, Argument(help="The folder of --out, of predict or explain --all.")],
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Parts that a job array computed into the catalogue: predictions, or maps."""
    from zoolens.jobs.everywhere import adopt_parts

    say(adopt_parts(catalog, folder))
