"""`index`: vote fractions into the two similarity indexes beside the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.errors import NothingHere
from zoolens.catalog.paths import codes_path, index_path
from zoolens.catalog.runtime.files import checksum, replacing
from zoolens.catalog.runtime.progress import Bar, progress
from zoolens.catalog.similarity.exact import (
    BLOCK,
    Block,
    make_block,
    observed_candidates,
    predicted_candidates,
)
from zoolens.catalog.similarity.files import (
    KINDS,
    built_from,
    load_index,
    recorded_codes,
    sound_files,
    write_index,
)
from zoolens.catalog.store.beside import note_file
from zoolens.catalog.store.matrices import (
    compared_galaxies,
    predicted_galaxies,
    read_predictions,
    read_votes,
)
from zoolens.catalog.store.store import Store
from zoolens.jobs.reports import InNotebook

_READ = 2**13  # galaxies read at a time: their rows take ten times the memory of the arrays


@dataclass(frozen=True)
class IndexReport(InNotebook):
    """What `index` did.

    run_id: of the run; changed: False if the files were current already; galaxies: with
    predictions; voted: those of them with votes too. codes: of an approximate search, by kind, if
    asked for: how many candidates are `ranked` exactly after the estimate, and the `recall` so
    reached.
    """

    job: ClassVar[str] = "index"
    notes: ClassVar[tuple[str, ...]] = ()
    run_id: int
    changed: bool
    galaxies: int
    voted: int
    codes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        recall = ", ".join(
            f"{100 * found['recall']:.1f} % of the best ten {kind} found among "
            f"{found['ranked']:,} estimated best"
            for kind, found in self.codes.items()
        )
        what = "votes and predictions" if self.voted else "predictions"
        counted = f"{self.voted or self.galaxies:,} galaxies with {what}"
        if 0 < self.voted < self.galaxies:
            counted += f", {self.galaxies - self.voted:,} with predictions alone"
        return counted + (recall and f"; {recall}")


def index(catalog: Path, *, approximate: bool = False) -> IndexReport:
    """Build the indexes, unless those that are there are undamaged and up to date.

    That of observed fractions holds the galaxies with votes and predictions, that of predicted
    ones all with predictions. The same votes and predictions
    give the same bytes. approximate: make FAISS's codes of them too. Raises
    `NothingHere` if there are no predictions.
    """
    report = _current(catalog) or _exact(catalog)
    if not approximate:
        return report
    with Store.open(catalog, read_only=True) as store:
        recorded = recorded_codes(store)
    made = recorded is None
    if recorded is None:
        with Store.open(catalog) as store:
            recorded = _make_codes(store)
    return replace(report, changed=report.changed or made, codes=recorded["codes"])


def is_current(catalog: Path, *, approximate: bool = False) -> bool:
    """Whether `index` would have nothing to write."""
    if _current(catalog) is None:
        return False
    with Store.open(catalog, read_only=True) as store:
        return not approximate or recorded_codes(store) is not None


def _current(catalog: Path) -> IndexReport | None:
    """The report on files that need not be made again."""
    with Store.open(catalog, read_only=True) as store:
        sound = sound_files(store)
        if not (sound and all(sound.values())):
            return None
        held = _held(store, store.newest_run("predict"))
        return _report(store.newest_run("index"), held, changed=False)


def _exact(catalog: Path) -> IndexReport:
    with Store.open(catalog) as store:
        predict_run = store.newest_run("predict")
        held = _held(store, predict_run)
        if len(held["predicted"]) == 0:
            raise NothingHere(
                f"no galaxy of {catalog} has predictions; add some with: zoolens predict"
            )
        sums = {}
        with progress("index", sum(map(len, held.values()))) as bar:
            for kind in KINDS:
                blocks = _blocks(store, kind, predict_run, held[kind], bar)
                sums[kind] = write_index(catalog, kind, blocks)
                note_file(store, index_path(catalog, kind), sums[kind])
        run = store.begin("index", {"built_from": built_from(store), "sha256": sums})
        store.finish(run)
        return _report(run.run_id, held, changed=True)


def _held(store: Store, predict_run: int) -> dict[str, Ids]:
    """The galaxies of each index: those compared, and those predicted."""
    return {
        "observed": compared_galaxies(store, predict_run),
        "predicted": predicted_galaxies(store, predict_run),
    }


def _report(run_id: int, held: Mapping[str, Ids], *, changed: bool) -> IndexReport:
    return IndexReport(run_id, changed, len(held["predicted"]), len(held["observed"]))


def _make_codes(store: Store) -> dict[str, Any]:
    """FAISS's codes of both indexes, and a run that says what they find: its configuration."""
    from zoolens.catalog.similarity.approximate import build_codes

    sums, codes = {}, {}
    kinds = [kind for kind in KINDS if len(load_index(store, kind))]  # nobody voted: no codes
    with progress("codes", len(kinds)) as bar:
        for kind in kinds:
            path = codes_path(store.path, kind)
            with replacing(path) as part:
                codes[kind] = asdict(build_codes(load_index(store, kind), part))
                sums[kind] = str(checksum(part))
            note_file(store, path, sums[kind])
            bar.advance()
    config = {"built_from": built_from(store), "sha256": sums, "codes": codes}
    store.finish(store.begin("approximate", config))
    return config


def _blocks(store: Store, kind: str, predict_run: int, galaxies: Ids, bar: Bar) -> Iterator[Block]:
    tree = store.tree
    for start in range(0, len(galaxies), BLOCK):
        ids = galaxies[start : start + BLOCK]
        candidates = np.empty((len(ids), len(tree.labels)))
        for first in range(0, len(ids), _READ):
            some = slice(first, first + _READ)
            if kind == "observed":
                votes = read_votes(store, tree, ids[some])
                candidates[some] = observed_candidates(votes.tree_counts, tree)
            else:
                fractions, _ = read_predictions(store, tree, predict_run, ids[some])
                candidates[some] = predicted_candidates(fractions)
            bar.advance(len(ids[some]))
        yield make_block(tree, ids, candidates)
