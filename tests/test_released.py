"""A catalogue of every released version opens, and answers as it did then.

`tests/released/` has them as those versions made them (`tests.made.kept_catalogue`) and, before
the first release, one of each schema that a catalogue has had. They are of the same votes and
predictions, and `said_votes.csv` and `losses.csv` are what every one of them answered when it
was made.
"""

import csv
import re
from pathlib import Path

import pytest

import zoolens
from tests.made.kept_catalogue import FOLDER, SUFFIX, keep, make, take_out
from zoolens.catalog.store.schema import HEAD

KEPT = sorted(FOLDER.glob(f"*{SUFFIX}"))
ANSWERS = {
    "said_votes.csv": "SELECT iauname, label, count, total FROM votes WHERE total > 0",
    "losses.csv": "SELECT iauname, label, observed, predicted, ce, weighted_ce FROM losses "
    "WHERE ce IS NOT NULL",
}


def _check(path: Path) -> None:
    """Compare the answers of a catalogue with what was said then."""
    with zoolens.open(path) as catalogue:
        for file, query in ANSWERS.items():
            with (FOLDER / file).open(newline="") as said:
                columns, *rows = csv.reader(said)
            expected = {(row[0], row[1]): [float(value) for value in row[2:]] for row in rows}
            found = catalogue.sql(f"{query} ORDER BY iauname, label")
            assert [*found.columns] == columns
            answered = {(row[0], row[1]): [*row[2:]] for row in found.itertuples(index=False)}
            assert answered.keys() == expected.keys()
            for key, values in expected.items():
                assert answered[key] == pytest.approx(values, rel=1e-6), key


@pytest.mark.slow
@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name.removesuffix(SUFFIX))
def test_it_opens_and_answers_as_it_did(kept: Path, tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    take_out(kept, path)
    _check(path)
    assert {row["result"] for row in zoolens.verify(path).checks.to_pylist()} <= {"ok", "warning"}


def test_every_released_version_has_one() -> None:
    changelog = (FOLDER.parent.parent / "CHANGELOG.md").read_text()
    released = re.findall(r"^## (\d\S*)", changelog, re.M)
    assert {f"{version}{SUFFIX}" for version in released} <= {path.name for path in KEPT}


def test_every_schema_has_one() -> None:
    """But 12, which came together with 13."""
    schemas = {f"schema-{number:04}{SUFFIX}" for number in range(1, int(HEAD)) if number != 12}
    assert schemas <= {path.name for path in KEPT}


@pytest.mark.slow
def test_what_is_made_now_can_be_kept(tmp_path: Path) -> None:
    made, again = tmp_path / "made.duckdb", tmp_path / "again.duckdb"
    make(made)
    take_out(keep(made, tmp_path, "0.0.1"), again)
    _check(again)
