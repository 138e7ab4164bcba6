"""`kill -9` at random moments of a real ingest, in a process of its own."""

import random
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoolens.catalog.formats.csv
import zoolens.jobs.ingest
from tests.made.images import folder, picture
from tests.made.processes import killed, started
from tests.made.vote_tables import decals, names, write
from zoolens.catalog.store.store import Store
from zoolens.jobs.verify import verify

GALAXIES = 200
KILLS = 7


def work(path: Path, votes: Path, images: Path, committed: Connection | None = None) -> None:
    """Ingest in many small shards, telling of each one committed."""
    zoolens.jobs.ingest.IMAGES_A_SHARD = 5
    zoolens.catalog.formats.csv._BYTES = 60_000
    commit = Store.commit

    def telling(*args: Any, **kwargs: Any) -> None:
        commit(*args, **kwargs)
        if committed is not None:
            committed.send(args[2])

    Store.commit = telling  # type: ignore[method-assign]
    try:
        zoolens.jobs.ingest.ingest(path, votes, images=images)
    finally:
        Store.commit = commit  # type: ignore[method-assign]


def contents(catalog: Path) -> dict[str, list[object]]:
    with Store.open(catalog, read_only=True) as store:
        return {
            view: store.arrow(f"SELECT * FROM {view} ORDER BY ALL").to_pylist()
            for view in ("galaxies", "votes", "rejects")
        }


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).integers(0, 40, (GALAXIES, 34))
    votes = write(tmp_path / "votes.csv", decals(counts))
    images = folder(
        tmp_path / "images",
        {
            # one in ten is truncated
            f"{name}.png": picture(i, side=64)[: -20 if i % 10 == 0 else None]
            for i, name in enumerate(names(GALAXIES))
        },
    )
    whole, gz = tmp_path / "whole.duckdb", tmp_path / "killed.duckdb"
    work(whole, votes, images)

    moments = random.Random(0)
    for _ in range(KILLS):
        reading, writing = Pipe(duplex=False)
        child = started(work, gz, votes, images, writing)
        writing.close()
        for _ in range(moments.randrange(1, 5)):  # 40 shards last for all kills
            reading.recv()
        time.sleep(moments.uniform(0, 0.02))  # about as long as a shard takes
        assert killed(child)
        with Store.open(gz, read_only=True) as store:
            assert store.value("SELECT count(*) FROM galaxies") == 0
    work(gz, votes, images)
    with Store.open(gz) as store:
        assert store.value("SELECT count(*) FROM shard WHERE starts_with(name, 'votes')") > 2
    assert contents(gz) == contents(whole)
    assert verify(gz).errors == 0
    with Store.open(gz) as store:
        assert store.value("SELECT count(*) FROM run") == 1
