"""The document of a release for programs."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from tests.release.test_documents import FACTS, TABLES, TITLE
from zoolens.catalog.release.croissant import write_croissant


@pytest.mark.slow
def test_machines_can_read_what_it_is(full_cut: Path) -> None:
    from mlcroissant import Dataset

    dataset = Dataset(str(full_cut / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    first = next(iter(dataset.records("galaxies")))
    assert first["galaxies/iauname"] == b"J000000.00+000000.0"
    cited = yaml.safe_load((full_cut / "CITATION.cff").read_text())
    assert (cited["version"], cited["license"]) == ("1.0", "CC-BY-4.0")
    orcid = "https://orcid.org/0000-0002-1825-0097"
    assert cited["authors"] == [
        {"family-names": "Founder", "given-names": "A.", "orcid": orcid},
        {"name": "Galaxy Zoo"},
    ]
    said = json.loads((full_cut / "croissant.json").read_text())
    person, group = said["creator"]
    assert (person["@type"], person["familyName"], person["url"]) == ("sc:Person", "Founder", orcid)
    assert group == {"@type": "sc:Organization", "name": "Galaxy Zoo"}
    assert said["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert any("Zoobot" in work["title"] for work in cited["references"])


def test_croissant_names_files_and_kinds(tmp_path: Path) -> None:
    for name in ("galaxies.parquet", "galaxies.csv"):
        (tmp_path / name).write_text(name)
    write_croissant(tmp_path, TITLE, TABLES, FACTS)
    said = json.loads((tmp_path / "croissant.json").read_text())
    assert [
        (file["name"], file["contentSize"], file["sha256"]) for file in said["distribution"]
    ] == [
        (name, f"{len(name)} B", hashlib.sha256(name.encode()).hexdigest())
        for name in ("galaxies.parquet", "galaxies.csv")
    ]
    (records,) = said["recordSet"]
    assert [(f["name"], f["dataType"], f.get("repeated")) for f in records["field"]] == [
        ("iauname", "sc:Text", None),
        ("ra", "sc:Float", None),
        ("many", "sc:Float", True),
        ("count", "sc:Integer", None),
    ]
    assert records["field"][1]["description"] == "where (deg)"
    assert "creator" not in said  # of nobody
    assert "license" not in said
