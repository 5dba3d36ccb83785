"""srqa-nr: which of several outputs of one picture looks best, without a reference.

A picture is looked at in windows of 192 pixels. Of each window AlexNet's five taps are pooled to
means and deviations, and some statistics of sharpness, noise, grids and blocks are added; a small
head, trained on outputs of super-resolution networks and on artefacts in steps, makes a number of
them. The score is the mean over windows.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from srqa.errors import InputError, UsageError
from srqa.files import replacing
from srqa.images.arrays import Planes, Value, as_batch, constant, unbatch
from srqa.metrics import features
from srqa.metrics.networks import ALEXNET
from srqa.metrics.spec import MetricSpec
from srqa.weights.tensors import pack

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor
else:
    Tensor = Any

SIDE = 192
"""Pixels a side of a window: of the crops that the head was trained on."""
MIN_SIDE = 64
"""The shortest side of a picture; one shorter than a window is a window of its own."""
_WINDOWS = 16
"""Windows that go through the network together."""
_SCALES = 3
_PERIODS = (2, 3, 4, 8)
"""Pixels after which the grids of upscalers and the blocks of codecs return."""
_NOTHING = 1e-6
"""Energy that no eye sees: a quarter of a level, squared."""
MEASURED = 21
"""Numbers of `describe` that come of no network; they are the last."""
_LENGTH = 2 * sum(s.channels for s in ALEXNET.steps if s.operation == "conv") + MEASURED


FORM = 1
"""Of a head's file, and of what `describe` gives."""
_FAR = 8.0
"""Deviations beyond which a number is no more taken at its word."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Makes a score of what `describe` gives.

    The score is 100 / (1 + exp(-(w . z + offset))), where z are the numbers less `centre` over
    `scale`, cut to 8 deviations, and averaged over windows.

    Attributes:
        centre, scale, weight: (d,).
        offset: one number.
        card: how it was trained and how well, as text.
    """

    centre: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    offset: float
    card: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, described: Tensor) -> Tensor:
        """The sums w . z of descriptions (n, d), in float64: (n,)."""
        import torch

        centre, scale, weight = (
            torch.from_numpy(x).to(described) for x in (self.centre, self.scale, self.weight)
        )
        z = ((described - centre) / scale).clamp(-_FAR, _FAR)
        result: Tensor = z @ weight
        return result

    def score(self, sums: Tensor) -> Tensor:
        """Scores of sums w . z, from 0 to 100."""
        import torch

        return 100 * torch.sigmoid(sums + self.offset)

    def save(self, path: Path) -> None:
        """Write it as safetensors.

        Raises:
            OutputError: it cannot be written.
        """
        arrays = {
            "centre": self.centre, "scale": self.scale, "weight": self.weight,
            "offset": np.array([self.offset], np.float32),
        }  # fmt: skip
        with replacing(path) as temporary:
            temporary.write_bytes(pack(arrays, {**self.card, "srqa-nr": str(FORM)}))


def read_head(path: Path) -> Head:
    """A head from its file.

    Raises:
        UsageError: there is no such file.
        InputError: it is no head, or one of another form.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise UsageError(
            f"There is no file {path} of a head for srqa-nr.", "`srqa train nr` makes one."
        )
    try:
        with safe_open(path, "np") as file:
            card = dict(file.metadata() or {})
            if (form := card.pop("srqa-nr", "")) != str(FORM):
                raise InputError(
                    f"{path} is no head for srqa-nr" + (f" of form {FORM}." if form else "."),
                    "`srqa train nr` makes one.",
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        parts = [arrays[name] for name in ("centre", "scale", "weight")]
        offset = float(arrays["offset"][0])
    except (OSError, SafetensorError, KeyError, IndexError) as error:
        raise InputError(f"{path} is no head for srqa-nr.", "`srqa train nr` makes one.") from error
    if any(x.shape != (_LENGTH,) or not np.isfinite(x).all() for x in parts) or (
        not math.isfinite(offset) or (parts[1] <= 0).any()
    ):
        raise InputError(f"{path} is damaged: its numbers make no head.")
    centre, scale, weight = parts
    return Head(centre, scale, weight, offset, card)


def spec(path: str) -> MetricSpec:
    """What srqa knows of the score by a head, under the name ``srqa-nr:NAME@DIGITS``.

    Its function takes planes (3, H, W) of a picture or (N, 3, H, W) of a batch in [0, 1], of any
    size from 64 pixels a side, and gives 0 to 100, higher being better.

    Args:
        path: what `srqa train nr` wrote.

    Raises:
        UsageError: there is no such file.
        InputError: it is no head.
    """
    head = read_head(Path(path))
    digits = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]

    def score(planes: Planes) -> Value:
        return _score(head, planes)

    return MetricSpec(
        name=f"srqa-nr:{Path(path).stem}@{digits}",
        function=score,
        summary="which of several outputs of one content looks best, learned without people",
        kind="nr",
        crop="none",
        bounds=(0.0, 100.0),
        min_side=MIN_SIDE,
        whole="windows of 192 pixels are laid over the whole picture",
        weights=(ALEXNET.weights,),
        settings=(
            "windows of 192 pixels, evenly laid and as few as cover the picture; AlexNet's five "
            "taps pooled to means and deviations, with sharpness, noise, grids and blocks; linear "
            f"head {digits}; logistic curve to 0..100"
        ),
        paper="trained by `srqa train nr`, 2026",
        guidance=(
            "For choosing among outputs of one content: higher is what LPIPS, HaarPSI and FSIMc "
            "would put first if they had the reference. Do not compare different contents by it, "
            "nor take invented detail for true; what a head is worth stands in its card."
        ),
    )


def _score(head: Head, planes: Planes) -> Value:
    import torch

    batch = as_batch(planes)
    with features.running(batch):
        cuts = windows(*(int(n) for n in batch.shape[-2:]))
        together = max(_WINDOWS // len(batch), 1)
        total: Any = 0.0
        for start in range(0, len(cuts), together):
            some = [batch[..., rows, columns] for rows, columns in cuts[start : start + together]]
            sums = head(describe(torch.cat(some)))
            total = total + sums.double().view(len(some), len(batch)).sum(0)
        return unbatch(head.score(total / len(cuts)), planes)


def describe(planes: Planes) -> Tensor:
    """What the head sees of pictures of one size, no larger than a window.

    Args:
        planes: (N, 3, H, W) in [0, 1].

    Returns:
        (N, 2325) float32: logarithms of the means and deviations of AlexNet's taps, then of the
        statistics of `_measured`.
    """
    import torch

    batch = as_batch(planes).float()
    with features.running(batch):
        pooled = []
        for tap in features.maps(ALEXNET, batch, ALEXNET.taps):
            flat = tap.permute(0, 2, 3, 1).flatten(1, 2).float()  # as it lies in memory
            mean = flat.mean(1)
            spread = (flat - mean[:, None]).square().mean(1)
            pooled += [torch.log(mean + 0.01), 0.5 * torch.log(spread + 1e-4)]
        return torch.cat([*pooled, _measured(batch)], 1)


def _measured(batch: Tensor) -> Tensor:
    """Sharpness at three scales, noise, colour, grids and blocks: (N, 21)."""
    import torch
    import torch.nn.functional as F

    weights = constant((0.299, 0.587, 0.114), batch.dtype, batch.device)
    grey = (batch * weights[:, None, None]).sum(1, keepdim=True)
    found: list[Tensor] = []
    level = grey
    for scale in range(_SCALES):
        if scale:
            level = F.avg_pool2d(level, 2)
        laplacian = _laplacian(level)
        energy = laplacian.square().mean((1, 2, 3)) + _NOTHING
        found += [
            torch.log(energy),
            torch.log(_gradients(level) + _NOTHING),
            torch.log((laplacian.abs().mean((1, 2, 3)) + 1e-3) / energy.sqrt()),
        ]
    noise = F.avg_pool2d(_second(grey).abs(), 8).flatten(1)
    found += [torch.log(noise.quantile(share, 1) + 1e-3) for share in (0.1, 0.5)]
    colour = batch[:, ::2] - grey
    found += [
        torch.log(_gradients(colour) + _NOTHING),
        torch.log(_laplacian(colour).square().mean((1, 2, 3)) + _NOTHING),
    ]
    laplacian = _laplacian(grey)
    across = (grey[..., 1:] - grey[..., :-1]).abs().mean(2)[:, 0]
    down = (grey[..., 1:, :] - grey[..., :-1, :]).abs().mean(3)[:, 0]
    for period in _PERIODS:
        found.append(_grid(laplacian, period))
        found.append((_beat(across, period) + _beat(down, period)) / 2)
    return torch.stack(found, 1)


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


def _gradients(x: Tensor) -> Tensor:
    across, down = x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
    result: Tensor = across.square().mean((1, 2, 3)) + down.square().mean((1, 2, 3))
    return result


def _grid(laplacian: Tensor, period: int) -> Tensor:
    """The share of the Laplacian's energy that returns in every tile of `period` pixels."""
    import torch

    rows, columns = (n // period for n in laplacian.shape[-2:])
    tiles = laplacian[..., : rows * period, : columns * period]
    tile = tiles.reshape(-1, rows, period, columns, period).mean((1, 3))
    energy = tiles.square().mean((1, 2, 3)) + _NOTHING
    return torch.log(tile.square().mean((1, 2)) / energy + 1e-3)


def _beat(profile: Tensor, period: int) -> Tensor:
    """How much the steps between pixels at one place of `period` exceed the mean."""
    import torch

    count = profile.shape[1] // period
    phases = profile[:, : count * period].reshape(-1, count, period).mean(1) + 1e-3
    return torch.log(phases.amax(1) / phases.mean(1))


def windows(height: int, width: int) -> list[tuple[slice, slice]]:
    """Windows of 192 pixels a side, as few and as evenly laid as cover a picture.

    Example:
        >>> [(rows.start, columns.start) for rows, columns in windows(192, 400)]
        [(0, 0), (0, 104), (0, 208)]
    """
    rows, columns = _spread(height), _spread(width)
    return [(row, column) for row in rows for column in columns]


def _spread(side: int) -> list[slice]:
    count = math.ceil(side / SIDE)
    room = max(side - SIDE, 0)
    starts = (round(room * at / max(count - 1, 1)) for at in range(count))
    return [slice(start, min(start + SIDE, side)) for start in starts]
