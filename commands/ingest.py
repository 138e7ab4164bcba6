"""`zoolens ingest`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from zoolens.commands import options
from zoolens.commands.shell import say


def ingest(
    votes: Annotated[Path, Argument(help="Vote table: CSV, CSV.gz, Parquet or FITS.")],
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
    samples: options.Samples = 30,
    seed: options.Seed = 0,
    view: options.ViewName = None,
    size: options.Size = None,
    grey_as_colour: options.GreyAsColour = False,
    engine: options.Engine = "auto",
    precision: options.Precision = "float32",
    weights: options.Weights = "paper",
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Votes and images into the catalogue; with a model or predictions, all the way to losses."""
    from zoolens.catalog.own.asked import listed
    from zoolens.jobs.pipeline import ingest_to_index

    ingest_to_index(
        catalog,
        votes,
        images=images,
        model=model or (),
        predictions=predictions,
        tree=tree,
        id_column=id_column,
        keep=listed(keep or ""),
        weighted=weighted,
        inference=options.inference_of(
            samples, seed, view, size, engine, precision, grey_as_colour
        ),
        weights=weights,
        say=say,
    )
