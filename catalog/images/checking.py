"""Looking at images once, when they are ingested: the good ones and what is wrong with others."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import pyarrow as pa

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.reader import ImageFacts, ImageReader
from zoolens.catalog.images.sources import ImageEntry
from zoolens.catalog.store.rejects import reject_table

_TYPES = pa.schema(
    [
        ("galaxy_id", pa.int64()),
        ("source", pa.string()),
        ("member", pa.string()),
        ("format", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("sha256", pa.string()),
    ]
)


class ImageChecker:
    """Decodes images in as many threads as there are processors; a context manager."""

    def __init__(self) -> None:
        self._reader = ImageReader()
        self._pool = ThreadPoolExecutor(os.cpu_count())

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._reader.__exit__(kind, error, trace)

    def tables(self, shard: Sequence[tuple[int, ImageEntry]]) -> dict[str, pa.Table]:
        """Rows of `image` for the good images and of `reject` for the others.

        shard: galaxy numbers and their images.
        """
        rows, rejects = [], []
        checked = self._pool.map(self._check, [entry for _, entry in shard])
        for (galaxy, entry), facts in zip(shard, checked, strict=True):
            if isinstance(facts, ImageRefused):
                rejects.append(entry.refused(str(facts)))
            else:
                place = {"galaxy_id": galaxy, "source": entry.source, "member": entry.member}
                rows.append({**place, **vars(facts)})
        rows.sort(key=lambda row: row["galaxy_id"])
        return {
            "image": pa.Table.from_pylist(rows, schema=_TYPES),
            "reject": reject_table(rejects),
        }

    def _check(self, entry: ImageEntry) -> ImageFacts | ImageRefused:
        try:
            return self._reader.inspect(entry.source, entry.member)
        except ImageRefused as refused:
            return refused
