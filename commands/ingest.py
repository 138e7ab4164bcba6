"""`zoolens ingest`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Context, Option

from zoolens.commands import options
from zoolens.commands.shell import refuse_unused, say, wrong_usage


def ingest(
    context: Context,
    table: Annotated[
        Path | None,
        Argument(
            help="Votes, or galaxies without: CSV, CSV.gz, Parquet or FITS, or a folder of Parquet "
            "files, such as a HATS catalogue. Left out, galaxies are named after their images."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        Option(help="Folder of images or tar shards, a tar, or a Parquet file of images."),
    ] = None,
    model: options.Models = None,
    predictions: options.Predictions = None,
    tree: options.Tree = None,
    id_column: options.IdColumn = None,
    keep: Annotated[
        str | None,
        Option(help="Columns of your own beside the votes, comma-separated, such as z,mag."),
    ] = None,
    weighted: Annotated[
        bool, Option("--weighted", help="The votes are weighted: counts can be fractional.")
    ] = False,
    survey: Annotated[
        bool,
        Option(
            "--survey",
            help="Make --catalog a folder of catalogues, one a piece of the sky, for more "
            "galaxies than one file should hold.",
        ),
    ] = False,
    most_rows: Annotated[
        int | None,
        Option(min=1, help="Galaxies of a new piece of a survey; 2,000,000 if not given."),
    ] = None,
    samples: options.Samples = None,
    seed: options.Seed = 0,
    orientations: options.Orientations = 1,
    view: options.ViewName = None,
    size: options.Size = None,
    zoom: options.Zoom = None,
    grey_as_colour: options.GreyAsColour = False,
    engine: options.Engine = "auto",
    precision: options.Precision = "float32",
    weights: options.Weights = "paper",
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Votes and images, or galaxies without votes, into the catalogue; with a model, to losses."""
    from zoolens.catalog.own.asked import listed
    from zoolens.jobs.pipeline import ingest_to_index

    if table is None and images is None and predictions is None:
        raise wrong_usage("there is nothing to ingest: give a table, --images or --predictions")
    if survey and catalog == options.CATALOG:
        raise wrong_usage("a survey is a folder: name it by --catalog, as in --catalog dr10")
    if not model:
        refuse_unused(
            context, "--predictions" if predictions else "no --model", *options.OF_A_MODEL
        )
    ingest_to_index(
        catalog,
        table,
        images=images,
        model=model or (),
        predictions=predictions,
        tree=tree,
        id_column=id_column,
        keep=listed(keep or ""),
        weighted=weighted,
        inference=options.inference_of(
            samples, seed, view, size, zoom, engine, precision, grey_as_colour, orientations
        ),
        weights=weights,
        survey=survey,
        most_rows=most_rows,
        say=say,
    )
