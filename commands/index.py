"""`zoolens index`."""

from typing import Annotated

from typer import Option

from zoolens.commands import options
from zoolens.commands.shell import say


def index(
    approximate: Annotated[
        bool, Option("--approximate", help="Also what similar --approximate needs (FAISS).")
    ] = False,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Build the similarity index; nothing to do where it is up to date."""
    from zoolens.jobs.everywhere import index as job

    say(job(catalog, approximate=approximate))
