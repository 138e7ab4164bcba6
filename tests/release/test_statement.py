"""What the manifest says."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.made.catalogues import TOY
from tests.made.releases import TITLE
from zoolens.catalog.release.contents import chosen_contents
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.release.holdings import Holdings
from zoolens.catalog.release.statement import last_day, statement
from zoolens.catalog.store.released import Runs

HELD = Holdings(TOY, votes=True, predictions=True, losses=True)


@pytest.mark.parametrize(
    ("held", "without"),
    [
        (HELD, None),
        (replace(HELD, losses=False), "losses"),
        (replace(HELD, losses=False, predictions=False), "predictions"),
        (replace(HELD, losses=False, predictions=False, votes=False), "votes and predictions"),
    ],
)
def test_what_is_lacking_is_said(held: Holdings, without: str | None) -> None:
    contents = chosen_contents(
        held, preset="full", columns=["dec"], where="dec > 0", min_votes=3, counterparts=5
    )
    said = statement(TITLE, "2024-05-06", held, contents, "full", ["parquet"])
    assert said.get("without") == without
    assert said["selection"] == {
        "preset": "full",
        "columns": ["iauname", "dec"],
        "where": "dec > 0",
        "min_votes": 3,
        "counterparts_of_the_worst": 0,
    }
    assert (said["tree"], said["date"], said["version"]) == ("toy", "2024-05-06", "1.0")


def test_it_is_of_the_day_of_the_newest_losses() -> None:
    def contribution(scored: str, runs: Runs) -> Contribution:
        days = {1: "2031-01-01T", 2: "2024-02-02T", 5: f"{scored}T"}
        records = [{"run_id": number, "finished_at": day} for number, day in days.items()]
        return Contribution(Path("a.duckdb"), runs, HELD, records, None, ())

    two = [
        contribution("2024-05-06", Runs(2, 5, None)),
        contribution("2024-05-08", Runs(2, 5, None)),
    ]
    assert last_day(two) == "2024-05-08"
    assert last_day([contribution("2024-05-08", Runs(2, None, None))]) == "2024-02-02"
