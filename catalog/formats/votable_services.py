"""Services that a VOTable offers for the values of a column (DataLink 1.1, section 4)."""

import re
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.compute as pc

NO_XML = "[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_NAMES = re.compile("[A-Za-z_][A-Za-z0-9_]*")  # that can be an ID, too
_TAKEN = ("icrs", "Error")


def xml_text(text: str) -> str:
    """Text with U+FFFD for what XML cannot hold."""
    return str(pc.replace_substring_regex(pa.scalar(text), NO_XML, "\ufffd").as_py())


@dataclass(frozen=True)
class Descriptor:
    """A service that takes the values of a column.

    column: its name; address, standard: of the service; parameter: that takes the value.
    """

    column: str
    address: str
    standard: str
    parameter: str = "ID"

    @property
    def field(self) -> str:
        """The ID of the column's field: its name where that can be, which readers take for it."""
        usable = _NAMES.fullmatch(self.column) and self.column not in _TAKEN
        return self.column if usable else "described"

    def written(self) -> str:
        """The resource that says so."""
        return f"""<RESOURCE type="meta" utype="adhoc:service">
<PARAM name="accessURL" datatype="char" arraysize="*" value={quoteattr(xml_text(self.address))}/>
<PARAM name="standardID" datatype="char" arraysize="*" value={quoteattr(self.standard)}/>
<GROUP name="inputParams">
<PARAM name={quoteattr(self.parameter)} datatype="char" arraysize="*" value="" \
ref="{self.field}"/>
</GROUP>
</RESOURCE>
"""
