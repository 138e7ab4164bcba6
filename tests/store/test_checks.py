"""Faults put into a catalogue by hand, and found."""

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.made.catalogues import add_images, catalogue, random_concentrations, random_counts
from zoolens.catalog.store.checks import child_totals, image_files, offences
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import metadata

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(6), concentrations=random_concentrations(6)
    )


@pytest.mark.parametrize(
    ("damage", "check", "offending"),
    [
        (
            "INSERT INTO prediction SELECT * FROM prediction WHERE galaxy_id = 1",
            "prediction: rows that stand twice",
            10,
        ),
        ("DELETE FROM galaxy WHERE galaxy_id = 2", "vote: rows without a galaxy", 10),
        ("DELETE FROM run WHERE job = 'predict'", "posterior: rows without a run", 6),
        (
            "DELETE FROM prediction WHERE galaxy_id = 3 AND answer_id = 0",
            "prediction: galaxies without a row for each answer",
            1,
        ),
        (
            "DELETE FROM posterior WHERE galaxy_id = 3",
            "runs whose rows are not those of their shards",
            1,
        ),
        (
            "UPDATE posterior SET concentrations = '\\x00'::BLOB WHERE galaxy_id = 4",
            "posterior: blobs of the wrong size",
            1,
        ),
        (
            "UPDATE vote SET count = -1 WHERE galaxy_id = 5 AND answer_id = 1",
            "vote: counts that are negative or above their total",
            1,
        ),
        (
            "UPDATE vote SET count = 'nan' WHERE galaxy_id = 5 AND answer_id = 1",
            "vote: counts that are negative or above their total",
            1,
        ),
        (
            "UPDATE vote SET total = total + 1 WHERE galaxy_id = 5 AND answer_id IN (8, 9)",
            "vote: other_answers that is not as the counts say",
            1,
        ),
        (
            "UPDATE prediction SET fraction = 1.5 WHERE galaxy_id = 5 AND answer_id = 1",
            "prediction: fractions outside 0..1",
            1,
        ),
        (
            "INSERT INTO loss VALUES (2, 1, 3, 1, 0.5, 0.7, 10, 7, 0.7, 5);"
            "INSERT INTO galaxy_loss VALUES (2, 1, 0, 1, 0.5, 0.7, 6, 5)",
            "galaxy_loss: not the largest of its galaxy",
            1,
        ),
    ],
)
def test_damage_is_found(path: Path, damage: str, check: str, offending: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(damage)
    with Store.open(path, read_only=True) as store:
        assert offences(store)[check] == offending


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("SET on_sky = on_sky + 0.1 WHERE answer_id = 2", "shares that do not add up"),
        ("SET increase_on_galaxy = 1 WHERE answer_id = 2", "shares that do not add up"),
        ("SET decrease_on_sky = 0 WHERE answer_id = 2", "shares that do not add up"),
        (
            "SET of = 'loss' WHERE answer_id = 2 AND of = 'fraction'",
            "of something else than a concentration or a fraction",
        ),
        (
            "SET baseline = predicted + 0.5 WHERE answer_id = 2",
            "sums that are not predicted less baseline",
        ),
        ("SET answer_id = 1 WHERE answer_id = 2", "rows that stand twice"),
    ],
)
def test_statistics_that_cannot_be_are_found(
    full_gz: Path, tmp_path: Path, damage: str, check: str
) -> None:
    path = Path(shutil.copy(full_gz, tmp_path / "gz.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"UPDATE saliency_stat {damage}")
    with Store.open(path, read_only=True) as store:
        found = {name for name, count in offences(store).items() if count}
    assert found == {f"saliency_stat: {check}"}


def test_child_totals_above_their_parents_are_a_warning(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        # nobody said smooth, yet 7 volunteers were asked how round it is
        connection.execute("UPDATE vote SET count = 0, total = 0 WHERE answer_id < 5")
        connection.execute("UPDATE vote SET total = 7 WHERE answer_id IN (3, 4) AND galaxy_id = 0")
        connection.execute("UPDATE vote SET count = 7 WHERE answer_id = 3 AND galaxy_id = 0")
    with Store.open(path, read_only=True) as store:
        found = child_totals(store)
        assert sum(offences(store).values()) == 0
    assert found["round: asked of more volunteers than lead to it"] == 1
    # the first question leads from nowhere
    assert [name.partition(":")[0] for name in found] == ["round", "bar", "merging"]


def test_a_sound_catalogue_offends_nowhere(path: Path) -> None:
    with Store.open(path, read_only=True) as store:
        found = offences(store)
        assert [check for check, count in found.items() if count] == []
        # every table that a run fills is looked at
        for table in metadata.tables.values():
            if "run_id" in table.c and table.name != "run":
                assert f"{table.name}: rows without a run" in found


def test_image_files_are_those_that_stand_alone(path: Path) -> None:
    with Store.open(path) as store:
        for number, (source, member) in enumerate((("a.png", None), ("b.tar", "x.png"))):
            image = {"galaxy_id": number, "source": source, "member": member, "format": "PNG"}
            add_images(store, [{**image, "height": 1, "width": 1, "sha256": f"f{number}"}])
        assert image_files(store) == [("a.png", "f0")]


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (
            "UPDATE vote SET total = total + 1 WHERE galaxy_id = 1 AND answer_id = 1",
            "vote: questions with two totals, or more answers than that",
        ),
        (
            "UPDATE vote SET count = total WHERE galaxy_id = 0",
            "vote: questions with two totals, or more answers than that",
        ),
        (
            "UPDATE prediction SET fraction = 0.5 WHERE galaxy_id = 2",
            "prediction: fractions of a question that do not add up to 1",
        ),
        (
            "UPDATE vote SET answer_id = 77 WHERE galaxy_id = 1 AND answer_id = 9",
            "vote: rows of no answer of the tree",
        ),
        ("INSERT INTO run SELECT * FROM run WHERE run_id = 1", "run: rows that stand twice"),
    ],
)
def test_values_that_do_not_belong_together_are_found(path: Path, damage: str, check: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(damage)
    with Store.open(path, read_only=True) as store:
        assert offences(store)[check] >= 1


@pytest.mark.parametrize(
    "damage",
    [
        "DROP VIEW worst",
        "DROP VIEW worst; CREATE VIEW worst AS SELECT 1 AS rank",
        "CREATE OR REPLACE VIEW history.losses AS SELECT l.* FROM loss l",
    ],
)
def test_a_view_that_is_not_ours_is_found(path: Path, damage: str) -> None:
    check = "views: gone, or not as Zoolens makes them"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE VIEW mine AS SELECT 1 AS n; CREATE TABLE my_own (n INTEGER)")
    with Store.open(path, read_only=True) as store:
        assert offences(store)[check] == 0
    with duckdb.connect(str(path)) as connection:
        connection.execute(damage)
    with Store.open(path, read_only=True) as store:
        assert offences(store)[check] == 1
