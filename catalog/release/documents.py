"""The documents of a release for people, in Markdown."""

import csv
import io
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoolens.catalog.errors import few
from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.paths import (
    CUBES,
    DICTIONARY,
    GALLERY,
    RELEASE_FORMATS,
    RELEASE_README,
    table_path,
)
from zoolens.catalog.release.provenance import Title


@dataclass(frozen=True)
class Described:
    """A table of a release: what a row is, how many there are, and its columns."""

    row: str
    rows: int
    columns: pa.Schema


_OPENING = {
    "parquet": '`pandas.read_parquet("galaxies.parquet")`; in DuckDB `FROM '
    "'galaxies.parquet'`; with units, "
    '`astropy.table.Table.read("galaxies.parquet", format="parquet.votable")`',
    "fits": '`astropy.table.Table.read("galaxies.fits")`, TOPCAT, STILTS',
    "votable": '`astropy.table.Table.read("galaxies.vot")`, TOPCAT, STILTS',
    "csv": "anything; missing values are empty, and text that a spreadsheet would take for a "
    "formula (it begins with `=`, `+`, `-` or `@`) has an apostrophe before it, which the other "
    "files have not",
    "hats": '`lsdb.open_catalog("hats")`, then for instance `.cone_search(ra, dec, radius_arcsec)`',
}
_INGEST = "zoolens ingest galaxies.parquet --predictions tables/posteriors.parquet"


def write_readme(
    folder: Path, title: Title, tables: Mapping[str, Described], facts: Mapping[str, Any]
) -> None:
    """`README.md`: what is where, how to open it, what it was made from."""
    lines = [f"# {_escaped(str(title))}", "", summary(tables["galaxies"].rows, facts), ""]
    lines += ["## The galaxies, one row each", ""]
    for form in facts["formats"]:
        lines.append(f"- `{RELEASE_FORMATS[form]}`: {_OPENING[form]}")
    others = {name: table for name, table in tables.items() if name != "galaxies"}
    if others:
        lines += ["", "## The long tables", "", "| file | one row per | rows |", "|---|---|---|"]
        for name, table in others.items():
            file = table_path(Path(), name).as_posix()
            lines.append(f"| `{file}` | {table.row} | {table.rows:,} |")
    lines += ["", f"What every column holds: [{DICTIONARY}]({DICTIONARY})."]
    if (folder / GALLERY).is_dir():
        lines += ["", f"[`{GALLERY}/index.html`]({GALLERY}/index.html) shows the worst losses."]
    if (folder / CUBES).is_dir():
        lines += ["", f"`{CUBES}/` has the saliency maps of each galaxy as a FITS file."]
    if "posteriors" in others:
        words = "To take votes and predictions into a catalogue again, with the same losses:"
        if "without" in facts:
            words = "To take galaxies and predictions into a catalogue again:"
        lines += ["", words, "", "```sh", _INGEST + _kept(facts.get("own_columns", ())), "```"]
    lines += [
        "",
        "## Where it comes from",
        "",
        "| run | job | finished | what made it |",
        "|---|---|---|---|",
    ]
    for run in facts["runs"]:
        job = run["job"]
        if "pieces" in run:
            job += f" ({len(run['pieces']):,} of {len(facts['pieces']):,} pieces)"
        lines.append(f"| {run['run_id']} | {job} | {run['finished_at']} | {_made(run)} |")
    lines += [
        "",
        "`release.json` has all of it. Every file's SHA-256 is in `SHA256SUMS`: check with "
        "`sha256sum --check SHA256SUMS` or `zoolens release verify`. Please cite what "
        "`CITATION.cff` lists, and thank the volunteers.",
        "",
    ]
    (folder / RELEASE_README).write_text("\n".join(lines), encoding="utf-8")


_SOURCES = ("votes_sha256", "galaxies_sha256", "predictions_sha256", "table_sha256")


def _made(run: Mapping[str, Any]) -> str:
    """Checksums of the model or models, and how images were seen, or of a run's table."""
    known = [run["model_sha256"], *map(run["config"].get, _SOURCES)]
    each = [one["sha256"] for one in run["config"].get("models", ())] or [*filter(None, known)][:1]
    turns = run["config"].get("orientations")
    seen = f", each image in {turns} orientations" if turns else ""
    return "SHA-256 " + ", ".join(f"{sha256[:16]}…" for sha256 in each) + seen if each else ""


def _kept(names: Sequence[str]) -> str:
    """What to add to a command so that it keeps the releasers' own columns."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(names)
    return f" --keep {shlex.quote(row.getvalue())}" if names else ""


def summary(rows: int, facts: Mapping[str, Any]) -> str:
    """What the table of galaxies, of so many rows, is, in one line."""
    cut = facts["selection"]
    limits = [f"those with {_code(cut['where'])}"] if cut["where"] else []
    if cut["min_votes"]:
        limits.append(f"those with a question asked of at least {cut['min_votes']:g} volunteers")
    which = "; only " + ", and only ".join(limits) if limits else ""
    what = [] if facts.get("without") == "votes and predictions" else [_of_votes(facts)]
    what += [_estimated(facts["estimates"])] if "estimates" in facts else []
    pieces = f" from {len(facts['pieces']):,} pieces of the sky" if "pieces" in facts else ""
    words = f"{rows:,} galaxies: {'; and '.join(what)}{which}"
    return f"{words}. Cut by Zoolens {facts['zoolens']}{pieces}."


def _of_votes(facts: Mapping[str, Any]) -> str:
    if facts.get("without") == "predictions":
        return f"Galaxy Zoo votes (tree {facts['tree']})"
    what = (
        f"Galaxy Zoo votes (tree {facts['tree']}), a Bayesian CNN's predictions of them, and how "
        "far the two disagree"
    )
    if "without" in facts:
        what = (
            "a Bayesian CNN's predictions of how Galaxy Zoo's volunteers would vote (tree "
            f"{facts['tree']}). There are no losses in it, as no galaxy has votes to compare with"
        )
    return what


def _estimated(said: Mapping[str, Any]) -> str:
    """What a classifier or regressor estimates, in words."""
    names = few([_code(name) for name in said["names"]])
    target = f", trained on {_code(said['target'])}" if said["target"] else ""
    if said["output"] == "probability":
        return f"a classifier's probabilities of {names}{target}"
    return f"a regressor's estimate of {names}{target}"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: neither markup nor HTML."""
    return re.sub(r"([\\`*_\[\]<>&|])", r"\\\1", text)


def _code(text: str) -> str:
    """Text as a code span of Markdown, in one line, between more backticks than it has."""
    line = " ".join(text.split())
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


_HEADING = re.compile(r"^## (\w+): one row per (.+)$", re.M)


def read_rows(dictionary: str) -> dict[str, str]:
    """What a row of each table is, by the name of the table, as `write_dictionary` says it."""
    return dict(_HEADING.findall(dictionary))


def write_dictionary(folder: Path, title: Title, tables: Mapping[str, Described]) -> None:
    """`DICTIONARY.md`: every column of every table, from the files' own schemas."""
    lines = [f"# Columns of {_escaped(str(title))}", ""]
    for name, table in tables.items():
        lines += [f"## {name}: one row per {table.row}", ""]
        lines += ["| column | type | unit | UCD | what it holds |", "|---|---|---|---|---|"]
        for field in table.columns:
            said = meaning(field)
            cells = (f"`{field.name}`", str(field.type), said.unit, said.ucd, said.description)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    (folder / DICTIONARY).write_text("\n".join(lines), encoding="utf-8")
