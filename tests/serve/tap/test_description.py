from datetime import UTC, datetime
from xml.etree import ElementTree

from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.description import availability, capabilities, one_table, tables
from zoolens.catalog.serve.tap.formats import FORMATS
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.published import Published, published


def test_capabilities_name_addresses_formats_and_limits() -> None:
    root = ElementTree.fromstring(capabilities("http://here/tap", Settings(rows=7, most_rows=9)))
    addresses = [node.text for node in root.iter("accessURL")]
    assert addresses[0] == "http://here/tap"
    assert "http://here/tap/tables" in addresses
    assert [node.text for node in root.iter("mime")] == [form.mime for form in FORMATS]
    (limit,) = root.iter("outputLimit")
    assert [(part.text, part.get("unit")) for part in limit] == [("7", "row"), ("9", "row")]


def test_words_with_signs_of_xml_arrive_as_they_are() -> None:
    words = "a < b & 'c' > \"d\""
    column = Column("x", "DOUBLE", words, "km/s", "src.redshift")
    mine = Published("zoolens", "own", words, (column,), ("main", "own"))
    root = ElementTree.fromstring(one_table(mine, [mine]))
    assert [node.text for node in root.iter("description")] == [words, words]
    assert root.findtext(".//unit") == "km/s"


def test_tables_can_be_listed_without_columns() -> None:
    short = ElementTree.fromstring(tables(published(), columns=False))
    assert len(list(short.iter("table"))) == len(published())
    assert not list(short.iter("column"))


def test_availability_says_whether_and_since_when() -> None:
    said = availability(available=False, since=datetime(2026, 1, 2, tzinfo=UTC), note="as of x")
    assert b"<available>false</available>" in said or b">false<" in said
    assert b"2026-01-02T00:00:00" in said


def test_times_say_that_they_are() -> None:
    root = ElementTree.fromstring(tables(published()))
    told = {
        column.findtext("name"): column.find("dataType").get("extendedType")  # type: ignore[union-attr]
        for column in root.iter("column")
    }
    assert (told["started_at"], told["iauname"]) == ("timestamp", None)
