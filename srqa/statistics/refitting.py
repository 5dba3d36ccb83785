"""How a curve's errors change when contents are left out or drawn, and the curve is fitted anew.

To first order, from the curve's derivatives: what other weights do to a least-squares fit is known
in closed form, and no curve is fitted again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from srqa.statistics.clustered import Clusters
from srqa.statistics.mapping import Mapping

Floats = np.ndarray[Any, np.dtype[np.float64]]
_CELLS = 400_000
_STEP = 0.5
"""Width of the smooth count, in root mean squared errors."""
_LEAST = 1e-2
"""How little of a direction of the curve the other contents may tell."""


class ErrorSums(NamedTuple):
    """(parts,) sums over the pictures that stay when a part is left out.

    Attributes:
        square: of squared errors.
        beyond: of squared errors beyond half the scores' intervals.
        outside: of errors that are; what refitting adds to them is counted smoothly, for single
            errors that just cross the limit would be noise.
    """

    square: Floats
    beyond: Floats
    outside: Floats


def error_sums(
    mapping: Mapping, values: Floats, scores: Floats, half: Floats, clusters: Clusters
) -> ErrorSums:
    """Errors without each part, with the curve fitted to the rest.

    With the curve's derivatives as orthonormal columns Q and a part's rows g, the errors that stay
    are ``e + Q (I - Qg' Qg)^-1 Qg' eg``.

    Args:
        mapping: fitted to all.
        values, scores: that it was fitted to, (n,).
        half: (n,) half the intervals of the scores.
        clusters: of the pictures.

    Reference:
        Cook, Weisberg, Residuals and influence in regression, 1982, chapter 3.
    """
    error = scores - mapping(values)
    q = _directions(mapping, values, error)
    size = q.shape[1]
    pull = np.stack([clusters.sums(column * error) for column in q.T], axis=1)
    gram = np.stack([clusters.sums(q[:, i] * q[:, j]) for i in range(size) for j in range(size)],
                    axis=1).reshape(-1, size, size)  # fmt: skip
    kept, way = np.linalg.eigh(np.eye(size) - gram)
    step = np.einsum("gij,gj,gkj,gk->gi", way, 1 / np.maximum(kept, _LEAST), way, pull)
    width = _STEP * max(float(np.sqrt(np.mean(error**2))), 1e-300)
    over = np.abs(error) - half
    before = np.clip(over / width + 0.5, 0, 1)
    counted = (over > 0) - before
    found = np.empty((3, clusters.count))
    at_once = max(1, _CELLS // len(error))
    for start in range(0, clusters.count, at_once):
        block = slice(start, min(start + at_once, clusters.count))
        stays = clusters.parts[:, None] != np.arange(clusters.count)[block]
        moved = np.abs(error[:, None] + np.einsum("ij,gj->ig", q, step[block])) * stays
        found[0, block] = np.einsum("ig,ig->g", moved, moved)
        moved -= half[:, None]
        after = np.clip(moved / width + 0.5, 0, 1) + counted[:, None]
        found[2, block] = np.einsum("ig,ig->g", after, stays + 0.0)
        np.maximum(0, moved, out=moved)
        found[1, block] = np.einsum("ig,ig->g", moved, moved)
    return ErrorSums(*found)


class Squares(NamedTuple):
    """(samples,) sums over the pictures of each sample of clusters.

    Attributes:
        pictures: how many.
        error: of squared errors, with the curve fitted to the sample.
        score: of squared deviations of the scores from their mean.
    """

    pictures: Floats
    error: Floats
    score: Floats


def drawn_squares(mapping: Mapping, values: Floats, scores: Floats, clusters: Clusters) -> Squares:
    """Sums of squares in each sample of `Clusters.draws`, with the curve fitted to the sample.

    With the curve's derivatives as orthonormal columns Q, errors e and weights w, the curve takes
    ``e'wQ (Q'wQ)^-1 Q'we`` from the ``e'we`` of a sample: one step of Gauss and Newton.

    Args:
        mapping: fitted to all.
        values, scores: that it was fitted to, (n,).
        clusters: of the pictures.

    Reference:
        Moulton, Zeger, Bootstrapping generalized linear models, Computational Statistics and Data
        Analysis 11, 1991.
    """
    error, y = scores - mapping(values), scores - scores.mean()
    q = _directions(mapping, values, error)
    size = q.shape[1]
    columns = [np.ones_like(y), error**2, y, y * y]
    columns += [direction * error for direction in q.T]
    columns += [q[:, i] * q[:, j] for i in range(size) for j in range(size)]
    drawn = clusters.drawn_sums(columns)
    count, square, total, power = drawn[:, :4].T
    pull, gram = drawn[:, 4 : 4 + size], drawn[:, 4 + size :].reshape(-1, size, size)
    kept, way = np.linalg.eigh(gram)
    along = np.einsum("gji,gj->gi", way, pull)
    taken = (along**2 / np.maximum(kept, _LEAST)).sum(axis=1)
    return Squares(count, np.maximum(0, square - taken), np.maximum(0, power - total**2 / count))


def _directions(mapping: Mapping, values: Floats, error: Floats) -> Floats:
    """Orthonormal columns of what the curve can follow at the fit.

    Where the fit lies at a border (a cubic that would turn, a logistic as steep as it may be), the
    errors still pull across it: that direction is left out.
    """
    slopes = mapping.slopes(values)
    size = np.sqrt((slopes**2).sum(axis=0))
    u, s, _ = np.linalg.svd(slopes[:, size > 0] / size[size > 0], full_matrices=False)
    u = u[:, s > 1e-6 * s[0]]
    pull = u.T @ error
    if np.sqrt(pull @ pull) > 1e-5 * np.sqrt(error @ error):
        u = u @ np.linalg.svd(pull[None, :])[2][1:].T
    return np.asarray(u, dtype=np.float64)
