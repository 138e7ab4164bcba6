"""The table of counterparts: what it holds, and which answer it is about."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_votes,
    catalogue,
    expected_fractions,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError, TableRefused, UnknownName
from zoolens.catalog.output.answer import from_arrow, write
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.similarity.exchange import Exchange
from zoolens.catalog.store.store import Store
from zoolens.jobs.index import index
from zoolens.jobs.score import score
from zoolens.jobs.similar import similar
from zoolens.jobs.worst import worst

pytestmark = pytest.mark.slow

N = 30


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gz") / "gz.duckdb"
    counts = random_counts(N)
    counts[:, TOY.slices[2]] += 1
    counts[3, TOY.slices[1]] = 0
    catalogue(path, counts, concentrations=random_concentrations(N))
    score(path)
    index(path)
    return path


def test_the_table_is_of_the_galaxy_and_its_counterparts(gz: Path) -> None:
    report = similar(gz, "G0003", answer="bar_weak", k=4)
    with Store.open(gz, read_only=True) as store:
        found = find_counterparts(store, 3, TOY.answer_id("bar_weak"), k=4)
    rows = report.table.to_pylist()
    assert [row["counterpart"] for row in rows] == ["selected"] + 4 * ["observed"] + 4 * [
        "predicted"
    ]
    counterparts = found.observed + found.predicted
    assert [row["iauname"] for row in rows] == ["G0003"] + [c.iauname for c in counterparts]
    assert [row["score"] for row in rows] == [None] + [c.score for c in counterparts]
    counts = random_counts(N)
    counts[:, TOY.slices[2]] += 1
    totals = question_totals(counts)
    predicted = expected_fractions(random_concentrations(N))
    bar = TOY.slices[2].start
    for row in rows:
        galaxy = int(row["iauname"][1:])
        assert row["votes"] == totals[galaxy, 2]
        assert row["observed"] == counts[galaxy, bar + 1] / totals[galaxy, 2]
        assert row["predicted"] == predicted[galaxy, bar + 1]
        strong, no = counts[galaxy, [bar, bar + 2]] / totals[galaxy, 2]
        p_strong, p_no = predicted[galaxy, [bar, bar + 2]]
        assert row["others"] == f"strong {strong:.2f}/{p_strong:.2f}, no {no:.2f}/{p_no:.2f}"


def test_the_costliest_answer_is_meant_unless_one_is_named(gz: Path) -> None:
    ranking = worst(gz, limit=N).to_pylist()
    for row in ranking[:5]:
        assert similar(gz, row["iauname"], k=1).answer == row["label"]


def test_who_was_not_asked_is_no_counterpart(gz: Path) -> None:
    report = similar(gz, "G0005", answer="round_yes", k=N)
    assert "G0003" not in report.table["iauname"].to_pylist()
    assert min(report.table["votes"].to_pylist()) > 0


@pytest.mark.parametrize("exchange", ["question", "answer"])
def test_what_was_asked_for_stands_beside_what_was_found(gz: Path, exchange: Exchange) -> None:
    report = similar(gz, "G0003", answer="bar_weak", k=2, exchange=exchange)
    selected, *rows = report.table.to_pylist()
    assert (selected["asked"], selected["off"], selected["close"]) == (None, None, None)
    for row in rows:
        other = {"observed": "predicted", "predicted": "observed"}[row["counterpart"]]
        assert row["asked"] == selected[other]
        least = abs(row["asked"] - row[row["counterpart"]])
        assert row["off"] >= least
        assert not row["close"] or row["off"] <= row["allowed"]
        assert row["allowed"] >= 0.1
    assert ("fractions of the question" in report.summary) == (exchange == "question")
    told = [note for note in report.notes if "asked for/found" in note]
    assert [note.split(",")[0] for note in told] == ["observed", "predicted"]
    weak = f"weak {selected['predicted']:.2f}/{rows[0]['observed']:.2f}"
    assert weak in told[0]
    with pytest.raises(CatalogError, match="no exchange of 'all'"):
        similar(gz, "G0003", exchange="all")  # type: ignore[arg-type]


def test_the_table_for_people_fits_100_columns(gz: Path, capsys: pytest.CaptureFixture) -> None:
    report = similar(gz, "G0003", answer="bar_weak", k=4)
    table, row = report.shown, report.table.to_pylist()[1]
    both = f"{row['off']:.2f}/{row['allowed']:.2f}"
    assert table["off/allowed"].to_pylist()[:2] == [None, both]
    names = ["J000000.00+000000.0" for _ in range(len(table))]
    table = table.set_column(1, "iauname", [names])
    write(from_arrow(table))
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_weights_change_the_counterparts(gz: Path, tmp_path: Path) -> None:
    weights = tmp_path / "w.yaml"
    weights.write_text("\n".join(f"{label}: 0" for label in TOY.labels if "bar" not in label))
    plain = similar(gz, "G0003", answer="bar_weak", k=10).table["iauname"].to_pylist()
    chosen = similar(gz, "G0003", answer="bar_weak", k=10, weights=str(weights))
    assert chosen.table["iauname"].to_pylist() != plain


@pytest.mark.parametrize(
    ("choice", "error", "told"),
    [
        ({"galaxy": "G003"}, UnknownName, "nearest: G0003"),
        ({"galaxy": "G0003", "answer": "bar_waek"}, UnknownName, "nearest: bar_weak"),
        ({"galaxy": "G0003", "answer": "round_yes"}, CatalogError, "have no fraction of round_yes"),
        ({"galaxy": "G0003", "k": 0}, CatalogError, "1 or more"),
        ({"galaxy": "G0003", "weights": "papre"}, TableRefused, "paper, none"),
    ],
)
def test_bad_choices(gz: Path, choice: dict, error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        similar(gz, **choice)


def test_a_galaxy_without_losses_needs_an_answer(tmp_path: Path) -> None:
    counts = random_counts(3)
    counts[1] = 0
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(3))
    score(path)
    index(path)
    with pytest.raises(CatalogError, match="G0001 has no loss"):
        similar(path, "G0001")


def test_it_does_not_search_an_outdated_index(tmp_path: Path) -> None:
    counts = np.ones((3, 10))
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(3))
    with pytest.raises(CatalogError, match="zoolens index"):
        similar(path, "G0001", answer="bar_no")
    index(path)
    similar(path, "G0001", answer="bar_no")
    with Store.open(path) as store:
        add_votes(store, counts)
    with pytest.raises(CatalogError, match="zoolens index"):
        similar(path, "G0001", answer="bar_no")


def test_one_galaxy_has_only_itself(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", np.ones((1, 10)), concentrations=random_concentrations(1)
    )
    index(path)
    table = similar(path, "G0000", answer="bar_no").table
    assert table["counterpart"].to_pylist() == ["selected"]


def test_the_costliest_answer_is_one_of_enough_votes(gz: Path) -> None:
    with Store.open(gz, read_only=True) as store:
        (row,) = store.arrow(
            "SELECT iauname, max(total_votes) FROM losses WHERE weighted_ce IS NOT NULL "
            "GROUP BY iauname HAVING count(DISTINCT total_votes) > 1 ORDER BY 1 LIMIT 1"
        ).to_pylist()
        galaxy, most = row.values()
        expected = store.value(
            "SELECT label FROM losses WHERE iauname = ? AND total_votes >= ? "
            "ORDER BY weighted_ce DESC NULLS LAST LIMIT 1",
            [galaxy, most],
        )
    assert similar(gz, galaxy, min_votes=most).answer == expected
    table = similar(gz, galaxy, min_votes=most, k=N).table
    assert len(table) > 3
    assert min(table["votes"].to_pylist()) >= most
    assert min(similar(gz, galaxy, k=N).table["votes"].to_pylist()) < most
    with pytest.raises(CatalogError, match="no loss of 1000 votes or more"):
        similar(gz, galaxy, min_votes=1000)
