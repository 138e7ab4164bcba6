"""Whoever asks learns the names of files, and no folder of the machine."""

import shutil
from pathlib import Path

import duckdb
import pytest

from zoolens.catalog.store.foreign import opened
from zoolens.catalog.store.private import views, without_folders
from zoolens.catalog.store.published import published

_MEMORY = 1 << 28


def _asked(catalog: Path, sql: str) -> list[tuple[str, ...]]:
    with opened(catalog, memory=_MEMORY, threads=1) as foreign:
        foreign.add_views({"zoolens.galaxies", "zoolens.rejects", "zoolens.runs"})
        return [tuple(row.values()) for row in foreign.answer(sql, 100).read_all().to_pylist()]


def test_images_and_runs_are_told_without_folders(full_gz: Path, tmp_path: Path) -> None:
    catalog = tmp_path / "gz.duckdb"
    shutil.copy(full_gz, catalog)
    with duckdb.connect(str(catalog)) as connection:
        connection.execute(
            """INSERT INTO image BY NAME
            SELECT (SELECT min(run_id) FROM run WHERE status = 'complete') AS run_id, galaxy_id,
                '/data/my images/' || galaxy_id || '.png' AS source, 'png' AS format,
                1 AS height, 1 AS width, repeat('0', 64) AS sha256
            FROM galaxy"""
        )
        connection.execute("UPDATE run SET config = ?", ['{"origin": {"votes": "/a b/c/v.csv"}}'])
        own = connection.sql("SELECT image, iauname FROM galaxies ORDER BY iauname").fetchall()
    assert any(image and image.startswith("/data/") for image, _ in own)
    told = _asked(catalog, "SELECT image, iauname FROM told_galaxies ORDER BY iauname")
    assert told == [(image and Path(image).name, name) for image, name in own]
    configs = {config for (config,) in _asked(catalog, "SELECT config FROM told_runs")}
    assert configs == {'{"origin": {"votes": "v.csv"}}'}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("unreadable file: /home/m e/x.tar", "unreadable file: x.tar"),
        ("image of J1, and /data/gz/images/J1.png", "image of J1, and J1.png"),
        ("3/4 of it, 12 km/s", "3/4 of it, 12 km/s"),
    ],
)
def test_reasons_are_told_without_folders(
    full_gz: Path, tmp_path: Path, reason: str, said: str
) -> None:
    catalog = tmp_path / "gz.duckdb"
    shutil.copy(full_gz, catalog)
    with duckdb.connect(str(catalog)) as connection:
        connection.execute("DELETE FROM reject")
        connection.execute(
            "INSERT INTO reject (run_id, source, kind, reason) VALUES (1, '/a/b/votes.csv', ?, ?)",
            ["other", reason],
        )
    assert _asked(catalog, "SELECT source, reason FROM temp.told_rejects") == [("votes.csv", said)]


def test_views_are_made_of_what_is_asked_alone() -> None:
    tables = without_folders(published())
    assert views(tables, {"zoolens.losses"}) == []
    assert [made.split()[3] for made in views(tables, {"zoolens.runs"})] == ["told_runs"]
    assert {t.place for t in tables if t.name == "galaxies"} == {("temp", "told_galaxies")}
