"""What the service says of itself: /capabilities, /tables, /availability, in XML (VOSI 1.1).

Made from the same tables as TAP_SCHEMA (`catalog.store.published`), by the models of `vo_models`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from vo_models.tapregext.models import (
    DataLimit,
    DataLimits,
    Language,
    LanguageFeature,
    LanguageFeatureList,
    OutputFormat,
    TableAccess,
    TimeLimits,
    UploadMethod,
    Version,
)
from vo_models.vodataservice.models import (
    DataType,
    FKColumn,
    ForeignKey,
    ParamHTTP,
    Table,
    TableParam,
    TableSchema,
)
from vo_models.voresource.models import AccessURL, Capability
from vo_models.vosi.availability.models import Availability
from vo_models.vosi.capabilities.models import VOSICapabilities
from vo_models.vosi.tables.models import VOSITable, VOSITableSet

from zoolens.catalog.serve.adql.functions import OWN
from zoolens.catalog.serve.adql.reserved import written
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.formats import FORMATS
from zoolens.catalog.store.published import Published, keys, schemas_of, votable_type

_EXTENSIONS = "ivo://ivoa.net/std/TAPRegExt#"
_FEATURES = {
    "features-adqlgeo": (
        *("AREA", "BOX", "CENTROID", "CIRCLE", "CONTAINS", "COORD1", "COORD2", "COORDSYS"),
        *("DISTANCE", "INTERSECTS", "POINT", "POLYGON"),
    ),
    "features-adql-string": ("ILIKE", "LOWER", "UPPER"),
    "features-adql-sets": ("EXCEPT", "INTERSECT", "UNION"),
    "features-adql-common-table": ("WITH",),
    "features-adql-type": ("CAST",),
    "features-adql-offset": ("OFFSET",),
}


def capabilities(base: str, settings: Settings) -> bytes:
    """What the service offers; base: the address of TAP, without a slash at its end."""
    tap = TableAccess(
        interface=[_interface(base, base_url=True)],
        language=[
            Language(
                name="ADQL",
                version=[
                    Version(value="2.1", ivo_id="ivo://ivoa.net/std/ADQL#v2.1"),
                    Version(value="2.0", ivo_id="ivo://ivoa.net/std/ADQL#v2.0"),
                ],
                description="ADQL 2.1; positions are ICRS, in degrees",
                language_features=[
                    LanguageFeatureList(
                        type=_EXTENSIONS + kind,
                        feature=[LanguageFeature(form=form) for form in forms],
                    )
                    for kind, forms in _FEATURES.items()
                ]
                + [_own_functions()],
            )
        ],
        output_format=[
            OutputFormat(mime=form.mime, alias=list(form.names), ivo_id=form.ivo_id)
            for form in FORMATS
        ],
        upload_method=[
            UploadMethod(ivo_id=f"{_EXTENSIONS}upload-{way}") for way in ("inline", "http", "https")
        ],
        retention_period=TimeLimits(default=settings.keep, hard=settings.keep),
        execution_duration=TimeLimits(
            default=round(settings.later.seconds), hard=round(settings.later.seconds)
        ),
        output_limit=DataLimits(
            default=DataLimit(value=settings.rows, unit="row"),
            hard=DataLimit(value=settings.most_rows, unit="row"),
        ),
        upload_limit=DataLimits(hard=DataLimit(value=settings.upload, unit="byte")),
    )
    others = [
        Capability(
            standard_id=f"ivo://ivoa.net/std/{name}",  # type: ignore[arg-type]
            interface=[_interface(f"{base}/{path}")],
        )
        for name, path in (
            ("VOSI#availability", "availability"),
            ("VOSI#capabilities", "capabilities"),
            ("VOSI#tables-1.1", "tables"),
            ("DALI#examples", "examples"),
        )
    ]
    return _xml(VOSICapabilities(capability=[tap, *others]))


def _own_functions() -> LanguageFeatureList:
    """The functions that only this service has."""
    features = [LanguageFeature(form=own.form, description=own.description) for own in OWN.values()]
    return LanguageFeatureList(type=_EXTENSIONS + "features-udf", feature=features)


def _interface(url: str, *, base_url: bool = False) -> ParamHTTP:
    use = "base" if base_url else "full"
    stated: Any = {"value": url, "use": use}
    version = "1.1" if base_url else None
    address = [AccessURL(**stated)]
    return ParamHTTP(type="vs:ParamHTTP", role="std", version=version, access_url=address)


def availability(*, available: bool, since: datetime, note: str) -> bytes:
    """Whether queries are answered."""
    said: dict[str, Any] = {"available": available, "up_since": since, "note": [note]}
    return _xml(Availability(**said))


def tables(published: Sequence[Published], *, columns: bool = True) -> bytes:
    """All tables that can be asked; columns: with their columns and keys."""
    schemas = []
    for name, words in schemas_of(published).items():
        schema = TableSchema(
            schema_name=name,
            table=[_table(t, published, columns, Table) for t in published if t.schema == name],
        )
        schema.description = words
        schemas.append(schema)
    return _with_xtypes(_xml(VOSITableSet(tableset_schema=schemas)))


def one_table(table: Published, published: Sequence[Published]) -> bytes:
    """One table that can be asked, with its columns and keys."""
    return _with_xtypes(_xml(_table(table, published, True, VOSITable)))


def _with_xtypes(tables: bytes) -> bytes:
    """Tables whose times say that they are: the model has no place for it; no other is `char`."""
    times = b'arraysize="*" extendedType="timestamp">char</dataType>'
    return tables.replace(b'arraysize="*">char</dataType>', times)


def _table(table: Published, published: Sequence[Published], columns: bool, kind: Any) -> Any:
    made = kind(table_name=table.full, table_type="table" if table.standard else "view")
    made.description = table.description  # set afterwards: the model would escape it twice
    if columns:
        made.column = [_column(column, table.standard) for column in table.columns]
        made.foreign_key = [
            ForeignKey(
                target_table=key.target,
                fk_column=[FKColumn(from_column=key.column, target_column=key.target_column)],
                description=key.words,
            )
            for key in keys(published)
            if key.table is table
        ]
    return made


def _column(column: Any, standard: bool) -> TableParam:
    kind, size, _ = votable_type(column)
    flags = ["indexed"] * (column.name in ("ra", "dec")) + ["principal"] + ["std"] * standard
    made = TableParam(
        column_name=written(column.name),
        unit=column.unit or None,
        ucd=column.ucd or None,
        datatype=DataType(type="vs:VOTableType", value=kind, arraysize=size),
        flag=flags,
    )
    made.description = column.description
    return made


def _xml(model: Any) -> bytes:
    written: bytes = model.to_xml(encoding="UTF-8", xml_declaration=True, skip_empty=True)
    return written
