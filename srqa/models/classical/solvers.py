"""Solvers: conjugate gradients, and a primal-dual method for priors without derivatives.

The problem is ``min_x  s^2/2 ||A x - y||^2 + a ||K x||``: each pixel of the input stands for the
s x s pixels of the result that it covers, so that the same `a` fits all scales.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from srqa.models.classical.camera import Camera
    from srqa.models.classical.priors import Prior

Watch: TypeAlias = "Callable[[State], None]"
_CENTRE, _RADIUS = 0.5, 1.5
"""Results are taken to lie within -1 and 2; only the duality gap makes use of that."""


@dataclass(frozen=True, slots=True)
class State:
    """Where an iteration stands.

    Attributes:
        iteration: counted from 1.
        x: the picture.
        objective: its value of what is minimised.
        gap: how far above the minimum that is at most (primal-dual), or the squared residual
            (conjugate gradients).
    """

    iteration: int
    x: Tensor
    objective: float
    gap: float


def conjugate_gradient(
    apply: Callable[[Tensor], Tensor],
    b: Tensor,
    x: Tensor,
    *,
    tolerance: float,
    iterations: int,
    watch: Watch | None = None,
) -> Tensor:
    """Solve ``M x = b`` for a symmetric positive definite M.

    Args:
        apply: M.
        b: the right side.
        x: where to start.
        tolerance: stop when the residual is so small a part of b.
        iterations: stop after so many.
        watch: called after each; the objective is ``x' M x / 2 - b' x``.
    """
    residual = b - apply(x)
    direction = residual.clone()
    energy = float((residual * residual).sum())
    target = tolerance**2 * float((b * b).sum())
    for iteration in range(1, iterations + 1):
        if energy <= target:
            break
        applied = apply(direction)
        step = energy / float((direction * applied).sum())
        x = x + step * direction
        residual = residual - step * applied
        before, energy = energy, float((residual * residual).sum())
        direction = residual + (energy / before) * direction
        if watch:
            objective = -0.5 * float(((b + residual) * x).sum())
            watch(State(iteration, x, objective, energy))
    return x


def primal_dual(
    camera: Camera,
    y: Tensor,
    prior: Prior,
    weight: float,
    x: Tensor,
    *,
    tolerance: float,
    iterations: int,
    inner: tuple[float, int] = (1e-3, 12),
    watch: Watch | None = None,
) -> Tensor:
    """Chambolle and Pock's primal-dual algorithm, over-relaxed.

    "A First-Order Primal-Dual Algorithm for Convex Problems with Applications to Imaging", JMIV
    2011. The data term's proximal map is ``v - t A' (I + t A A')^-1 (A v - y)``, solved on the
    low-resolution side by a few conjugate gradients from the last solution on.

    Args:
        camera: A.
        y: the input, (h, w, P).
        prior: K and its norm.
        weight: a.
        x: where to start, (H, W, P).
        tolerance: stop when the duality gap is so small a part of the objective.
        iterations: stop after so many.
        inner: tolerance and most iterations of the conjugate gradients; the gap closes only as
            far as they are exact.
        watch: called at every check, each `_CHECK` iterations.

    Returns:
        The picture, (H, W, P).
    """
    sigma = prior.ratio * weight / prior.norm**0.5
    tau = 0.99 / (sigma * prior.norm)
    t = tau * camera.gain
    p = prior.analyse(x).zero_()
    u = y.new_zeros(y.shape)
    for iteration in range(1, iterations + 1):
        v = x - tau * prior.back(p)
        u = conjugate_gradient(
            lambda r: r + t * camera.gram(r),
            camera.see(v) - y,
            u,
            tolerance=inner[0],
            iterations=inner[1],
        )
        new = v - t * camera.back(u)
        q = _project(prior, p + sigma * prior.analyse(2 * new - x), weight)
        x, p = x + _RELAXATION * (new - x), p + _RELAXATION * (q - p)
        if iteration % _CHECK == 0 or iteration == iterations:
            objective, gap = duality(camera, y, prior, weight, x, q, camera.gain * u)
            if watch:
                watch(State(iteration, x, objective, gap))
            if gap <= tolerance * objective:
                break
    return x


_RELAXATION = 1.8
_CHECK = 5


def duality(
    camera: Camera, y: Tensor, prior: Prior, weight: float, x: Tensor, p: Tensor, q: Tensor
) -> tuple[float, float]:
    """The objective at x, and its gap to the dual's value at p (of the prior) and q (of the data).

    The dual is the least that ``<K x, p> + <A x - y, q> - |q|^2 / (2 s^2)`` can be for any picture
    x whose values lie within -1 and 2.
    """
    residual = camera.see(x) - y
    objective = 0.5 * camera.gain * float((residual * residual).sum())
    objective += weight * float(prior.lengths(prior.analyse(x)).sum())
    z = prior.back(p) + camera.back(q)
    least = _CENTRE * float(z.sum()) - _RADIUS * float(z.abs().sum())
    dual = least - float((q * y).sum()) - 0.5 / camera.gain * float((q * q).sum())
    return objective, objective - dual


def _project(prior: Prior, p: Tensor, weight: float) -> Tensor:
    """Dual values, none longer than the weight."""
    lengths = prior.lengths(p) / weight
    if lengths.ndim > p.ndim:
        parted = p.reshape(*p.shape[:3], *lengths.shape[3:4], -1)
        return (parted / lengths.clamp(min=1)).reshape(p.shape)
    return p / lengths.clamp(min=1)
