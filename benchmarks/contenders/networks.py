"""Rivals on networks, with the very weights that srqa uses, and the bare networks as their limit.

No rival's weights are fetched: torchvision's constructors hand out srqa's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contender import Work
from benchmarks.contenders.loops import decoders
from benchmarks.contenders.pairs import as_engine, limit_threads, pixels, planes_of, tensor

BACKBONES = {"lpips": ("alexnet", "lpips-alex"), "lpips-vgg": ("vgg16", "lpips-vgg")}
CONTENT = "content-vgg16-conv5-3"


def passes(network: str, pictures: list[str], threads: int, device: str = "cpu") -> Work:
    """One forward pass of the bare network for each picture, channels last, nothing compared."""
    import torch

    as_engine(maps=True)
    limit_threads(threads, torch=True)
    layers = backbone(network)[: _USED[network]].to(device, memory_format=torch.channels_last)
    batches = [
        tensor(planes_of(pixels(p))[None], device).contiguous(memory_format=torch.channels_last)
        for p in pictures
    ]

    def work() -> dict[str, float]:
        with torch.inference_mode():
            for x in batches:
                layers(x)
        return {}

    with torch.inference_mode():
        layers(batches[0][..., :64, :64])
    return work


_USED = {"alexnet": 12, "vgg16": 30}
"""Layers up to the last that LPIPS looks at."""


def batches(
    network: str, folders: list[str], pairs: int, batch: int, threads: int, device: str
) -> Work:
    """The bare network for all pictures of some folders, in batches that lie on the device."""
    import torch

    limit_threads(threads, torch=True)
    layers = backbone(network)[: _USED[network]].to(device, memory_format=torch.channels_last)
    files = [path for f in folders for path in sorted(Path(f).glob("*.png"))[:batch]]
    some = tensor(np.stack([planes_of(pixels(str(path))) for path in files[:batch]]), device)
    some = some.contiguous(memory_format=torch.channels_last)

    def work() -> dict[str, float]:
        with torch.inference_mode():
            for first in range(0, pairs * len(folders), batch):
                layers(some[: pairs * len(folders) - first])
        return {}

    work()
    return work


def loop(
    library: str,
    metric: str,
    reference: str,
    output: str,
    pairs: int,
    decoder: str,
    threads: int,
    device: str,
) -> Work:
    """A rival's network over the pairs of two folders, decoded by threads, one pair at a time."""
    import torch

    limit_threads(1, torch=True)
    offer_backbones()
    model, decode = _MODELS[library](metric, device), decoders()[decoder]
    files = sorted(path.name for path in Path(reference).glob("*.png"))[:pairs]
    pool = ThreadPoolExecutor(threads)

    def read(name: str) -> list[Any]:
        return [planes_of(decode((Path(f) / name).read_bytes())) for f in (output, reference)]

    def work() -> dict[str, float]:
        with torch.inference_mode():
            found = [
                float(model(*(tensor(p[None], device) for p in pair)))
                for pair in pool.map(read, files)
            ]
        return {metric: found[0]}

    return work


def rival(
    library: str, metric: str, output: str, reference: str, threads: int, device: str = "cpu"
) -> Work:
    """LPIPS or DISTS of one pair by a rival."""
    return rivals_one_by_one([(library, metric)], [output], reference, threads, device)


def rivals_one_by_one(
    metrics: list[tuple[str, str]],
    outputs: list[str],
    reference: str,
    threads: int,
    device: str = "cpu",
) -> Work:
    """Metrics of rivals for several outputs of one reference, pair by pair."""
    import torch

    limit_threads(threads, torch=True)
    offer_backbones()
    models = {metric: _MODELS[library](metric, device) for library, metric in metrics}
    target, *others = (tensor(planes_of(pixels(p))[None], device) for p in (reference, *outputs))

    def work() -> dict[str, float]:
        with torch.inference_mode():
            found = [{m: float(f(x, target)) for m, f in models.items()} for x in others]
        return {m: sum(values[m] for values in found) / len(found) for m in models}

    with torch.inference_mode():
        for model in models.values():
            model(others[0][..., :64, :64], target[..., :64, :64])
    return work


def _of_lpips(metric: str, device: str) -> Callable[[Any, Any], Any]:
    import lpips

    net = {"lpips": "alex", "lpips-vgg": "vgg"}[metric]
    model = lpips.LPIPS(net=net, verbose=False).to(device)
    return lambda a, b: model(a, b, normalize=True)


def _of_torchmetrics(metric: str, device: str) -> Callable[[Any, Any], Any]:
    from torchmetrics.functional.image import lpips

    net = {"lpips": "alex", "lpips-vgg": "vgg"}[metric]
    model = lpips._LPIPS(net=net).eval().to(device)
    return lambda a, b: model(a, b, normalize=True)


def _of_pyiqa(metric: str, device: str) -> Callable[[Any, Any], Any]:
    import torch
    from pyiqa.archs.dists_arch import DISTS

    import srqa.weights

    model = DISTS(pretrained=False)
    for name, value in srqa.weights.load(metric).items():
        getattr(model, name).data = torch.tensor(value)
    return model.eval().to(device)


def _of_piq(metric: str, device: str) -> Callable[[Any, Any], Any]:
    import piq
    import torch

    if metric != CONTENT:
        raise ValueError(metric)
    layers = backbone("vgg16")[:29]
    for layer in layers:
        if isinstance(layer, torch.nn.ReLU):
            layer.inplace = False  # else it overwrites the maps that are compared
    model = piq.ContentLoss(layers, layers=["28"], reduction="none").to(device)
    return lambda a, b: (model(a, b) / 512) ** 0.5


_MODELS = {
    "lpips": _of_lpips,
    "torchmetrics": _of_torchmetrics,
    "pyiqa": _of_pyiqa,
    "piq": _of_piq,
}


def backbone(network: str) -> Any:
    """torchvision's layers with the numbers that srqa pulled."""
    import torch
    import torchvision

    import srqa.weights

    weights = dict(BACKBONES.values())[network]
    numbers = {
        name.removeprefix("features."): torch.tensor(value)
        for name, value in srqa.weights.load(weights).items()
        if name.startswith("features.")
    }
    with torch.device("meta"):  # the classifier, which nobody uses, is never made
        model = _ORIGINAL.get(network, getattr(torchvision.models, network))(weights=None)
    layers = model.features.to_empty(device="cpu")
    layers.load_state_dict(numbers)
    return layers.eval().requires_grad_(False)


_ORIGINAL: dict[str, Any] = {}


def offer_backbones() -> None:
    """From now on torchvision's constructors give networks with srqa's numbers."""
    from types import SimpleNamespace

    import torchvision

    for network, _ in BACKBONES.values():
        if network not in _ORIGINAL:
            _ORIGINAL[network] = getattr(torchvision.models, network)

        def make(*_: Any, network: str = network, **__: Any) -> Any:
            return SimpleNamespace(features=backbone(network))

        setattr(torchvision.models, network, make)
