"""Rules of the house that import-linter cannot tell."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    path for folder in ("catalog", "jobs", "commands") for path in ROOT.glob(f"{folder}/**/*.py")
)
_SQL = re.compile(
    r"\bSELECT\b.*\bFROM\b|\b(INSERT INTO|DELETE FROM|CREATE TABLE|CREATE VIEW)\b"
    r"|\bUPDATE \w+ SET\b",
    re.S,
)
ADQL = {ROOT / "catalog" / "serve" / "tap" / "examples.py"}  # for people to begin with
_LONGEST = 300  # lines of a module


def _strings(path: Path) -> Iterator[str]:
    """Strings of a module that are no docstrings; of f-strings what is written out."""
    tree = ast.parse(path.read_text())
    docs = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sql_is_written_in_the_store_alone(path: Path) -> None:
    if path.parent != ROOT / "catalog" / "store" and path not in ADQL:
        # what a person is told to type is no query of ours
        found = [text for text in _strings(path) if _SQL.search(text) and "zoolens sql" not in text]
        assert not found, "move the query into a function of a module in catalog/store"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_can_be_read_in_one_go(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= _LONGEST, f"{lines} lines are two subjects: give one a module of its own"


# Declarations alone, which whatever uses them tests.
DECLARATIONS = {
    "catalog/serve/asking.py",  # what travels to a process
    "catalog/serve/settings.py",  # values that travel together
    "catalog/arrays.py",  # aliases of types
    "catalog/galaxy.py",  # a named tuple
    "catalog/store/declaring.py",  # how tables are declared
    "catalog/store/estimate_tables.py",
    "catalog/store/own_tables.py",
    "jobs/reports.py",  # what a report has
    "jobs/settings.py",  # values that travel together
}
# What ties together modules that have tests of their own; a job's tests go through each branch.
OF_A_JOB = {
    "catalog/formats/votable_binary.py",  # tests/formats/test_votable_stream.py
    "catalog/serve/errors.py",  # tests/serve/test_app.py
    "catalog/serve/tap/examples.py",  # the same
    "catalog/serve/tap/parameters.py",  # the same
    "catalog/serve/adql/scopes.py",  # tests/serve/adql/test_names.py
    "catalog/serve/tap/running.py",  # tests/serve/tap/test_asynchronous.py
    "catalog/serve/links/addresses.py",  # tests/serve/links/test_protocols.py
    "catalog/serve/links/capabilities.py",  # the same
    "catalog/serve/links/columns.py",  # tests/serve/links/test_listing.py
    "catalog/serve/streaming.py",  # tests/serve/test_app.py
    "catalog/store/linked.py",  # tests/serve/links/test_listing.py
    "catalog/serve/products/maps.py",  # tests/serve/products/test_making.py
    "catalog/serve/products/numbers.py",  # the same
    "catalog/serve/products/pictures.py",  # the same
    "catalog/serve/products/subject.py",  # the same
    "catalog/serve/products/writing.py",  # tests/serve/products/test_alike.py, test_making.py
    "catalog/similarity/listing.py",  # tests/jobs/test_similar.py
    "catalog/survey/alike.py",  # tests/serve/products/test_alike.py
    "catalog/serve/service.py",  # tests/serve/test_app.py, tests/serve/test_snapshots.py
    "catalog/serve/tap/sync.py",  # tests/serve/test_app.py
    "catalog/serve/tap/uws.py",  # tests/serve/tap/test_asynchronous.py
    "catalog/evaluation/of_maps.py",  # tests/jobs/test_evaluate.py
    "catalog/evaluation/trial.py",  # the same
    "catalog/explain/drawing.py",  # tests/jobs/test_explain.py
    "catalog/explain/members.py",  # tests/jobs/test_explain.py, tests/jobs/test_explain_ensemble.py
    "catalog/explain/estimates.py",  # tests/jobs/test_estimate_maps.py
    "catalog/explain/model.py",  # the same
    "catalog/explain/panels.py",  # tests/explain/test_figure.py, tests/explain/test_image_figure.py
    "catalog/explain/sheet.py",  # the same
    "catalog/explain/recipe.py",  # tests/parts/test_recipe.py, tests/parts/test_computing.py
    "catalog/parts/filling.py",  # tests/parts/test_computing.py
    "catalog/predictions/from_images.py",  # tests/jobs/test_predict.py
    "catalog/predictions/recipe.py",  # tests/parts/test_recipe.py, tests/parts/test_computing.py
}


def _test_of(name: str) -> Path:
    path = ROOT / "tests" / name.removeprefix("catalog/")
    return path.with_name(f"test_{path.name}")


TESTED = {
    name
    for name in (str(path.relative_to(ROOT)) for path in MODULES)
    if not name.startswith("commands/") and not name.endswith("__init__.py")
}


@pytest.mark.parametrize("name", sorted(TESTED - DECLARATIONS - OF_A_JOB))
def test_a_module_has_its_test_file(name: str) -> None:
    assert _test_of(name).is_file(), f"write {_test_of(name).relative_to(ROOT)}"


def test_exceptions_are_modules_without_a_test_file() -> None:
    exceptions = DECLARATIONS | OF_A_JOB
    assert exceptions <= TESTED
    assert [name for name in sorted(exceptions) if _test_of(name).exists()] == []
