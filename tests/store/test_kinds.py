"""The kinds of rejects are those that the code gives, each with one meaning."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.store.kinds import IS_REFUSED, KINDS, OTHER, is_refused, kind_of

ROOT = Path(__file__).parents[2]
NAMES = [kind.name for kind in KINDS]


def beginnings() -> Iterator[str]:
    """How the texts in the code begin that look like reasons, `some words: …`."""
    catalog = ROOT / "catalog"
    packages = [catalog / name for name in ("votes", "images", "predictions")]
    files = [file for folder in packages for file in sorted(folder.glob("*.py"))]
    for file in (*files, catalog / "explain/rows.py", ROOT / "jobs/ingest.py"):
        yield from _texts(file)


def _texts(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        text = node.value if isinstance(node, ast.Constant) else None
        found = re.match(r"([a-z]+(?: [a-z]+)+): ", text) if isinstance(text, str) else None
        if found:
            yield found[1]


def test_every_reason_in_the_code_is_of_a_kind() -> None:
    # notes of `ingest`
    no_reasons = {"not in the table", "no column names a campaign", "columns not read"}
    assert {text for text in beginnings() if kind_of(text) == OTHER} <= no_reasons
    assert len({kind_of(text) for text in beginnings()}) > 20


def test_no_kind_begins_as_another_does() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for name in NAMES:
        assert [other for other in NAMES if name.startswith(other)] == [name]


@given(st.sampled_from(NAMES), st.text())
def test_details_do_not_change_the_kind(name: str, details: str) -> None:
    assert kind_of(f"{name}: {details}") == name


def test_what_is_no_kind_is_other_and_refused() -> None:
    assert kind_of("it does not work") == OTHER
    assert is_refused(OTHER)


def test_sql_and_python_agree_on_what_was_refused() -> None:
    for kind in KINDS:
        sql = f"SELECT {IS_REFUSED} FROM (SELECT ? AS kind)"
        assert duckdb.execute(sql, [kind.name]).fetchall() == [(kind.refused,)]
        assert is_refused(kind.name) == kind.refused
