"""Seeds made of several numbers."""

import numpy as np


def mixed_seed(*numbers: int) -> int:
    """One seed of several numbers; torch takes no more than its lowest 32 bits to heart."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
