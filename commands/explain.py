"""`zoolens explain`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from zoolens.commands import options
from zoolens.commands.shell import say, wrong_usage


def explain(
    galaxies: Annotated[list[str] | None, Argument(help="Names of galaxies.")] = None,
    answer: Annotated[
        str | None, Option(help="Answer to draw; each galaxy's costliest if not given.")
    ] = None,
    worst: Annotated[int | None, Option(min=1, help="The N worst galaxies.")] = None,
    min_votes: options.MinVotes = None,
    everything: Annotated[
        bool, Option("--all", help="Every galaxy with an image; stores maps, draws none.")
    ] = False,
    model: options.Model = None,
    method: Annotated[str, Option(help="hirescam or gradcam.")] = "hirescam",
    layer: Annotated[
        str | None, Option(help="Layer of the encoder; its last block if not given.")
    ] = None,
    of: Annotated[
        str, Option(help="Draw maps of the concentration, fraction or cross_entropy.")
    ] = "concentration",
    engine: options.Engine = "auto",
    grey_as_colour: options.GreyAsColour = False,
    out: Annotated[Path | None, Option(help="Folder for figures and page.")] = None,
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Which pixels drove the predictions: maps of every answer, figures, a page."""
    from zoolens.jobs import pipeline
    from zoolens.jobs.settings import Maps, Which

    drawing = {"--out": out is not None, "--of": of != "concentration", "--answer": answer}
    if everything and any(drawing.values()):
        given = ", ".join(name for name, there in drawing.items() if there)
        raise wrong_usage(f"--all draws nothing: leave out {given}, or choose galaxies to draw")
    report = pipeline.explain(
        catalog,
        Which(galaxies or (), worst, everything, min_votes, answer),
        Maps(model, method, layer, engine, grey_as_colour),
        of=of,  # type: ignore[arg-type]  # checked there
        out=out,
        figures=not everything,
    )
    say(report)
    if report.page is not None:
        echo(report.page)
