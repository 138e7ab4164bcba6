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
            help="Votes, or galaxies without: CSV, CSV.gz, Parquet or FITS. Left out, galaxies are "
            "named after their images."
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
        say=say,
    )
