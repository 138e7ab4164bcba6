"""The data dictionary: what every view and column of a catalogue holds, as Markdown.

`python -m zoolens.catalog.store.dictionary` prints it; `make docs` writes docs/dictionary.md.
"""

from collections.abc import Iterator

from zoolens.catalog.store.views import VIEWS, View

_LEAD = """\
# Data dictionary

A catalogue is one DuckDB file. What follows are its views, which is what you query: with
`zoolens sql`, from Python, or with any DuckDB client from version 1.1 on. The file holds these
descriptions too, as comments on views and columns: `zoolens sql` without a query shows them.

Each view shows one run of its job: of the complete runs, the one that was asked for last. (The
same command again is the same run, and shows again.) Write `history.` before the name, as in
`history.losses`, to see every run, those of `explain` with another method, layer or model among
them. `rejects` and `runs` are about all runs.
"""


def as_markdown() -> str:
    """The whole dictionary: a list of the views, then a table of columns for each."""
    rows = [f"| [`{view.name}`](#{view.name}) | one row per {view.row} |" for view in VIEWS]
    listed = "\n".join(["| view | |", "|---|---|", *rows])
    return "\n".join([_LEAD, listed, *(line for view in VIEWS for line in _section(view))]) + "\n"


def _section(view: View) -> Iterator[str]:
    yield f"\n## `{view.name}`\n\nOne row per {view.row}.\n\n| column | |\n|---|---|"
    yield from (f"| `{column}` | {text} |" for column, text in view.columns.items())


if __name__ == "__main__":
    print(as_markdown(), end="")
