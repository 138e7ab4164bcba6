"""The data dictionary is written as the views are."""

import re
from pathlib import Path

from zoolens.catalog.store.markdown import as_markdown
from zoolens.catalog.store.views import VIEWS

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_dictionary_is_generated() -> None:
    written = (ROOT / "docs" / "dictionary.md").read_text()
    assert written == as_markdown(), "docs/dictionary.md is out of date; do: make docs"


def test_the_dictionary_has_every_view_and_column() -> None:
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", as_markdown(), re.M | re.S))
    assert list(sections) == [view.name for view in VIEWS]
    for view in VIEWS:
        rows = re.findall(r"^\| `(\w+)` \|", sections[view.name], re.M)
        assert rows == list(view.columns)
        assert all(said.comment in sections[view.name] for said in view.columns.values())
