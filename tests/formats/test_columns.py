"""What a column holds travels with its field."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.formats.columns import Meaning, column, meaning

_WORDS = st.text(st.characters(exclude_categories=["Cs"]))


@given(_WORDS, _WORDS, _WORDS)
def test_a_field_says_what_it_was_told(description: str, unit: str, ucd: str) -> None:
    field = column("x", pa.float32(), description, unit=unit, ucd=ucd)
    assert (field.name, field.type, field.nullable) == ("x", pa.float32(), True)
    assert meaning(field) == Meaning(description, unit, ucd)


def test_it_survives_a_file(tmp_path: Path) -> None:
    field = column("ra", pa.float64(), "right ascension & more", unit="deg", ucd="pos.eq.ra")
    pq.write_table(pa.table([[1.5]], pa.schema([field])), tmp_path / "t.parquet")
    assert meaning(pq.read_schema(tmp_path / "t.parquet").field("ra")) == meaning(field)


def test_other_fields_say_nothing() -> None:
    assert meaning(pa.field("x", pa.int8())) == Meaning("")
    assert meaning(pa.field("x", pa.int8(), metadata={"origin": "elsewhere"})) == Meaning("")
    # nothing is said of what is empty, so that other programs see no empty unit
    assert column("x", pa.int8(), "words").metadata == {b"description": b"words"}
