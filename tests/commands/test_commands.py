"""What single commands do that their jobs do not."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.terminal import zoolens
from tests.made.vote_tables import decals, write
from zoolens import cli

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(30), concentrations=random_concentrations(30)
    )


def test_score_index_worst_and_similar_follow_each_other(path: Path) -> None:
    for command in ("score", "index"):
        assert zoolens(command, "--catalog", path).exit_code == 0
    options = ("-n", 3, "--min-votes", 0, "--format", "json", "--catalog", path)
    ranking = zoolens("worst", *options)
    rows = json.loads(ranking.stdout)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert rows[0]["weighted_ce"] >= rows[1]["weighted_ce"] >= rows[2]["weighted_ce"]
    view = "SELECT iauname, label FROM worst ORDER BY rank LIMIT 3"
    told = json.loads(zoolens("sql", view, "--format", "json", "--catalog", path).stdout)
    assert [(row["iauname"], row["label"]) for row in rows] == [
        (row["iauname"], row["label"]) for row in told
    ]
    assert not ranking.stderr
    asked = zoolens("worst", "--format", "json", "--catalog", path)
    assert (
        "asked of 10 volunteers or more; --min-votes 0: all, as in the view worst" in asked.stderr
    )
    assert all(row["votes"] >= 10 for row in json.loads(asked.stdout))
    said = zoolens("sql", "worst", "--catalog", path).stdout
    assert "as zoolens worst --min-votes 0; without that option the command leaves out" in said
    found = zoolens("similar", rows[0]["iauname"], "-k", 2, "--format", "json", "--catalog", path)
    kinds = [row["counterpart"] for row in json.loads(found.stdout)]
    assert kinds == ["selected", "observed", "observed", "predicted", "predicted"]


def test_the_list_of_views_is_no_wider_than_a_terminal(path: Path) -> None:
    lines = zoolens("sql", "--catalog", path).stdout.splitlines()
    assert lines[0].split() == ["view", "columns"]
    assert max(map(len, lines)) <= 100
    assert "fraction_model_sd" in "".join(lines)  # folded, and not cut


def test_a_fault_in_the_catalogue_is_exit_code_1(path: Path) -> None:
    import duckdb

    sound = zoolens("verify", "--catalog", path)
    told = json.loads(zoolens("verify", "--format", "json", "--catalog", path).stdout)
    remarked = [row["check"] for row in told if row["result"] != "ok"]
    assert sound.exit_code == 0
    shown = sound.stdout.splitlines()
    assert len(shown) == len(remarked) + 4, "a head, a gap and a count"
    assert shown[-1].startswith(f"{len(told) - len(remarked)} of {len(told)} checks found nothing")
    every = zoolens("verify", "--all", "--catalog", path).stdout.splitlines()
    assert (len(every), every[-1]) == (len(told) + 3, shown[-1])
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM posterior WHERE galaxy_id = 3")
    result = zoolens("verify", "--catalog", path)
    assert result.exit_code == 1
    assert "ERROR" in result.stdout
    assert "  ok" not in result.stdout
    assert "failed" in result.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--of", "concentration"], "--of"),
        (["--of", "fraction", "--answer", "shape_smooth"], "--of, --answer"),
    ],
)
def test_maps_of_all_are_not_drawn_and_drawing_is_not_asked_for(
    path: Path, options: list[str], named: str
) -> None:
    result = zoolens("explain", "--all", *options, "--catalog", path)
    assert result.exit_code == 2
    assert result.stderr == (
        f"zoolens: --all draws nothing: leave out {named}, or choose galaxies to draw\n"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--weights", "nope.csv"], "no weights 'nope.csv'"),
        (["--view", "nope", "--model", cli.__file__], "no view 'nope'"),
        (["--engine", "nope", "--model", cli.__file__], "no engine 'nope'"),
    ],
)
def test_ingest_looks_at_later_steps_before_it_begins(
    path: Path, option: list[str], message: str, tmp_path: Path
) -> None:
    catalog = tmp_path / "new.duckdb"
    votes = write(tmp_path / "votes.csv", decals(np.ones((2, 34))))
    result = zoolens("ingest", votes, *option, "--catalog", catalog)
    assert (result.exit_code, catalog.exists()) == (1, False)
    assert message in result.stderr


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["ingest", "votes.csv", "--samples", "5"], "with no --model, leave out --samples"),
        (
            ["predict", "--predictions", "p.csv", "--view", "fast", "--names", "a"],
            "with --predictions, leave out --view, --names",
        ),
        (
            ["worst", "--against", "z", "--min-votes", "5", "--answer", "bar_no"],
            "with --against, leave out --answer, --min-votes",
        ),
    ],
)
def test_options_that_mean_nothing_are_not_passed_over(typed: list[str], named: str) -> None:
    result = zoolens(*typed)
    assert (result.exit_code, result.stderr) == (2, f"zoolens: {named}\n")


def test_suggestions_go_to_a_file(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "suggested.csv"
    result = zoolens("histogram", "--suggest", "--out", out, "--catalog", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text().startswith("label,galaxies,evenness")
