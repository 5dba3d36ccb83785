"""Losses on pixels: L1, L2, Charbonnier, edges, masks, cycle consistency, total variation.

All take batches (N, C, H, W) in [0, 1], nominally: values beyond are neither clamped nor refused.
All give a scalar, the mean over the batch, of the tensors' own type. Formulas are those of the
survey of Wang, Chen and Hoi (TPAMI 2021), or of the paper that is named.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from srqa.errors import InputError, MismatchError
from srqa.images.colour import gray
from srqa.images.filters import SCHARR, gradient_magnitude, padded
from srqa.images.resize import imresize
from srqa.metrics import distances

Error = Literal["l1", "l2", "charbonnier"]
EPSILON = 1e-3
"""LapSRN's, for values in [0, 1]."""


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean of ``|sr - hr|``; its gradient is 0 where both are equal.

    Example:
        >>> float(l1(torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.5)))
        0.5
    """
    return (sr - hr).abs().mean()


def l2(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean of ``(sr - hr)^2``.

    Example:
        >>> float(l2(torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.5)))
        0.25
    """
    return (sr - hr).square().mean()


def charbonnier(sr: Tensor, hr: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Mean of ``sqrt((sr - hr)^2 + epsilon^2)`` (Lai et al., LapSRN, CVPR 2017).

    Example:
        >>> float(charbonnier(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 3.0), epsilon=4))
        5.0
    """
    return _errors(sr, hr, "charbonnier", epsilon).mean()


def edge(sr: Tensor, hr: Tensor, strength: float = 4.0, error: Error = "l1") -> Tensor:
    """Difference weighted by the reference's edges: ``sum(w e) / sum(w)`` for each picture.

    ``w = 1 + strength * g / max(g)``, where g is the length of the reference's gradient (grey,
    Scharr's operator, the outermost pixels repeated); 1 everywhere on a flat reference. Edges as
    weights of a pixel loss: Seif and Androutsos, Edge-based loss function for single image
    super-resolution, ICASSP 2018; the survey calls such losses prior-based.

    Args:
        sr: the output.
        hr: the reference, at least 3 pixels a side.
        strength: how much more the strongest edge counts than flat ground; 0 is the plain error.
        error: of a pixel.

    Example:
        >>> flat = torch.zeros(1, 3, 8, 8)
        >>> round(float(edge(flat + 0.25, flat)), 6)
        0.25
    """
    return _weighted(_errors(sr, hr, error), edge_weights(hr, strength))


def edge_weights(hr: Tensor, strength: float = 4.0) -> Tensor:
    """The weights (N, 1, H, W) of `edge`, from 1 to ``1 + strength``."""
    length = padded(gradient_magnitude(gray(hr.detach()), SCHARR), 1, 1, "edge")
    highest = length.amax((-3, -2, -1), keepdim=True)
    weights: Tensor = 1 + strength * length / torch.where(highest > 0, highest, 1.0)
    return weights


def masked(sr: Tensor, hr: Tensor, mask: Tensor, error: Error = "l1") -> Tensor:
    """Difference weighted by a mask: ``sum(m e) / sum(m)`` for each picture; 0 where m is 0.

    Where it matters (faces, text, a segment) is the prior, as in the survey's prior-based losses.

    Args:
        sr: the output.
        hr: the reference.
        mask: weights of at least 0, (N or 1, 1 or C, H, W).
        error: of a pixel.

    Raises:
        MismatchError: the mask has another size.
        InputError: it has negative, infinite or missing weights.

    Example:
        >>> sr, hr = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
        >>> float(masked(sr, hr, mask=hr)), float(masked(sr, hr, mask=1 - hr))
        (1.0, 0.0)
    """
    fits = mask.ndim == 4 and all(
        m in (1, s) for m, s in zip(mask.shape[:2], sr.shape[:2], strict=True)
    )
    if not fits or mask.shape[2:] != sr.shape[2:]:
        raise MismatchError(
            f"The mask is {tuple(mask.shape)}, which does not fit pictures {tuple(sr.shape)}."
        )
    mask = mask.detach().to(sr)
    if mask.device.type == "cpu" and not bool((mask.isfinite() & (mask >= 0)).all()):
        raise InputError("The mask has weights that are negative, infinite or NaN.")
    return _weighted(_errors(sr, hr, error), mask)


def cycle(sr: Tensor, lr: Tensor, error: Error = "l1") -> Tensor:
    """Difference from the input after shrinking: ``mean(e(imresize(sr), lr))``.

    The survey's cycle consistency with MATLAB's antialiased bicubic in the place of a second
    network. It fits inputs that were made so (`srqa degrade --preset bi`), and no others.

    Args:
        sr: the output (N, C, H, W).
        lr: the input (N, C, h, w).
        error: of a pixel.

    Example:
        >>> float(cycle(torch.full((1, 1, 8, 8), 0.5), torch.zeros(1, 1, 4, 4), error="l2"))
        0.25
    """
    small: Tensor = imresize(sr, size=(lr.shape[-2], lr.shape[-1]))
    return _errors(small, lr, error).mean()


def total_variation(sr: Tensor) -> Tensor:
    """Mean length of the gradient, as differences to the right and lower neighbour.

    The mean is over the pixels that have both neighbours. Its own gradient is 0 on flat ground.
    Rudin, Osher and Fatemi, Physica D 1992. The same as the metric `tv`.

    Example:
        >>> float(total_variation(torch.arange(4.0).expand(1, 1, 4, 4)))
        1.0
    """
    lengths: Tensor = distances.total_variation(sr)
    return lengths.mean().to(sr.dtype)


def _errors(a: Tensor, b: Tensor, error: Error, epsilon: float = EPSILON) -> Tensor:
    apart = a - b
    if error == "l1":
        return apart.abs()
    squares = apart.square()
    return squares if error == "l2" else (squares + epsilon**2).sqrt()


def _weighted(errors: Tensor, weights: Tensor) -> Tensor:
    weights = weights.expand_as(errors)
    total = weights.sum((-3, -2, -1))
    sums = (weights * errors).sum((-3, -2, -1))
    return (sums / torch.where(total > 0, total, 1.0)).mean()
