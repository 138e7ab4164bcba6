"""What a catalogue answers, to be compared with what it answered before a damage."""

from pathlib import Path

from zoolens.catalog.store.store import Store

_FEW = 5  # galaxies whose counterparts are asked for


def answers(catalog: Path) -> dict[str, object]:
    """Fingerprints of every view, and what `worst`, `status` and `similar` say.

    Raises what Zoolens raises.
    """
    found = rows(catalog)
    return found | _commands(catalog)


def rows(catalog: Path) -> dict[str, object]:
    """A fingerprint of every table and view of a catalogue, as Zoolens reads it."""
    with Store.open(catalog, read_only=True) as store:
        return rows_of(store)


def rows_of(store: Store) -> dict[str, object]:
    """The same of an open catalogue."""
    names = store.rows(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema IN ('main', 'history') ORDER BY ALL"
    )
    found: dict[str, object] = {}
    for schema, name in names:
        sql = f'SELECT count(*), sum(hash(t)::HUGEINT) FROM "{schema}"."{name}" t'
        if name == "setting":  # the marks of logs, which are committed alone, are no answers
            sql += " WHERE t.name <> 'log'"
        found[f"{schema}.{name}"] = str(store.rows(sql))
    return found


def _commands(catalog: Path) -> dict[str, object]:
    from zoolens.jobs.similar import similar
    from zoolens.jobs.sql import sql
    from zoolens.jobs.status import status
    from zoolens.jobs.worst import worst

    found: dict[str, object] = {"worst": worst(catalog, limit=100, min_votes=0).to_pylist()}
    told = status(catalog)
    found["status"] = (told.tree, told.steps.to_pylist(), told.runs.to_pylist(), told.refused)
    with sql(catalog, "SELECT iauname FROM worst ORDER BY rank") as answer:
        names = [name for (name,) in answer.rows]
    for name in names[:_FEW]:
        found[f"similar {name}"] = similar(catalog, name, k=3).table.to_pylist()
        found[f"about {name}"] = similar(catalog, name, k=3, approximate=True).table.to_pylist()
    return found
