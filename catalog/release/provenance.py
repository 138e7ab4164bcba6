"""Where a release comes from: its manifest, its citation, and its checksums."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import yaml

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import CHECKSUMS, CITATION, RELEASE_MANIFEST
from zoolens.catalog.release.authors import Author, licence_cff, read_author, read_licence
from zoolens.catalog.runtime.files import sha256_of, text_of
from zoolens.catalog.store.matrices import compared_galaxies
from zoolens.catalog.store.outdated import stale_steps
from zoolens.catalog.store.released import Runs, ledger_of, newest_explain_run
from zoolens.catalog.store.store import Store

_PAPER = {
    "type": "article",
    "title": "Enhancing Bayesian CNN Models for Galaxy Image Classification with Saliency Mapping",
    "authors": [
        {"family-names": "Su", "given-names": "T."},
        {"family-names": "Han", "given-names": "Y."},
        {"family-names": "Qian", "given-names": "J."},
        {"family-names": "Xiang", "given-names": "F."},
    ],
}
_WALMSLEY = {"family-names": "Walmsley", "given-names": "M."}
_OTHERS = {"name": "et al."}


def _article(
    title: str, author: dict[str, str], journal: str, year: int, doi: str
) -> dict[str, Any]:
    return {
        "type": "article",
        "title": title,
        "authors": [author, _OTHERS],
        "journal": journal,
        "year": year,
        "doi": doi,
    }


_ZOOBOT = _article(
    "Zoobot: Adaptable Deep Learning Models for Galaxy Morphology",
    _WALMSLEY,
    "Journal of Open Source Software",
    2023,
    "10.21105/joss.05312",
)
_DECALS = _article(
    "Galaxy Zoo DECaLS: Detailed visual morphology measurements from volunteers and deep "
    "learning for 314,000 galaxies",
    _WALMSLEY,
    "MNRAS",
    2022,
    "10.1093/mnras/stab2093",
)
_DESI = _article(
    "Galaxy Zoo DESI: Detailed morphology measurements for 8.7M galaxies in the DESI Legacy "
    "Imaging Surveys",
    _WALMSLEY,
    "MNRAS",
    2023,
    "10.1093/mnras/stad2919",
)
_GZ2 = _article(
    "Galaxy Zoo 2: detailed morphological classifications for 304 122 galaxies from the Sloan "
    "Digital Sky Survey",
    {"family-names": "Willett", "given-names": "K. W."},
    "MNRAS",
    2013,
    "10.1093/mnras/stt1458",
)
# the survey that a tree's votes come from
_SURVEYS = {"gzd5": _DECALS, "gzd12": _DECALS, "gzd8": _DESI, "gz2": _GZ2}


class _Plain(yaml.SafeDumper):
    """YAML without aliases: repeated values are written out."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass(frozen=True)
class Title:
    """What a release is called, its authors, and its licence if it has one.

    name: of the release; version: as text. authors: as `read_author` reads them, "Family, Given;
    ORCID" for a person. licence: an SPDX identifier.
    """

    name: str
    version: str
    authors: Sequence[str] = ()
    licence: str | None = None

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"

    @property
    def people(self) -> list[Author]:
        """The authors, read. Raises `CatalogError` as `read_author` does."""
        return [*map(read_author, self.authors)]

    @property
    def spdx(self) -> str | None:
        """The licence as SPDX spells it. Raises `CatalogError` if SPDX has no such licence."""
        return None if self.licence is None else read_licence(self.licence)


def find_runs(store: Store, *, piece: bool = False) -> Runs:
    """The newest runs that belong together: predictions, their losses, their explanations.

    And what a classifier or regressor estimates. Raises `CatalogError` if there are neither
    predictions nor estimates, unless it is a piece of a survey, whose others may have them, or if a
    step is outdated: a release must not contradict itself. Losses may be lacking only where no
    galaxy has votes and predictions.
    """
    estimated = store.shown_run("estimate")
    predicted = store.shown_run("predict")
    if estimated is None and predicted is None and not piece:
        store.newest_run("predict")  # which says that they are to be made
    predict = None if predicted is None else predicted.run_id
    for stale in stale_steps(store):
        if stale.job in ("predict", "score") or stale.galaxies:
            raise CatalogError(f"{store.path} is not ready for a release: {stale.said}")
    scored = store.shown_run("score")
    if (
        scored is None
        and predict is not None
        and store.has_votes
        and len(compared_galaxies(store, predict))
    ):
        store.newest_run("score")  # which says that it is to be made
    score = None if scored is None else scored.run_id
    explain = None if predict is None else newest_explain_run(store, predict)
    if estimated is None:
        return Runs(predict, score, explain)
    names = tuple(estimated.config["names"])
    return Runs(predict, score, explain, estimated.run_id, names)


def run_records(store: Store, runs: Runs) -> list[dict[str, Any]]:
    """The runs behind a release, oldest first: votes and images, training, and `runs`.

    Only the names of input files are kept: their folders are private.
    """
    rows = ledger_of(store, runs)
    for row in rows:
        origin = row["config"].get("origin", {})
        row["config"]["origin"] = {key: _names(value) for key, value in origin.items()}
        for when in ("started_at", "finished_at"):
            row[when] = f"{row[when]:%Y-%m-%dT%H:%M:%SZ}"
    return rows


def _names(paths: str | list[str]) -> str | list[str]:
    """Paths without their folders."""
    return PurePath(paths).name if isinstance(paths, str) else [PurePath(one).name for one in paths]


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """`release.json`: what the release is, how it was made, and from what."""
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    (folder / RELEASE_MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """`release.json` of a release. Raises `CatalogError` if there is none that can be read."""
    try:
        facts = json.loads(text_of(folder / RELEASE_MANIFEST))
        if not isinstance(facts, dict) or "version" not in facts:
            raise ValueError("it has no version")
    except (OSError, ValueError, RecursionError) as error:
        raise CatalogError(
            f"{folder} is no release: {RELEASE_MANIFEST} cannot be read ({error}); "
            "give the folder that zoolens release wrote"
        ) from None
    return facts


def write_citation(folder: Path, title: Title, tree: str | None, day: str) -> None:
    """`CITATION.cff`: the release itself, then the survey, Zoobot and the paper."""
    authors = [author.cff() for author in title.people] or [{"name": f"Makers of {title.name}"}]
    cited = {
        "cff-version": "1.2.0",
        "message": "Please cite this release and the works it is made from.",
        "type": "dataset",
        "title": title.name,
        "version": title.version,
        "date-released": day,
        "authors": authors,
        **(licence_cff(title.spdx) if title.spdx else {}),
        "references": [*([_SURVEYS[tree]] if tree in _SURVEYS else []), _ZOOBOT, _PAPER],
    }
    text = yaml.dump(cited, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    (folder / CITATION).write_text(text, encoding="utf-8")


def release_files(folder: Path) -> list[str]:
    """All files of a release except that of the checksums, in the order of its list."""
    names = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return sorted(name for name in names if name != CHECKSUMS)


def write_checksums(folder: Path) -> None:
    """`SHA256SUMS`, as `sha256sum --check` reads it."""
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in release_files(folder)]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def read_checksums(folder: Path) -> dict[str, str]:
    """The checksums of a release by file. Raises `CatalogError` if there are none."""
    try:
        lines = text_of(folder / CHECKSUMS).splitlines()
        return {name: sha256 for sha256, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError, RecursionError) as error:
        raise CatalogError(
            f"{folder} is no release: {CHECKSUMS} cannot be read ({error}); "
            "give the folder that zoolens release wrote"
        ) from None
