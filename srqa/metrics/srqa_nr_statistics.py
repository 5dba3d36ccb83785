"""What srqa-nr measures without a network: how sharp, how noisy, how regular a picture is.

Each statistic answers to a way in which upscaled pictures go wrong. Steps between pixels that lean
on the steps before them say how blurred edges are, and steps against them noise, grids and the
overshoot of sharpening; what returns every few pixels is an upscaler's grid or a codec's block. All
but the first twelve stay as they are when the contrast changes, so contents hardly shift them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srqa.images.arrays import constant

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor
else:
    Tensor = Any

COUNT = 63
"""Numbers that `statistics` gives."""
_SCALES, _LEANING, _SPREAD = 4, 3, 2
"""Scales of which energies, leanings and spreads are taken."""
_LAGS = (1, 2, 3, 4)
_PERIODS = (2, 3, 4, 8)
"""Pixels after which the grids of upscalers and the blocks of codecs return."""
_BLOCK = 8
_SHARES = (0.1, 0.5, 0.9)
"""Quantiles over blocks: flat parts, the middle, and edges."""
_NOTHING = 1e-6
"""Energy that no eye sees: a quarter of a level, squared."""
_ROUNDING = 4e-6
"""The same for steps between pixels: more than rounding to 8 bits makes of a flat block."""


def statistics(batch: Tensor) -> Tensor:
    """The statistics of pictures.

    Args:
        batch: (N, 3, H, W) float32 in [0, 1], of 64 pixels a side or more.

    Returns:
        (N, 63): logarithms of energies of Laplacian and gradient at four scales, of noise and of
        colours' gradient and Laplacian; then what does not hang on contrast: at four scales the
        Laplacian's energy against the gradient's and how peaked it is, and how it falls from
        scale to scale; at two scales its spread over blocks; at three scales how steps between
        pixels go with the steps one to four pixels on, over all and in each block; what returns
        every 2, 3, 4 and 8 pixels; how many neighbours are equal; noise against sharpness.
    """
    import torch
    import torch.nn.functional as F

    weights = constant((0.299, 0.587, 0.114), batch.dtype, batch.device)
    grey = (batch * weights[:, None, None]).sum(1, keepdim=True)
    laplacians: list[Tensor] = []
    gradients: list[Tensor] = []
    free: list[Tensor] = []
    level = grey
    for scale in range(_SCALES):
        if scale:
            level = F.avg_pool2d(level, 2)
        laplacian = _laplacian(level)
        energy = _energy(laplacian)
        laplacians.append(torch.log(energy))
        gradients.append(torch.log(_gradients(level) + _NOTHING))
        free.append(torch.log((laplacian.abs().mean((1, 2, 3)) + 1e-3) / energy.sqrt()))
        free.append(laplacians[-1] - gradients[-1])
        if scale:
            free.append(laplacians[-2] - laplacians[-1])
        if scale < _SPREAD:
            local = torch.log(_blocks(laplacian.square()).flatten(1) + _NOTHING)
            free += [q - laplacians[-1] for q in _quantiles(local, _SHARES)]
        if scale < _LEANING:
            free += _leaning(level)
    noise = _quantiles(F.avg_pool2d(_second(grey).abs(), _BLOCK).flatten(1), _SHARES[:2])
    noises = [torch.log(each + 1e-3) for each in noise]
    colour = batch[:, ::2] - grey
    colours = [torch.log(_gradients(colour) + _NOTHING), torch.log(_energy(_laplacian(colour)))]
    free += _regular(grey)
    across = grey[..., 1:] - grey[..., :-1]
    equal = 1 / (1 + (255 * across).square())
    free += [torch.log(equal.mean((1, 2, 3)) + 0.01), noises[0] - 0.5 * laplacians[0]]
    return torch.stack([*laplacians, *gradients, *noises, *colours, *free], 1)


def _quantiles(x: Tensor, shares: tuple[float, ...]) -> list[Tensor]:
    """Of each row, without a step between two places."""
    ordered = x.sort(1).values
    return [ordered[:, round(share * (x.shape[1] - 1))] for share in shares]


def _laplacian(x: Tensor) -> Tensor:
    """Its four neighbours less four times the pixel, without a border."""
    inner = x[..., 1:-1, 1:-1]
    beside = x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    return beside + x[..., :-2, 1:-1] + x[..., 2:, 1:-1] - 4 * inner


def _second(x: Tensor) -> Tensor:
    """Second differences along rows, then along columns: noise, and little else."""
    along = x[..., :-2] - 2 * x[..., 1:-1] + x[..., 2:]
    result: Tensor = along[..., :-2, :] - 2 * along[..., 1:-1, :] + along[..., 2:, :]
    return result


def _energy(x: Tensor) -> Tensor:
    result: Tensor = x.square().mean((1, 2, 3)) + _NOTHING
    return result


def _gradients(x: Tensor) -> Tensor:
    across, down = x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
    result: Tensor = across.square().mean((1, 2, 3)) + down.square().mean((1, 2, 3))
    return result


def _blocks(x: Tensor) -> Tensor:
    """Means over blocks of 8 pixels a side: (N, rows, columns)."""
    rows, columns = (n // _BLOCK for n in x.shape[-2:])
    whole = x[..., : rows * _BLOCK, : columns * _BLOCK]
    return whole.reshape(-1, rows, _BLOCK, columns, _BLOCK).mean((2, 4))


def _leaning(level: Tensor) -> list[Tensor]:
    """How steps between pixels go with the steps 1 to 4 pixels on: over all, then in blocks."""
    import torch

    whole, local = [], []
    far = _LAGS[-1]
    for x in (level, level.transpose(2, 3)):
        step = x[..., 1:] - x[..., :-1]
        near = step[..., :-far]
        own = _blocks(near.square())
        for lag in _LAGS:
            both = _blocks(near * step[..., lag : step.shape[-1] - far + lag])
            whole.append(both.mean((1, 2)) / (own.mean((1, 2)) + _NOTHING))
            local.append((both / (own + _ROUNDING)).clamp(-1, 1).mean((1, 2)))
    n = len(_LAGS)
    pairs = zip([*whole[:n], *local[:n]], [*whole[n:], *local[n:]], strict=True)
    return [torch.atanh(0.98 * ((a + b) / 2).clamp(-1, 1)) for a, b in pairs]


def _regular(grey: Tensor) -> list[Tensor]:
    """For each period how much of the Laplacian, and of the steps, returns with it."""
    laplacian = _laplacian(grey)
    across = (grey[..., 1:] - grey[..., :-1]).abs().mean(2)[:, 0]
    down = (grey[..., 1:, :] - grey[..., :-1, :]).abs().mean(3)[:, 0]
    found = []
    for period in _PERIODS:
        found.append(_grid(laplacian, period))
        found.append((_beat(across, period) + _beat(down, period)) / 2)
    return found


def _grid(laplacian: Tensor, period: int) -> Tensor:
    """The share of the Laplacian's energy that returns in every tile of `period` pixels."""
    import torch

    rows, columns = (n // period for n in laplacian.shape[-2:])
    tiles = laplacian[..., : rows * period, : columns * period]
    tile = tiles.reshape(-1, rows, period, columns, period).mean((1, 3))
    return torch.log(tile.square().mean((1, 2)) / _energy(tiles) + 1e-3)


def _beat(profile: Tensor, period: int) -> Tensor:
    """How much the steps between pixels at one place of `period` exceed the mean."""
    import torch

    count = profile.shape[1] // period
    phases = profile[:, : count * period].reshape(-1, count, period).mean(1) + 1e-3
    return torch.log(phases.amax(1) / phases.mean(1))
