"""Who is cited for a release, and its licence: read from what a person types, and checked."""

import re
from typing import NamedTuple

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from zoolens.catalog.errors import CatalogError, nearest

_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])", re.IGNORECASE)
# Identifiers for data and software that CITATION.cff 1.2 takes by name. Its list is of 2021 and
# SPDX's has grown, so every other one is given there by its address, which it takes always.
_NAMED = (
    "CC0-1.0",
    "CC-BY-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-NC-ND-4.0",
    "ODbL-1.0",
    "ODC-By-1.0",
    "PDDL-1.0",
    "CDLA-Permissive-1.0",
    "CDLA-Sharing-1.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Apache-2.0",
    "ISC",
    "MPL-2.0",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "Unlicense",
)


class Author(NamedTuple):
    """A person, or an organisation, which has no given name. orcid: an address, or None."""

    family: str
    given: str
    orcid: str | None

    def cff(self) -> dict[str, str]:
        """As an author of CITATION.cff: person or entity."""
        if not self.given:
            return {"name": self.family}
        names = {"family-names": self.family, "given-names": self.given}
        return names | ({"orcid": self.orcid} if self.orcid else {})

    def schema_org(self) -> dict[str, str]:
        """As a creator of Croissant: schema.org's Person or Organization."""
        if not self.given:
            return {"@type": "sc:Organization", "name": self.family}
        names = {"name": f"{self.given} {self.family}", "givenName": self.given}
        known = {"@type": "sc:Person", **names, "familyName": self.family}
        return known | ({"url": self.orcid} if self.orcid else {})


def read_author(text: str) -> Author:
    """The author in "Family, Given", "Family, Given; ORCID", or the name of an organisation.

    A name with a comma is a person's. The ORCID may be an address; its check digit is
    verified (ISO 7064, mod 11-2). Raises `CatalogError` if a part is empty or not printable,
    the ORCID is none, or an organisation has one.
    """
    name, semicolon, orcid = (part.strip() for part in text.partition(";"))
    family, comma, given = (part.strip() for part in name.partition(","))
    form = 'write "Family, Given; ORCID", or the name of an organisation without a comma'
    if not text.isprintable() or not family or (comma and not given):
        raise CatalogError(f"the author {text!r} has no name; {form}")
    if not semicolon:
        return Author(family, given, None)
    found = _ORCID.fullmatch(orcid)
    if found is None or not _is_checked(found[1]):
        raise CatalogError(f"{orcid!r} is no ORCID (author {text!r}); take it from orcid.org")
    if not comma:
        raise CatalogError(f"the author {text!r} has an ORCID, so it is a person's name; {form}")
    return Author(family, given, f"https://orcid.org/{found[1].upper()}")


def read_licence(text: str) -> str:
    """An SPDX identifier as SPDX spells it. Raises `CatalogError` for anything else."""
    try:
        name = canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        name = None
    if name is None or not re.fullmatch(r"(?!LicenseRef-)[A-Za-z0-9.-]+", name):
        raise CatalogError(
            f"{text!r} is no licence of SPDX; give one identifier of spdx.org/licenses with "
            f"--license; nearest: {nearest(text, _NAMED)}"
        )
    return str(name)


def licence_url(identifier: str) -> str:
    """The address of an SPDX licence."""
    return f"https://spdx.org/licenses/{identifier}.html"


def licence_cff(identifier: str) -> dict[str, str]:
    """The licence as CITATION.cff takes it."""
    if identifier in _NAMED:
        return {"license": identifier}
    return {"license-url": licence_url(identifier)}


def _is_checked(orcid: str) -> bool:
    letters = orcid.replace("-", "").upper()
    total = 0
    for digit in letters[:-1]:
        total = (total + int(digit)) * 2 % 11
    return letters[-1] == "0123456789X"[(12 - total) % 11]
