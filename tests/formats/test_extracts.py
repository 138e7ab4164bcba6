"""Rows set aside, which say which rows of which table they are."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.extracts import Extracts, is_extract, open_extract, split
from zoolens.catalog.formats.reading import TableFile, table_digest

TABLE = Path("/data/votes.csv")
SCHEMA = pa.schema([("name", pa.string()), ("ra", pa.float64()), ("unread", pa.float32())])


def rows(numbers: list[int]) -> pa.Table:
    return pa.table({"name": [f"G{n}" for n in numbers], "ra": [float(n) for n in numbers]})


@pytest.mark.parametrize("held", [0, 1 << 20])
def test_an_extract_is_read_as_its_table(tmp_path: Path, held: int) -> None:
    extracts = Extracts(TABLE, "abc", SCHEMA, held=held)
    for numbers in ([1, 4, 9], [16, 25], [36]):
        extracts.add(tmp_path / "squares", np.array(numbers), rows(numbers))
        extracts.add(tmp_path / "more", np.array(numbers) + 1, rows(numbers))
    assert not is_extract(tmp_path / "squares")
    extracts.finish()
    assert is_extract(tmp_path / "squares")
    file = TableFile(tmp_path / "squares")
    assert (file.path, file.schema, file.is_extract) == (TABLE, SCHEMA, True)
    assert table_digest(tmp_path / "squares") == "abc"
    blocks = [*file.blocks(["ra", "name"], {})]
    assert np.concatenate([n for n, _ in blocks]).tolist() == [1, 4, 9, 16, 25, 36]
    found = pa.concat_tables(t for _, t in blocks)
    assert found.to_pydict() == rows([1, 4, 9, 16, 25, 36]).select(["ra", "name"]).to_pydict()


def test_rows_are_split_by_their_keys() -> None:
    numbers = np.arange(10, 18)
    keys = np.array([2, 0, -1, 2, 5, 0, -3, 2])
    found = {key: (n.tolist(), t) for key, n, t in split(numbers, rows([*range(8)]), keys)}
    assert {key: n for key, (n, _) in found.items()} == {0: [11, 15], 2: [10, 13, 17], 5: [14]}
    assert found[2][1]["name"].to_pylist() == ["G0", "G3", "G7"]
    assert [*split(numbers, rows([*range(8)]), np.full(8, -1))] == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"table": "a", "sha256": "b", "schema": "!"}'])
def test_a_damaged_extract_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "extract.json").write_text(text)
    with pytest.raises(TableRefused, match=r"extract\.json is damaged"):
        open_extract(tmp_path)
