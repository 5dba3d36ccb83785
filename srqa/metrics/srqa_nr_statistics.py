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

    weights = constant((0.299, 0.587, 0.114), batch.dtype, batch.device)
    grey = torch.matmul(weights, batch.flatten(2)).view(-1, 1, *batch.shape[-2:])
    laplacians: list[Tensor] = []
    gradients: list[Tensor] = []
    free: list[Tensor] = []
    fine: list[Tensor] = []
    level = grey
    for scale in range(_SCALES):
        if scale:
            level = _half(level)
        steps, laplacian = _steps(level), _laplacian(level)
        squares = laplacian.square()
        energy = squares.mean((1, 2, 3)) + _NOTHING
        laplacians.append(torch.log(energy))
        gradients.append(torch.log(_energy(*steps) + _NOTHING))
        free.append(torch.log((laplacian.abs().mean((1, 2, 3)) + 1e-3) / energy.sqrt()))
        free.append(laplacians[-1] - gradients[-1])
        if scale:
            free.append(laplacians[-2] - laplacians[-1])
        else:
            fine = [*_regular(laplacian, squares, steps), _equal(steps[0])]
        if scale < _SPREAD:
            local = torch.log(_blocks(squares).flatten(1) + _NOTHING)
            free += [q - laplacians[-1] for q in _quantiles(local, _SHARES)]
        if scale < _LEANING:
            free += _leaning(steps)
    noise = _quantiles(_blocks(_second(grey).abs()).flatten(1), _SHARES[:2])
    noises = [torch.log(each + 1e-3) for each in noise]
    colour = batch[:, ::2] - grey
    colours = [_energy(*_steps(colour)), _energy(_laplacian(colour))]
    colours = [torch.log(each + _NOTHING) for each in colours]
    free += [*fine, noises[0] - 0.5 * laplacians[0]]
    return torch.stack([*laplacians, *gradients, *noises, *colours, *free], 1)


def _quantiles(x: Tensor, shares: tuple[float, ...]) -> list[Tensor]:
    """Of each row, without a step between two places."""
    ordered = x.sort(1).values
    return [ordered[:, round(share * (x.shape[1] - 1))] for share in shares]


def _laplacian(x: Tensor) -> Tensor:
    """Its four neighbours less four times the pixel, without a border."""
    found = x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
    found = found.add_(x[..., :-2, 1:-1]).add_(x[..., 2:, 1:-1])
    return found.sub_(x[..., 1:-1, 1:-1], alpha=4)


def _half(x: Tensor) -> Tensor:
    """Means of 2 x 2 pixels, an odd last row or column dropped: sooner than by avg_pool2d."""
    height, width = (n // 2 * 2 for n in x.shape[-2:])
    lines = x[..., :height:2, :width] + x[..., 1:height:2, :width]
    return (lines[..., ::2] + lines[..., 1::2]) / 4


def _second(x: Tensor) -> Tensor:
    """Second differences along rows, then along columns: noise, and little else."""
    along = x[..., :-2] - 2 * x[..., 1:-1] + x[..., 2:]
    result: Tensor = along[..., :-2, :] - 2 * along[..., 1:-1, :] + along[..., 2:, :]
    return result


def _steps(x: Tensor) -> tuple[Tensor, Tensor]:
    """From each pixel to the next, along rows and along columns."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def _energy(*parts: Tensor) -> Tensor:
    """The mean square of each part, summed."""
    import torch

    return torch.stack([part.square().mean((1, 2, 3)) for part in parts]).sum(0)


def _blocks(x: Tensor) -> Tensor:
    """Means over blocks of 8 pixels a side: (N, rows, columns)."""
    rows, columns = (n // _BLOCK for n in x.shape[-2:])
    lines = x[..., : rows * _BLOCK, :].reshape(-1, rows, _BLOCK, x.shape[-1]).sum(2)
    blocks: Tensor = lines[..., : columns * _BLOCK].reshape(-1, rows, columns, _BLOCK).sum(3)
    return blocks / _BLOCK**2


def _leaning(steps: tuple[Tensor, Tensor]) -> list[Tensor]:
    """How steps between pixels go with the steps 1 to 4 pixels on: over all, then in blocks."""
    import torch

    found: list[Tensor] = []
    far = _LAGS[-1]
    for step, dim in zip(steps, (3, 2), strict=True):
        length = step.shape[dim] - far
        near = step.narrow(dim, 0, length)
        own, *both = (_blocks(near * step.narrow(dim, lag, length)) for lag in (0, *_LAGS))
        pairs = torch.stack(both, 1)
        whole = pairs.mean((2, 3)) / (own.mean((1, 2))[:, None] + _NOTHING)
        local = (pairs / (own[:, None] + _ROUNDING)).clamp(-1, 1).mean((2, 3))
        found.append(torch.cat([whole, local], 1))
    mean = (found[0] + found[1]) / 2
    return list(torch.atanh(0.98 * mean.clamp(-1, 1)).unbind(1))


def _equal(across: Tensor) -> Tensor:
    """How many neighbours are nearly equal."""
    import torch

    return torch.log((1 / (1 + (255 * across).square())).mean((1, 2, 3)) + 0.01)


def _regular(laplacian: Tensor, squares: Tensor, steps: tuple[Tensor, Tensor]) -> list[Tensor]:
    """For each period how much of the Laplacian, and of the steps, returns with it."""
    across, down = steps[0].abs().mean(2)[:, 0], steps[1].abs().mean(3)[:, 0]
    found = []
    for period in _PERIODS:
        found.append(_grid(laplacian, squares, period))
        found.append((_beat(across, period) + _beat(down, period)) / 2)
    return found


def _grid(laplacian: Tensor, squares: Tensor, period: int) -> Tensor:
    """The share of the Laplacian's energy that returns in every tile of `period` pixels."""
    import torch

    rows, columns = (n // period for n in laplacian.shape[-2:])
    lines = laplacian[:, 0, : rows * period].reshape(-1, rows, period, laplacian.shape[-1]).sum(1)
    tile = lines[..., : columns * period].reshape(-1, period, columns, period).sum(2)
    tile = tile / (rows * columns)
    energy = squares[..., : rows * period, : columns * period].mean((1, 2, 3)) + _NOTHING
    return torch.log(tile.square().mean((1, 2)) / energy + 1e-3)


def _beat(profile: Tensor, period: int) -> Tensor:
    """How much the steps between pixels at one place of `period` exceed the mean."""
    import torch

    count = profile.shape[1] // period
    phases = profile[:, : count * period].reshape(-1, count, period).mean(1) + 1e-3
    return torch.log(phases.amax(1) / phases.mean(1))
