"""Surveys cut from one catalogue: what a survey answers, that catalogue answers too."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hats.pixel_math.spatial_index import compute_spatial_index

from zoolens.catalog.store.matrices import predictions_state, votes_state
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import metadata
from zoolens.catalog.survey.folder import Piece, write_survey

_ORDER = 29  # of the pixels that `hats` gives
# Tables whose rows shards count: of a run, and not of what another replaces.
_WITH_SHARDS = [
    table.name
    for table in metadata.sorted_tables
    if "run_id" in table.c
    and table.name not in ("run", "shard", "outdated")
    and not table.name.startswith("superseded")
]


def cut(whole: Path, folder: Path, pieces: Sequence[Piece]) -> Path:
    """The survey `folder` with those pieces that have galaxies of a catalogue, cut out of copies.

    Numbers of galaxies and of runs stay; what the ledger says of rows is true of each piece. Every
    galaxy needs a position, and a piece.
    """
    with Store.open(whole) as store:
        held = store.arrow("SELECT galaxy_id, ra, dec FROM galaxy ORDER BY galaxy_id")
        tables = [
            name
            for (name,) in store.rows(
                "SELECT table_name FROM duckdb_columns() WHERE column_name = 'galaxy_id' "
                "AND table_name IN (SELECT table_name FROM duckdb_tables())"
            )
            if store.value(f'SELECT 1 FROM "{name}" LIMIT 1')
        ]
        store.execute("CHECKPOINT")
    place = compute_spatial_index(held["ra"].to_numpy(), held["dec"].to_numpy())
    ids = held["galaxy_id"].to_numpy()
    chosen, found = [], np.zeros(len(ids), bool)
    for piece in pieces:
        within = place >> 2 * (_ORDER - piece.order) == piece.pixel
        found |= within
        if not within.any():
            continue
        chosen.append(piece)
        file = piece.path(folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(whole, file)
        listed = ", ".join(map(str, ids[within].tolist()))
        with Store.open(file) as store, store.transaction():
            for name in tables:
                store.execute(f'DELETE FROM "{name}" WHERE galaxy_id NOT IN ({listed})')
            _correct_ledger(store)
    assert found.all()
    write_survey(folder, chosen)
    return folder


def _correct_ledger(store: Store) -> None:
    """Let shards have the rows that are left, and runs be of the votes and predictions there."""
    left = dict.fromkeys((run for (run,) in store.rows("SELECT run_id FROM run")), 0)
    for table in _WITH_SHARDS:
        for run, rows in store.rows(f"SELECT run_id, count(*) FROM {table} GROUP BY run_id"):
            left[run] += rows
    store.execute('UPDATE shard SET "rows" = 0')
    for run, rows in left.items():
        store.execute(
            'UPDATE shard SET "rows" = ? WHERE run_id = ? AND name = '
            "(SELECT min(name) FROM shard WHERE run_id = ?)",
            [rows, run, run],
        )
    for run, text in store.rows("SELECT run_id, config FROM run"):
        config = json.loads(text)
        if "votes" in config:
            config["votes"] = votes_state(store)
        if isinstance(seen := config.get("predictions"), dict):
            config["predictions"] = predictions_state(store, seen["run"])
        store.execute("UPDATE run SET config = ? WHERE run_id = ?", [json.dumps(config), run])


def cut_finely(whole: Path, folder: Path, order: int) -> Path:
    """The survey with the pieces of an order that have galaxies, in the order of their first."""
    with Store.open(whole, read_only=True) as store:
        held = store.arrow("SELECT ra, dec FROM galaxy ORDER BY galaxy_id")
    place = compute_spatial_index(held["ra"].to_numpy(), held["dec"].to_numpy())
    pixels = dict.fromkeys((place >> 2 * (_ORDER - order)).tolist())
    return cut(whole, folder, [Piece(order, pixel) for pixel in pixels])
