"""`zoolens train`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option, echo

from zoolens.catalog import paths
from zoolens.commands import options
from zoolens.commands.shell import say

if TYPE_CHECKING:
    from zoolens.catalog.images.view import View


def train(
    out: Annotated[Path, Argument(help="Folder for checkpoints and the model.")],
    architecture: Annotated[
        str | None, Option(help="Encoder, a timm name; efficientnet_b0 if not given.")
    ] = None,
    encoder: Annotated[
        str | None,
        Option(help="Begin with this model, such as bundled, or timm's weights (.safetensors)."),
    ] = None,
    epochs: Annotated[int, Option(min=1, help="At most so many.")] = 50,
    batch_size: Annotated[int, Option(min=2, help="Galaxies a step.")] = 64,
    learning_rate: Annotated[float, Option(help="Largest learning rate.")] = 1e-3,
    patience: Annotated[
        int, Option(min=1, help="Epochs without a better loss before it ends.")
    ] = 8,
    held_out: Annotated[
        float,
        Option(help="Expected share kept from training, half of it to test, by a hash of names."),
    ] = 0.2,
    down_weight_noisy: Annotated[
        bool, Option("--down-weight-noisy", help="Doubtful votes count less.")
    ] = False,
    error_rate: Annotated[
        float, Option(help="Share of random votes, for --down-weight-noisy.")
    ] = 0.05,
    shuffle_votes: Annotated[
        bool, Option("--shuffle-votes", help="Deal votes to other galaxies: a control.")
    ] = False,
    mixed: Annotated[bool, Option("--mixed", help="Compute in bfloat16: faster on GPUs.")] = False,
    workers: Annotated[int, Option(min=0, help="Processes that augment.")] = 1,
    seed: Annotated[int, Option(min=0, help="Seed of weights, split and order.")] = 0,
    view: options.ViewName = None,
    size: options.Size = None,
    zoom: options.Zoom = None,
    greyscale: Annotated[
        bool, Option("--greyscale", help="The model is to see greyscale images.")
    ] = False,
    grey_as_colour: options.GreyAsColour = False,
    catalog: Annotated[
        list[Path] | None,
        Option(
            envvar=paths.CATALOG_VARIABLE,
            help="The catalogue file, or the folder of a survey; several times to train on all of "
            "them, whatever their trees.",
        ),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """A ZoobotTree from the votes and images of a catalogue, or of several."""
    from zoolens.jobs.everywhere import train as job

    report = job(
        catalog or [options.CATALOG],
        out,
        architecture=architecture,
        encoder=encoder,
        view=_view(options.view_of(view, size, zoom), greyscale, grey_as_colour),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=patience,
        seed=seed,
        held_out=held_out,
        down_weight_noisy=down_weight_noisy,
        error_rate=error_rate,
        shuffle_votes=shuffle_votes,
        mixed=mixed,
        workers=workers,
    )
    say(report)
    echo(report.model)


def _view(asked: "View | None", greyscale: bool, grey_as_colour: bool) -> "View | None":
    """The view that options ask for; None if they leave it to the model to begin with."""
    from zoolens.catalog.images.view import View

    if asked is None and not (greyscale or grey_as_colour):
        return None
    as_colour = grey_as_colour and not greyscale
    return replace(asked or View(), greyscale=greyscale, grey_as_colour=as_colour)
