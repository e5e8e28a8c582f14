"""Sparse matrices that multiply tensors, themselves and transposed."""

import warnings

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor


class Sparse:
    """A matrix (n, m) on a device: kept, not copied, where its type fits.

    Notes
    -----
    On a CPU the transpose is multiplied by scipy, from the same numbers: torch would need them twice, and be slower.

    Examples
    --------
    >>> matrix = Sparse(csr_array([[0.0, 2.0]]), torch.device("cpu"), torch.float32)
    >>> matrix @ torch.tensor([1.0, 3.0]), matrix.transposed(torch.tensor([5.0]))
    (tensor([6.]), tensor([ 0., 10.]))
    """

    def __init__(self, matrix: csr_array, device: torch.device, dtype: torch.dtype) -> None:
        self._matrix = _on_device(matrix, device, dtype)
        weights = self._matrix.values()
        self._columns = (
            csr_array((weights.numpy(), matrix.indices, matrix.indptr), shape=matrix.shape).T
            if device.type == "cpu"
            else _on_device(csr_array(matrix.T), device, dtype)
        )

    def __matmul__(self, values: Tensor) -> Tensor:
        """Return the product with values (m,) or (m, j)."""
        product: Tensor = self._matrix @ values
        return product

    def transposed(self, values: Tensor) -> Tensor:
        """Return the product of the transpose with values (n,) or (n, j)."""
        if isinstance(self._columns, Tensor):
            return self._columns @ values
        return torch.from_numpy(np.asarray(self._columns @ values.numpy()))

    @property
    def weights(self) -> Tensor:
        """Its numbers, row by row."""
        weights: Tensor = self._matrix.values()
        return weights

    def to_dense(self) -> Tensor:
        """Return the matrix written out."""
        return self._matrix.to_dense()


def _on_device(matrix: csr_array, device: torch.device, dtype: torch.dtype) -> Tensor:
    rows, columns, weights = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
    with warnings.catch_warnings():  # of what we use, products alone
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            rows.to(device), columns.to(device), weights.to(device, dtype), matrix.shape, check_invariants=False
        )
