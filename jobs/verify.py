"""`verify`: whether a catalogue is consistent, and its files undamaged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.errors import CatalogError, few, tell
from zoolens.catalog.output.answer import from_arrow
from zoolens.catalog.output.notebook import sentence, table
from zoolens.catalog.paths import index_path
from zoolens.catalog.runtime.files import checksum
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.similarity.files import damaged_files, sound_files
from zoolens.catalog.store.checks import child_totals, image_files, offences
from zoolens.catalog.store.derived_checks import altered_maps, altered_posteriors, altered_spreads
from zoolens.catalog.store.outdated import stale_steps
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import ALIKE, Comparison
from zoolens.catalog.survey.checks import survey_checks
from zoolens.catalog.survey.folder import check_there, is_survey, open_survey

_INDEX = "similarity index: files that are not as they were written"
_IMAGES = "image files missing or changed since ingest"


@dataclass(frozen=True)
class VerifyReport:
    """checks: what was looked for, how many offend, and whether that is an error.

    A warning is a property of the data (more volunteers answered a question than
    gave the answers that lead to it), or of files or a step that can be made again; an error is
    a fault of the catalogue.
    """

    checks: pa.Table

    @property
    def advice(self) -> str:
        """What to do if a check found a fault."""
        faults = {row["check"] for row in self.checks.to_pylist() if row["result"] == "ERROR"}
        advice = {
            _IMAGES: "the images are not those that were ingested; ingest them again",
            _INDEX: "the similarity index is damaged; build it again with: zoolens index",
        }
        if faults <= advice.keys():
            return "; ".join(text for fault, text in advice.items() if fault in faults)
        return "restore the catalogue from a copy"

    def _repr_html_(self) -> str:
        found = self.remarked
        shown = table(found.column_names, from_arrow(found).rows) if len(found) else ""
        return sentence(self.summary, strong="verify") + shown

    @property
    def remarked(self) -> pa.Table:
        """The checks that found something."""
        return self.checks.filter(pc.not_equal(self.checks["result"], "ok"))

    @property
    def summary(self) -> str:
        """How many checks found nothing, in one line."""
        found = len(self.remarked)
        return f"{len(self.checks) - found} of {len(self.checks)} checks found nothing" + (
            f", {found - self.errors} gave a warning, {self.errors} failed" if found else ""
        )

    @property
    def errors(self) -> int:
        """How many checks found a fault."""
        return self.checks["result"].to_pylist().count("ERROR")


def verify(catalog: Path, *, images: bool = False) -> VerifyReport:
    """Check a catalogue, or all pieces of a survey and how they lie together.

    Counts, orphans, doubles, blob sizes, child totals and, on request, images. Of a survey a check
    is of all pieces, and names those that offend, and there are checks of the survey itself
    (`catalog.survey.checks`).

    images: read every image file again and compare its SHA-256 with the recorded
    one (single image files only; shards and tables are compared as a whole by
    `ingest`).
    """
    if is_survey(catalog):
        return _verify_survey(catalog, images=images)
    with Store.open(catalog, read_only=True) as store:
        faults = {
            **offences(store),
            "posterior: samples that are not those of the predictions": altered_posteriors(store),
            "posterior: spreads between models that are not those of the samples": altered_spreads(
                store
            ),
            "saliency_map: maps that are not those of their statistics": altered_maps(store),
        }
        damaged = damaged_files(store)
        faults[_INDEX] = len(damaged)
        if images:
            faults[_IMAGES] = _images(store)
        remarks = {**_outdated(store), **_index(store, damaged), **child_totals(store)}
    checks = [
        {"check": check, "offending": count, "result": "ok" if count == 0 else result}
        for found, result in ((faults, "ERROR"), (remarks, "warning"))
        for check, count in found.items()
    ]
    return VerifyReport(pa.Table.from_pylist(checks))


def _verify_survey(folder: Path, *, images: bool) -> VerifyReport:
    rows: dict[str, dict[str, Any]] = {}
    compared = Comparison(folder, ALIKE)
    unread: dict[str, str] = {}
    for name, path in open_survey(folder).named.items():
        try:
            check_there(path)
            report = verify(path, images=images)
            with Store.open(path, read_only=True) as store:
                compared.note(name, store)
        except CatalogError as error:
            unread[name] = str(error)
            tell(str(error))
            continue
        for check in report.checks.to_pylist():
            row = rows.setdefault(
                check["check"], {**check, "result": "ok", "offending": 0, "pieces": []}
            )
            if check["offending"]:
                row["offending"] += check["offending"]
                row["result"] = check["result"]
                row["pieces"].append(name)
    checks = [*rows.values(), *survey_checks(folder, compared, list(unread))]
    return VerifyReport(
        pa.Table.from_pylist([{**row, "pieces": few(row["pieces"]) or None} for row in checks])
    )


def _outdated(store: Store) -> dict[str, int]:
    """Steps that are outdated, with how many galaxies are left out for it, or 1 for the step."""
    return {
        f"{step.job}: outdated, as zoolens status tells": step.galaxies or 1
        for step in stale_steps(store)
    }


def _index(store: Store, damaged: Sequence[Path]) -> dict[str, int]:
    """How many index files of the present state are missing, or are those of another state."""
    sound = sound_files(store) if store.complete_runs("index") else {}
    again = [kind for kind, good in sound.items() if not good]
    missing = sum(index_path(store.path, kind) not in damaged for kind in again)
    return {"similarity index: files to be made again by zoolens index": missing}


def _images(store: Store) -> int:
    files = image_files(store)
    wrong = 0
    with progress("reading images", len(files)) as bar:
        for file, sha256 in files:
            wrong += checksum(Path(file)) != sha256
            bar.advance()
    return wrong
