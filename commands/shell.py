"""What all commands share with the terminal: words, exit codes, Ctrl-C, pipes."""

import functools
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from zoolens.catalog.errors import CatalogError, QueryRefused, Told
from zoolens.catalog.output.answer import plain
from zoolens.catalog.runtime.progress import is_quiet, set_quiet
from zoolens.catalog.runtime.signals import at_work, exit_code, farewell, interrupted
from zoolens.catalog.runtime.signals import listen as listen

if TYPE_CHECKING:
    from zoolens.jobs.reports import Report

_FAULT, _USAGE = 1, 2  # exit codes; most wrong usage is found by Typer
_faults = 0  # of pieces of surveys, that were told while the work on others went on


def say(report: "Report") -> None:
    """One line on what a job did, and one a note, on stderr: standard output is for results.

    What kept it from pieces of a survey is told in any case, and ends the command with exit code 1.
    """
    global _faults
    faults = getattr(report, "hindered", ())
    _faults += len(faults)
    if not is_quiet():
        _say(report)
    for fault in faults:
        _tell(plain(fault))


def _say(report: "Report") -> None:
    run = "" if report.run_id is None else f"run {report.run_id}"
    same = "" if report.changed else "nothing changed: "
    typer.echo(f"{report.job:<8} {run:<7} {same}{plain(report.summary)}", err=True)
    for note in report.notes:
        typer.echo(f"{'':<17}{plain(note)}", err=True)


def remark(words: str) -> None:
    """One line on stderr about a result that was just shown."""
    if not is_quiet():
        typer.echo(words, err=True)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """A command for which a user's mistake is one line and exit code 1."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        global _faults
        _faults = 0
        set_quiet(bool(kwargs.get("quiet")))
        try:
            with at_work(), warnings.catch_warnings():
                warnings.simplefilter("always", Told)
                warnings.showwarning = functools.partial(_show, warnings.showwarning)
                command(*args, **kwargs)
            if not _faults:
                return
            end = typer.Exit(_FAULT)
        except (Exception, KeyboardInterrupt) as error:
            found = _end(error)
            if found is None:
                raise
            end = found
        # not above: the error holds the frames it went through, and they hold files that Arrow's
        # threads may read until the very end, which aborts the process
        raise end

    return run


def _show(show: Callable[..., None], message: Warning | str, *rest: Any) -> None:
    """Our own warnings in one line on stderr; others as Python shows them."""
    if not isinstance(message, Told):
        show(message, *rest)
    elif not is_quiet():
        _tell(plain(str(message)))


def _end(error: BaseException) -> typer.Exit | None:
    """Say what an error is, if it is no fault of Zoolens' own; the exit that belongs to it."""
    # after an interrupted import a library fails with other errors
    if interrupted() or isinstance(error, KeyboardInterrupt):
        _tell(farewell())
        return typer.Exit(exit_code())
    if isinstance(error, CatalogError):
        # DuckDB's message about a query has several lines
        lines = str(error).splitlines() if isinstance(error, QueryRefused) else [str(error)]
        _tell("\n".join(map(plain, lines)))
        return typer.Exit(_FAULT)
    if isinstance(error, BrokenPipeError):
        # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return typer.Exit(0)
    if isinstance(error, OSError) and error.filename is not None:
        # of a place that may not be looked into, or that no file can have
        _tell(f"{plain(os.fsdecode(error.filename))}: {error.strerror}; name another")
        return typer.Exit(_FAULT)
    return None


def wrong_usage(mistake: str) -> typer.Exit:
    """The exit, to be raised, of options that do not go together; says so in one line."""
    _tell(mistake)
    return typer.Exit(_USAGE)


def refuse_unused(context: typer.Context, with_: str, *names: str) -> None:
    """Raises `typer.Exit` if options were typed that mean nothing beside another one."""
    typed = [
        f"--{name.replace('_', '-')}"
        for name in names
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if typed:
        raise wrong_usage(f"with {with_}, leave out {', '.join(typed)}")


def end_now(reason: str) -> None:
    """End the process from a thread of it, for a query that would not stop."""
    _tell(f"the query was stopped: {reason}")
    os._exit(_FAULT)


def _tell(mistake: str) -> None:
    typer.echo(f"zoolens: {mistake}", err=True)


def refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """Raises `SystemExit` for an argument without a Unicode form: a catalogue cannot hold it."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            _tell(f"{plain(argument)} is not UTF-8, which names have to be")
            raise SystemExit(_FAULT) from None
