"""One value for every galaxy of a catalogue, however many there are."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats, Ids
from zoolens.catalog.store.row_filter import galaxies_where
from zoolens.catalog.store.shown import valid
from zoolens.catalog.store.store import Store

_SHOWN = "run_id IN (SELECT run_id FROM run WHERE status = 'complete')"
_BATCH = 2**20  # rows read at a time


def informed(store: Store, predict_run: int) -> bool:
    """Whether a run of predictions has any mutual information."""
    sql = "SELECT 1 FROM question_prediction WHERE run_id = ? AND mutual_information > 0 LIMIT 1"
    return store.value(sql, [predict_run]) is not None


@dataclass(frozen=True)
class EveryGalaxy:
    """The N galaxies that the catalogue shows: number (N,), ascending; by_name (N,): their order.

    Values are float64 (N,), 0 where there is none. Columns are read one at a time and
    combined in NumPy: for millions of galaxies a join takes longer, and more memory than a
    connection may use.
    """

    store: Store
    number: Ids
    by_name: npt.NDArray[np.intp]

    @classmethod
    def read(cls, store: Store) -> "EveryGalaxy":
        named = store.arrow(
            f"SELECT galaxy_id FROM galaxy WHERE {_SHOWN} ORDER BY iauname, galaxy_id"
        )["galaxy_id"].to_numpy()
        by_name = np.empty(len(named), np.intp)
        order = np.argsort(named)
        by_name[order] = np.arange(len(named))
        return cls(store, named[order], by_name)

    def nothing(self) -> Floats:
        return np.zeros(len(self.number))

    def with_image(self) -> Flags:
        """Whether they have an image, (N,)."""
        return self._column(f"SELECT galaxy_id, 1 AS value FROM image WHERE {_SHOWN}") > 0

    def for_which(self, condition: str) -> Flags:
        """Whether a condition on the views `galaxies` and `own` is true of them, (N,)."""
        return (
            self._column(
                f"SELECT galaxy_id, 1 AS value FROM {galaxies_where(self.store, condition)}"
            )
            > 0
        )

    def reach(self, run_id: int, answer_id: int) -> Floats:
        """The predicted probability that a volunteer is asked an answer's question."""
        return self._column(
            f"SELECT galaxy_id, reach AS value FROM {valid('prediction')} "
            "WHERE run_id = ? AND answer_id = ? AND reach IS NOT NULL",
            run_id,
            answer_id,
        )

    def mutual_information(self, run_id: int, question_id: int) -> Floats:
        """The mutual information of the votes on a question and the model's weights, nat."""
        return self._column(
            f"SELECT galaxy_id, mutual_information AS value FROM {valid('question_prediction')} "
            "WHERE run_id = ? AND question_id = ? AND mutual_information IS NOT NULL",
            run_id,
            question_id,
        )

    def asked(self, answer_id: int, question_id: int) -> Floats:
        """Volunteers who were asked an answer's question with the tree's answers."""
        return self._column(
            f"""SELECT galaxy_id, total AS value FROM vote v WHERE {_SHOWN} AND answer_id = $1
    AND other_answers IS NOT TRUE AND NOT EXISTS (FROM superseded s WHERE s.run_id = v.run_id
        AND s.galaxy_id = v.galaxy_id AND s.question_id = $2)""",
            answer_id,
            question_id,
        )

    def weighted_ce(self, run_id: int, answer_id: int, fewest: float, most: float) -> Floats:
        """Weighted cross-entropy of an answer, nat, if `fewest` to `most` volunteers were asked."""
        return self._column(
            f"SELECT galaxy_id, weighted_ce AS value FROM {valid('loss')} "
            "WHERE run_id = ? AND answer_id = ? AND total_votes BETWEEN ? AND ? "
            "AND weighted_ce IS NOT NULL",
            run_id,
            answer_id,
            fewest,
            most,
        )

    def _column(self, sql: str, *parameters: float) -> Floats:
        """Values (N,) of a query with the columns galaxy_id and value, 0 where it has none."""
        values = np.zeros(len(self.number) + 1)  # one more place, for galaxies that are not shown
        for rows in self.store.batches(sql, parameters, _BATCH):
            values[self._place(rows["galaxy_id"].to_numpy())] = rows["value"].to_numpy()
        return values[:-1]

    def _place(self, galaxy_id: Ids) -> npt.NDArray[np.intp]:
        """Positions of galaxies among the N; -1 for those that are not shown."""
        place = np.minimum(np.searchsorted(self.number, galaxy_id), len(self.number) - 1)
        return np.where(self.number[place] == galaxy_id, place, -1)
