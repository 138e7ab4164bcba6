"""The command line: each command parses, calls a job or a few, prints the report."""

import functools
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from zoolens.catalog import paths
from zoolens.catalog.errors import CatalogBusy, CatalogError, QueryRefused
from zoolens.catalog.output.answer import from_arrow, plain, write
from zoolens.catalog.runtime.progress import heed_interrupt, interrupt, interrupted, set_quiet

if TYPE_CHECKING:
    from zoolens.catalog.images.view import View

app = typer.Typer(
    name="zoolens",
    help="A galaxy-morphology catalogue that can say why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Catalog = Annotated[
    Path,
    typer.Option(envvar=paths.CATALOG_VARIABLE, help="The catalogue file."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars, no words: only results.")]
Format = Annotated[
    str | None,
    typer.Option("--format", help="table, csv, json or parquet; told from --out if not given."),
]
Out = Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")]
Samples = Annotated[
    int, typer.Option(min=0, max=1000, help="Dropout samples; 0 turns dropout off.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the dropout samples.")]
ViewName = Annotated[
    str | None,
    typer.Option(
        "--view", help="Configuration of galaxy_datasets the model was trained with: minimal, fast."
    ),
]
Size = Annotated[
    int | None, typer.Option(min=16, max=2048, help="Side of the model's input, pixel.")
]
Engine = Annotated[
    str,
    typer.Option(help="What runs the model: torch, openvino, cuda, or auto, the fastest here."),
]
Precision = Annotated[
    str, typer.Option(help="float32, or bfloat16: faster on some machines, and less exact.")
]
Weights = Annotated[
    str, typer.Option(help="paper, none, or a YAML or CSV file of label and weight.")
]
IdColumn = Annotated[
    str | None, typer.Option("--id", help="Column that names the galaxy, if not iauname.")
]
Tree = Annotated[
    str | None,
    typer.Option(help="gzd5, gzd8, gzd12 or gz2; told from the columns if not given."),
]
Model = Annotated[
    str | None,
    typer.Option(help="Zoobot checkpoint (.ckpt, .safetensors) or hf_hub:owner/name."),
]
MinVotes = Annotated[
    float, typer.Option(min=0, help="Only answers to questions asked of so many volunteers.")
]
_DEMO_VOTES = 10  # volunteers, below which a disagreement may be luck
Predictions = Annotated[
    Path | None,
    typer.Option(help="Published concentrations or fractions, instead of a model."),
]


def _interrupt(number: int, frame: Any) -> None:
    """Remember a Ctrl-C, and heed it at once, but not within an import.

    What libraries do while they are imported can swallow it, and an import that is cut
    short can keep a lock that other threads wait for.
    """
    interrupt()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return
        frame = frame.f_back
    heed_interrupt()


class _CutUnlessNamed(TyperGroup):
    """`release DIR` cuts a release; `release verify DIR` and `release diff A B` do not."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["cut", *args]
        return super().parse_args(ctx, args)


releases = typer.Typer(
    cls=_CutUnlessNamed,
    help="Cut a release of the catalogue (release DIR --version V), verify one, compare two.",
    no_args_is_help=True,
)
app.add_typer(releases, name="release")


def _guarded(function: Callable[..., None]) -> Callable[..., None]:
    """A command for which a user's mistake is one line and exit code 1."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        set_quiet(bool(kwargs.get("quiet")))
        try:
            function(*args, **kwargs)
        except (Exception, KeyboardInterrupt) as error:
            # a library whose import was cut short fails with errors of its own
            if interrupted() or isinstance(error, KeyboardInterrupt):
                typer.echo(
                    "zoolens: interrupted with nothing half done; the same command does the rest",
                    err=True,
                )
                raise typer.Exit(130) from None
            if isinstance(error, CatalogError):
                typer.echo(f"zoolens: {_told(error)}", err=True)
                raise typer.Exit(1) from None
            if isinstance(error, BrokenPipeError):
                # the reader (head, less) has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise typer.Exit(0) from None
            if isinstance(error, OSError) and error.filename is not None:
                # of a place that may not be looked into, or that no file can have
                where = plain(os.fsdecode(error.filename))
                typer.echo(f"zoolens: {where}: {error.strerror}; name another", err=True)
                raise typer.Exit(1) from None
            raise

    return run


def _told(error: CatalogError) -> str:
    """A mistake in one line, but for what DuckDB says of a query, in its own."""
    lines = str(error).splitlines() if isinstance(error, QueryRefused) else [str(error)]
    return "\n".join(map(plain, lines))


def _command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command."""
    return app.command()(_guarded(function))


def _say(quiet: bool, job: str, run_id: int | None, changed: bool, text: str) -> None:
    """One line on what a job did, on stderr: standard output is for results."""
    if not quiet:
        run = "" if run_id is None else f"run {run_id}"
        same = "" if changed else "nothing changed: "
        typer.echo(f"{job:<8} {run:<7} {same}{plain(text)}", err=True)


@_command
def ingest(
    votes: Annotated[Path, typer.Argument(help="Vote table: CSV, CSV.gz, Parquet or FITS.")],
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of images or tar shards, a tar, or a Parquet file of images."),
    ] = None,
    model: Model = None,
    predictions: Predictions = None,
    tree: Tree = None,
    id_column: IdColumn = None,
    weighted: Annotated[
        bool, typer.Option("--weighted", help="The votes are weighted: counts can be fractional.")
    ] = False,
    samples: Samples = 30,
    seed: Seed = 0,
    view: ViewName = None,
    size: Size = None,
    engine: Engine = "auto",
    precision: Precision = "float32",
    weights: Weights = "paper",
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Votes and images into the catalogue; with a model or predictions, all the way to losses."""
    from zoolens.jobs.ingest import ingest as run

    if model and predictions:
        raise CatalogError("give --model or --predictions, not both")
    # before hours of work on the votes and images, not after
    for given in (model, predictions):
        if given and not str(given).startswith("hf_hub:") and not Path(given).is_file():
            raise CatalogError(f"no file {given}")
    _check_early(weights, view, size, engine if model else "auto", precision)
    report = run(catalog, votes, images=images, tree=tree, id_column=id_column, weighted=weighted)
    refused = ", ".join(f"{count:,} {kind}" for kind, count in report.rejects.items() if count)
    _say(
        quiet,
        "ingest",
        report.run_id,
        report.changed,
        f"{report.galaxies:,} galaxies ({report.new_galaxies:,} new), "
        f"{report.images:,} images, tree {report.tree}"
        + (f"; rejects: {refused}" if refused else ""),
    )
    for note in report.notes:
        _say(quiet, "", None, True, note)
    if model or predictions:
        prediction = (samples, seed, view, size, engine, precision)
        _next(_predict, catalog, model, predictions, id_column, *prediction, quiet)
        _next(_score, catalog, weights, quiet)
        _next(_index, catalog, quiet)


def _check_early(
    weights: str, view: str | None, size: int | None, engine: str, precision: str
) -> None:
    """What later steps would refuse, before hours of work."""
    from zoolens.catalog.scoring.weights import PRESETS

    _view(view, size)
    if weights not in PRESETS and not Path(weights).is_file():
        raise CatalogError(f"no weights {weights!r}; give {', '.join(PRESETS)} or a file of them")
    if (engine, precision) != ("auto", "float32"):
        from zoolens.catalog.network.engines import check_precision, choose_engine

        choose_engine(engine, 1)
        check_precision(precision)


def _next(step: Callable[..., None], *arguments: Any) -> None:
    """A later step of one command: a passing reader must not end the work of hours."""
    heed_interrupt()
    for _ in range(60):
        try:
            step(*arguments)
        except CatalogBusy:
            time.sleep(1)
        else:
            return
    step(*arguments)


@_command
def predict(
    model: Model = None,
    predictions: Predictions = None,
    id_column: IdColumn = None,
    samples: Samples = 30,
    seed: Seed = 0,
    view: ViewName = None,
    size: Size = None,
    engine: Engine = "auto",
    precision: Precision = "float32",
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Concentrations for every galaxy with an image, or from a published file."""
    if bool(model) == bool(predictions):
        raise CatalogError("give --model CHECKPOINT or --predictions FILE")
    prediction = (samples, seed, view, size, engine, precision)
    _predict(catalog, model, predictions, id_column, *prediction, quiet)


def _predict(
    catalog: Path,
    model: str | None,
    predictions: Path | None,
    id_column: str | None,
    samples: int,
    seed: int,
    view: str | None,
    size: int | None,
    engine: str,
    precision: str,
    quiet: bool,
) -> None:
    if predictions is not None:
        from zoolens.jobs.adopt import adopt

        report = adopt(catalog, predictions, id_column=id_column)
    else:
        from zoolens.jobs.predict import predict as run

        report = run(
            catalog,
            str(model),
            samples=samples,
            seed=seed,
            view=_view(view, size),
            engine=engine,
            precision=precision,
        )
    _say(
        quiet,
        "predict",
        report.run_id,
        report.changed,
        f"{report.galaxies:,} galaxies, {report.total:,} in all; {report.rejects:,} rejects",
    )
    if report.missing_questions:
        _say(quiet, "", None, True, "no predictions for " + ", ".join(report.missing_questions))


def _view(name: str | None, size: int | None) -> "View | None":
    """The view that options ask for; None where they leave it to the model."""
    from zoolens.catalog.images.view import View

    if name is None and size is None:
        return None
    return View(name or View.name, size or View.size)


@_command
def score(
    weights: Weights = "paper",
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Cross-entropy and likelihood of the votes under the predictions."""
    _score(catalog, weights, quiet)


def _score(catalog: Path, weights: str, quiet: bool) -> None:
    from zoolens.jobs.score import score as run

    report = run(catalog, weights=weights)
    _say(quiet, "score", report.run_id, report.changed, report.summary)


@_command
def index(
    approximate: Annotated[
        bool,
        typer.Option("--approximate", help="Also what similar --approximate needs (FAISS)."),
    ] = False,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Build the similarity index; nothing to do where it is up to date."""
    _index(catalog, quiet, approximate)


def _index(catalog: Path, quiet: bool, approximate: bool = False) -> None:
    from zoolens.jobs.index import index as run

    report = run(catalog, approximate=approximate)
    if report.changed or not quiet:
        _say(quiet, "index", report.run_id, report.changed, report.summary)


@_command
def worst(
    limit: Annotated[
        int, typer.Option("-n", "--limit", min=1, max=10**9, help="Galaxies to show.")
    ] = 10,
    min_votes: MinVotes = 0,
    answer: Annotated[
        str | None, typer.Option(help="Only this answer, such as bar_strong.")
    ] = None,
    question: Annotated[str | None, typer.Option(help="Only answers to this question.")] = None,
    by: Annotated[str, typer.Option(help="weighted_ce, ce or reach_weighted_ce.")] = "weighted_ce",
    form: Format = None,
    out: Out = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
) -> None:
    """The galaxies on which volunteers and model disagree most, and on which answer."""
    from zoolens.jobs.worst import worst as run

    ranking = run(catalog, limit=limit, min_votes=min_votes, label=answer, question=question, by=by)
    write(from_arrow(ranking), form, out)


@_command
def select(
    out: Annotated[Path, typer.Argument(help="A new folder for the manifest and the images.")],
    budget: Annotated[int, typer.Option("-n", "--budget", min=1, help="Galaxies to select.")],
    by: Annotated[str, typer.Option(help="mutual_information or loss.")] = "mutual_information",
    quota: Annotated[
        list[str] | None,
        typer.Option(help="QUESTION=N: so many of them for this question; repeatable."),
    ] = None,
    min_votes: Annotated[
        float, typer.Option(min=0, help="By loss: only questions asked of so many volunteers.")
    ] = 0,
    max_votes: Annotated[
        float | None,
        typer.Option(min=0, help="Only questions asked of no more volunteers so far."),
    ] = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Galaxies that deserve more votes, as a manifest and images for the Zooniverse."""
    from zoolens.jobs.select import select as run

    report = run(
        catalog,
        out,
        budget,
        by=by,
        quotas=quota or (),
        min_votes=min_votes,
        max_votes=max_votes,
    )
    _say(quiet, "select", None, True, report.summary)
    typer.echo(report.manifest)


@_command
def similar(
    galaxy: Annotated[str, typer.Argument(help="Name of the galaxy.")],
    answer: Annotated[
        str | None, typer.Option(help="Answer of interest; the costliest if not given.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Counterparts of each kind.")] = 5,
    weights: Annotated[
        str | None, typer.Option(help="paper, none, or a file of label and weight.")
    ] = None,
    approximate: Annotated[
        bool,
        typer.Option("--approximate", help="Sooner in very large catalogues, and missing some."),
    ] = False,
    min_votes: MinVotes = 0,
    form: Format = None,
    out: Out = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """A galaxy's fair comparisons: what if the volunteers, or the model, were right."""
    from zoolens.jobs.index import index as build
    from zoolens.jobs.similar import similar as run

    build(catalog, approximate=approximate)
    report = run(
        catalog,
        galaxy,
        label=answer,
        k=k,
        weights=weights,
        approximate=approximate,
        min_votes=min_votes,
    )
    _say(quiet, "similar", None, True, report.summary)
    write(from_arrow(report.table), form, out)


@_command
def explain(
    galaxies: Annotated[list[str] | None, typer.Argument(help="Names of galaxies.")] = None,
    answer: Annotated[
        str | None, typer.Option(help="Answer to draw; each galaxy's costliest if not given.")
    ] = None,
    worst: Annotated[int | None, typer.Option(min=1, help="The N worst galaxies.")] = None,
    min_votes: MinVotes = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="Every galaxy with an image; stores maps, draws none.")
    ] = False,
    model: Model = None,
    method: Annotated[str, typer.Option(help="hirescam or gradcam.")] = "hirescam",
    layer: Annotated[
        str | None, typer.Option(help="Layer of the encoder; its last block if not given.")
    ] = None,
    of: Annotated[
        str, typer.Option(help="Draw maps of the concentration, fraction or cross_entropy.")
    ] = "concentration",
    engine: Engine = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder for figures and page.")] = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Which pixels drove the predictions: maps of every answer, figures, a page."""
    from zoolens.jobs.explain import explain as run
    from zoolens.jobs.index import index as build

    build(catalog)
    report = run(
        catalog,
        galaxies=galaxies or (),
        worst=worst,
        min_votes=min_votes,
        everything=everything,
        label=answer,
        model=model,
        method=method,
        layer=layer,
        of=of,  # type: ignore[arg-type]  # checked there
        engine=engine,
        out=out,
        figures=not everything,
    )
    _say(
        quiet,
        "explain",
        report.run_id,
        report.changed,
        f"{report.explained:,} galaxies, {report.total:,} in all; {report.rejects:,} rejects",
    )
    if report.page is not None:
        typer.echo(report.page)


@_command
def histogram(
    out: Annotated[
        Path | None, typer.Option(help="Folder for the figures; with --suggest, file for the list.")
    ] = None,
    predicted: Annotated[
        bool, typer.Option("--predicted", help="Draw the predicted fractions beside the votes.")
    ] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="List the answers balanced enough to weigh.")
    ] = False,
    min_votes: MinVotes = 0,
    form: Format = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
) -> None:
    """Distributions of the vote fractions, of the emphasised answers and of all."""
    from zoolens.jobs import histogram as job

    if suggest:
        write(from_arrow(job.suggest(catalog, min_votes=min_votes)), form, out)
        return
    drawn = job.histogram(catalog, out or Path("."), predicted=predicted, min_votes=min_votes)
    for path in drawn.figures:
        typer.echo(path)


@_command
def simulate(
    out: Annotated[Path, typer.Argument(help="A new folder for the simulated sky.")],
    galaxies: Annotated[int, typer.Option("-n", "--galaxies", min=1, help="How many.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another sky.")] = 0,
    size: Annotated[
        int, typer.Option(min=32, max=1024, help="Side of an image, pixel; 424 as the survey's.")
    ] = 424,
    magnitude_limit: Annotated[
        float, typer.Option(help="Faintest galaxy, r band; 17.77 is the survey's limit.")
    ] = 17.77,
    overdispersion: Annotated[
        float, typer.Option(min=0, max=0.9, help="Scatter of the crowd about the true chances.")
    ] = 0.03,
    error_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of volunteers who answer at random.")
    ] = 0.03,
    misvote_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of galaxies with all votes wrong.")
    ] = 0.01,
    many_votes: Annotated[int, typer.Option(min=1, help="Volunteers of a galaxy.")] = 40,
    few_votes: Annotated[int, typer.Option(min=1, help="Volunteers of the others.")] = 5,
    share_many: Annotated[
        float, typer.Option(min=0, max=1, help="Share of galaxies with many volunteers.")
    ] = 0.6,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one a core if not given.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """A Galaxy Zoo whose truth is known: images, votes, and what made each pixel."""
    from zoolens.catalog.sky.volunteers import Crowd
    from zoolens.jobs.simulate import simulate as run

    crowd = Crowd(overdispersion, error_rate, misvote_rate, many_votes, few_votes, share_many)
    report = run(
        out,
        galaxies=galaxies,
        seed=seed,
        size=size,
        magnitude_limit=magnitude_limit,
        crowd=crowd,
        workers=workers,
    )
    _say(
        quiet,
        "simulate",
        None,
        report.changed,
        f"{report.galaxies:,} galaxies, {report.votes:,} votes, {report.erroneous:,} of them in "
        f"error, {report.misvoted:,} galaxies mis-voted",
    )
    typer.echo(report.out)


@_command
def train(
    out: Annotated[Path, typer.Argument(help="Folder for checkpoints and the model.")],
    architecture: Annotated[
        str | None, typer.Option(help="Encoder, a timm name; efficientnet_b0 if not given.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Begin with the encoder of this model.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    batch_size: Annotated[int, typer.Option(min=2, help="Galaxies a step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Largest learning rate.")] = 1e-3,
    patience: Annotated[
        int, typer.Option(min=1, help="Epochs without a better loss before it ends.")
    ] = 8,
    held_out: Annotated[
        float, typer.Option(help="Share kept from training: half to validate, half to test.")
    ] = 0.2,
    down_weight_noisy: Annotated[
        bool, typer.Option("--down-weight-noisy", help="Doubtful votes count less.")
    ] = False,
    error_rate: Annotated[
        float, typer.Option(help="Share of random votes, for --down-weight-noisy.")
    ] = 0.05,
    shuffle_votes: Annotated[
        bool, typer.Option("--shuffle-votes", help="Deal votes to other galaxies: a control.")
    ] = False,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Compute in bfloat16: faster on GPUs.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that augment.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, split and order.")] = 0,
    view: ViewName = None,
    size: Size = None,
    greyscale: Annotated[
        bool, typer.Option("--greyscale", help="The model is to see greyscale images.")
    ] = False,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """A ZoobotTree from the catalogue's votes and images."""
    from zoolens.catalog.images.view import View
    from zoolens.jobs.train import train as run

    report = run(
        catalog,
        out,
        architecture=architecture,
        encoder=encoder,
        view=replace(_view(view, size) or View(), greyscale=greyscale),
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
    _say(
        quiet,
        "train",
        report.run_id,
        report.changed,
        f"{report.train:,} galaxies, {report.epochs} epochs, the best {report.best_epoch} with "
        f"a validation loss of {report.validation_loss:.4g} nat; {report.rejects:,} rejects",
    )
    typer.echo(report.model)


@_command
def evaluate(
    truth: Annotated[
        Path | None, typer.Option(help="The truth.parquet of a simulated sky.")
    ] = None,
    control: Annotated[
        str | None, typer.Option(help="A model that was trained with --shuffle-votes.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Only the train, validation or test galaxies.")
    ] = None,
    galaxies: Annotated[
        int, typer.Option(min=1, help="Galaxies whose predictions are judged, at most.")
    ] = 20_000,
    maps: Annotated[
        int, typer.Option(min=1, help="Galaxies whose maps are judged, at most.")
    ] = 300,
    typical: Annotated[
        int, typer.Option(min=2, help="Galaxies for the slow tests of sanity and faithfulness.")
    ] = 20,
    out: Annotated[Path | None, typer.Option(help="Folder for figures and page.")] = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """How far predictions and explanations can be trusted: tables, figures, a page."""
    from zoolens.jobs.evaluate import evaluate as run

    report = run(
        catalog,
        truth=truth,
        control=control,
        split=split,
        galaxies=galaxies,
        maps=maps,
        typical=typical,
        out=out,
    )
    _say(
        quiet,
        "evaluate",
        report.run_id,
        report.changed,
        f"{report.galaxies:,} galaxies, {len(report.measures):,} measured values",
    )
    for title, table in report.tables.items():
        typer.echo(title)
        write(from_arrow(table))
        typer.echo()
    typer.echo(report.page)


@releases.command("cut")
@_guarded
def release(
    out: Annotated[Path, typer.Argument(help="A new folder for the release.")],
    version: Annotated[str, typer.Option("--version", help="Version, such as 1.0.0.")],
    name: Annotated[str, typer.Option(help="Name of the release.")] = "Galaxy morphology",
    author: Annotated[
        list[str] | None, typer.Option(help="Who publishes it, to be cited; repeatable.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--license", help="Licence, SPDX, such as CC-BY-4.0.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="full, or friendly: few columns, no long tables.")
    ] = "full",
    columns: Annotated[
        str | None, typer.Option(help="Only these columns, comma-separated.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Only galaxies for which this SQL condition holds.")
    ] = None,
    min_votes: Annotated[
        float,
        typer.Option(min=0, help="Only galaxies and answers asked of so many volunteers."),
    ] = 0,
    formats: Annotated[
        str, typer.Option(help="parquet, fits, votable, csv, hats: comma-separated.")
    ] = "parquet,fits",
    counterparts: Annotated[
        int, typer.Option(min=0, help="Name the counterparts of the N worst galaxies.")
    ] = 1000,
    gallery: Annotated[
        int, typer.Option(min=0, help="A page to browse the N worst galaxies; 0 for none.")
    ] = 0,
    cubes: Annotated[
        bool, typer.Option("--cubes", help="Saliency maps as FITS cubes too.")
    ] = False,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Cut a release: frozen, documented, checksummed files for others."""
    from zoolens.catalog.release.provenance import Title
    from zoolens.jobs.index import index as build
    from zoolens.jobs.release import release as run

    if counterparts or gallery:
        build(catalog)
    report = run(
        catalog,
        out,
        Title(name, version, tuple(author or ()), licence),
        preset=preset,
        columns=_listed(columns),
        where=where,
        min_votes=min_votes,
        formats=_listed(formats),
        counterparts=counterparts,
        gallery=gallery,
        cubes=cubes,
    )
    _say(quiet, "release", None, True, report.summary)
    for note in report.notes:
        _say(quiet, "", None, True, note)
    typer.echo(report.folder)


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


@releases.command("verify")
@_guarded
def release_verify(
    folder: Annotated[Path, typer.Argument(help="Folder of the release.")],
    form: Format = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Check every file of a release; exit code 1 where it is at fault."""
    from zoolens.jobs.release_verify import verify as run

    report = run(folder)
    _say(quiet, "verify", None, True, report.summary)
    if form or out or len(report.faults):
        write(from_arrow(report.faults), form, out)
    if len(report.faults):
        raise CatalogError(f"{folder} is not as it was cut; fetch it again")


@releases.command("diff")
@_guarded
def release_diff(
    before: Annotated[Path, typer.Argument(help="Folder of a release.")],
    after: Annotated[Path, typer.Argument(help="Folder of another.")],
    galaxies: Annotated[
        bool, typer.Option("--galaxies", help="Every value that changed, galaxy by galaxy.")
    ] = False,
    form: Format = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Which galaxies and columns changed from one release to another, and by how much."""
    from zoolens.jobs.release_diff import diff as run

    table = run(before, after, galaxies=galaxies).table
    if not len(table):
        _say(quiet, "diff", None, True, "the two tables of galaxies are the same")
    write(from_arrow(table), form, out)


@_command
def demo(
    out: Annotated[Path, typer.Argument(help="A new folder for all that the demo makes.")] = Path(
        "zoolens-demo"
    ),
    galaxies: Annotated[int, typer.Option("-n", "--galaxies", min=10, help="How many.")] = 200,
    quiet: Quiet = False,
) -> None:
    """The whole way on a small simulated sky that the bundled model has not seen."""
    from zoolens.catalog.release.provenance import Title
    from zoolens.jobs.evaluate import evaluate as run_evaluate
    from zoolens.jobs.explain import explain as run_explain
    from zoolens.jobs.histogram import histogram as run_histogram
    from zoolens.jobs.ingest import ingest as run_ingest
    from zoolens.jobs.predict import predict as run_predict
    from zoolens.jobs.release import release as run_release
    from zoolens.jobs.report import report as run_report
    from zoolens.jobs.simulate import simulate as run_simulate

    sky, catalog = out / "sky", out / paths.CATALOG_DEFAULT
    truth = sky / "truth.parquet"
    made = run_simulate(sky, galaxies=galaxies, seed=2026)  # not the sky of training
    _say(quiet, "simulate", None, made.changed, f"{galaxies:,} galaxies, {made.votes:,} votes")
    held = run_ingest(catalog, sky / "votes.csv")
    _say(quiet, "ingest", held.run_id, held.changed, f"{held.images:,} galaxies with images")
    done = run_predict(catalog, str(paths.BUNDLED_MODEL))
    _say(quiet, "predict", done.run_id, done.changed, f"{done.total:,} galaxies")
    _score(catalog, "paper", quiet)
    _index(catalog, quiet)
    told = run_explain(catalog, worst=3, min_votes=_DEMO_VOTES, of="fraction")
    _say(quiet, "explain", told.run_id, told.changed, f"{told.total:,} galaxies")
    drawn = run_histogram(catalog, out / "histograms")
    judged = run_evaluate(catalog, truth=truth, maps=100, typical=8)
    values = f"{len(judged.measures):,} measured values"
    _say(quiet, "evaluate", judged.run_id, judged.changed, values)
    folder = out / "release"
    if not folder.exists():
        everything = run_explain(catalog, everything=True, of="fraction", figures=False)
        _say(
            quiet,
            "explain",
            everything.run_id,
            everything.changed,
            f"{everything.total:,} galaxies",
        )
        cut = run_release(
            catalog, folder, Title("A simulated sky", "1.0"), min_votes=_DEMO_VOTES, gallery=50
        )
        _say(quiet, "release", None, True, cut.summary)
    found = run_report(
        catalog,
        out,
        truth=truth,
        explained=[file for file in told.figures if file.suffix == ".png"],
        explanations=told.page,
        histograms=[file for file in drawn.figures if file.suffix == ".png"],
        evaluation=judged.section,
        min_votes=_DEMO_VOTES,
    )
    write(from_arrow(found.worst))
    typer.echo(
        f"\nThe truth is known here: in {found.known} of these {len(found.worst)} the model is "
        "nearer to it than the votes are."
    )
    typer.echo(f"Report: {found.page}")
    typer.echo(f"Release: {folder}, and to browse its worst losses {folder / 'gallery/index.html'}")
    typer.echo(f'More: zoolens sql "SELECT * FROM worst" --catalog {catalog}')


@_command
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One SELECT; without it, the views and their columns.")
    ] = None,
    form: Format = None,
    out: Out = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
) -> None:
    """Ask the catalogue in SQL, read-only."""
    from zoolens.jobs.sql import sql as run

    with run(catalog, query) as answer:
        write(answer, form, out)


@_command
def status(form: Format = None, out: Out = None, catalog: Catalog = paths.CATALOG_DEFAULT) -> None:
    """The runs, how far each step has come, and what is missing."""
    from zoolens.jobs.status import status as run

    report = run(catalog)
    if form or out:
        write(from_arrow(report.runs), form, out)
        return
    typer.echo(f"{report.catalog}: tree {report.tree}, {report.rejects:,} rejects")
    for table in (report.steps, report.runs):
        write(from_arrow(table))
        typer.echo()
    for sentence in report.advice:
        typer.echo(sentence)


@_command
def verify(
    images: Annotated[
        bool, typer.Option("--images", help="Also read every image file and compare checksums.")
    ] = False,
    form: Format = None,
    out: Out = None,
    catalog: Catalog = paths.CATALOG_DEFAULT,
    quiet: Quiet = False,
) -> None:
    """Check the catalogue against itself; exit code 1 where it is at fault."""
    from zoolens.jobs.verify import verify as run

    report = run(catalog, images=images)
    write(from_arrow(report.checks), form, out)
    if report.errors:
        raise CatalogError(f"{report.errors} checks of {catalog} failed; {report.advice}")


def _is_text(argument: str) -> bool:
    """Whether an argument has a Unicode form, which a catalogue can hold."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def main() -> None:
    """Entry point of the console script."""
    for argument in sys.argv[1:]:
        if not _is_text(argument):
            typer.echo(f"zoolens: {plain(argument)} is not UTF-8, which names have to be", err=True)
            raise SystemExit(1)
    signal.signal(signal.SIGINT, _interrupt)
    app()


if __name__ == "__main__":
    main()
