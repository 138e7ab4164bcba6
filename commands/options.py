"""Options that several commands share, each defined once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from zoolens.catalog import paths
from zoolens.catalog.store.shown import FEWEST_VOTES

if TYPE_CHECKING:
    from zoolens.catalog.images.view import View
    from zoolens.jobs.settings import Inference

# Every command.
CATALOG = paths.CATALOG_DEFAULT
Catalog = Annotated[
    Path,
    Option(envvar=paths.CATALOG_VARIABLE, help="The catalogue file, or the folder of a survey."),
]
Quiet = Annotated[bool, Option("--quiet", help="No progress bars, no words: only results.")]

# Commands that answer with a table.
Format = Annotated[
    str | None,
    Option("--format", help="table, csv, json, parquet or latex; told from --out if not given."),
]
Out = Annotated[Path | None, Option(help="Write to this file instead of the terminal.")]
FewestVotes = Annotated[
    float, Option(min=0, help="Only answers to questions asked of so many volunteers; 0 for all.")
]
MinVotes = Annotated[
    float | None,
    Option(
        min=0,
        help="Only answers, and counterparts, whose question so many were asked; unless given "
        f"{FEWEST_VOTES}, and fewer where there are none of so many.",
    ),
]
Exchange = Annotated[
    str,
    Option(
        help="What counterparts exchange between votes and prediction: the fractions of the whole "
        "question, or of the answer alone, as the paper."
    ),
]

# What a model sees and how it is run.
Models = Annotated[
    list[str] | None,
    Option(
        "--model",
        help="Zoobot checkpoint (.ckpt, .safetensors), hf_hub:owner/name, or a model that comes "
        "with Zoolens: its name, or bundled, the one for the tree; several times for an ensemble, "
        "whose samples are pooled.",
    ),
]
Samples = Annotated[
    int | None,
    Option(
        min=0,
        max=1000,
        help="Dropout samples of each model; 30 if not given, or 32 in 4 or 8 orientations; 0 "
        "turns dropout off.",
    ),
]
Orientations = Annotated[
    int,
    Option(
        min=1,
        max=8,
        help="Orientations that an image is seen in, among which the samples are shared out: 2, 4, "
        "or 8, with mirror images, take as many times as long and err less.",
    ),
]
Seed = Annotated[int, Option(min=0, help="Seed of the dropout samples.")]
ViewName = Annotated[
    str | None,
    Option(
        "--view", help="Configuration of galaxy_datasets the model was trained with: minimal, fast."
    ),
]
Size = Annotated[int | None, Option(min=16, max=2048, help="Side of the model's input, pixel.")]
Zoom = Annotated[
    float | None,
    Option(min=1, max=16, help="The model is shown the central 1/zoom of an image."),
]
GreyAsColour = Annotated[
    bool,
    Option("--grey-as-colour", help="Show images of one channel to a model of three, in each."),
]
Engine = Annotated[
    str,
    Option(help="What runs the model: torch, openvino, cuda, or auto, the fastest here."),
]
Precision = Annotated[
    str, Option(help="float32, or bfloat16: faster on some machines, and less exact.")
]

# Who computes.
Cluster = Annotated[
    str | None,
    Option(
        help="Compute on workers: local:N processes, a Dask scheduler's tcp://HOST:PORT, or a YAML "
        "file of a batch system's jobs."
    ),
]
Parts = Annotated[
    Path | None,
    Option(
        help="With --cluster, the folder that workers see, through which rows come; beside the "
        "catalogue if not given."
    ),
]

# Which galaxies.
Where = Annotated[
    str | None,
    Option(help="Only galaxies for which this SQL condition on galaxies and own columns holds."),
]

# Names of what only means something with a model.
OF_A_MODEL = (
    "samples",
    "seed",
    "orientations",
    "view",
    "size",
    "zoom",
    "grey_as_colour",
    "engine",
    "precision",
)

# What a catalogue is made from.
Predictions = Annotated[
    Path | None,
    Option(help="Published concentrations or fractions, instead of a model."),
]
Tree = Annotated[
    str | None,
    Option(help="Decision tree: gzd5, gz2, euclid, … or NAME.yaml; else told by table or model."),
]
IdColumn = Annotated[
    str | None,
    Option("--id", help="Column that names the galaxy, or several, as in tile_index,object_id."),
]
Weights = Annotated[str, Option(help="paper, none, or a YAML or CSV file of label and weight.")]


def view_of(name: str | None, size: int | None, zoom: float | None) -> "View | None":
    """The view that options ask for; None if they leave it to the model."""
    if name is None and size is None and zoom is None:
        return None
    from zoolens.catalog.images.view import View

    return View(name or View.name, size or View.size, zoom=zoom or View.zoom)


def inference_of(
    samples: int | None,
    seed: int,
    view: str | None,
    size: int | None,
    zoom: float | None,
    engine: str,
    precision: str,
    grey_as_colour: bool,
    orientations: int,
) -> "Inference":
    """How a model is to predict, as options say."""
    from zoolens.catalog.network.orientations import even
    from zoolens.jobs.settings import Inference

    drawn = even(Inference.samples, orientations) if samples is None else samples
    seen = view_of(view, size, zoom)
    return Inference(drawn, seed, seen, engine, precision, grey_as_colour, orientations)
