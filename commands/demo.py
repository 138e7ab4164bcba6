"""`zoolens demo`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from zoolens.catalog.output.answer import from_arrow, write
from zoolens.commands import options
from zoolens.commands.shell import say


def demo(
    out: Annotated[Path, Argument(help="A new folder for all that the demo makes.")] = Path(
        "zoolens-demo"
    ),
    galaxies: Annotated[int, Option("-n", "--galaxies", min=10, help="How many.")] = 200,
    quiet: options.Quiet = False,
) -> None:
    """The whole way on a small simulated sky that the bundled model has not seen."""
    from zoolens.jobs.demo import demo as job

    found = job(out, galaxies=galaxies, say=say)
    write(from_arrow(found.worst))
    echo(
        f"\nThe truth is known here: in {found.known} of these {len(found.worst)} the model is "
        "nearer to it than the votes are."
    )
    echo(f"Report: {found.page}")
    gallery = found.release / "gallery/index.html"
    echo(f"Release: {found.release}, and to browse its worst losses {gallery}")
    echo(f'More: zoolens sql "SELECT * FROM worst" --catalog {found.catalog}')
