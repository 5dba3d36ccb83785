"""Distances between two sets of samples: the Fréchet distance and the polynomial-kernel MMD.

The samples are features of patches. Patches are cut as in HiFiC's FID/256: squares of 256 pixels
side by side from the top left corner, and a second grid of them, moved by 128 pixels both ways;
what is left at the right and at the bottom belongs to none.

    Mentzer, Toderici, Tschannen, Agustsson, High-fidelity generative image compression, NeurIPS
    2020, appendix
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from srqa.errors import MismatchError, NotApplicableError
from srqa.images.arrays import Planes, as_batch
from srqa.metrics import features
from srqa.metrics.networks import VGG16
from srqa.metrics.spec import SetValue

if TYPE_CHECKING:
    import torch

SIDE = 256
_SHIFT = SIDE // 2
VGG16_MAP = "relu5_3"
_MOST_AT_ONCE = 8
_BYTES_A_PATCH = 3 * SIDE * SIDE * 64 * 4
"""What VGG16's first stage keeps and passes on."""
_BLOCK = 1024
"""Rows and columns of the kernel matrix that are made at a time."""

Samples: TypeAlias = Sequence[np.ndarray[Any, Any]]
"""For each picture the features of its patches, (patches, features); the order is the pictures'."""


def corners(height: int, width: int) -> list[tuple[int, int]]:
    """Top left corners (row, column) of the patches of a picture; none if it is too small.

    Example:
        >>> corners(400, 600)
        [(0, 0), (0, 256), (128, 128)]
    """
    return [
        (top, left)
        for start in (0, _SHIFT)
        for top in range(start, height - SIDE + 1, SIDE)
        for left in range(start, width - SIDE + 1, SIDE)
    ]


def patches(planes: Planes) -> Iterator[torch.Tensor]:
    """The patches of one picture, some at a time: (k, 3, 256, 256) on the picture's device."""
    import torch

    picture = as_batch(planes)[0]
    places = corners(int(picture.shape[-2]), int(picture.shape[-1]))
    room = features.current().share(planes)
    step = min(max(room // _BYTES_A_PATCH, 1), _MOST_AT_ONCE)
    for start in range(0, len(places), step):
        yield torch.stack(
            [
                picture[:, top : top + SIDE, left : left + SIDE]
                for top, left in places[start : start + step]
            ]
        )


def gather(
    planes: Planes, network: Callable[[torch.Tensor], torch.Tensor], width: int
) -> np.ndarray[Any, Any]:
    """What `network` makes of each patch, (patches, `width`) float32."""
    import torch

    with torch.inference_mode():
        found = [network(batch).float().cpu().numpy() for batch in patches(planes)]
    return np.concatenate(found) if found else np.empty((0, width), np.float32)


def vgg16(planes: Planes) -> np.ndarray[Any, Any]:
    """Means over places of VGG16's last maps, relu5_3, for each patch: (patches, 512).

    Raises:
        WeightsError: the network's trained numbers cannot be had.
    """

    def means(batch: torch.Tensor) -> torch.Tensor:
        (found,) = features.maps(VGG16, batch, (VGG16_MAP,))
        return found.float().mean((-2, -1))

    return gather(planes, means, VGG16.steps[-1].channels)


def frechet(name: str, instead: str) -> Callable[[Samples, Samples], SetValue]:
    """The metric `name`; a set that is too small for it is told to take `instead`."""

    def distance(outputs: Samples, references: Samples) -> SetValue:
        first, second = _all(name, outputs), _all(name, references)
        n, width = min(len(first), len(second)), first.shape[1]
        if n <= width:
            raise NotApplicableError(
                f"{name} compares the covariances of {width} features, which takes more than "
                f"{width} patches, and there are {n}; {instead} has no such bound"
            )
        value = frechet_distance(first, second)
        return SetValue(value, math.nan, math.nan, n)

    return distance


def frechet_distance(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> float:
    """``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2)`` of two sets of samples (n, d).

    S are covariances with n - 1. The last trace is the sum of the singular values of
    ``S1^1/2 S2^1/2``, whose roots come from symmetric eigenvalues: nothing complex arises, and two
    equal sets are 0 to rounding. The expectation lies above the distance of the two distributions,
    the more the fewer samples there are.

    Reference:
        Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, GANs trained by a two time-scale update
        rule converge to a local Nash equilibrium, NeurIPS 2017.
    """
    (mean1, root1, trace1), (mean2, root2, trace2) = _moments(first), _moments(second)
    shared = np.linalg.svd(root1 @ root2, compute_uv=False).sum()
    apart = float(((mean1 - mean2) ** 2).sum() + trace1 + trace2 - 2 * shared)
    return max(apart, 0.0)


def _moments(samples: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """The mean, and the symmetric root and the trace of the covariance."""
    wide = samples.astype(np.float64)
    mean = wide.mean(0)
    wide -= mean
    covariance = wide.T @ wide / (len(wide) - 1)
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return mean, root, np.trace(covariance)


def mmd(name: str) -> Callable[[Samples, Samples], SetValue]:
    """The metric `name`: see `kernel_distance`."""

    def distance(outputs: Samples, references: Samples) -> SetValue:
        n = min(len(_all(name, outputs)), len(_all(name, references)))
        full = [i for i, samples in enumerate(outputs) if len(samples)]
        if len(full) < 2:
            raise NotApplicableError(
                f"{name} compares patches of different pictures, and only one has any"
            )
        first, second = [outputs[i] for i in full], [references[i] for i in full]
        return kernel_distance(first, second)._replace(n=n)

    return distance


def kernel_distance(outputs: Samples, references: Samples) -> SetValue:
    """Squared maximum mean discrepancy with the kernel ``(x . y / d + 1)^3``.

    Unbiased: the mean over all pairs of patches a, b of different pictures of
    ``k(x_a, x_b) + k(y_a, y_b) - k(x_a, y_b) - k(x_b, y_a)``, where x are outputs and y their
    references. Bińkowski's estimator leaves out only a patch with itself, and takes outputs and
    references for independent; here each output shows what its reference shows, and patches of one
    picture are alike, for which it is too low by about 2/n of the difference between the kernel of
    a patch with its own reference and that with another. The two agree as pictures grow many.
    Values below 0 are chance. The 95 % interval counts pictures, not patches
    (`srqa.statistics.pairs`).

    Args:
        outputs, references: for each picture the features of its patches, (patches, d); a
            picture's output and reference have as many, at least one.

    Returns:
        The value and its interval, NaN for fewer than 5 pictures; n counts patches.

    Raises:
        MismatchError: an output has more or fewer patches than its reference.

    References:
        Gretton, Borgwardt, Rasch, Schölkopf, Smola, A kernel two-sample test, JMLR 13, 2012;
        Bińkowski, Sutherland, Arbel, Gretton, Demystifying MMD GANs, ICLR 2018.
    """
    from srqa.statistics.pairs import mean_over_pairs

    sizes = np.array([len(samples) for samples in outputs])
    if sizes.tolist() != [len(samples) for samples in references]:
        raise MismatchError("An output and its reference have different numbers of patches.")
    x, y = (np.concatenate(s).astype(np.float64) for s in (outputs, references))
    found = mean_over_pairs(_kernel_sums(x, y, sizes), sizes.astype(np.float64))
    return SetValue(*found, n=len(x))


def _kernel_sums(
    x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], sizes: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """The four kernels summed over the patches of each two pictures, (pictures, pictures)."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.zeros((len(sizes), len(sizes)))
    for top in range(0, len(x), _BLOCK):
        rows = slice(top, top + _BLOCK)
        above, upper = np.unique(owner[rows], return_index=True)
        for left in range(top, len(x), _BLOCK):
            columns = slice(left, left + _BLOCK)
            beside, inner = np.unique(owner[columns], return_index=True)
            values = _kernel(x[rows], x[columns]) + _kernel(y[rows], y[columns])
            values -= _kernel(x[rows], y[columns])
            values -= _kernel(y[rows], x[columns])
            part = np.add.reduceat(np.add.reduceat(values, upper, 0), inner, 1)
            sums[np.ix_(above, beside)] += part
            if left > top:
                sums[np.ix_(beside, above)] += part.T
    return sums


def _kernel(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    base = a @ b.T / a.shape[1] + 1.0
    cube: np.ndarray[Any, Any] = base * base * base
    return cube


def _all(name: str, samples: Samples) -> np.ndarray[Any, Any]:
    together = np.concatenate(list(samples)) if len(samples) else np.empty((0, 1))
    if not len(together):
        raise NotApplicableError(
            f"{name} compares patches of {SIDE}x{SIDE} pixels, and no picture is as large"
        )
    return together
