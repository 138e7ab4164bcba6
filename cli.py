"""The command line: which commands there are, and how they begin."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from zoolens.commands import (
    adopt,
    demo,
    doctor,
    evaluate,
    explain,
    histogram,
    index,
    ingest,
    keep,
    models,
    predict,
    release,
    score,
    select,
    serve,
    shell,
    similar,
    simulate,
    sql,
    status,
    train,
    verify,
    worst,
)
from zoolens.commands.help import Commands

app = typer.Typer(
    name="zoolens",
    cls=Commands,
    help="A galaxy-morphology catalogue that can say why.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_COMMANDS: dict[str, list[Callable[..., None]]] = {
    "Your catalogue": [
        *(ingest.ingest, keep.keep, predict.predict, adopt.adopt, score.score, index.index),
        *(status.status, verify.verify, doctor.doctor),
    ],
    "Looking": [
        *(worst.worst, similar.similar, explain.explain, histogram.histogram, sql.sql),
    ],
    "Publishing": [select.select, serve.serve],
    "Simulation and trust": [
        *(demo.demo, models.models, simulate.simulate, train.train, evaluate.evaluate),
    ],
}
for _heading, _commands in _COMMANDS.items():
    for _command in _commands:
        app.command(rich_help_panel=_heading)(shell.guarded(_command))
app.add_typer(release.app, name="release", rich_help_panel="Publishing")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"zoolens {version('zoolens')}")
        raise typer.Exit


@app.callback()
def _zoolens(
    wanted: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options that stand before any command."""


def main() -> None:
    """Run the command that was typed; `zoolens.__main__` comes before it."""
    shell.refuse_what_is_no_text(sys.argv[1:])
    app()


if __name__ == "__main__":
    shell.listen()
    main()
