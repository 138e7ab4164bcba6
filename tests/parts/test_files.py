"""Part files: what goes in comes out, and nothing else does."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.files import (
    Facts,
    PartRefused,
    part_files,
    part_path,
    read_part,
    remove_unfinished,
    write_part,
)

FACTS = Facts("ab" * 32, "1.0", "predict")


def galaxies(count: int) -> list[Galaxy]:
    return [Galaxy(7 + i, f"J{i}", f"{i}.png", None, f"{i:064x}") for i in range(count)]


def rows(count: int) -> pa.Table:
    return pa.table({"galaxy_id": range(count), "blob": [b"\x00\xff" * i for i in range(count)]})


@given(counts=st.dictionaries(st.text(min_size=1), st.integers(0, 5), max_size=3))
def test_a_part_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, counts: dict[str, int]
) -> None:
    counts.pop("galaxies", None)
    path = tmp_path_factory.mktemp("parts") / "a.arrow"
    tables = {name: rows(count) for name, count in counts.items()}
    write_part(path, FACTS, galaxies(3), tables)
    content = read_part(path)
    assert content.facts == FACTS
    assert content.galaxies["iauname"].to_pylist() == ["J0", "J1", "J2"]
    assert content.tables == tables
    assert [*path.parent.iterdir()] == [path]


def test_any_byte_that_changes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write_part(path, FACTS, galaxies(2), {"prediction": rows(4)})
    whole = path.read_bytes()
    for place in range(0, len(whole), 5):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(PartRefused, match="damaged"):
            read_part(path)


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write_part(path, FACTS, galaxies(2), {"prediction": rows(4)})
    with pa.OSFile(str(path)) as file:
        table = pa.ipc.open_stream(file).read_all()
    assert table["table"].to_pylist() == ["galaxies", "prediction"]
    assert table["rows"].to_pylist() == [2, 4]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.arrow"
    write_part(path, FACTS, galaxies(2), {"prediction": rows(4)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(PartRefused, match=r"a\.arrow is damaged"):
        read_part(path)


def test_other_arrow_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with pa.ipc.new_file(str(path), rows(1).schema) as writer:
        writer.write_table(rows(1))
    with pytest.raises(PartRefused, match="damaged"):
        read_part(path)
    with pytest.raises(PartRefused, match="no part file"):
        read_part(tmp_path / "b.arrow")


def test_names_are_in_the_order_of_galaxies_and_tell_parts_apart(tmp_path: Path) -> None:
    known = galaxies(4)
    paths = [part_path(tmp_path, "r", known[i:]) for i in range(4)]
    assert paths == sorted(paths)
    assert part_path(tmp_path, "r", known) == paths[0]
    seen_anew = [known[0]._replace(sha256="f" * 64), *known[1:]]
    others = [part_path(tmp_path, *one) for one in (("s", known), ("r", seen_anew))]
    assert paths[0] not in others
    for path in paths:
        write_part(path, FACTS, known, {})
    (tmp_path / f".{paths[0].name}.00.part").touch()
    assert part_files(tmp_path) == paths
    remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == paths
