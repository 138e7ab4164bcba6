"""Types of arrays, named by what they hold, for signatures."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
AnyFloats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int64]  # numbers of galaxies
Places = npt.NDArray[np.int64]  # positions along an axis
Flags = npt.NDArray[np.bool_]  # one truth value per galaxy, question or answer
Mask = npt.NDArray[np.bool_]  # one truth value per pixel, (H, W)
Pixels = npt.NDArray[np.uint8]
