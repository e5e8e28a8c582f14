"""Types that the whole package shares."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Times = NDArray[np.datetime64]
#: West, east, south, north [degrees].
Region = tuple[float, float, float, float]
#: Of each second derivative, the pairs of directions whose mixed derivatives it sums.
Pairs = Sequence[Sequence[tuple[int, int]]]
