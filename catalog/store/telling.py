"""Which answer of a galaxy to look at where nobody voted, so that none has a loss."""

from collections.abc import Sequence

import numpy as np

from zoolens.catalog.store.matrices import read_rows, without_votes
from zoolens.catalog.store.shown import shown, valid
from zoolens.catalog.store.store import Store

# Per galaxy the largest, compared from left to right; of equals the first in the tree.
_TELLING = f"""SELECT p.galaxy_id, max_by(p.answer_id, (coalesce(p.reach * m.mutual_information, 0),
    coalesce(p.reach, 0), -a.question_id, p.fraction, -p.answer_id)) AS answer_id
FROM {valid("prediction")} p JOIN answer a ON a.answer_id = p.answer_id
LEFT JOIN question_prediction m ON m.run_id = p.run_id AND m.galaxy_id = p.galaxy_id
    AND m.question_id = a.question_id
WHERE p.run_id = ({shown("predict")}) AND p.fraction IS NOT NULL GROUP BY p.galaxy_id"""


def telling_answers(store: Store, galaxy_id: Sequence[int]) -> dict[int, int]:
    """The answer to look at of each galaxy that nobody voted on and that is predicted, by number.

    It is the most expected answer to the question on which one more volunteer would tell most:
    by reach times mutual information, as `catalog.selection.acquisition` has it. Of predictions
    without mutual information it is one to the question that most volunteers would be asked.
    """
    ids = without_votes(store, np.unique(np.array(galaxy_id, np.int64)))
    rows = read_rows(store, _TELLING, ids)
    return dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))
