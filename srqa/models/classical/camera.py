"""How a low-resolution picture comes from a high-resolution one, as a linear operator A = D H.

H blurs with a known kernel, D shrinks as MATLAB's bicubic does; the adjoint is exact. Pictures are
held as (height, width, planes) here, so that both axes are products of a sparse matrix with
contiguous rows.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from srqa.errors import UsageError
from srqa.images.resize import Border, Kernel, contributions
from srqa.models.upscaler import enlarged

if TYPE_CHECKING:
    from torch import Tensor

Taps = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """The operator for one size of picture, on one device.

    Attributes:
        rows, columns: shrink the axes, (h, H) and (w, W).
        taps: of H, a tensor (1, 1, k, k), or None.
        mirror: rows and columns of the padded picture that H sees.
        norm: no less than the square of A's norm.
        gain: the square of the scale: so many pixels of the result belong to one of the input.
    """

    rows: Axis
    columns: Axis
    taps: Tensor | None
    mirror: tuple[Tensor, Tensor] | None
    norm: float
    gain: float

    def see(self, x: Tensor) -> Tensor:
        """A x: (H, W, P) to (h, w, P)."""
        return along_columns(self.columns.forward, along_rows(self.rows.forward, self._blur(x)))

    def back(self, y: Tensor) -> Tensor:
        """A' y: (h, w, P) to (H, W, P)."""
        x = along_rows(self.rows.adjoint, along_columns(self.columns.adjoint, y))
        return self._blur_back(x)

    def gram(self, y: Tensor) -> Tensor:
        """A A' y, without passing through high resolution where nothing is blurred."""
        if self.taps is not None:
            return self.see(self.back(y))
        return along_columns(self.columns.gram, along_rows(self.rows.gram, y))

    def _blur(self, x: Tensor) -> Tensor:
        if self.taps is None or self.mirror is None:
            return x
        from torch.nn.functional import conv2d

        planes = x.permute(2, 0, 1)[:, None]
        padded = planes.index_select(2, self.mirror[0]).index_select(3, self.mirror[1])
        return conv2d(padded, self.taps)[:, 0].permute(1, 2, 0).contiguous()

    def _blur_back(self, x: Tensor) -> Tensor:
        if self.taps is None or self.mirror is None:
            return x
        from torch.nn.functional import conv_transpose2d

        spread = conv_transpose2d(x.permute(2, 0, 1)[:, None], self.taps)[:, 0].permute(1, 2, 0)
        for axis, places in enumerate(self.mirror):
            shape = list(spread.shape)
            shape[axis] = x.shape[axis]
            spread = spread.new_zeros(shape).index_add_(axis, places, spread)
        return spread.contiguous()


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Shrinking along one axis: sparse matrices (n, N), (N, n), and their product (n, n)."""

    forward: Tensor
    adjoint: Tensor
    gram: Tensor


def camera(
    low: tuple[int, int],
    scale: float,
    like: Tensor,
    *,
    taps: Taps | None = None,
    kernel: Kernel = "bicubic",
    border: Border = "mirror",
) -> Camera:
    """The operator that makes a picture of the sides `low` from its enlargement.

    Args:
        low: height and width of the input.
        scale: any real number of at least 1.
        like: a tensor of the dtype and on the device to compute with.
        taps: the blur's weights (k, k), k odd, convolved before shrinking; None for no blur.
        kernel, border: of the shrinking, as of `srqa.images.resize.imresize`.

    Raises:
        UsageError: the taps are no kernel of odd side.
    """
    norm = 1.0
    axes: list[Axis] = []
    for side in low:
        length = enlarged(side, scale)
        matrix = _matrix(*contributions(length, side, 1 / scale, kernel, True, border), length)
        gram = matrix @ matrix.T
        norm *= _largest(gram)
        axes.append(Axis(*(sparse(one, like) for one in (matrix, matrix.T, gram))))
    plain = Camera(axes[0], axes[1], None, None, norm, scale**2)
    return plain if taps is None else _blurred(plain, taps)


def _blurred(plain: Camera, taps: Taps) -> Camera:
    """The operator with a blur before it."""
    import torch

    if taps.ndim != 2 or taps.shape[0] != taps.shape[1] or taps.shape[0] % 2 == 0:
        raise UsageError(f"A blur's kernel is (k, k) with odd k, not {taps.shape}.")
    values = plain.rows.forward.values()
    device = values.device
    kernel = torch.as_tensor(taps[::-1, ::-1].copy(), dtype=values.dtype, device=device)
    height, width = (axis.forward.shape[1] for axis in (plain.rows, plain.columns))
    places = [_mirrored(side, len(taps) // 2) for side in (height, width)]
    down, across = (torch.as_tensor(place, device=device) for place in places)
    made = replace(plain, taps=kernel[None, None], mirror=(down, across))
    # No matrix has a larger norm than the root of its largest sums of rows and of columns.
    sums = replace(made, taps=kernel[None, None].abs())._blur_back(
        values.new_ones(height, width, 1)
    )
    return replace(made, norm=plain.norm * float(np.abs(taps).sum()) * float(sums.max()))


def _matrix(weight: Taps, index: npt.NDArray[Any], length: int) -> Any:
    """The sparse matrix (n, N) of weights and places (n, taps) each."""
    from scipy.sparse import csr_matrix

    row = np.repeat(np.arange(len(weight)), weight.shape[1])
    return csr_matrix((weight.ravel(), (row, index.ravel())), shape=(len(weight), length))


def _largest(gram: Any) -> float:
    """The largest eigenvalue of a symmetric band."""
    from scipy.linalg import eigvals_banded

    entries = gram.tocoo()
    lower = entries.row >= entries.col
    row, column, values = (part[lower] for part in (entries.row, entries.col, entries.data))
    side = gram.shape[0]
    band = np.zeros((int((row - column).max(initial=0)) + 1, side))
    band[row - column, column] = values
    top = eigvals_banded(band, lower=True, select="i", select_range=(side - 1, side - 1))
    return float(top[0]) * (1 + 1e-9)


def _mirrored(length: int, reach: int) -> npt.NDArray[np.intp]:
    index = np.mod(np.arange(-reach, length + reach), 2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)


def sparse(matrix: Any, like: Tensor) -> Tensor:
    """A scipy matrix as a sparse tensor of the dtype and on the device of another."""
    import torch

    matrix = matrix.tocsr()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        made: Tensor = torch.sparse_csr_tensor(
            torch.as_tensor(matrix.indptr),
            torch.as_tensor(matrix.indices),
            torch.as_tensor(matrix.data),
            size=matrix.shape,
            check_invariants=False,
        )
    return made.to(like.device, like.dtype)


def along_rows(matrix: Tensor, x: Tensor) -> Tensor:
    """Matrix (n, H) times the first axis of (H, W, P)."""
    product: Tensor = matrix @ x.reshape(x.shape[0], -1)
    return product.reshape(matrix.shape[0], *x.shape[1:])


def along_columns(matrix: Tensor, x: Tensor) -> Tensor:
    """Matrix (n, W) times the second axis of (H, W, P)."""
    return along_rows(matrix, x.transpose(0, 1).contiguous()).transpose(0, 1).contiguous()
