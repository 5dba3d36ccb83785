"""srqa-nr: which of several outputs of one picture looks best, without a reference.

A picture is looked at in windows of about 192 pixels a side. Of each window AlexNet's five taps are
pooled to means and deviations, and statistics of sharpness, noise, grids and blocks are added; a
small head, trained on outputs of super-resolution networks and on artefacts in steps, makes a
number of them. The score is the mean over windows.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from srqa.errors import InputError, UsageError
from srqa.files import replacing
from srqa.images.arrays import Planes, Value, as_batch, unbatch
from srqa.metrics import features
from srqa.metrics.networks import ALEXNET
from srqa.metrics.spec import MetricSpec
from srqa.metrics.srqa_nr_statistics import COUNT, statistics
from srqa.threads import each_on_tensors
from srqa.weights.tensors import pack

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor
else:
    Tensor = Any

T = TypeVar("T")

SIDE = 192
"""Pixels a side of a window, nearly: of the crops that the head was trained on."""
MIN_SIDE = 64
"""The shortest side of a picture."""
_WINDOWS = 16
"""Windows that go through the network together, where threads share a map or gradients flow."""
_PART = 12
"""Windows of a part at most, of which a thread of the CPU takes one after another."""
_LENGTH = 2 * sum(s.channels for s in ALEXNET.steps if s.operation == "conv") + COUNT
FORM = 2
"""Of a head's file, and of what `describe` gives."""
_FAR = 8.0
"""Deviations beyond which a number is no more taken at its word."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Makes a score of what `describe` gives.

    The score is 100 / (1 + exp(-(w . b + offset))), averaged over windows before the exponential,
    where b is what `bent` makes of the numbers less `centre` over `scale`, cut to 8 deviations.

    Attributes:
        centre, scale: (d,).
        knots: (k, 63), where the weights of statistics may change.
        weight: (d + 63 k,).
        offset: one number.
        card: how it was trained and how well, as text.
    """

    centre: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    knots: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    offset: float
    card: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, described: Tensor) -> Tensor:
        """The sums w . b of descriptions (n, d): (n,)."""
        import torch

        centre, scale, knots, weight = (
            torch.from_numpy(x).to(described)
            for x in (self.centre, self.scale, self.knots, self.weight)
        )
        result: Tensor = bent(standard(described, centre, scale), knots) @ weight
        return result

    def score(self, sums: Tensor) -> Tensor:
        """Scores of sums w . b, from 0 to 100."""
        import torch

        return 100 * torch.sigmoid(sums + self.offset)

    def save(self, path: Path) -> None:
        """Write it as safetensors.

        Raises:
            OutputError: it cannot be written.
        """
        arrays = {
            "centre": self.centre, "scale": self.scale, "knots": self.knots,
            "weight": self.weight, "offset": np.array([self.offset], np.float32),
        }  # fmt: skip
        with replacing(path) as temporary:
            temporary.write_bytes(pack(arrays, {**self.card, "srqa-nr": str(FORM)}))


def standard(described: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
    """Descriptions less `centre` over `scale`, no more than 8 deviations from it."""
    return ((described - centre) / scale).clamp(-_FAR, _FAR)


def bent(z: Tensor, knots: Tensor) -> Tensor:
    """Standard descriptions (n, d), and how far each statistic is above each of its knots.

    So a sum with weights is a broken line of each statistic, and can have sharpness rise a score up
    to what photographs have, and lower it beyond.

    Returns:
        (n, d + 63 k).
    """
    import torch

    above = (z[:, None, -COUNT:] - knots).relu()
    return torch.cat([z, above.flatten(1)], 1)


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
        centre, scale, knots, weight = (
            arrays[name] for name in ("centre", "scale", "knots", "weight")
        )
        offset = float(arrays["offset"][0])
    except (OSError, SafetensorError, KeyError, IndexError) as error:
        raise InputError(f"{path} is no head for srqa-nr.", "`srqa train nr` makes one.") from error
    shapes = (x.shape for x in (centre, scale, knots, weight))
    right = ((_LENGTH,), (_LENGTH,), (len(knots), COUNT), (_LENGTH + knots.size,))
    numbers = np.concatenate([centre, scale, knots.ravel(), weight, [offset]])
    if tuple(shapes) != right or not np.isfinite(numbers).all() or (scale <= 0).any():
        raise InputError(f"{path} is damaged: its numbers make no head.")
    return Head(centre, scale, knots, weight, offset, card)


def score(planes: Planes) -> Value:
    """By the head that travels with srqa, from 0 to 100, higher being better.

    Args:
        planes: (3, H, W) of a picture or (N, 3, H, W) of a batch in [0, 1], from 64 pixels a side.

    Returns:
        A float for an array, a float64 tensor (N,) for a batch; gradients flow.
    """
    return _score(_shipped(), planes)


@lru_cache(maxsize=1)
def _shipped() -> Head:
    return read_head(Path(__file__).parent / "data" / "srqa-nr.safetensors")


def spec(path: str) -> MetricSpec:
    """What srqa knows of the score by a head of one's own, ``srqa-nr:NAME@DIGITS``.

    Args:
        path: what `srqa train nr` wrote.

    Raises:
        UsageError: there is no such file.
        InputError: it is no head.
    """
    from srqa.metrics.registry import get

    head = read_head(Path(path))
    digits = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]

    def own(planes: Planes) -> Value:
        return _score(head, planes)

    shipped = get("srqa-nr")
    return replace(
        shipped,
        name=f"srqa-nr:{Path(path).stem}@{digits}",
        function=own,
        weights_licence="",
        settings=f"{shipped.settings}; head {digits}",
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

        def sums(some: Sequence[tuple[slice, slice]]) -> Tensor:
            part = torch.cat([batch[..., rows, columns] for rows, columns in some])
            return head(describe(part)).double().view(len(some), len(batch)).sum(0)

        if features.on_cpu(batch) and not torch.is_grad_enabled():
            parts = _parts(cuts, max(_PART // len(batch), 1), torch.get_num_threads())
            settings = [copy_context() for _ in parts]  # a thread has its own
            found = each_on_tensors(
                lambda one: one[0].run(sums, one[1]), list(zip(settings, parts, strict=True))
            )
        else:
            found = [sums(part) for part in _parts(cuts, max(_WINDOWS // len(batch), 1))]
        return unbatch(head.score(torch.stack(found).sum(0) / len(cuts)), planes)


def _parts(cuts: Sequence[T], most: int, threads: int = 1) -> list[Sequence[T]]:
    """Nearly equal parts, of no more than `most`, as many for each thread."""
    count = min(threads * math.ceil(len(cuts) / (threads * most)), len(cuts))
    ends = [round(len(cuts) * k / count) for k in range(count + 1)]
    return [cuts[start:end] for start, end in pairwise(ends)]


def describe(planes: Planes) -> Tensor:
    """What the head sees of pictures of one size, no larger than a window.

    Args:
        planes: (N, 3, H, W) in [0, 1].

    Returns:
        (N, 2367) float32: logarithms of the means and deviations of AlexNet's taps, then the
        `statistics` of `srqa.metrics.srqa_nr_statistics`.
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
        return torch.cat([*pooled, statistics(batch)], 1)


def windows(height: int, width: int) -> list[tuple[slice, slice]]:
    """Windows of one size, of about 192 pixels a side, that share out a picture.

    Example:
        >>> [(rows.stop, columns.start, columns.stop) for rows, columns in windows(192, 401)]
        [(192, 0, 201), (192, 200, 401)]
    """
    rows, columns = _spread(height), _spread(width)
    return [(row, column) for row in rows for column in columns]


def _spread(side: int) -> list[slice]:
    count = max(round(side / SIDE), 1)
    length = math.ceil(side / count)
    starts = (round((side - length) * at / max(count - 1, 1)) for at in range(count))
    return [slice(start, start + length) for start in starts]
