"""How far a vote is to be believed, from its definition."""

import numpy as np
import numpy.typing as npt

from tests.made.catalogues import TOY


def credence_by_definition(
    counts: npt.NDArray[np.float64], alpha: npt.NDArray[np.float64], error_rate: float
) -> npt.NDArray[np.float64]:
    """The definition, one vote at a time: remove it, ask the rest, apply Bayes."""
    result = np.ones_like(counts)
    for i, galaxy in enumerate(counts):
        for where in TOY.slices:
            answers = range(where.start, where.stop)
            for k in answers:
                if galaxy[k] == 0:
                    continue
                others = galaxy.copy()
                others[k] -= 1
                chances = []
                for sample in alpha[i]:
                    posterior = [sample[j] + others[j] for j in answers]
                    chances.append(posterior[k - where.start] / sum(posterior))
                meant = np.mean(chances) * (1 - error_rate)
                error = error_rate / len(answers)
                result[i, k] = meant / (meant + error)
    return result
