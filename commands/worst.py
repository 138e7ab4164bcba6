"""`zoolens worst`."""

from typing import Annotated

from typer import Context, Option

from zoolens.catalog.output.answer import from_arrow, write
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.commands import options
from zoolens.commands.shell import refuse_unused, remark


def worst(
    context: Context,
    limit: Annotated[int, Option("-n", "--limit", min=1, max=10**9, help="Galaxies to show.")] = 10,
    min_votes: options.FewestVotes = FEWEST_VOTES,
    answer: Annotated[str | None, Option(help="Only this answer, such as bar_strong.")] = None,
    question: Annotated[str | None, Option(help="Only answers to this question.")] = None,
    by: Annotated[
        str | None,
        Option(
            help="weighted_ce, ce or reach_weighted_ce; against a column ce, or error or deviation."
        ),
    ] = None,
    against: Annotated[
        str | None,
        Option(help="Rank what a classifier or regressor estimates against this column of yours."),
    ] = None,
    where: options.Where = None,
    form: options.Format = None,
    out: options.Out = None,
    catalog: options.Catalog = options.CATALOG,
) -> None:
    """The galaxies on which volunteers and model disagree most, and on which answer; or labels."""
    from zoolens.jobs.worst import worst as job
    from zoolens.jobs.worst import worst_estimates

    if against is not None:
        refuse_unused(context, "--against", "answer", "question", "min_votes")
        write(
            from_arrow(worst_estimates(catalog, against, limit=limit, by=by, where=where)),
            form,
            out,
        )
        return
    ranking = job(
        catalog,
        limit=limit,
        min_votes=min_votes,
        answer=answer,
        question=question,
        by=by or "weighted_ce",
        where=where,
    )
    write(from_arrow(ranking), form, out)
    if min_votes and len(ranking):
        remark(
            f"answers to questions asked of {min_votes:g} volunteers or more; --min-votes 0: all, "
            "as in the view worst"
        )
