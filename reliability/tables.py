"""Hostile tables: votes and predictions in every format, with wrong cells, rows, columns, bytes.

Every row that was given is a galaxy that was taken or a row of `rejects`, and a row that was not
touched is taken with the votes that it has: nothing is lost or altered in silence.
"""

import csv
import gzip
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from reliability.cases import Case, Job, Outcome, Verdict, failed
from reliability.mutations import Spoilt, spoil_bytes, spoil_table
from reliability.world import World
from tests.made.catalogues import blank, random_concentrations, random_counts
from tests.made.vote_tables import decals, names
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree

_GALAXIES = 30
Table = tuple[list[str], list[list[object]]]


def vote_rows() -> Table:
    """Votes of a few galaxies as Galaxy Zoo DECaLS publishes them."""
    return _rows(decals(random_counts(_GALAXIES, get_tree("gzd5"), seed=8)))


def prediction_rows() -> Table:
    """Predicted fractions of the same galaxies."""
    tree = get_tree("gzd5")
    alpha = random_concentrations(_GALAXIES, 1, tree)[:, 0]
    columns = {f"{label}_concentration": alpha[:, k] for k, label in enumerate(tree.labels)}
    return _rows(pa.table({"iauname": names(_GALAXIES), **columns}))


def _rows(table: pa.Table) -> Table:
    columns = [column.to_pylist() for column in table.columns]
    return table.column_names, [[*row] for row in zip(*columns, strict=True)]


# --- the formats


def _as_csv(spoilt: Spoilt) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(spoilt.names)
    writer.writerows(spoilt.rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def _as_gzip(spoilt: Spoilt) -> bytes:
    return gzip.compress(_as_csv(spoilt), 1, mtime=0)


def _as_parquet(spoilt: Spoilt) -> bytes:
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(_arrow(spoilt), sink)
    return sink.getvalue()


def _as_fits(spoilt: Spoilt) -> bytes:
    from astropy.table import Table as Astropy

    table = Astropy()
    for place, name in enumerate(_distinct(spoilt.names)):
        cells = [row[place] for row in spoilt.rows]
        if all(isinstance(cell, int | float) and abs(cell) < 2**63 for cell in cells):
            table[name] = np.array(cells, float)
        else:
            plain = [str(cell).encode("ascii", "replace")[:200] for cell in cells]
            table[name] = np.array(plain, "S200")
    sink = io.BytesIO()
    table.write(sink, format="fits")
    return sink.getvalue()


def _as_votable(spoilt: Spoilt) -> bytes:
    from astropy.table import Table as Astropy

    plain = [[str(row[i]) for row in spoilt.rows] for i in range(len(spoilt.names))]
    sink = io.BytesIO()
    Astropy(plain, names=_distinct(spoilt.names)).write(sink, format="votable")
    return sink.getvalue()


def _as_ecsv(spoilt: Spoilt) -> bytes:
    from astropy.table import Table as Astropy

    plain = [[str(row[i]) for row in spoilt.rows] for i in range(len(spoilt.names))]
    text = io.StringIO()
    Astropy(plain, names=_distinct(spoilt.names)).write(text, format="ascii.ecsv")
    return text.getvalue().encode("utf-8", "surrogatepass")


def _arrow(spoilt: Spoilt) -> pa.Table:
    """Columns of numbers where all cells are, else of text; what is no text is bytes."""
    arrays = []
    for place in range(len(spoilt.names)):
        cells = [row[place] for row in spoilt.rows]
        if all(cell is None or (type(cell) in (int, float)) for cell in cells):
            arrays.append(pa.array([None if c is None else float(c) for c in cells], pa.float64()))  # type: ignore[arg-type]
        else:
            arrays.append(pa.array([None if c is None else str(c) for c in cells], pa.string()))
    return pa.Table.from_arrays(arrays, names=spoilt.names)


def _not_unicode(spoilt: Spoilt, row: int, name: bytes) -> bytes:
    """A Parquet file one of whose names is no text, as some writers leave them."""
    from pyarrow import parquet

    found = [str(each[0]).encode() for each in spoilt.rows]
    found[row] = b"\xff" + name
    text = pa.array(found, pa.binary()).view(pa.string())
    sink = io.BytesIO()
    parquet.write_table(_arrow(spoilt).set_column(0, spoilt.names[0], text), sink)
    return sink.getvalue()


def _distinct(found: list[str]) -> list[str]:
    """Names of columns that astropy takes: it has each once, and text without control letters."""
    plain = ["".join(c for c in n if c.isprintable())[:60] or "empty" for n in found]
    return [n if plain.index(n) == i else f"{n}_{i}" for i, n in enumerate(plain)]


FORMATS: Mapping[str, Callable[[Spoilt], bytes]] = {
    "csv": _as_csv,
    "csv.gz": _as_gzip,
    "parquet": _as_parquet,
    "fits": _as_fits,
    "vot": _as_votable,
    "ecsv": _as_ecsv,
}
_ENCODINGS = ("utf-16", "latin-1", "utf-8-sig", "cp1252", "utf-32")


def _written(case: Case, table: Table, suffix: str, path: Path) -> Spoilt | None:
    """Write a spoilt table; None if bytes were damaged, and what it holds is not known."""
    chance = case.random
    spoilt = Spoilt([*table[0]], [[*row] for row in table[1]], set(), "bytes")
    of_bytes = chance.random() < 0.4
    if not of_bytes:
        spoilt = spoil_table(*table, chance)
    data = FORMATS[suffix](spoilt)
    if of_bytes and suffix == "csv" and chance.random() < 0.3:
        text = data.decode().replace("J", chance.choice("Jéß"), 3)
        data = text.encode(chance.choice(_ENCODINGS), "replace")
    elif of_bytes and suffix == "parquet" and chance.random() < 0.3:
        data = _not_unicode(spoilt, chance.randrange(len(spoilt.rows)), chance.randbytes(8))
    elif of_bytes:
        data = spoil_bytes(data, chance, first=chance.choice((None, 4096)))
    path.write_bytes(data)
    return None if of_bytes else spoilt


# --- what has to come of them


def _votes(suffix: str) -> Callable[[Case, World, Path], Verdict]:
    def run(case: Case, _: World, folder: Path) -> Verdict:
        from zoolens.jobs.ingest import ingest

        path, gz = folder / f"votes.{suffix}", blank(folder / "gz.duckdb")
        table = vote_rows()
        spoilt = _written(case, table, suffix, path)
        report = ingest(gz, path)
        with Store.open(gz, read_only=True) as store:
            refused = store.value('SELECT count(DISTINCT "row") FROM reject')
            taken = dict(store.rows("SELECT iauname, galaxy_id FROM galaxy"))
            if len(taken) != report.galaxies:
                return failed(f"{report.galaxies} galaxies reported, {len(taken)} in the catalogue")
            if spoilt is None:
                return Verdict(Outcome.HELD, f"bytes: {len(taken)} galaxies")
            given = sum(1 for row in spoilt.rows if suffix != "csv" or any(row))
            if report.galaxies > given or given - report.galaxies > refused:
                return failed(
                    f"{spoilt.way}: {given} rows given, {report.galaxies} taken, {refused} refused"
                )
            wrong = _altered(store, spoilt, taken)
        return failed(f"{spoilt.way}: {wrong}") if wrong else Verdict(Outcome.HELD, spoilt.way)

    return run


def _altered(store: Store, spoilt: Spoilt, taken: Mapping[str, int]) -> str:
    """Rows that nobody touched and that are not in the catalogue as they are; in words."""
    labels = store.tree.labels
    counts: dict[int, dict[int, float]] = {}
    for galaxy, answer, count in store.rows("SELECT galaxy_id, answer_id, count FROM vote"):
        counts.setdefault(galaxy, {})[answer] = count
    for number, row in enumerate(spoilt.rows):
        if spoilt.touched is None or number in spoilt.touched:
            continue
        cells = dict(zip(spoilt.names, row, strict=True))
        name = str(cells["iauname"])
        if name not in taken:
            return f"row {number + 1} was not touched, and {name} is not taken"
        found = counts.get(taken[name], {})
        for k, label in enumerate(labels):
            if float(str(cells[label])) != found.get(k, 0.0):
                return f"{name} has {found.get(k)} votes for {label}, and {cells[label]} given"
    return ""


def _predictions(suffix: str) -> Callable[[Case, World, Path], Verdict]:
    def run(case: Case, world: World, folder: Path) -> Verdict:
        from zoolens.jobs.adopt import adopt

        path, gz = folder / f"predictions.{suffix}", folder / "gz.duckdb"
        shutil.copy(world.part("few") / "gz.duckdb", gz)
        spoilt = _written(case, prediction_rows(), suffix, path)
        report = adopt(gz, path)
        with Store.open(gz, read_only=True) as store:
            run_id = [report.run_id]
            refused = store.value(
                'SELECT count(DISTINCT "row") FROM reject WHERE run_id = ?', run_id
            )
            sql = "SELECT count(DISTINCT galaxy_id) FROM prediction WHERE run_id = ?"
            taken = store.value(sql, run_id)
        if taken != report.galaxies:
            return failed(f"{report.galaxies} galaxies reported, {taken} in the catalogue")
        if spoilt is None:
            return Verdict(Outcome.HELD, "bytes")
        if taken > len(spoilt.rows) or len(spoilt.rows) - taken > refused:
            return failed(
                f"{spoilt.way}: {len(spoilt.rows)} rows given, {taken} taken, {refused} refused"
            )
        return Verdict(Outcome.HELD, spoilt.way)

    return run


def few(_: World, folder: Path) -> None:
    """A catalogue of the votes that `vote_rows` has."""
    from zoolens.jobs.ingest import ingest

    names_, rows = vote_rows()
    (folder / "votes.csv").write_bytes(_as_csv(Spoilt(names_, rows, set(), "")))
    ingest(folder / "gz.duckdb", folder / "votes.csv")


_SHARES = {"csv": 3, "csv.gz": 1, "parquet": 3, "fits": 2, "vot": 0.05, "ecsv": 0.05}

JOBS: dict[str, Job] = {
    f"votes, {suffix}": Job(_votes(suffix), share=share, short=share > 1)
    for suffix, share in _SHARES.items()
} | {
    f"predictions, {suffix}": Job(_predictions(suffix), ("few",), share, short=share > 1)
    for suffix, share in _SHARES.items()
    if share >= 1
}
