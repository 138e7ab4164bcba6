from pathlib import Path

import duckdb
import pytest

from reliability.contents import contents, differences


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "gz.duckdb")) as connection:
        connection.execute("CREATE TABLE vote (galaxy_id INT, count DOUBLE, made TIMESTAMP)")
        connection.execute("INSERT INTO vote SELECT i, i / 2, now() FROM range(50) t(i)")
    (tmp_path / "index.arrow").write_bytes(b"index")
    return tmp_path


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM vote WHERE galaxy_id = 7",
        "INSERT INTO vote SELECT * FROM vote WHERE galaxy_id = 7",
        "UPDATE vote SET count = 3.25 WHERE galaxy_id = 7",
        "UPDATE vote SET count = NULL WHERE galaxy_id = 7",
        # twice, and another one gone
        "INSERT INTO vote SELECT * FROM vote WHERE galaxy_id = 7; "
        "DELETE FROM vote WHERE galaxy_id = 8",
    ],
)
@pytest.mark.slow
def test_lost_doubled_and_altered_rows_are_seen(folder: Path, statement: str) -> None:
    before = contents(folder)
    with duckdb.connect(str(folder / "gz.duckdb")) as connection:
        connection.execute(statement)
    assert [words.split(":")[0] for words in differences(before, contents(folder))] == [
        "table vote"
    ]


def test_times_and_the_order_of_rows_do_not_matter(folder: Path) -> None:
    before = contents(folder)
    with duckdb.connect(str(folder / "gz.duckdb")) as connection:
        connection.execute("CREATE TABLE other AS SELECT * FROM vote ORDER BY galaxy_id DESC")
        connection.execute("DROP TABLE vote; ALTER TABLE other RENAME TO vote")
        connection.execute("UPDATE vote SET made = '2001-01-01'")
    assert differences(before, contents(folder)) == []


def test_files_are_compared_by_their_bytes_unless_only_their_presence_matters(
    folder: Path,
) -> None:
    before, loose = contents(folder), contents(folder, lambda name: name.endswith(".arrow"))
    (folder / "index.arrow").write_bytes(b"indeX")
    assert len(differences(before, contents(folder))) == 1
    assert differences(loose, contents(folder, lambda name: name.endswith(".arrow"))) == []
    (folder / "index.arrow").unlink()
    assert "missing" in differences(before, contents(folder))[0]
