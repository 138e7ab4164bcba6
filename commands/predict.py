"""`zoolens predict`."""

from typing import Annotated

from typer import Context, Option

from zoolens.commands import arrays, options
from zoolens.commands.shell import refuse_unused, say, wrong_usage


def predict(
    context: Context,
    model: options.Models = None,
    predictions: options.Predictions = None,
    id_column: options.IdColumn = None,
    tree: options.Tree = None,
    samples: options.Samples = None,
    seed: options.Seed = 0,
    orientations: options.Orientations = 1,
    view: options.ViewName = None,
    size: options.Size = None,
    zoom: options.Zoom = None,
    grey_as_colour: options.GreyAsColour = False,
    engine: options.Engine = "auto",
    precision: options.Precision = "float32",
    catalog: options.Catalog = options.CATALOG,
    names: Annotated[
        str | None,
        Option(help="What to call the classes of a classifier, or a regressor's value: a,b,c."),
    ] = None,
    cluster: options.Cluster = None,
    parts: options.Parts = None,
    part: arrays.Part = None,
    out: arrays.PartsFolder = None,
    quiet: options.Quiet = False,
) -> None:
    """What a model says of every galaxy with an image, or a published file of its galaxies."""
    from zoolens.jobs.pipeline import predict_or_adopt

    if predictions:
        refuse_unused(
            context, "--predictions", *options.OF_A_MODEL, "names", "cluster", "part", "out"
        )
    if parts and not cluster:
        raise wrong_usage("--parts is the folder of a --cluster; give both")
    inference = options.inference_of(
        samples, seed, view, size, zoom, engine, precision, grey_as_colour, orientations
    )
    called = [name.strip() for name in names.split(",")] if names else []
    which = arrays.wanted_part(part, out)
    if out is not None:
        refuse_unused(context, "--out", "cluster")
        from zoolens.jobs.arrays import predict_part

        asked = arrays.asked_for(context) | ({"names": called} if names else {})
        say(predict_part(catalog, out, which, asked, model or (), tree, inference, called))
        return
    report = predict_or_adopt(
        catalog,
        model=model or (),
        predictions=predictions,
        id_column=id_column,
        tree=tree,
        inference=inference,
        names=called,
        cluster=cluster,
        parts=parts,
    )
    say(report)
