"""A cache of analyses, so that a map and its derivatives need not solve them twice."""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinr._typing import Array
from xinr.methods.covariances import Covariance

#: Bytes of the cache of one predictor.
LARGEST = 1 << 29
#: Bytes of an analysis without its arrays, roughly.
OVERHEAD = 2048

Node = tuple[int, ...]


class Analysis(NamedTuple):
    """What is left of an analysis once it is solved."""

    covariance: Covariance  #: Around its node.
    near: NDArray[np.int32]  #: Its observations, (k,).
    weights: Array  #: (k,), of their covariances with a target, whose sum is the map.

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return OVERHEAD + self.near.nbytes + self.weights.nbytes


class AnalysisCache:
    """The analyses used last, by their nodes, up to ``LARGEST`` bytes; threads may share them."""

    def __init__(self) -> None:
        self._by_node: OrderedDict[Node, Analysis] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._by_node)

    def get(self, node: Node) -> Analysis | None:
        """Return the analysis of a node, if it is cached."""
        with self._lock:
            found = self._by_node.get(node)
            if found is not None:
                self._by_node.move_to_end(node)
            return found

    def put(self, node: Node, analysis: Analysis) -> None:
        """Cache the analysis of a node, in place of those that were used longest ago if need be."""
        with self._lock:
            if node in self._by_node:
                return
            self._by_node[node] = analysis
            self._size += analysis.size
            while self._size > LARGEST:
                self._size -= self._by_node.popitem(last=False)[1].size
