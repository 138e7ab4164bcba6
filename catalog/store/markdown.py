"""The data dictionary as Markdown: every view and column, in words.

`python -m zoolens.catalog.store.markdown` prints it; `make docs` writes docs/dictionary.md.
"""

from collections.abc import Iterator

from zoolens.catalog.store.kinds import KINDS
from zoolens.catalog.store.views import VIEWS, PublicView

_LEAD = """\
# Data dictionary

A catalogue is one DuckDB file. What follows are its views, which is what you query: with
`zoolens sql`, from Python, or with a DuckDB client (tried: 1.1.0 to 1.5.6; 1.0 cannot read it).
The file holds these descriptions too, as comments on views and columns: `zoolens sql losses` shows
those of a view.

Each view shows one run of its job: of the complete runs, the one that was asked for last. (The
same command again is the same run, and shows again.) What shows belongs together: losses, maps
and evaluations are those of the predictions that show, and rows that were made from votes or an
image which an ingest has replaced since are left out, until their job makes them again; `zoolens
status` says so, and so does every command that reads them. Write `history.` before the name of a
view that has a `run_id`, as in `history.losses`, to see every run whole, those of `explain` with
another method, layer or model among them. `rejects` and `runs` are about all runs.
"""

_OWN = """
And a column for each that you kept (`zoolens ingest VOTES --keep z,mag`, `zoolens keep TABLE
--columns z,mag`), in the type, with the unit and the description of its table; NULL where that has
no value, or a float that is no number. `zoolens sql own` shows those of a catalogue."""


def as_markdown() -> str:
    """The data dictionary: a list of the views, then a table of columns for each."""
    rows = [f"| [`{view.name}`](#{view.name}) | one row per {view.row} |" for view in VIEWS]
    listed = "\n".join(["| view | |", "|---|---|", *rows])
    return "\n".join([_LEAD, listed, *(line for view in VIEWS for line in _section(view))]) + "\n"


def _section(view: PublicView) -> Iterator[str]:
    yield f"\n## `{view.name}`\n\nOne row per {view.row}.\n\n| column | type | |\n|---|---|---|"
    yield from (f"| `{c.name}` | {c.type} | {c.comment} |" for c in view.columns.values())
    if view.name == "own":
        yield _OWN
    if view.name == "rejects":
        yield "\nReasons begin with their kind:\n\n| kind | refused | what it is |\n|---|---|---|"
        yield from (f"| {k.name} | {'yes' if k.refused else 'no'} | {k.means} |" for k in KINDS)


if __name__ == "__main__":
    print(as_markdown(), end="")
