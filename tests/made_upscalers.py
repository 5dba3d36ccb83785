"""Upscalers of real torch modules with random numbers, whose receptive fields are known."""

import torch
from torch import nn

from srqa.models.upscaler import Upscaler


def convolutions(scale=2, channels=3, layers=3, seed=0, **facts):
    """Convolutions and a pixel shuffle: each output depends on `layers` pixels around."""
    torch.manual_seed(seed)
    wide = 8
    steps = [nn.Conv2d(channels, wide, 3, padding=1)]
    for _ in range(layers - 2):
        steps += [nn.LeakyReLU(0.1), nn.Conv2d(wide, wide, 3, padding=1)]
    steps += [nn.LeakyReLU(0.1), nn.Conv2d(wide, channels * scale**2, 3, padding=1)]
    steps += [nn.PixelShuffle(scale)]
    module = nn.Sequential(*steps).eval()
    nn.init.constant_(steps[-2].bias, 0.5)
    given = {"scales": (scale,), "channels": channels, "halo": layers, "module": module} | facts
    return Upscaler("convolutions", lambda pictures, _: module(pictures), **given)


class Windows(nn.Module):
    """Mixes all pixels of a window, after a shift by half a window, as transformers do."""

    def __init__(self, size=8, scale=2):
        super().__init__()
        self.size, self.scale = size, scale
        self.mix = nn.Linear(size * size, size * size)
        self.before = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        size = self.size
        assert x.shape[-1] % size == 0
        assert x.shape[-2] % size == 0
        x = self._windows(self.before(x))
        padded = nn.functional.pad(x, (size // 2,) * 4)
        inner = self._windows(padded)[..., size // 2 : -(size // 2), size // 2 : -(size // 2)]
        return (
            torch.sigmoid(inner).repeat_interleave(self.scale, -1).repeat_interleave(self.scale, -2)
        )

    def _windows(self, x):
        size = self.size
        n, c, h, w = x.shape
        x = x.view(n, c, h // size, size, w // size, size).transpose(3, 4)
        x = self.mix(x.reshape(*x.shape[:4], size * size)).view(*x.shape[:4], size, size)
        return x.transpose(3, 4).reshape(n, c, h, w)


def windows(**facts):
    """Sides must be multiples of 8; an output depends on less than three windows around."""
    torch.manual_seed(1)
    module = Windows().eval()
    given = {"scales": (2,), "channels": 3, "halo": 17, "multiple": 8, "module": module} | facts
    return Upscaler("windows", lambda pictures, _: module(pictures), **given)


def averaging():
    """Every output depends on all of the picture."""

    def run(pictures, scale):
        large = pictures.repeat_interleave(2, -1).repeat_interleave(2, -2)
        return 0.9 * large + 0.1 * pictures.mean((-2, -1), keepdim=True)

    return Upscaler("averaging", run, scales=(2,), channels=3)


def doing(name, run, **facts):
    """An upscaler by 2 that does `run`."""
    return Upscaler(name, run, **({"scales": (2,), "channels": 3, "halo": 4} | facts))


def twice(pictures, _scale=2):
    """Each pixel four times."""
    return pictures.repeat_interleave(2, -1).repeat_interleave(2, -2)
