"""A few galaxies of several pieces, as one small catalogue of what they show together."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.store.excerpts import begin_excerpt, insert_rows, rows_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import Comparison
from zoolens.catalog.survey.folder import name_of_piece


def gather(survey: Path, into: Path, wanted: Mapping[Path, Ids]) -> Path:
    """Make a catalogue of galaxies, by number, of several pieces of a survey.

    into: the file that is made. It has the ledger of the first piece, and of each galaxy the image
    and votes that show, and the rows of the runs that show; they are numbered anew, in their order.
    No columns of the user's own. Raises `CatalogError` if what the pieces show differs in more than
    its galaxies.
    """
    some = {path: np.sort(galaxies) for path, galaxies in wanted.items() if len(galaxies)}
    numbers = np.sort(np.concatenate([*some.values()]))
    parts: list[dict[str, pa.Table]] = []
    compared = Comparison(survey, ("score", "explain"))
    with Store.open(into, create=True) as store:
        runs = dict[str, int]()
        for path, galaxies in some.items():
            with Store.open(path, read_only=True) as piece:
                compared.note(name_of_piece(path), piece)
                runs = runs or begin_excerpt(store, piece)
                parts.append(rows_of(piece, galaxies, numbers, runs))
        compared.check()
        with store.transaction():
            insert_rows(store, parts)
    return into
