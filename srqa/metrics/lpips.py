"""LPIPS v0.1 (Zhang et al. 2018) and ST-LPIPS (Ghildyal and Liu 2022).

At every sample of a map both feature vectors are brought to unit length; their squared difference,
weighted by a trained non-negative head, is averaged over the map, and the layers are summed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srqa.images.arrays import Planes, is_tensor
from srqa.metrics import features, networks
from srqa.metrics.comparison import Comparison, maps, strips, wide
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


def metric(name: str) -> Comparison:
    """The function of a metric in `NETWORKS`, on planes of a picture or of a batch."""
    network = NETWORKS[name]

    def sums(layer: int, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        apart = _apart(x, y)
        return wide((apart * apart).sum((1, 2))) @ wide(_head(network, layer, x))

    return Comparison(network, network.taps, sums, _summed)


def _summed(means: list[torch.Tensor], distorted: Planes, reference: Planes) -> torch.Tensor:
    return sum(means[1:], means[0])


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
    import torch
    import torch.nn.functional as F

    network, size = NETWORKS[name], tuple(distorted.shape[-2:])
    with features.running(distorted, reference):
        layers: list[list[torch.Tensor]] = [[] for _ in network.taps]
        for pairs in maps(network, network.taps, distorted, reference):
            for layer, pair in enumerate(pairs):
                for x, y in strips(*pair) if pair else ():
                    apart = _apart(x, y)
                    layers[layer].append((apart * apart) @ _head(network, layer, x))
        result: Any = 0.0
        for rows in layers:
            small = torch.cat(rows, 1)[:, None]
            result = result + F.interpolate(small, size, mode="bilinear", align_corners=False)[:, 0]
    return result if is_tensor(distorted) else result[0].numpy()


def _apart(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The difference of the unit vectors at every place of (N, rows, w, C); 0 for equal ones."""
    return x * _inverse_length(x) - y * _inverse_length(y)


def _inverse_length(x: torch.Tensor) -> torch.Tensor:
    import torch

    inverse: torch.Tensor = 1 / (torch.linalg.vector_norm(x, dim=-1, keepdim=True) + 1e-10)
    return inverse


def _head(network: Network, layer: int, x: torch.Tensor) -> torch.Tensor:
    """A layer's weights (C,) beside `x`; in the authors' own files a dropout precedes them."""
    numbers = networks.parameters(network.weights, x.device)
    name = f"lin{layer}.weight"
    return numbers[name if name in numbers else f"lin{layer}.model.1.weight"].flatten()
