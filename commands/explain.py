"""`zoolens explain`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Context, Option, echo

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.answer import from_arrow, write
from zoolens.commands import arrays, options
from zoolens.commands.shell import say, wrong_usage

if TYPE_CHECKING:
    from zoolens.jobs.settings import Maps


def explain(
    context: Context,
    galaxies: Annotated[
        list[str] | None,
        Argument(help="Names of galaxies; or an image file, which needs a --model, no catalogue."),
    ] = None,
    answer: Annotated[
        str | None, Option(help="Answer to draw; each galaxy's costliest if not given.")
    ] = None,
    worst: Annotated[int | None, Option(min=1, help="The N worst galaxies.")] = None,
    min_votes: options.MinVotes = None,
    where: Annotated[
        str | None,
        Option(help="Of the worst, only galaxies for which this SQL condition holds."),
    ] = None,
    exchange: options.Exchange = "question",
    everything: Annotated[
        bool, Option("--all", help="Every galaxy with an image; stores maps, draws none.")
    ] = False,
    model: options.Models = None,
    method: Annotated[
        str,
        Option(
            help="deeplift of fractions, with hirescam of concentrations; or hirescam or gradcam "
            "of both."
        ),
    ] = "deeplift",
    layer: Annotated[
        str | None,
        Option(help="Layer of the encoder; if not given, its last block, of deeplift a finer one."),
    ] = None,
    of: Annotated[
        str | None,
        Option(
            help="Draw maps of the fraction, concentration or cross_entropy; of the fraction if "
            "not given."
        ),
    ] = None,
    tree: Annotated[
        str | None,
        Option(help="Of an image file: name or YAML file of the tree; told from the model."),
    ] = None,
    view: options.ViewName = None,
    size: options.Size = None,
    zoom: options.Zoom = None,
    engine: options.Engine = "auto",
    grey_as_colour: options.GreyAsColour = False,
    out: Annotated[
        Path | None,
        Option(
            help="Folder for figures and page; with --all, of parts and their plan, for zoolens "
            "adopt."
        ),
    ] = None,
    part: arrays.Part = None,
    catalog: options.Catalog = options.CATALOG,
    cluster: options.Cluster = None,
    parts: options.Parts = None,
    quiet: options.Quiet = False,
) -> None:
    """Which pixels drove the predictions: maps of every answer, figures, a page."""
    from zoolens.jobs import pipeline
    from zoolens.jobs.settings import Maps, Which

    maps = Maps(model, method, layer, engine, grey_as_colour)
    if (cluster and not everything) or (parts and not cluster):
        raise wrong_usage("--cluster computes the maps of --all, and --parts is its folder")
    picture = _picture(galaxies or (), catalog)
    if picture is not None:
        if worst or everything or min_votes is not None or where:
            raise wrong_usage(
                f"{picture} is an image: leave out --worst, --all, --min-votes and --where"
            )
        _explain_picture(picture, maps, tree, answer, of or "fraction", view, size, zoom, out)
        return
    if where and worst is None:
        raise wrong_usage("--where chooses among the worst galaxies: say how many, with --worst")
    if tree or view or size or zoom:
        raise wrong_usage(
            "--tree, --view, --size and --zoom are of an image file; a catalogue has its own"
        )
    which = arrays.wanted_part(part, out)
    if everything and out is not None:
        if galaxies or worst or of or answer or cluster:
            raise wrong_usage(
                "parts of a job array are of every galaxy: leave out names, --worst, --of, "
                "--answer and --cluster"
            )
        from zoolens.jobs.arrays import explain_part

        say(explain_part(catalog, out, which, arrays.asked_for(context), maps))
        return
    if which is not None:
        raise wrong_usage("--part computes maps of every galaxy: add --all")
    drawing = {
        "--out": out is not None,
        "--of": of,
        "--answer": answer,
    }
    if pipeline.is_of_estimates(catalog, model or ()):
        votes = {
            **{name: there for name, there in drawing.items() if name != "--out" or everything},
            "--worst": worst,
            "--min-votes": min_votes is not None,
            "--layer": layer,
            "--method": method != "deeplift",
        }
        _explain_estimates(catalog, galaxies or (), everything, maps, votes, out, cluster, parts)
        return
    if everything and any(drawing.values()):
        given = ", ".join(name for name, there in drawing.items() if there)
        raise wrong_usage(f"--all draws nothing: leave out {given}, or choose galaxies to draw")
    report = pipeline.explain(
        catalog,
        Which(galaxies or (), worst, everything, min_votes, answer, where, exchange),  # type: ignore[arg-type]  # checked there
        maps,
        of=of or "fraction",  # type: ignore[arg-type]  # checked there
        out=out,
        figures=not everything,
        cluster=cluster,
        parts=parts,
    )
    say(report)
    if report.page is not None:
        echo(report.page)


def _picture(names: Sequence[str], catalog: Path) -> Path | None:
    """The image file among the arguments: one that is a file is no name of a galaxy."""
    from zoolens.catalog.images.sources import IMAGE_SUFFIXES

    files = [name for name in names if Path(name).is_file()]
    if not files:
        for name in names:
            if name.lower().endswith(IMAGE_SUFFIXES) and not catalog.exists():
                raise CatalogError(f"there is no image file {name}")
        return None
    if len(names) > 1:
        raise wrong_usage(f"{files[0]} is an image file: explain one at a time, and nothing else")
    return Path(files[0])


def _explain_picture(
    picture: Path,
    maps: "Maps",
    tree: str | None,
    answer: str | None,
    of: str,
    view: str | None,
    size: int | None,
    zoom: float | None,
    out: Path | None,
) -> None:
    from zoolens.jobs.picture import explain_picture
    from zoolens.jobs.settings import Inference

    report = explain_picture(
        picture,
        maps,
        Inference(view=options.view_of(view, size, zoom)),
        tree=tree,
        answer=answer,
        of=of,  # type: ignore[arg-type]  # checked there
        out=out,
    )
    write(from_arrow(report.table))
    say(report)


def _explain_estimates(
    catalog: Path,
    galaxies: Sequence[str],
    everything: bool,
    maps: "Maps",
    of_votes: Mapping[str, object],
    out: Path | None,
    cluster: str | None,
    parts: Path | None,
) -> None:
    from zoolens.jobs.explain_survey import explain_estimates

    without = ", ".join(name for name, there in of_votes.items() if there)
    if without or bool(galaxies) == everything:
        raise wrong_usage(
            "of a classifier or regressor, name galaxies or give --all"
            + (f", without {without}" if without else "")
        )
    model = maps.model[0] if maps.model else None
    report = explain_estimates(
        catalog,
        galaxies,
        everything=everything,
        model=model,
        engine=maps.engine,
        out=out,
        cluster=cluster,
        parts=parts,
    )
    say(report)
