"""Whether pieces can be one release, and what is told of their runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.made.catalogues import TOY, blank
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.release.holdings import Holdings
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.released import Runs
from zoolens.catalog.survey.provenance import check_agreement, lacking, records_of_all

HELD = Holdings(TOY, votes=True, predictions=True, losses=True)
NAMES = ["Norder=0/Npix=1", "Norder=0/Npix=2", "Norder=0/Npix=3"]


def record(number: int, job: str, hour: int, **config: Any) -> dict[str, Any]:
    return {
        "run_id": number,
        "job": job,
        "started_at": f"2024-05-06T{hour:02d}:00:00Z",
        "finished_at": f"2024-05-06T{hour:02d}:30:00Z",
        "config": config,
        "model_sha256": None,
    }


def contribution(name: str, records: list[dict[str, Any]]) -> Contribution:
    return Contribution(Path(f"{name}.duckdb"), Runs(2, 3, None), HELD, records, None, ())


def three() -> list[Contribution]:
    return [
        contribution(
            name,
            [
                record(1, "ingest", hour, table="votes.csv"),
                record(2, "predict", hour + 1, samples=3),
                record(3, "score", hour + 2, votes=[hour], weights={"a": 1}),
            ],
        )
        for hour, name in enumerate(NAMES)
    ]


def test_the_same_run_of_all_is_told_once() -> None:
    found = records_of_all(three(), NAMES)
    assert [one["job"] for one in found] == ["ingest", "predict", "score"]
    assert found[1] == {
        **record(2, "predict", 1, samples=3),
        "finished_at": "2024-05-06T03:30:00Z",
    }
    assert found[2]["config"]["votes"] == [0, 1, 2]
    assert not any("pieces" in one for one in found)


def test_runs_of_some_name_their_pieces() -> None:
    contributions = three()
    contributions[1].records[0] = record(1, "ingest", 9, table="other.csv")
    contributions[2].records.append(record(4, "explain", 9))
    found = records_of_all(contributions, NAMES)
    assert [(one["run_id"], one.get("pieces")) for one in found] == [
        (1, [NAMES[0], NAMES[2]]),
        (1, [NAMES[1]]),
        (2, None),
        (3, None),
        (4, [NAMES[2]]),
    ]


def test_what_some_lack_is_told() -> None:
    contributions = three()
    assert lacking(contributions, NAMES) == []
    contributions[1] = replace(contributions[1], runs=Runs(2, None, None))
    assert lacking(contributions, NAMES) == ["without losses: Norder=0/Npix=2 of 3 pieces"]


def test_predictions_are_needed_of_all() -> None:
    contributions = three()
    contributions[1] = replace(contributions[1], runs=Runs(None, None, None))
    with pytest.raises(CatalogError, match=r"dr10 is without predictions: .*Npix=2 of 3 pieces"):
        check_agreement(Path("dr10"), contributions, NAMES)


def test_own_columns_mean_the_same(tmp_path: Path) -> None:
    contributions = [
        replace(one, path=blank(tmp_path / f"{n}.duckdb")) for n, one in enumerate(three())
    ]
    own = [Column("z", "DOUBLE", "redshift"), Column("z", "DOUBLE", "height")]
    for number, column in enumerate(own):
        contributions[number] = replace(contributions[number], held=replace(HELD, own=(column,)))
    check_agreement(tmp_path, [contributions[0], contributions[2]], NAMES[:2])
    with pytest.raises(CatalogError, match=r"'z' is another in .*1.duckdb than in .*0.duckdb"):
        check_agreement(tmp_path, contributions, NAMES)
