"""Losses on VGG16's maps, and metrics as losses. Networks and maps are those of the metrics.

Networks compute in float32, without autocast, whatever the trainer does; gradients flow to the
output alone. VGG16's numbers are those of the weight file `lpips-vgg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from srqa.errors import NotApplicableError
from srqa.images.arrays import root
from srqa.metrics import distances, features
from srqa.metrics.api import Metric
from srqa.metrics.comparison import wide
from srqa.metrics.networks import VGG16
from srqa.metrics.precision import full_precision
from srqa.metrics.spec import INF, MetricSpec

ContentNorm = Literal["euclidean", "mse", "l1"]
TextureNorm = Literal["euclidean", "mse"]
Pair = tuple[Tensor, Tensor]


def vgg16_maps(sr: Tensor, hr: Tensor, layers: Sequence[str]) -> dict[str, Pair]:
    """The named maps (N, c, h, w) of both pictures, by one pass for all of them.

    Args:
        sr: the output, (N, 1 or 3, H, W).
        hr: the reference, likewise.
        layers: as in `srqa.metrics.networks.VGG16.maps`: "relu3_3", "conv5_4", ...

    Raises:
        WeightsError: VGG16's numbers cannot be had.
        NotApplicableError: the pictures are too small to leave a sample.
    """
    needed = max(VGG16.min_side(VGG16.maps[layer]) for layer in layers)
    if min(sr.shape[-2:]) < needed:
        deepest = max(layers, key=VGG16.maps.__getitem__)
        raise NotApplicableError(
            f"{sr.shape[-1]}x{sr.shape[-2]} pixels is too small for VGG16's {deepest}, which needs "
            f"{needed} a side."
        )
    with features.running(sr, hr):
        made = [features.maps(VGG16, planes, layers) for planes in (sr, hr)]
    return dict(zip(layers, zip(*made, strict=True), strict=True))


def content(
    sr: Tensor, hr: Tensor, layer: str = "relu3_3", norm: ContentNorm = "euclidean"
) -> Tensor:
    """Difference of VGG16's maps p and q of h x w places and c channels, mean over the batch.

    "euclidean" is the survey's ``|p - q| / (h w c)`` (Euclidean length over all samples); it falls
    as one over the patch's side, so a weight belongs to a patch size. "mse" is
    ``|p - q|^2 / (h w c)`` (Johnson, Alahi and Fei-Fei, ECCV 2016), "l1" the mean of ``|p - q|``;
    they depend on no size. The metrics ``content-vgg16-...`` are the root of "mse".

    Args:
        sr: the output, (N, 1 or 3, H, W) in [0, 1].
        hr: the reference, likewise.
        layer: of VGG16, after ("relu3_3") or before ("conv3_3") its ReLU.
        norm: see above.

    Raises:
        WeightsError: VGG16's numbers cannot be had.
        NotApplicableError: the pictures are too small for the layer.

    Example:
        >>> import torch
        >>> hr = torch.full((1, 3, 16, 16), 0.5)
        >>> float(content(hr, hr, "relu2_2"))
        0.0
    """
    return content_of_maps(*vgg16_maps(sr, hr, (layer,))[layer], norm).to(sr.dtype)


def content_of_maps(p: Tensor, q: Tensor, norm: ContentNorm) -> Tensor:
    """`content`, from maps (N, c, h, w)."""
    apart = (p - q).flatten(1)
    if norm == "l1":
        return wide(apart.abs().mean(1)).mean()
    squares = wide(apart.square().sum(1))
    lengths: Tensor = squares if norm == "mse" else root(squares)
    return (lengths / apart.shape[1]).mean()


def texture(
    sr: Tensor, hr: Tensor, layer: str = "relu3_3", norm: TextureNorm = "euclidean"
) -> Tensor:
    """Difference of the Gram matrices G and H of VGG16's maps, mean over the batch.

    ``G[i, j]`` is the inner product of channels i and j over all places. "euclidean" is the
    survey's ``|G - H| / c^2`` (Frobenius norm), which grows with the number of places; "mse" is
    ``|G - H|^2 / (c h w)^2``, Johnson's style loss, which does not.
    Gatys, Ecker and Bethge, CVPR 2016; Sajjadi et al., EnhanceNet, ICCV 2017, who take patches of
    16 x 16 pixels instead of the whole picture.

    Args:
        sr: the output, (N, 1 or 3, H, W) in [0, 1].
        hr: the reference, likewise.
        layer: of VGG16, as for `content`.
        norm: see above.

    Raises:
        WeightsError: VGG16's numbers cannot be had.
        NotApplicableError: the pictures are too small for the layer.

    Example:
        >>> import torch
        >>> hr = torch.full((1, 3, 16, 16), 0.5)
        >>> float(texture(hr, hr, "relu2_2", norm="mse"))
        0.0
    """
    return texture_of_maps(*vgg16_maps(sr, hr, (layer,))[layer], norm).to(sr.dtype)


def texture_of_maps(p: Tensor, q: Tensor, norm: TextureNorm) -> Tensor:
    """`texture`, from maps (N, c, h, w)."""
    with full_precision(p.device):
        apart = distances.gram_difference(p.permute(0, 2, 3, 1), q.permute(0, 2, 3, 1))
    squares = apart.square().sum((1, 2))
    channels = p.shape[1]
    if norm == "mse":
        return (squares / (channels * p.shape[2] * p.shape[3]) ** 2).mean()
    lengths: Tensor = root(squares)
    return (lengths / channels**2).mean()


def of_metric(spec: MetricSpec, sr: Tensor, hr: Tensor) -> Tensor:
    """A metric as a loss, mean over the batch: smaller is better, whatever the metric's direction.

    A metric of which more is better counts as its highest value less the metric (``1 - SSIM``), or
    as its negative if it has none. Pictures for which it has no value (VIF on a flat reference) are
    left out of the mean; if all are, the loss is 0.

    Raises:
        NotApplicableError: the pictures are too small.

    Example:
        >>> import torch
        >>> from srqa.metrics import get
        >>> hr = torch.full((1, 3, 16, 16), 0.5)
        >>> float(of_metric(get("ssim"), hr, hr))
        0.0
    """
    if min(sr.shape[-2:]) < spec.min_side:
        raise NotApplicableError(
            f"{sr.shape[-1]}x{sr.shape[-2]} pixels is too small for {spec.name}, which needs "
            f"{spec.min_side} a side."
        )
    pictures: list[Any] = [sr] if spec.kind == "nr" else [sr, hr]
    metric = Metric(spec)
    with full_precision(sr.device):
        values = _values(spec, [metric.channel(p) for p in pictures])
    if not len(values):
        return sr.sum() * 0
    value = values.mean()
    if spec.higher_is_better:
        value = (spec.bounds[1] if spec.bounds[1] < INF else 0.0) - value
    return value.to(sr.dtype)


def _values(spec: MetricSpec, planes: list[Tensor]) -> Tensor:
    """The values (n,) of those pictures that have one."""
    try:
        found: Tensor = spec(*planes)
        return found
    except NotApplicableError:
        if len(planes[0]) == 1:
            return planes[0].new_zeros(0)
    singly = zip(*(p[:, None] for p in planes), strict=True)
    return torch.cat([_values(spec, list(pair)) for pair in singly])
