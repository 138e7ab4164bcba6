"""Parts computed by processes that do not see the catalogue: their rows come through a folder.

Whoever holds the catalogue takes finished parts in, in order, commits them, and deletes their
files (`ThroughFolder`). A file that a killed run left is not computed again.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar, cast

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.files import (
    Content,
    Facts,
    PartRefused,
    part_path,
    read_part,
    write_part,
)
from zoolens.catalog.parts.recipe import Recipe, digest, prepared_here
from zoolens.catalog.runtime.progress import remark
from zoolens.catalog.runtime.signals import raise_if_interrupted
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.shards import Executor, Tables, joined
from zoolens.catalog.store.store import code_version

Item = TypeVar("Item")
Result = TypeVar("Result")

FAILED = "failed part"  # a kind of reject
_SEEN_WITHIN = 30.0  # seconds; NFS may show a file that another machine renamed so much later


@dataclass(frozen=True)
class Failed:
    """A part that could not be computed, and why, in one line."""

    reason: str


class OtherVersion(CatalogError):
    """A process that runs another Zoolens than the one that holds the catalogue."""


def facts_of(recipe: Recipe) -> Facts:
    """What a part file of a recipe, made by this Zoolens, says of itself."""
    return Facts(digest(recipe), code_version(), recipe.job)


def compute_part(recipe: Recipe, facts: Facts, folder: Path, galaxies: Sequence[Galaxy]) -> str:
    """Compute the part of some galaxies and write its file into a folder; returns its name.

    On one thread. A sound file that is there already is left as it is. Raises `OtherVersion` if
    this is another Zoolens than `facts` say, what preparing the recipe raises, and `OSError` if
    the folder does not take the file.
    """
    if code_version() != facts.code:
        raise OtherVersion(
            f"{os.uname().nodename} has Zoolens {code_version()}, and {facts.code} is meant; "
            "install the same"
        )
    path = part_path(folder, facts.recipe, galaxies)
    try:
        if read_part(path).facts == facts:
            return path.name
    except PartRefused:
        pass
    work = prepared_here(recipe)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)  # of the calling thread alone
    size = recipe.batch_size
    batches = [work(galaxies[i : i + size]) for i in range(0, len(galaxies), size)]
    write_part(path, facts, galaxies, joined(batches))
    return path.name


@dataclass(frozen=True)
class ByRecipe:
    """The work on a part, as `catalog.store.shards.fill` takes it; here it is done at once."""

    recipe: Recipe

    def __call__(self, galaxies: Sequence[Galaxy]) -> Tables:
        return prepared_here(self.recipe)(galaxies)


# What all who compute choose, such as an engine, given how it is chosen.
Agreed = Callable[[Callable[[], str]], str]


def as_here(choose: Callable[[], str]) -> str:
    """What this process would choose."""
    return choose()


def unseen(engine: str) -> Agreed:
    """Of an engine for processes that are not there yet: they may have a GPU that this lacks."""
    return lambda choose: engine if engine == "cuda" else choose()


def _seen_here(ready: Callable[[], object], galaxies: Sequence[Galaxy]) -> None:
    """Nothing is looked for: this process has loaded the models, and images are as they are."""


@dataclass(frozen=True)
class ThroughFolder:
    """An executor of `ByRecipe` whose results come through the files of a folder.

    folder: that this process and those that compute see under the same name. elsewhere: runs
    `compute_part` where the computing is done, and gives the results, or a `Failed`, in order.
    agreed: what all who compute choose, such as an engine; see: raises `CatalogError` unless one
    of them can call something, and sees the images of some galaxies.
    """

    folder: Path
    elsewhere: Executor
    agreed: Agreed = as_here
    see: Callable[[Callable[[], object], Sequence[Galaxy]], object] = _seen_here

    def __call__(
        self, work: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Generator[Result, None, None]:
        """Rows of each part; those of one that failed are a reject of each of its galaxies."""
        if not isinstance(work, ByRecipe):
            raise TypeError(f"{work} cannot be done elsewhere")
        parts = cast(Iterable[Sequence[Galaxy]], items)
        yield from cast(Generator[Result, None, None], self._computed(work.recipe, parts))

    def _computed(
        self, recipe: Recipe, parts: Iterable[Sequence[Galaxy]]
    ) -> Generator[Tables, None, None]:
        compute = partial(compute_part, recipe, facts_of(recipe), self.folder)
        coming, begun = iter(parts), deque[Sequence[Galaxy]]()
        again: Sequence[Galaxy] | None = None  # whose file could not be read

        def noted(before: Sequence[Sequence[Galaxy]]) -> Iterator[Sequence[Galaxy]]:
            for part in chain(before, coming):
                begun.append(part)
                yield part

        while True:
            before = [*begun]
            begun.clear()
            # closed also if interrupted, so that what waits is not computed
            with closing(self.elsewhere(compute, noted(before))) as results:
                for result in cast(Iterable[str | Failed], results):
                    try:
                        tables = self._tables(result, begun[0])
                    except PartRefused:
                        if begun[0] == again:
                            raise
                        again = begun[0]
                        remark(f"{self.folder / str(result)} cannot be read: computed once more")
                        break
                    begun.popleft()
                    yield tables
                else:
                    return

    def _tables(self, result: str | Failed, galaxies: Sequence[Galaxy]) -> Tables:
        if isinstance(result, Failed):
            return _failed(galaxies, result)
        path = self.folder / result
        ends = time.monotonic() + _SEEN_WITHIN
        while not path.exists() and time.monotonic() < ends:
            raise_if_interrupted()
            time.sleep(0.1)
            with suppress(OSError):
                os.listdir(self.folder)  # has NFS look anew
        return read_part(path).tables

    def check(self, recipe: Recipe, galaxies: Sequence[Galaxy]) -> None:
        """Raises `CatalogError` if a recipe cannot be followed, or some images not be seen."""
        self.see(partial(prepared_here, recipe), galaxies)

    def committed(self, recipe: Recipe, galaxies: Sequence[Galaxy]) -> None:
        """Delete the file of a part whose rows are in the catalogue."""
        part_path(self.folder, digest(recipe), galaxies).unlink(missing_ok=True)


def _failed(galaxies: Sequence[Galaxy], failed: Failed) -> Tables:
    reason = f"{FAILED}: {failed.reason}"
    return {"reject": reject_table(Reject(g.source, None, g.iauname, reason) for g in galaxies)}


def check_content(content: Content, facts: Facts, path: Path) -> None:
    """Raises `PartRefused` if a part file is of another run than `facts`."""
    if content.facts != facts:
        raise PartRefused(
            f"{path} is of another model, other settings or another Zoolens ({content.facts.job}, "
            f"Zoolens {content.facts.code}); compute it again"
        )
