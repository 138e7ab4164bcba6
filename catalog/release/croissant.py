"""The document of a release for programs: Croissant 1.0 (MLCommons).

Why not Frictionless: docs/decisions/releases.md.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.paths import CROISSANT, galaxies_path, table_path
from zoolens.catalog.release.authors import licence_url
from zoolens.catalog.release.documents import Described, summary
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.runtime.files import sha256_of

_KINDS = {
    pa.string(): "sc:Text",
    pa.int32(): "sc:Integer",
    pa.int64(): "sc:Integer",
    pa.bool_(): "sc:Boolean",
}
_MEDIA = {
    ".parquet": "application/x-parquet",
    ".fits": "application/fits",
    ".vot": "application/x-votable+xml",
    ".csv": "text/csv",
}


def write_croissant(
    folder: Path, title: Title, tables: Mapping[str, Described], facts: Mapping[str, Any]
) -> None:
    """`croissant.json`: files with checksums, and the columns of the Parquet tables."""
    files = [galaxies_path(folder, form) for form in facts["formats"] if form != "hats"]
    files += [table_path(folder, name) for name in tables if name != "galaxies"]
    said: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": title.name,
        "description": summary(tables["galaxies"].rows, facts),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "version": title.version,
        "citeAs": str(title),
        "datePublished": facts["date"],
        "creator": [author.schema_org() for author in title.people],
        "distribution": [_file(folder, file) for file in files],
        "recordSet": [_records(folder, name, table) for name, table in tables.items()],
    }
    if title.spdx:
        said["license"] = licence_url(title.spdx)
    text = json.dumps({key: value for key, value in said.items() if value != []}, indent=1)
    (folder / CROISSANT).write_text(text + "\n", encoding="utf-8")


def _file(folder: Path, file: Path) -> dict[str, Any]:
    name = file.relative_to(folder).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{file.stat().st_size} B",
        "encodingFormat": _MEDIA[file.suffix],
        "sha256": sha256_of(file),
    }


def _records(folder: Path, name: str, table: Described) -> dict[str, Any]:
    file = table_path(Path(), name)
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"One row per {table.row}.",
        "field": [_field(name, file.as_posix(), field) for field in table.columns],
    }


def _field(record: str, file: str, field: pa.Field) -> dict[str, Any]:
    kind = field.type
    while pa.types.is_list(kind):
        kind = kind.value_type
    said = meaning(field)
    words = f"{said.description} ({said.unit})" if said.unit else said.description
    return {
        "@type": "cr:Field",
        "@id": f"{record}/{field.name}",
        "name": field.name,
        "description": words,
        "dataType": _KINDS.get(kind, "sc:Float"),
        **({"repeated": True} if pa.types.is_list(field.type) else {}),
        "source": {"fileObject": {"@id": file}, "extract": {"column": field.name}},
    }


# the terms of Croissant 1.0, as its specification lists them
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
