"""Hand-made full-reference metrics of the literature, computed by piq (Apache-2.0) with torch.

All take R, G and B in [0, 1] (grey counts as R = G = B; values outside are clamped, as in a saved
picture) and convert colour as their papers do. What the adapters add to piq:

- pictures are computed one at a time, since piq's SR-SIM scales saliency over the whole batch;
- arrays are computed in float64, since MDSI's fourth root turns a rounding error of float32 into
  0.02; tensors keep their precision;
- equal pictures give exactly the best value, and no gradient;
- where a definition is 0/0, piq's epsilons answer "perfect"; here it is a `NotApplicableError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from srqa.errors import NotApplicableError
from srqa.images.arrays import Planes, Value, as_batch, is_tensor, unbatch

if TYPE_CHECKING:
    import torch

FSIM_MIN_SIDE = 6
"""The shortest wavelength of the log-Gabor filters."""
VSI_MIN_SIDE = MDSI_MIN_SIDE = 3
"""The gradient operator."""
SR_SIM_MIN_SIDE = 40
"""The 10 x 10 Gaussian on a picture of a quarter of the size."""
GMSD_MIN_SIDE = 6
"""The gradient operator after halving."""
MS_GMSD_MIN_SIDE = 17
HAARPSI_MIN_SIDE = 16
DSS_MIN_SIDE = 32
"""Below 4 x 4 blocks, 5 % of a sub-band round to none."""


def _prepared(planes: Planes) -> torch.Tensor:
    import torch

    batch = as_batch(planes)
    if not is_tensor(planes):
        batch = batch.double()
    elif batch.dtype not in (torch.float32, torch.float64):
        batch = batch.float()
    if batch.shape[1] == 1:
        batch = batch.repeat(1, 3, 1, 1)
    return batch.clamp(0.0, 1.0)


def _is_flat(picture: torch.Tensor) -> bool:
    """Whether every channel has one value only."""
    return bool((picture.amax(dim=(-2, -1)) == picture.amin(dim=(-2, -1))).all())


def _one_by_one(
    metric: Callable[..., torch.Tensor],
    distorted: Planes,
    reference: Planes,
    best: float,
    weighted: bool = False,
    **settings: Any,
) -> Value:
    """Call a metric of piq for each picture of a batch.

    Args:
        metric: function of piq on tensors (1, 3, H, W).
        distorted: the pictures to judge.
        reference: the pictures to judge by.
        best: the value of equal pictures.
        weighted: a mean weighted by structure, hence 0/0 for two flat pictures.
        settings: named arguments of `metric`.

    Raises:
        NotApplicableError: the metric has no value for one of the pictures.
    """
    import torch

    values = []
    first, second = _prepared(distorted), _prepared(reference)
    for i in range(len(first)):
        a, b = first[i : i + 1], second[i : i + 1]
        if torch.equal(a, b):
            values.append((0.0 * a.sum() + best)[None])
            continue
        if weighted and _is_flat(a) and _is_flat(b):
            raise NotApplicableError("two flat pictures have no structure to compare")
        values.append(metric(a, b, data_range=1.0, reduction="none", **settings))
    return unbatch(torch.cat(values), distorted)


def fsim(distorted: Planes, reference: Planes) -> Value:
    """FSIM of Zhang et al. 2011 on the luminance of YIQ: phase congruency and gradient."""
    import piq

    return _one_by_one(piq.fsim, distorted, reference, 1.0, weighted=True, chromatic=False)


def fsimc(distorted: Planes, reference: Planes) -> Value:
    """FSIMc: FSIM times the similarity of I and Q to the power 0.03."""
    import piq

    return _one_by_one(piq.fsim, distorted, reference, 1.0, weighted=True, chromatic=True)


def vsi(distorted: Planes, reference: Planes) -> Value:
    """VSI of Zhang, Shen and Li 2014: saliency (SDSP), gradient and colour in LMN."""
    import piq

    return _one_by_one(piq.vsi, distorted, reference, 1.0, weighted=True)


def sr_sim(distorted: Planes, reference: Planes) -> Value:
    """SR-SIM of Zhang and Li 2012: spectral-residual saliency and gradient of the luminance."""
    import piq

    return _one_by_one(piq.srsim, distorted, reference, 1.0, weighted=True, chromatic=False)


def gmsd(distorted: Planes, reference: Planes) -> Value:
    """GMSD of Xue et al. 2014: deviation of the gradient similarity of the luminance."""
    import piq

    return _one_by_one(piq.gmsd, distorted, reference, 0.0)


def ms_gmsd(distorted: Planes, reference: Planes) -> Value:
    """MS-GMSD of Zhang et al. 2017: GMSD with masking over four scales."""
    import piq

    return _one_by_one(piq.multi_scale_gmsd, distorted, reference, 0.0, chromatic=False)


def mdsi(distorted: Planes, reference: Planes) -> Value:
    """MDSI of Nafchi et al. 2016: deviation of gradient and colour similarity, summed."""
    import piq

    return _one_by_one(piq.mdsi, distorted, reference, 0.0, combination="sum")


def haarpsi(distorted: Planes, reference: Planes) -> Value:
    """HaarPSI of Reisenhofer et al. 2018: Haar wavelets of YIQ, after halving the picture."""
    import piq

    return _one_by_one(piq.haarpsi, distorted, reference, 1.0)


def dss(distorted: Planes, reference: Planes) -> Value:
    """DSS of Balanov et al. 2015: similarity of DCT sub-bands of the luminance."""
    import piq

    return _one_by_one(piq.dss, distorted, reference, 1.0)
