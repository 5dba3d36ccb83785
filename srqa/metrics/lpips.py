"""LPIPS v0.1 (Zhang et al. 2018) and ST-LPIPS (Ghildyal and Liu 2022).

At every sample of a map both feature vectors are brought to unit length; their squared difference,
weighted by a trained non-negative head, is averaged over the map, and the layers are summed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from srqa.images.arrays import Planes, Value, is_tensor, unbatch
from srqa.metrics import features, networks
from srqa.metrics.networks import Network

if TYPE_CHECKING:
    import torch

NETWORKS: dict[str, Network] = {
    "lpips": networks.ALEXNET,
    "lpips-vgg": networks.VGG16,
    "lpips-squeeze": networks.SQUEEZENET,
    "st-lpips": networks.ST_ALEXNET,
    "st-lpips-vgg": networks.ST_VGG16,
}
"""The network of each metric."""


def metric(name: str) -> Callable[[Planes, Planes], Value]:
    """The function of a metric in `NETWORKS`, on planes of a picture or of a batch."""
    network = NETWORKS[name]

    def lpips(distorted: Planes, reference: Planes) -> Value:
        return distance(network, distorted, reference)

    return lpips


def distance(network: Network, distorted: Planes, reference: Planes) -> Value:
    """The sum over the network's layers of the mean weighted difference.

    Raises:
        WeightsError: the network's trained numbers cannot be had.
    """
    with features.running(distorted, reference):
        layers = _layers(network, distorted, reference)
        means = [features.wide(layer).mean((-2, -1)) for layer in layers]
        return unbatch(sum(means[1:], means[0]), distorted)


def difference_map(name: str, distorted: Planes, reference: Planes) -> Any:
    """Where pictures differ: the layers' differences, enlarged to the picture and summed.

    Args:
        name: a metric of `NETWORKS`.
        distorted: planes (3, H, W) or a tensor (N, 3, H, W).
        reference: of the same shape.

    Returns:
        An array (H, W) or a tensor (N, H, W). As in the authors' code layers are enlarged
        bilinearly, so the mean of the map is near the score, not equal to it.
    """
    import torch.nn.functional as F

    size = tuple(distorted.shape[-2:])
    with features.running(distorted, reference):
        layers = [
            F.interpolate(layer[:, None], size, mode="bilinear", align_corners=False)[:, 0]
            for layer in _layers(NETWORKS[name], distorted, reference)
        ]
        result = sum(layers[1:], layers[0])
    return result if is_tensor(distorted) else result[0].numpy()


def _layers(network: Network, distorted: Planes, reference: Planes) -> list[torch.Tensor]:
    """The weighted squared difference at every sample, (N, h, w) for each layer."""
    import torch

    device = distorted.device if is_tensor(distorted) else torch.device("cpu")
    numbers = networks.parameters(network.weights, device)
    heads = [_head(numbers, i) for i in range(len(network.taps))]
    count = distorted.shape[0] if distorted.ndim == 4 else 1
    whole: list[torch.Tensor] = []
    for part in features.parts(network, distorted, reference, network.taps):
        made = [_compare(a, b, head) for (a, b), head in zip(part.pairs, heads, strict=True)]
        if part.whole:
            return made
        if not whole:
            shapes = features.sizes(network, distorted, network.taps)
            whole = [made[0].new_empty(count, *shape) for shape in shapes]
        for target, piece, (rows, columns) in zip(whole, made, part.places, strict=True):
            target[:, rows, columns] = piece
    return whole


def _head(numbers: dict[str, torch.Tensor], layer: int) -> torch.Tensor:
    """A layer's weights (C,); in the authors' own files a dropout stands before them."""
    name = f"lin{layer}.weight"
    return numbers[name if name in numbers else f"lin{layer}.model.1.weight"].flatten()


def _compare(a: torch.Tensor, b: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    import torch

    strips = []
    for x, y in features.blocks(a, b):
        apart = _unit(x) - _unit(y)
        strips.append((apart * apart) @ head)
    return torch.cat(strips, 1)


def _unit(x: torch.Tensor) -> torch.Tensor:
    import torch

    unit: torch.Tensor = x / (torch.linalg.vector_norm(x, dim=-1, keepdim=True) + 1e-10)
    return unit
