"""Maps of fractions, kept once a model has made them: of a galaxy all answers' at once.

A model and the image take a second of a processor; who looks at one answer's map looks at the
next. What is kept is of one copy of the catalogue, and of the newest that were asked for.
"""

from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.derived import FractionMap, Fractions, known
from zoolens.catalog.runtime.files import replacing, stamp
from zoolens.catalog.store.store import Run, Store

_MOST = 1_000  # galaxies whose maps are kept, of some 50 kB each


class KeptMaps:
    """The maps of fractions in a folder, which need not be there yet."""

    def __init__(self, folder: Path, most: int = _MOST) -> None:
        self._folder, self._most = folder, most

    def read(self, store: Store, run: Run, galaxy_id: int) -> Fractions | None:
        """A galaxy's maps by a run, by galaxy and answer; None if they are not kept."""
        try:
            with np.load(self._path(store, run, galaxy_id), allow_pickle=False) as held:
                answers, expected = held["answers"].tolist(), held["expected"].tolist()
                baseline, maps = held["baseline"].tolist(), held["maps"]
        except (OSError, ValueError, KeyError, BadZipFile):
            return None
        return {
            (galaxy_id, answer): FractionMap(expected[row], maps[row], known(baseline[row]))
            for row, answer in enumerate(answers)
        }

    def write(self, store: Store, run: Run, galaxy_id: int, made: Fractions) -> None:
        """Keep a galaxy's maps, if there are some and the disk takes them."""
        if not made:
            return
        of = [*made.values()]
        baseline = [np.nan if one.baseline is None else one.baseline for one in of]
        with suppress(CatalogError, OSError):
            self._folder.mkdir(exist_ok=True)
            with replacing(self._path(store, run, galaxy_id)) as part, part.open("wb") as file:
                np.savez(
                    file,
                    answers=np.array([answer for _, answer in made]),
                    expected=np.array([one.expected for one in of]),
                    baseline=np.array(baseline),
                    maps=np.stack([one.raised for one in of]),
                )
            self._let_go()

    def _path(self, store: Store, run: Run, galaxy_id: int) -> Path:
        size, moment = stamp(store.path) or (0, 0)
        return self._folder / f"{moment:x}-{size:x}-{run.run_id}-{galaxy_id}.npz"

    def _let_go(self) -> None:
        """Remove those that were made longest ago, a tenth of all, where there are too many."""
        files = [(file.stat().st_mtime_ns, file) for file in self._folder.glob("*.npz")]
        if len(files) > self._most:
            for _, file in sorted(files)[: len(files) - self._most + self._most // 10]:
                file.unlink(missing_ok=True)
