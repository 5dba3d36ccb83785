"""Stimuli's scores and observers' biases for given variances: Henderson's equations, solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from srqa.ratings.answers import Answers, Floats

EXACT_UP_TO = 2000
"""Observers or stimuli, whichever are fewer, up to which the result's variances are exact; beyond,
they are those of a well connected design."""
EXACT_ON_THE_WAY = 300
"""The same while variances are still being estimated."""
_DENSE_PER_ANSWER = 20


@dataclass(frozen=True, slots=True, eq=False)
class BiasSystem:
    """The equations ``D q + A' b = y``, ``A q + L b = z`` in scores q and biases b.

    A (observers, stimuli) holds weights, D and L are diagonal; L includes the biases' prior.

    Attributes:
        weights: A, sparse.
        precision: (stimuli,) D, the sum of the weights.
        bias_precision: (observers,) L.
        inverse: of what is left when the larger side is eliminated; None in the approximation.
        quality_variance: (stimuli,) variance of q.
        bias_posterior: (observers,) variance of b given the answers.
    """

    weights: Any
    precision: Floats
    bias_precision: Floats
    inverse: Floats | None
    quality_variance: Floats
    bias_posterior: Floats

    @classmethod
    def build(
        cls, counts: Any, observer_variance: Floats, bias_variance: float, exact_up_to: int
    ) -> BiasSystem:
        """Set up the equations.

        Args:
            counts: (observers, stimuli) sparse, how often each rated each; see `count_matrix`.
            observer_variance: (observers,) of a vote.
            bias_variance: of the biases.
            exact_up_to: invert where the smaller side has at most that many rows.
        """
        weight = 1 / observer_variance
        weights = counts.copy()
        weights.data *= np.repeat(weight, np.diff(counts.indptr))
        precision = np.asarray(weights.sum(axis=0)).ravel()
        bias_precision = np.asarray(weights.sum(axis=1)).ravel() + 1 / bias_variance
        people, size = counts.shape
        if min(people, size) > exact_up_to:
            return cls._approximate(weights, precision, bias_precision, bias_variance)
        dense = people * size <= _DENSE_PER_ANSWER * counts.nnz + 1_000_000
        table = weights.toarray() if dense else weights
        if people <= size:
            inverse, large = _eliminate(table, bias_precision, precision)
            return cls(
                weights, precision, bias_precision, inverse, large, np.diagonal(inverse).copy()
            )
        inverse, large = _eliminate(table.T, precision, bias_precision)
        return cls(weights, precision, bias_precision, inverse, np.diagonal(inverse).copy(), large)

    @classmethod
    def _approximate(
        cls, weights: Any, precision: Floats, bias_precision: Floats, bias_variance: float
    ) -> BiasSystem:
        """Biases as good as independent but for their common mean, whose variance is prior / n."""
        squared = weights.multiply(weights)
        left = bias_precision - squared @ (1 / precision)
        alone = 1 / np.maximum(left, 1 / bias_variance)
        common = bias_variance / len(bias_precision)
        quality = 1 / precision + (squared.T @ alone) / precision**2 + common
        posterior = np.minimum(alone + common, bias_variance)
        return cls(weights, precision, bias_precision, None, quality, posterior)

    def solve(
        self, answers: Answers, observer_variance: Floats, start: Floats
    ) -> tuple[Floats, Floats]:
        """Scores and biases.

        Args:
            answers: the ratings that the system was built for.
            observer_variance: the same as in `build`.
            start: (observers,) biases to begin with, where the system is too large to invert.
        """
        value = answers.value / observer_variance[answers.observer]
        y = np.bincount(answers.stimulus, value, len(self.precision))
        z = np.bincount(answers.observer, value, len(self.bias_precision))
        a, d, precision = self.weights, self.precision, self.bias_precision
        if self.inverse is not None and len(self.inverse) == len(d) < len(precision):
            quality = self.inverse @ (y - a.T @ (z / precision))
            return quality, (z - a @ quality) / precision
        right = z - a @ (y / d)
        bias = self.inverse @ right if self.inverse is not None else self._iterate(right, start)
        return (y - a.T @ bias) / d, bias

    def _iterate(self, right: Floats, start: Floats) -> Floats:
        from scipy.sparse.linalg import LinearOperator, cg

        def product(b: Floats) -> Floats:
            pulled = self.weights @ ((self.weights.T @ b) / self.precision)
            return np.asarray(self.bias_precision * b - pulled, dtype=np.float64)

        people = len(right)
        operator = LinearOperator((people, people), matvec=product, dtype=np.float64)
        scale = LinearOperator((people, people), matvec=lambda b: b / self.bias_precision)
        found, _ = cg(operator, right, x0=start, rtol=1e-9, maxiter=500, M=scale)
        return np.asarray(found, dtype=np.float64)

    def share_of_stimuli(self) -> Floats:
        """(observers,) degrees of freedom that the scores take from each observer's votes."""
        return np.asarray(self.weights @ (1 / self.precision), dtype=np.float64)


def count_matrix(answers: Answers) -> Any:
    """How often each observer rated each stimulus: (observers, stimuli), sparse by rows."""
    from scipy.sparse import coo_matrix

    shape = (len(answers.observers), len(answers.stimuli))
    cells = (answers.observer, answers.stimulus)
    return coo_matrix((np.ones(len(answers)), cells), shape=shape).tocsr()


def _eliminate(table: Any, small: Floats, large: Floats) -> tuple[Floats, Floats]:
    """Inverse of ``diag(small) - T diag(1/large) T'`` and the variances on the larger side."""
    scaled: Any = (
        table / large if isinstance(table, np.ndarray) else table.multiply(1 / large).tocsr()
    )
    product = scaled @ table.T
    matrix = np.diag(small) - (product if isinstance(product, np.ndarray) else product.toarray())
    inverse: Floats = np.linalg.inv(matrix)
    if isinstance(scaled, np.ndarray):
        spread = np.einsum("ij,ij->j", scaled, inverse @ scaled)
    else:
        spread = _sparse_spread(scaled.tocsc(), inverse)
    return inverse, 1 / large + spread


def _sparse_spread(scaled: Any, inverse: Floats, block: int = 4096) -> Floats:
    """Diagonal of ``S' C S``, some columns of S at a time."""
    parts = []
    for start in range(0, scaled.shape[1], block):
        columns = scaled[:, start : start + block]
        dense = columns.toarray()
        parts.append(np.einsum("ij,ij->j", dense, inverse @ dense))
    return np.concatenate(parts)
