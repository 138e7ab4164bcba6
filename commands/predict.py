"""`zoolens predict`."""

from zoolens.commands import options
from zoolens.commands.shell import say


def predict(
    model: options.Model = None,
    predictions: options.Predictions = None,
    id_column: options.IdColumn = None,
    tree: options.Tree = None,
    samples: options.Samples = 30,
    seed: options.Seed = 0,
    view: options.ViewName = None,
    size: options.Size = None,
    engine: options.Engine = "auto",
    precision: options.Precision = "float32",
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Concentrations for every galaxy with an image, or from a published file."""
    from zoolens.jobs.pipeline import predict_or_adopt

    report = predict_or_adopt(
        catalog,
        model=model,
        predictions=predictions,
        id_column=id_column,
        tree=tree,
        inference=options.inference_of(samples, seed, view, size, engine, precision),
    )
    say(report)
