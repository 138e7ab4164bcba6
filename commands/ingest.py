"""`zoolens ingest`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from zoolens.commands import options
from zoolens.commands.shell import say


def ingest(
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
    model: options.Model = None,
    predictions: options.Predictions = None,
    tree: options.Tree = None,
    id_column: options.IdColumn = None,
    weighted: Annotated[
        bool, Option("--weighted", help="The votes are weighted: counts can be fractional.")
    ] = False,
    samples: options.Samples = 30,
    seed: options.Seed = 0,
    view: options.ViewName = None,
    size: options.Size = None,
    engine: options.Engine = "auto",
    precision: options.Precision = "float32",
    weights: options.Weights = "paper",
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Votes and images into the catalogue; with a model or predictions, all the way to losses."""
    from zoolens.jobs.pipeline import ingest_to_index

    ingest_to_index(
        catalog,
        table,
        images=images,
        model=model,
        predictions=predictions,
        tree=tree,
        id_column=id_column,
        weighted=weighted,
        inference=options.inference_of(samples, seed, view, size, engine, precision),
        weights=weights,
        say=say,
    )
