"""Answers of DataLink, Simple Image Access and cone search, made where queries are answered."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from zoolens.catalog.formats.votable_services import Descriptor
from zoolens.catalog.serve.adql.translate import translate
from zoolens.catalog.serve.asking import Cone, Images, Links, Listing
from zoolens.catalog.serve.links.columns import DATALINK, OBSCORE, cone_schema
from zoolens.catalog.serve.links.regions import condition
from zoolens.catalog.serve.tap.formats import Answer, format_of
from zoolens.catalog.serve.tap.rows import plain
from zoolens.catalog.store import linked
from zoolens.catalog.store.dictionary import COLUMNS, Column
from zoolens.catalog.store.foreign import Foreign

VIEWS = linked.VIEWS
STANDARD = "ivo://ivoa.net/std/DataLink#links-1.1"
LINKS = "/datalink/links"
_BATCH = 8_192  # rows
_EVERY = 2**62  # rows of a part of a query, of which the whole takes fewer
_NAME = COLUMNS["galaxies"]["iauname"]
_MIMES = {"PNG": "image/png", "JPEG": "image/jpeg", "FITS": "image/fits"}
_VOTABLE = "application/x-votable+xml"


def links_of(schema: pa.Schema, columns: Sequence[Column], address: str) -> Descriptor | None:
    """What says that links of galaxies can be had, for answers with a column of their names."""
    if not address:
        return None
    for field, said in zip(schema, columns, strict=True):
        if (said.ucd, said.description) == (_NAME.ucd, _NAME.description):
            return Descriptor(field.name, address, STANDARD)
    return None


def listed(foreign: Foreign, asked: Listing, scratch: Path) -> Iterator[bytes]:
    """The answer to a request, part by part."""
    if isinstance(asked, Links):
        return _links(foreign, asked, scratch)
    return (
        _cone(foreign, asked, scratch)
        if isinstance(asked, Cone)
        else _images(foreign, asked, scratch)
    )


def _links(foreign: Foreign, asked: Links, scratch: Path) -> Iterator[bytes]:
    facts: list[dict[str, Any]] = []
    if asked.names:
        reader = foreign.answer(linked.LINKED, _BATCH, _unzipped(asked.names))
        facts = reader.read_all().to_pylist()
    rows = [row for fact in facts for row in links_to(fact, asked.root)]
    table = pa.Table.from_pylist(rows, schema=DATALINK)
    infos = {"standardID": STANDARD}
    answer = Answer(DATALINK, iter(table.to_batches()), len(rows), infos)
    return format_of(asked.form).write(answer, scratch)


def _unzipped(names: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"ids": [one for one, _ in names], "names": [name for _, name in names]}


def links_to(fact: dict[str, Any], root: str) -> Iterator[dict[str, Any]]:
    """What there is of a galaxy (a row of `LINKED`), a row each; or that there is none."""
    if fact["iauname"] is None:
        said = f"NotFoundFault: there is no galaxy {fact['name'][:200]}"
        yield {"ID": fact["id"], "error_message": said, "semantics": "#this"}
        return
    address = f"{root}/galaxies/{quote(fact['iauname'], safe='')}"

    def link(path: str, semantics: str, mime: str, words: str, local: str) -> dict[str, Any]:
        return {
            "ID": fact["id"],
            "access_url": f"{address}/{path}",
            "semantics": f"#{semantics}",
            "description": words,
            "content_type": mime,
            "local_semantics": local,
        }

    if fact["image_format"] is not None:
        mime = _MIMES[fact["image_format"]]
        yield link("image", "this", mime, "the image, as in its source", "image")
        seen = "the image as the network saw it"
        yield link("image.png", "preview", "image/png", seen, "image as seen")
    if fact["mapped"]:
        words = "maps of which pixels raised or lowered each answer, as a cube"
        yield link("maps.fits", "derivation", "application/fits", words, "maps")
        if fact["costliest"] is not None:
            label = quote(fact["costliest"], safe="")
            words = f"the map of {fact['costliest']}, the answer of the largest loss, on the image"
            on = "?on=image" if fact["image_format"] is not None else ""
            path = f"maps/{label}.png{on}"
            yield link(path, "derivation", "image/png", words, "map")
    words = "votes, predictions and losses for every question"
    yield link("votes.json", "auxiliary", "application/json", words, "votes")
    if fact["predicted"]:
        words = "galaxies that are voted and predicted alike"
        path = "similar?RESPONSEFORMAT=votable"
        yield link(path, "auxiliary", _VOTABLE, words, "similar galaxies")
        if fact["costliest"] is not None:
            words = "galaxies voted as this one is predicted, and predicted as it is voted"
            path = "counterparts?RESPONSEFORMAT=votable"
            yield link(path, "auxiliary", _VOTABLE, words, "counterparts")


def _cone(foreign: Foreign, asked: Cone, scratch: Path) -> Iterator[bytes]:
    circle = ("CIRCLE", asked.circle or (0.0, 0.0, 0.0))
    most = asked.rows if asked.circle is not None else 0
    sql = linked.cone(_within(foreign, [condition(circle)]), asked.verbosity)
    given = {"rows": most + 1, **({"root": asked.root} if asked.verbosity > 1 else {})}
    reader = foreign.answer(sql, _BATCH, given)
    schema = cone_schema(reader.schema.names)
    descriptor = Descriptor("iauname", asked.root + LINKS, STANDARD)
    answer = Answer(schema, _plain(reader, schema), most, {}, descriptor)
    return format_of("votable/td").write(answer, scratch)


def _images(foreign: Foreign, asked: Images, scratch: Path) -> Iterator[bytes]:
    within = _within(foreign, [condition(region) for region in asked.regions])
    named, formatted = bool(asked.names), bool(asked.formats)
    given: dict[str, Any] = {"root": asked.root, "rows": 0 if asked.none else asked.rows + 1}
    given |= {"names": [*asked.names]} if named else {}
    given |= {"formats": [*asked.formats]} if formatted else {}
    sql = linked.images(within, named=named, formatted=formatted)
    batches = _plain(foreign.answer(sql, _BATCH, given), OBSCORE)
    descriptor = Descriptor("obs_publisher_did", asked.root + LINKS, STANDARD)
    answer = Answer(OBSCORE, batches, asked.rows, {}, descriptor)
    return format_of(asked.form).write(answer, scratch)


def _within(foreign: Foreign, conditions: list[str]) -> str:
    query = translate(linked.galaxies_within(conditions), foreign.tables, _EVERY)
    foreign.add_macros()
    foreign.add_views(query.used)
    return query.sql


def _plain(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        yield plain(batch, schema)
