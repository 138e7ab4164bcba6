"""`zoolens status`."""

from pathlib import Path

from typer import echo

from zoolens.catalog.output.answer import from_arrow, write
from zoolens.commands import options


def status(
    form: options.Format = None,
    out: options.Out = None,
    catalog: options.Catalog = options.CATALOG,
) -> None:
    """The runs, how far each step has come, and what is missing."""
    from zoolens.catalog.survey.folder import is_survey
    from zoolens.jobs.status import status as job

    if is_survey(catalog):
        _say_survey(catalog, form, out)
        return
    report = job(catalog)
    if form or out:
        write(from_arrow(report.runs), form, out)
        return
    told = f"{report.refused:,} refused, {report.remarks:,} remarks"
    tree = f"tree {report.tree}" if report.tree else "no tree yet"
    echo(f"{report.catalog}: {tree}, {told}")
    # without the columns that make it wider than a terminal: files and other formats have them
    for table in (report.steps, report.runs.drop_columns(["finished_at", "code"])):
        write(from_arrow(table))
        echo()
    for sentence in report.advice:
        echo(sentence)


def _say_survey(folder: Path, form: str | None, out: Path | None) -> None:
    """One table for all pieces."""
    from zoolens.jobs.status import survey_status

    report = survey_status(folder)
    if form or out:
        write(from_arrow(report.steps), form, out)
        return
    tree = f"tree {report.tree}" if report.tree else "no tree yet"
    told = f"{report.refused:,} refused, {report.remarks:,} remarks"
    echo(f"{folder}: {report.pieces:,} pieces, {tree}, {told}")
    write(from_arrow(report.steps))
    echo()
    for sentence in report.advice:
        echo(sentence)
