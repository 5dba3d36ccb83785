"""Regularised reconstruction: the picture that explains the input and looks like a picture.

``min_x  s^2/2 ||A x - y||^2 + a Psi(x)`` with A the known way from high to low resolution
(`camera`), by default MATLAB's bicubic. What is wrong with a result is what is wrong with these
assumptions: an input that was blurred or compressed otherwise is explained wrongly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from srqa.errors import UsageError
from srqa.images.resize import Border
from srqa.models.classical.camera import Camera, Taps, camera
from srqa.models.classical.interpolation import check_scale, interpolate
from srqa.models.classical.priors import Haar, TotalVariation
from srqa.models.classical.solvers import Watch, conjugate_gradient, primal_dual
from srqa.models.upscaler import Upscaler

if TYPE_CHECKING:
    from torch import Tensor

Solve = Callable[["Camera", "Tensor", "Tensor", int], "Tensor"]
HALO = 16
"""Pixels around a tile after which what lies further changes less than a level of 8 bits."""
INEXACT = "each tile stops iterating for itself"


def tv(
    weight: float | None = None,
    *,
    noise: float = 0.0,
    taps: Taps | None = None,
    border: Border = "mirror",
    tolerance: float = 0.05,
    iterations: int = 100,
    watch: Watch | None = None,
) -> Upscaler:
    """Total variation: edges may be sharp, texture and noise must pay.

    Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D
    1992; for super-resolution Marquina and Osher, J. Sci. Comput. 2008.

    Args:
        weight: a, for values in [0, 1]; None for `tv_weight` of the noise.
        noise: standard deviation of the input's Gaussian noise, in levels of 8 bits.
        taps: the blur before shrinking, (k, k) with odd k; None for none.
        border: what lies outside for the shrinking, as of `srqa.images.resize.imresize`.
        tolerance: stop when the duality gap is so small a part of the objective.
        iterations: stop after so many.
        watch: sees the iteration, for plots of its convergence.

    Raises:
        UsageError: a number that makes no sense.

    Example:
        >>> import torch
        >>> tv(noise=10).run(torch.rand(1, 3, 8, 9), 2).shape
        torch.Size([1, 3, 16, 18])
    """
    chosen = _weight(tv_weight(noise) if weight is None else weight)

    def solve(a: Camera, y: Tensor, x: Tensor, planes: int) -> Tensor:
        prior = TotalVariation(planes)
        return primal_dual(
            a, y, prior, chosen, x, tolerance=tolerance, iterations=iterations, watch=watch
        )

    return _reconstruction("tv", solve, taps, border)


def tv_weight(noise: float) -> float:
    """The weight of total variation that suits a noise, in levels of 8 bits.

    A small one for what rounding to 8 bits leaves open, and more in proportion to the noise.
    """
    if not 0 <= noise <= 255:
        raise UsageError(f"Noise is 0 to 255 levels of 8 bits, not {noise:g}.")
    return _TV_CLEAN + _TV_NOISY * noise / 255


def tv_noisy() -> Upscaler:
    """Total variation for noisy inputs: each picture's noise is estimated, and sets the weight.

    On pictures without noise the estimate takes texture for noise, and smooths some of it.
    """

    def run(pictures: Tensor, scale: float) -> Tensor:
        import torch

        made = [tv(noise=noise_of(one)).run(one[None], scale) for one in pictures]
        return torch.cat(made) if made else interpolate(pictures, scale)

    return Upscaler("tv-noisy", run)


def noise_of(picture: Tensor) -> float:
    """The standard deviation of a picture's noise, in levels of 8 bits.

    The median absolute diagonal Haar detail, which is 0.6745 of that of Gaussian noise (Donoho and
    Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994).

    Args:
        picture: (C, H, W), values in [0, 1].
    """
    if min(picture.shape[-2:]) < 2:
        return 0.0
    x = in_full(picture)
    detail = x[:, :-1, :-1] - x[:, 1:, :-1] - x[:, :-1, 1:] + x[:, 1:, 1:]
    return min(255.0, float(detail.abs().flatten().median()) / 2 / 0.6745 * 255)


def wavelet(
    weight: float = 0.002,
    *,
    levels: int = 1,
    taps: Taps | None = None,
    border: Border = "mirror",
    tolerance: float = 0.05,
    iterations: int = 50,
    watch: Watch | None = None,
) -> Upscaler:
    """Sparse wavelets: few details of an undecimated Haar transform, of each channel for itself.

    It is stopped before the minimum, which is further from photographs than what comes before it.
    The analysis form, as in Starck, Elad and Donoho, "Redundant multiscale transforms and their
    application for morphological component separation", 2004.

    Args:
        weight: a, for values in [0, 1].
        levels: of the transform.
        taps, border, tolerance, iterations, watch: as of `tv`.
    """
    chosen = _weight(weight)

    def solve(a: Camera, y: Tensor, x: Tensor, planes: int) -> Tensor:
        return primal_dual(
            a, y, Haar(levels), chosen, x, tolerance=tolerance, iterations=iterations, watch=watch
        )

    return _reconstruction("wavelet", solve, taps, border)


def tikhonov(
    weight: float = 0.01,
    *,
    taps: Taps | None = None,
    border: Border = "mirror",
    tolerance: float = 1e-3,
    iterations: int = 100,
    watch: Watch | None = None,
) -> Upscaler:
    """Tikhonov: ``Psi(x) = |gradient x|^2 / 2``, the smoothest picture, by conjugate gradients.

    Args:
        weight: a.
        tolerance: stop when the residual of the normal equations is so small a part of their right
            side.
        taps, border, iterations, watch: as of `tv`.
    """
    chosen = _weight(weight)

    def solve(a: Camera, y: Tensor, x: Tensor, planes: int) -> Tensor:
        gradient = TotalVariation(planes)

        def normal(z: Tensor) -> Tensor:
            smooth = gradient.back(gradient.analyse(z))
            return a.gain * a.back(a.see(z)) + chosen * smooth

        right = a.gain * a.back(y)
        return conjugate_gradient(
            normal, right, x, tolerance=tolerance, iterations=iterations, watch=watch
        )

    return _reconstruction("tikhonov", solve, taps, border)


def _reconstruction(name: str, solve: Solve, taps: Taps | None, border: Border) -> Upscaler:
    """An upscaler that starts at bicubic interpolation and solves."""

    def run(pictures: Tensor, scale: float) -> Tensor:
        check_scale(scale)
        count, planes, height, width = pictures.shape
        y = as_columns(pictures)
        start = as_columns(interpolate(in_full(pictures), scale, border=border))
        seen = camera((height, width), scale, y, taps=taps, border=border)
        made = solve(seen, y, start, planes)
        return as_pictures(made, count, planes).to(pictures.dtype)

    return Upscaler(name, run, halo=HALO, inexact=INEXACT)


def as_columns(pictures: Tensor) -> Tensor:
    """(N, C, H, W) as (H, W, N C), in float32 at least."""
    n, c, height, width = pictures.shape
    return in_full(pictures).reshape(n * c, height, width).permute(1, 2, 0).contiguous()


def in_full(pictures: Tensor) -> Tensor:
    """The same in float32 at least, in which sums of many steps keep their digits."""
    import torch

    return pictures if pictures.dtype == torch.float64 else pictures.float()


def as_pictures(x: Tensor, count: int, planes: int) -> Tensor:
    """(H, W, N C) as (N, C, H, W)."""
    height, width, _ = x.shape
    return x.permute(2, 0, 1).reshape(count, planes, height, width).contiguous()


def _weight(weight: float) -> float:
    if not (math.isfinite(weight) and weight > 0):
        raise UsageError(f"A weight is a positive number, not {weight:g}.")
    return weight


_TV_CLEAN, _TV_NOISY = 0.002, 1.5
