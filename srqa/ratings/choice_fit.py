"""Fits models of paired comparison: Newton's method on the weighted Laplacian of the pairs.

The parameters are the items' values, then the side bias and the tie parameter where a model has
them. Few items are solved densely and many data sets at a time (bootstrap, leaving one observer
out); many items by sparse factors, so that memory grows with the answers, not with items squared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.ratings.choice_models import ChoiceModel, Outcomes
from srqa.ratings.comparisons import Cells, Integers

if TYPE_CHECKING:
    from collections.abc import Callable

    from scipy.sparse import csc_array

Floats = np.ndarray[Any, np.dtype[np.float64]]

DENSE_ITEMS = 120
"""Up to this many items a fit is dense."""
FACTORED_ITEMS = 1000
"""Up to this many items sparse systems are factored, beyond, solved by conjugate gradients."""
_TOLERANCE = 1e-10
_ITERATIONS = 100
_FAR = 60.0


@dataclass(frozen=True, slots=True)
class Problem:
    """What is fitted.

    Attributes:
        items: how many.
        cells: the pairs.
        model: of a choice.
        sided: whether a side bias is estimated.
        precision: of the Gaussian prior around 0 of each value and of the side bias, in the
            model's unit; 0 for maximum likelihood.
    """

    items: int
    cells: Cells
    model: ChoiceModel
    sided: bool
    precision: float

    @property
    def extras(self) -> int:
        """Parameters besides the items' values."""
        return int(self.sided) + int(self.model.has_ties)

    def eta(self, theta: Floats) -> Floats:
        """(..., cells) differences under the parameters (..., items + extras)."""
        found = theta[..., self.cells.left] - theta[..., self.cells.right]
        if self.sided:
            found = found + theta[..., self.items, None]
        return np.asarray(found)

    def tie(self, theta: Floats) -> Floats:
        """(..., 1) tie parameters; zeros without."""
        last: Floats = theta[..., -1:] if self.model.has_ties else np.zeros_like(theta[..., -1:])
        return last

    def outcomes(self, theta: Floats) -> Outcomes:
        """Log probabilities and derivatives of all cells."""
        return self.model.outcomes(self.eta(theta), self.tie(theta))

    def start(self, counts: Floats) -> Floats:
        """(data sets, parameters) to begin with: all items equal."""
        theta = np.zeros((len(counts), self.items + self.extras))
        if self.model.has_ties:
            totals = np.maximum(counts.sum(axis=(1, 2)), 1e-12)
            shares = counts[:, :, 1].sum(axis=1) / totals
            theta[:, -1] = [self.model.first_tie(float(share)) for share in shares]
        return theta


@dataclass(frozen=True, slots=True)
class Fit:
    """Parameters (data sets, items + extras), and which of the data sets have a finite optimum."""

    theta: Floats
    converged: np.ndarray[Any, np.dtype[np.bool_]]


def fit(problem: Problem, counts: Floats, start: Floats | None = None) -> Fit:
    """Maximise the likelihood, or the posterior under the Gaussian prior.

    Args:
        problem: what is fitted.
        counts: (data sets, cells, 3).
        start: (data sets, parameters) to begin with.

    Returns:
        Values centred in the sense that without a prior they sum to 0.
    """
    theta = problem.start(counts) if start is None else start.copy()
    active = np.ones(len(counts), np.bool_)
    ok = np.ones(len(counts), np.bool_)
    value = _objective(problem, theta, counts)
    for _ in range(_ITERATIONS):
        rows = np.flatnonzero(active)
        if not len(rows):
            break
        direction, decrement = _newton_step(problem, theta[rows], counts[rows])
        size = np.abs(direction).max(axis=1)
        broken = ~np.isfinite(size)
        direction[broken] = 0
        theta[rows], value[rows], moved = _search(
            problem, theta[rows], direction, counts[rows], value[rows], decrement
        )
        lost = broken | (np.abs(theta[rows]).max(axis=1) > _FAR)
        ok[rows[lost]] = False
        active[rows[lost | (size < _TOLERANCE) | ~moved]] = False
    ok &= ~active
    if problem.precision == 0:
        n = problem.items
        theta[:, :n] -= theta[:, :n].mean(axis=1, keepdims=True)
    return Fit(theta, ok)


def _objective(problem: Problem, theta: Floats, counts: Floats) -> Floats:
    log_p = problem.outcomes(theta).log_p
    total = (counts * log_p).sum(axis=(1, 2))
    bounded = problem.items + int(problem.sided)
    return np.asarray(total - 0.5 * problem.precision * (theta[:, :bounded] ** 2).sum(axis=1))


def _search(
    problem: Problem,
    theta: Floats,
    direction: Floats,
    counts: Floats,
    value: Floats,
    decrement: Floats,
) -> tuple[Floats, Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Halve steps until none loses; tie parameters stay in their range."""
    step = np.ones(len(theta))
    if problem.model.has_ties:
        room = theta[:, -1] - problem.model.lowest_tie()
        falls = -direction[:, -1] >= room
        step[falls] = 0.9 * room[falls] / -direction[falls, -1]
    slack = 1e-12 * (1 + np.abs(value))
    best, found = theta.copy(), value.copy()
    waiting = np.ones(len(theta), np.bool_)
    for _ in range(40):
        rows = np.flatnonzero(waiting)
        trial = theta[rows] + step[rows, None] * direction[rows]
        reached = _objective(problem, trial, counts[rows])
        good = reached >= value[rows] - slack[rows] + 1e-4 * step[rows] * np.where(
            decrement[rows] > 1e-9 * (1 + np.abs(value[rows])), decrement[rows], 0
        )
        best[rows[good]], found[rows[good]] = trial[good], reached[good]
        waiting[rows[good]] = False
        if not waiting.any():
            break
        step[waiting] /= 2
    return best, found, ~waiting


def _newton_step(problem: Problem, theta: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Newton's direction and the gradient's product with it."""
    found = problem.outcomes(theta)
    slope, slope_tie = (counts * found.by_eta).sum(-1), (counts * found.by_tie).sum(-1)
    weights = tuple(
        -(counts * second).sum(-1) for second in (found.by_eta2, found.by_both, found.by_tie2)
    )
    gradient = scatter(problem, slope, slope_tie)
    bounded = problem.items + int(problem.sided)
    gradient[:, :bounded] -= problem.precision * theta[:, :bounded]
    if problem.items <= DENSE_ITEMS:
        direction = _dense_solve(problem, weights, gradient)
    else:
        direction = np.stack(
            [
                Information.of(problem, tuple(w[b] for w in weights)).solve_all(gradient[b])
                for b in range(len(theta))
            ]
        )
    return direction, (gradient * direction).sum(axis=1)


def scatter(problem: Problem, slope: Floats, slope_tie: Floats) -> Floats:
    """(data sets, parameters): derivatives by cell, added up by parameter."""
    sets, n = len(slope), problem.items
    base = np.arange(sets)[:, None] * n
    into = np.zeros((sets, n + problem.extras))
    left = np.bincount((base + problem.cells.left).ravel(), slope.ravel(), sets * n)
    right = np.bincount((base + problem.cells.right).ravel(), slope.ravel(), sets * n)
    into[:, :n] = (left - right).reshape(sets, n)
    if problem.sided:
        into[:, n] = slope.sum(axis=1)
    if problem.model.has_ties:
        into[:, -1] = slope_tie.sum(axis=1)
    return into


def _dense_solve(problem: Problem, weights: tuple[Floats, ...], gradient: Floats) -> Floats:
    matrix = dense_information(problem, weights)
    n = problem.items
    scale = np.einsum("bii->b", matrix)[:, None, None] / n
    if problem.precision == 0:
        matrix[:, :n, :n] += np.where(scale > 0, scale, 1.0) / n
    matrix += 1e-13 * np.where(scale > 0, scale, 1.0) * np.eye(matrix.shape[1])
    return np.asarray(np.linalg.solve(matrix, gradient[..., None])[..., 0])


def dense_information(problem: Problem, weights: tuple[Floats, ...]) -> Floats:
    """(data sets, parameters, parameters): the information matrix with the prior's precision."""
    by_eta, by_both, by_tie = weights
    sets, n = len(by_eta), problem.items
    left, right = problem.cells.left, problem.cells.right
    size = n * n
    base = np.arange(sets)[:, None] * size
    flat = np.zeros(sets * size)
    for row, column, sign in ((left, left, 1), (right, right, 1), (left, right, -1)):
        where = (base + row * n + column).ravel()
        added = np.bincount(where, sign * by_eta.ravel(), sets * size)
        flat += added
        if sign < 0:
            flat += added.reshape(sets, n, n).transpose(0, 2, 1).ravel()
    matrix = np.zeros((sets, n + problem.extras, n + problem.extras))
    matrix[:, :n, :n] = flat.reshape(sets, n, n)
    for k, border in enumerate(_borders(problem, by_eta, by_both)):
        matrix[:, :n, n + k] = matrix[:, n + k, :n] = border
    matrix[:, n:, n:] = _corner(problem, by_eta, by_both, by_tie)
    diagonal = np.arange(n + int(problem.sided))
    matrix[:, diagonal, diagonal] += problem.precision
    return matrix


def _borders(problem: Problem, by_eta: Floats, by_both: Floats) -> list[Floats]:
    used = ([by_eta] if problem.sided else []) + ([by_both] if problem.model.has_ties else [])
    n = problem.items
    return [scatter(problem, part, part)[:, :n] for part in used]


def _corner(problem: Problem, by_eta: Floats, by_both: Floats, by_tie: Floats) -> Floats:
    eta, both, tie = by_eta.sum(1), by_both.sum(1), by_tie.sum(1)
    if problem.sided and problem.model.has_ties:
        return np.stack([np.stack([eta, both], -1), np.stack([both, tie], -1)], -2)
    one = eta if problem.sided else tie
    return one[:, None, None] if problem.extras else np.zeros((len(eta), 0, 0))


@dataclass(frozen=True, slots=True)
class Information:
    """An information matrix as a sparse Laplacian with a border, and systems solved with it.

    Attributes:
        laplacian: (items, items) sparse, with the prior's precision on the diagonal.
        borders: (items, extras); corner: (extras, extras).
        grounded: whether the first item is held at 0, since without a prior only differences are
            determined.
    """

    laplacian: csc_array[Any]
    borders: Floats
    corner: Floats
    grounded: bool
    _solver: Callable[[Floats], Floats]

    @classmethod
    def of(cls, problem: Problem, weights: tuple[Floats, ...]) -> Information:
        """From the weights (cells,) of a cell by eta twice, by both, and by the tie twice."""
        from scipy.sparse import coo_array

        by_eta, by_both, by_tie = weights
        n, left, right = problem.items, problem.cells.left, problem.cells.right
        diagonal = np.arange(n)
        data = np.concatenate([by_eta, by_eta, -by_eta, -by_eta, np.full(n, problem.precision)])
        rows: Integers = np.concatenate([left, right, left, right, diagonal])
        columns: Integers = np.concatenate([left, right, right, left, diagonal])
        laplacian = coo_array((data, (rows, columns)), shape=(n, n)).tocsc()
        borders = _borders(problem, by_eta[None], by_both[None])
        corner = _corner(problem, by_eta[None], by_both[None], by_tie[None])[0].copy()
        if problem.sided:
            corner[0, 0] += problem.precision
        grounded = problem.precision == 0
        return cls(
            laplacian=laplacian,
            borders=np.stack([b[0] for b in borders], -1) if borders else np.zeros((n, 0)),
            corner=corner,
            grounded=grounded,
            _solver=_solver_of(laplacian[1:, 1:] if grounded else laplacian),
        )

    def _inner(self, right: Floats) -> Floats:
        if not self.grounded:
            return self._solver(right)
        found = np.zeros_like(right)
        found[1:] = self._solver(right[1:])
        return found

    def extras_covariance(self) -> Floats:
        """(extras, extras) covariance of side bias and tie parameter."""
        schur = self.corner - self.borders.T @ self._inner(self.borders)
        return np.asarray(np.linalg.inv(schur))

    def solve_all(self, right: Floats) -> Floats:
        """The solution (parameters,) or (parameters, k) for the same shape of right-hand sides."""
        n = len(self.borders)
        columns = right if right.ndim == 2 else right[:, None]
        found = np.zeros_like(columns)
        found[:n] = self._inner(columns[:n])
        if len(self.corner):
            carried = self._inner(self.borders)
            schur = self.corner - self.borders.T @ carried
            found[n:] = np.linalg.solve(schur, columns[n:] - self.borders.T @ found[:n])
            found[:n] -= carried @ found[n:]
        return found if right.ndim == 2 else found[:, 0]

    def solve(self, right: Floats) -> Floats:
        """Covariance of the items' values times (items, k)."""
        full = np.zeros((len(self.borders) + len(self.corner), right.shape[1]))
        full[: len(right)] = right
        return self.solve_all(full)[: len(right)]


def expected_weights(problem: Problem, theta: Floats, totals: Floats) -> tuple[Floats, ...]:
    """Expected information (cells,) of each cell: by eta twice, by both, by the tie twice.

    Args:
        problem: what was fitted.
        theta: (parameters,).
        totals: (cells,) answers.
    """
    found = problem.outcomes(theta[None])
    p = np.exp(found.log_p[0]) * totals[:, None]
    if not problem.model.has_ties:
        p[:, 1] = 0
    eta, tie = found.by_eta[0], found.by_tie[0]
    return (p * eta**2).sum(-1), (p * eta * tie).sum(-1), (p * tie**2).sum(-1)


def _solver_of(matrix: csc_array[Any]) -> Callable[[Floats], Floats]:
    """Exact factors for few items; else conjugate gradients, which random designs need few of.

    Long chains need many, but their factors stay sparse, so they are the way out.
    """
    from scipy.sparse.linalg import splu

    if matrix.shape[0] > FACTORED_ITEMS:
        factors: list[Any] = []

        def iterate(right: Floats) -> Floats:
            columns = right if right.ndim == 2 else right[:, None]
            found, reached = (columns, False) if factors else conjugate_gradients(matrix, columns)
            if not reached:
                factors[:] = factors or [splu(matrix)]
                found = np.asarray(factors[0].solve(columns))
            return found if right.ndim == 2 else found[:, 0]

        return iterate
    try:
        exact = splu(matrix)
    except RuntimeError:
        return lambda right: np.full_like(right, math.nan)
    return lambda right: np.asarray(exact.solve(right))


def conjugate_gradients(
    matrix: csc_array[Any], right: Floats, tolerance: float = 1e-11, most: int = 400
) -> tuple[Floats, bool]:
    """Solve for several columns (n, k) at once, scaled by the diagonal (Hestenes, Stiefel 1952).

    Returns:
        The solutions, and whether all residuals fell below `tolerance` of their right-hand sides.
    """
    scale = 1 / matrix.diagonal()[:, None]
    found, residual = np.zeros_like(right), right.copy()
    scaled = scale * residual
    direction = scaled.copy()
    power = (residual * scaled).sum(axis=0)
    goal = tolerance * np.maximum(np.linalg.norm(right, axis=0), 1e-300)
    for _ in range(most):
        if (np.linalg.norm(residual, axis=0) <= goal).all():
            return found, True
        image = matrix @ direction
        curvature = (direction * image).sum(axis=0)
        length = np.divide(power, curvature, out=np.zeros_like(power), where=curvature > 0)
        found += length * direction
        residual -= length * image
        scaled = scale * residual
        following = (residual * scaled).sum(axis=0)
        ratio = np.divide(following, power, out=np.zeros_like(power), where=power > 0)
        direction = scaled + ratio * direction
        power = following
    return found, False
