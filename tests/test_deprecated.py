"""What is to go says so while it is there, and is not there for longer."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version
from typer.main import get_command

import zoolens
from tests.made.catalogues import catalogue, random_counts
from tests.made.terminal import zoolens as type_in
from zoolens import cli
from zoolens.catalog import deprecated
from zoolens.catalog.deprecated import DEPRECATED, Deprecated
from zoolens.catalog.errors import Deprecation
from zoolens.catalog.store.dictionary import COLUMNS
from zoolens.catalog.store.views import VIEWS

EXAMPLES = (
    Deprecated("name", "similar", "0.1.0", "0.3.0", "zoolens.open(...).similar"),
    Deprecated("option", "worst --question", "0.1.0", "0.3.0", "--answer"),
    Deprecated("view", "losses", "0.1.0", "0.3.0", "worst"),
    Deprecated("column", "votes.count", "0.1.0", "0.3.0", "fraction"),
)


def faults(listed: tuple[Deprecated, ...], now: str) -> list[str]:
    """What is wrong with the list in a version."""
    found = []
    for one in listed:
        since, until = Version(one.since), Version(one.until)
        if until <= Version(now):
            found.append(f"{one.name} was to be gone in {until}: remove it, and its line")
        if since > Version(now):
            found.append(f"{one.name} is deprecated by a later version, {since}")
        if (until.major, until.minor) < (since.major, since.minor + 2):
            found.append(f"{one.name} has to stay for two minor versions after {since}")
        if not _is_there(one):
            found.append(f"{one.name} is not there: remove its line")
    return found


def _is_there(one: Deprecated) -> bool:
    commands = get_command(cli.app).commands  # type: ignore[attr-defined]
    if one.kind == "name":
        return one.name in dir(zoolens)
    if one.kind == "option":
        command, option = one.name.split()
        return command in commands and any(option in p.opts for p in commands[command].params)
    if one.kind == "view":
        return one.name in {view.name for view in VIEWS}
    view, column = one.name.split(".")
    return column in COLUMNS.get(view, {})


def test_nothing_that_expired_is_still_there() -> None:
    assert faults(DEPRECATED, version("zoolens")) == []


def test_what_is_to_go_stands_in_the_dictionary() -> None:
    for one in DEPRECATED:
        if one.kind == "column":
            view, column = one.name.split(".")
            assert one.until in COLUMNS[view][column].comment


def test_faults_of_the_list_are_found() -> None:
    assert faults(EXAMPLES, "0.2.5") == []
    assert faults(EXAMPLES[:1], "0.3.0") == [
        "similar was to be gone in 0.3.0: remove it, and its line"
    ]
    assert faults((Deprecated("name", "nothing", "0.2.0", "0.3.0", "-"),), "0.1.0") == [
        "nothing is deprecated by a later version, 0.2.0",
        "nothing has to stay for two minor versions after 0.2.0",
        "nothing is not there: remove its line",
    ]


@pytest.fixture
def _listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(deprecated, "DEPRECATED", EXAMPLES)
    kept = vars(zoolens).pop("similar", None)
    yield
    if kept is not None:
        vars(zoolens)["similar"] = kept


@pytest.mark.usefixtures("_listed")
def test_a_name_tells_where_it_is_used() -> None:
    with pytest.warns(
        Deprecation, match=re.escape("similar goes with Zoolens 0.3.0; use ")
    ) as told:
        assert callable(zoolens.similar)
    assert told[0].filename == __file__


@pytest.mark.usefixtures("_listed")
def test_options_and_views_tell_in_one_line(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    said = type_in("worst", "--question=bar", "--catalog", path).stderr.splitlines()
    assert said[0] == "worst --question goes with Zoolens 0.3.0; use --answer"
    query = "SELECT count FROM votes, losses"
    told = type_in("sql", query, "--catalog", path)
    assert told.exit_code == 0
    assert told.stderr.splitlines() == [
        "zoolens: losses goes with Zoolens 0.3.0; use worst",
        "zoolens: votes.count goes with Zoolens 0.3.0; use fraction",
    ]
    assert type_in("sql", "SELECT total FROM votes", "--catalog", path).stderr == ""
