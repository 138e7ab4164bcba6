from xml.etree import ElementTree

import pytest

from zoolens.catalog.formats.votable_services import Descriptor, xml_text


@pytest.mark.parametrize(
    ("column", "field"),
    [("iauname", "iauname"), ("icrs", "described"), ("a b", "described"), ("1", "described")],
)
def test_the_field_is_called_as_its_column_where_that_can_be(column: str, field: str) -> None:
    described = Descriptor(column, 'http://x/?a=1&b="\x00<', "ivo://x#y")
    assert described.field == field
    resource = ElementTree.fromstring(described.written())
    assert resource.attrib == {"type": "meta", "utype": "adhoc:service"}
    (param,) = resource.findall("GROUP/PARAM")
    assert (param.get("name"), param.get("ref")) == ("ID", field)
    address, standard = (one.get("value") for one in resource.findall("PARAM"))
    assert (address, standard) == ('http://x/?a=1&b="\ufffd<', "ivo://x#y")


def test_text_keeps_what_xml_can_hold() -> None:
    assert xml_text("é\t<\x01\uffff") == "é\t<\ufffd\ufffd"
