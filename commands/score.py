"""`zoolens score`."""

from zoolens.commands import options
from zoolens.commands.shell import say


def score(
    weights: options.Weights = "paper",
    catalog: options.Catalog = options.CATALOG,
    quiet: options.Quiet = False,
) -> None:
    """Cross-entropy and likelihood of the votes under the predictions."""
    from zoolens.jobs.everywhere import score as job

    say(job(catalog, weights=weights))
