"""The columns that DataLink, ObsCore and cone search prescribe."""

import pyarrow as pa

from zoolens.catalog.formats.columns import column
from zoolens.catalog.store.dictionary import COLUMNS

_TEXT, _WHOLE, _FLOAT = pa.string(), pa.int64(), pa.float64()


def _field(
    name: str, kind: pa.DataType, ucd: str, words: str, unit: str = "", **more: str
) -> pa.Field:
    field = column(name, kind, words, unit=unit, ucd=ucd)
    said = {key.encode(): value.encode() for key, value in more.items() if value}
    if kind == _TEXT:
        said[b"datatype"] = b"char"  # as these standards have it; UTF-8
    return field.with_metadata({**(field.metadata or {}), **said})


# DataLink 1.1, section 3.2.
DATALINK = pa.schema(
    [
        _field("ID", _TEXT, "meta.id;meta.main", "the galaxy that was asked for"),
        _field("access_url", _TEXT, "meta.ref.url", "where it is"),
        _field("service_def", _TEXT, "meta.ref", "the resource that describes a service"),
        _field("error_message", _TEXT, "meta.code.error", "why there is nothing"),
        _field("semantics", _TEXT, "meta.code", "what it is to the galaxy's image"),
        _field("description", _TEXT, "meta.note", "what it is, in words"),
        _field("content_type", _TEXT, "meta.code.mime", "its media type"),
        _field("content_length", _WHOLE, "phys.size;meta.file", "its size", "byte"),
        _field("local_semantics", _TEXT, "meta.code", "what it is called here"),
    ]
)

# ObsCore 1.1, tables 1 and 5: name, type, unit, UCD, UTYPE without its beginning.
_OBSCORE = (
    ("dataproduct_type", _TEXT, "", "meta.code.class", "ObsDataset.dataProductType"),
    ("calib_level", pa.int32(), "", "meta.code;obs.calib", "ObsDataset.calibLevel"),
    ("obs_collection", _TEXT, "", "meta.id", "DataID.collection"),
    ("obs_id", _TEXT, "", "meta.id", "DataID.observationID"),
    ("obs_publisher_did", _TEXT, "", "meta.ref.ivoid", "Curation.publisherDID"),
    ("access_url", _TEXT, "", "meta.ref.url", "Access.reference"),
    ("access_format", _TEXT, "", "meta.code.mime", "Access.format"),
    ("access_estsize", _WHOLE, "kbyte", "phys.size;meta.file", "Access.size"),
    ("target_name", _TEXT, "", "meta.id;src", "Target.name"),
    (
        *("s_ra", _FLOAT, "deg", "pos.eq.ra"),
        "Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C1",
    ),
    (
        *("s_dec", _FLOAT, "deg", "pos.eq.dec"),
        "Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C2",
    ),
    (
        *("s_fov", _FLOAT, "deg", "phys.angSize;instr.fov"),
        "Char.SpatialAxis.Coverage.Bounds.Extent.diameter",
    ),
    (
        *("s_region", _TEXT, "", "pos.outline;obs.field"),
        "Char.SpatialAxis.Coverage.Support.Area",
    ),
    (
        *("s_resolution", _FLOAT, "arcsec", "pos.angResolution"),
        "Char.SpatialAxis.Resolution.Refval.value",
    ),
    ("s_xel1", _WHOLE, "", "meta.number", "Char.SpatialAxis.numBins1"),
    ("s_xel2", _WHOLE, "", "meta.number", "Char.SpatialAxis.numBins2"),
    (
        *("t_min", _FLOAT, "d", "time.start;obs.exposure"),
        "Char.TimeAxis.Coverage.Bounds.Limits.StartTime",
    ),
    (
        *("t_max", _FLOAT, "d", "time.end;obs.exposure"),
        "Char.TimeAxis.Coverage.Bounds.Limits.StopTime",
    ),
    (
        *("t_exptime", _FLOAT, "s", "time.duration;obs.exposure"),
        "Char.TimeAxis.Coverage.Support.Extent",
    ),
    ("t_resolution", _FLOAT, "s", "time.resolution", "Char.TimeAxis.Resolution.Refval.value"),
    ("t_xel", _WHOLE, "", "meta.number", "Char.TimeAxis.numBins"),
    ("em_min", _FLOAT, "m", "em.wl;stat.min", "Char.SpectralAxis.Coverage.Bounds.Limits.LoLimit"),
    ("em_max", _FLOAT, "m", "em.wl;stat.max", "Char.SpectralAxis.Coverage.Bounds.Limits.HiLimit"),
    (
        *("em_res_power", _FLOAT, "", "spect.resolution"),
        "Char.SpectralAxis.Resolution.ResolPower.refVal",
    ),
    ("em_xel", _WHOLE, "", "meta.number", "Char.SpectralAxis.numBins"),
    ("o_ucd", _TEXT, "", "meta.ucd", "Char.ObservableAxis.ucd"),
    ("pol_states", _TEXT, "", "meta.code;phys.polarization", "Char.PolarizationAxis.stateList"),
    ("pol_xel", _WHOLE, "", "meta.number", "Char.PolarizationAxis.numBins"),
    ("facility_name", _TEXT, "", "meta.id;instr.tel", "Provenance.ObsConfig.Facility.name"),
    ("instrument_name", _TEXT, "", "meta.id;instr", "Provenance.ObsConfig.Instrument.name"),
)
OBSCORE = pa.schema(
    [
        _field(name, kind, ucd, "", unit, utype=f"obscore:{utype}")
        for name, kind, unit, ucd, utype in _OBSCORE
    ]
)

_GALAXY = COLUMNS["galaxies"]
# Cone search 1.03, section 2.2: with UCDs of the first kind. By name, those of all verbosities.
_CONE = {
    "iauname": _field("iauname", _TEXT, "ID_MAIN", _GALAXY["iauname"].description),
    "ra": _field("ra", _FLOAT, "POS_EQ_RA_MAIN", _GALAXY["ra"].description, "deg"),
    "dec": _field("dec", _FLOAT, "POS_EQ_DEC_MAIN", _GALAXY["dec"].description, "deg"),
    "image_url": _field("image_url", _TEXT, "meta.ref.url", "where its image is"),
    "image_format": _field("image_format", _TEXT, "", _GALAXY["image_format"].description),
    "galaxy_id": _field("galaxy_id", _WHOLE, "", _GALAXY["galaxy_id"].description),
    "image_height": _field("image_height", _WHOLE, "", "its height", "pix"),
    "image_width": _field("image_width", _WHOLE, "", "its width", "pix"),
}


def cone_schema(names: list[str]) -> pa.Schema:
    """The schema of an answer to a cone search with some columns."""
    return pa.schema([_CONE[name] for name in names])
