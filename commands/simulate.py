"""`zoolens simulate`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from zoolens.commands import options
from zoolens.commands.shell import say, wrong_usage


def simulate(
    out: Annotated[Path, Argument(help="A new folder for the simulated sky.")],
    galaxies: Annotated[int, Option("-n", "--galaxies", min=1, help="How many.")] = 1000,
    seed: Annotated[int, Option(min=0, help="Another seed is another sky.")] = 0,
    size: Annotated[
        int, Option(min=32, max=1024, help="Side of an image, pixel; 424 as the survey's.")
    ] = 424,
    magnitude_limit: Annotated[
        float, Option(help="Faintest galaxy, r band; 17.77 is the survey's limit.")
    ] = 17.77,
    overdispersion: Annotated[
        float, Option(min=0, max=0.9, help="Scatter of the crowd about the true chances.")
    ] = 0.03,
    error_rate: Annotated[
        float, Option(min=0, max=1, help="Share of volunteers who answer at random.")
    ] = 0.03,
    misvote_rate: Annotated[
        float, Option(min=0, max=1, help="Share of galaxies with all votes wrong.")
    ] = 0.01,
    many_votes: Annotated[int, Option(min=1, help="Volunteers of a galaxy.")] = 40,
    few_votes: Annotated[int, Option(min=1, help="Volunteers of the others.")] = 5,
    share_many: Annotated[
        float, Option(min=0, max=1, help="Share of galaxies with many volunteers.")
    ] = 0.6,
    workers: Annotated[
        int | None, Option(min=1, help="Processes; one a core if not given.")
    ] = None,
    cluster: options.Cluster = None,
    quiet: options.Quiet = False,
) -> None:
    """A Galaxy Zoo whose truth is known: images, votes, and what made each pixel."""
    from zoolens.catalog.sky.volunteers import Crowd
    from zoolens.jobs.elsewhere import writing_elsewhere
    from zoolens.jobs.simulate import simulate as job

    if cluster and workers:
        raise wrong_usage("--workers are of this machine: leave it out with --cluster")
    report = job(
        out,
        galaxies=galaxies,
        seed=seed,
        size=size,
        magnitude_limit=magnitude_limit,
        crowd=Crowd(overdispersion, error_rate, misvote_rate, many_votes, few_votes, share_many),
        workers=workers,
        elsewhere=writing_elsewhere(cluster),
    )
    say(report)
    echo(report.out)
