"""What a step costs, how a network answers to low contrast, and what it makes of plain colours."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from srqa.images.read import read
from srqa.models import Upscaler, load
from srqa.training.networks import build
from srqa.training.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

CONTRASTS = (1.0, 0.5, 0.25, 0.125)
_LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a training took.

    Attributes:
        name: of the training.
        parameters: trained numbers.
        kept: bytes of maps and weights that a step keeps for its way back.
        seconds: of one core for the way forth and back of a step, the median of several.
    """

    name: str
    parameters: int
    kept: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """How a network answers to pictures of low contrast.

    Attributes:
        name: of the training.
        contrast: by which pictures are multiplied around their mean.
        psnr: of the results, errors divided by the contrast, so that it stays the same for a
            network to which contrast makes no difference; mean over contents, in dB of RGB.
        spread: standard deviation of the result over that of the reference; mean over contents.
    """

    name: str
    contrast: float
    psnr: float
    spread: float


@dataclass(frozen=True, slots=True)
class Flat:
    """What a network makes of plain colours, in levels of 8 bits.

    Attributes:
        name: of the training.
        off: mean difference from the colour, over 27 colours.
        worst: largest difference of any pixel.
        pattern: mean over colours of the standard deviation within the result.
    """

    name: str
    off: float
    worst: float
    pattern: float


def cost(name: str, settings: Settings) -> Cost:
    """The cost of a training's steps, measured here.

    Args:
        name: of the training.
        settings: of it.
    """
    network = build(settings.model, settings.scale, settings.options)
    numbers = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return Cost(name, numbers, kept_for_backward(settings), seconds_of_step(settings))


def seconds_of_step(settings: Settings, times: int = 15) -> float:
    """Time of the processor for the way forth and back of one step, whatever else runs."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        _loss_of_a_step(settings).backward()  # type: ignore[no-untyped-call]
        taken.append(time.process_time() - begun)
    return float(np.median(taken))


def _loss_of_a_step(settings: Settings) -> Tensor:
    import torch

    network = build(settings.model, settings.scale, settings.options).train()
    shape = (settings.batch, network.channels or 3, settings.patch, settings.patch)
    return network.enlarge(torch.rand(shape), settings.scale).abs().mean()


def kept_for_backward(settings: Settings) -> int:
    """Bytes that one step keeps between its way forth and its way back; each storage once.

    Example:
        >>> from dataclasses import replace
        >>> from srqa.training.settings import Settings
        >>> small = {"blocks": 1, "features": 4}
        >>> plain = Settings("edsr", 2, ("x",), options=small, batch=1, patch=8)
        >>> both = replace(plain, options=small | {"normalised": 1})
        >>> kept_for_backward(both) > kept_for_backward(plain)
        True
    """
    import torch

    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = _loss_of_a_step(settings)
    del loss
    return sum(kept.values())


def contrasts(name: str, network: Path, hr: Path, scale: int) -> list[Contrast]:
    """How a network answers to the contents with less and less contrast, in floats."""
    import torch

    from srqa.images.resize import imresize

    upscaler = load(weights=network, scale=scale)
    found = []
    pictures = [read(path).pixels / 255.0 for path in sorted(hr.glob("*.png"))]
    for contrast in CONTRASTS:
        psnr, spread = [], []
        for picture in pictures:
            high = torch.from_numpy(np.moveaxis(picture, 2, 0).copy()).float()[None]
            high = contrast * (high - high.mean()) + high.mean()
            made = _run(upscaler, imresize(high, 1 / scale), scale)
            cut = slice(scale, -scale)
            error = (made - high)[..., cut, cut] / contrast
            psnr.append(-10 * math.log10(float(error.square().mean())))
            spread.append(float(made[..., cut, cut].std() / high[..., cut, cut].std()))
        found.append(Contrast(name, contrast, float(np.mean(psnr)), float(np.mean(spread))))
    return found


def flat(name: str, network: Path, scale: int, side: int = 48) -> Flat:
    """What a network makes of 27 plain colours, away from the borders."""
    import torch

    upscaler = load(weights=network, scale=scale)
    off, worst, pattern = [], [], []
    inner = slice(side * scale // 3, -(side * scale // 3))
    for colour in itertools.product(_LEVELS, repeat=3):
        plain = torch.tensor(colour)[None, :, None, None]
        made = _run(upscaler, plain.expand(1, 3, side, side).contiguous(), scale)
        error = 255 * (made - plain)[..., inner, inner]
        off.append(float(error.abs().mean()))
        worst.append(float(error.abs().max()))
        pattern.append(float(error.std(dim=(2, 3)).mean()))
    return Flat(name, float(np.mean(off)), max(worst), float(np.mean(pattern)))


def _run(upscaler: Upscaler, pictures: Tensor, scale: int) -> Tensor:
    import torch

    if upscaler.module is not None:
        upscaler.module.eval()
    with torch.inference_mode():
        return upscaler.run(pictures, scale)


def mean_of(rows: Sequence[object], field: str) -> float:
    """The mean of one field over rows."""
    return float(np.mean([getattr(row, field) for row in rows]))
