"""A model that is ready to run, by its name in the zoo or from a checkpoint."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from srqa.errors import UsageError, WeightsError
from srqa.models.cards import ModelCard, card
from srqa.models.upscaler import Upscaler

if TYPE_CHECKING:
    from torch import Tensor

    from srqa.weights.store import Progress


def load(
    name: str = "",
    scale: float | None = None,
    *,
    weights: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Upscaler:
    """A model that is ready to run, on the CPU.

    Args:
        name: a model of the zoo, as in `srqa models list`. With `weights` it may be left out; if it
            is a network of the zoo, the checkpoint must be one of its architecture.
        scale: what it is to enlarge by; None takes the largest scale that it has weights for. The
            checkpoints of FSRCNN are alike for all scales: theirs is read from "x3" in the file's
            name, if it is there.
        weights: a checkpoint of the user's own, whose architecture is recognised.
        offline: fetch nothing.
        progress: called with (what is going on, bytes done, bytes in all or None) while fetching.

    Returns:
        The upscaler. Its ``module`` may be moved to a device or to half precision.

    Raises:
        UsageError: there is no such model, or it cannot do that scale.
        WeightsError: the weights cannot be had, or are no network that srqa knows.
        InputError: there is no such checkpoint.

    Example:
        >>> import torch
        >>> load("bicubic").run(torch.rand(1, 3, 10, 12), 3.5).shape
        torch.Size([1, 3, 35, 42])
    """
    if weights is not None:
        return _from_file(weights, name, scale)
    entry = card(name)
    if entry.kind == "classical":
        from srqa.models.classical import METHODS

        found = METHODS[name]()
    else:
        found = _from_zoo(entry, scale, offline, progress)
    check_scale(found, scale)
    return found


def check_scale(upscaler: Upscaler, scale: float | None) -> None:
    """Refuse a scale that a model cannot do.

    Raises:
        UsageError: it cannot; the message says what it can.
    """
    if scale is None or upscaler.scales is None or scale in upscaler.scales:
        return
    can = _either(upscaler.scales)
    raise UsageError(
        f"{upscaler.name} enlarges by {can}, not by {scale:g}.",
        hint="--outscale brings its result to another size; classical methods such as bicubic do "
        "any scale.",
    )


def _either(scales: tuple[int, ...]) -> str:
    words = [str(scale) for scale in scales]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _from_zoo(
    entry: ModelCard, scale: float | None, offline: bool, progress: Progress | None
) -> Upscaler:
    import srqa.weights
    from srqa.models import checkpoint, recognition

    if not entry.weights:
        raise WeightsError(
            f"The weights of {entry.name} lie at no fixed address, so srqa cannot fetch them.",
            hint=f"They are published at {entry.where}; with the file: --model {entry.name} "
            "--weights FILE.",
        )
    wanted = entry.default if scale is None else scale
    if not entry.file(wanted):
        raise UsageError(
            f"{entry.name} enlarges by {_either(entry.scales or ())}, not by {wanted:g}.",
            hint="--outscale brings its result to another size; classical methods such as bicubic "
            "do any scale.",
        )
    file = entry.file(wanted)
    srqa.weights.pull([file], progress, offline=offline)
    if srqa.weights.get(file).reader == "raw":
        state = checkpoint.read(srqa.weights.path(file, offline=True))
    else:
        state = checkpoint.tensors(srqa.weights.load(file))
    found = recognition.upscaler(recognition.recognise(state, file), entry.name)
    if getattr(found.module, "ambiguous", False):
        found = replace(found, scales=(int(wanted),))
    return _as_carded(found, entry)


def _as_carded(found: Upscaler, entry: ModelCard) -> Upscaler:
    """The halo as it was measured for these very weights, and the scales that the card promises."""
    found = replace(found, halo=entry.halo, inexact=entry.inexact)
    if not entry.shrinks or found.scales is None or found.module is None:
        return found
    own, module = found.scales[0], found.module

    def run(pictures: Tensor, scale: float) -> Tensor:
        from torch.nn.functional import interpolate

        if scale == own:
            return found.run(pictures, scale)
        large = module(pictures)  # not clipped: that comes last
        return interpolate(large, scale_factor=scale / own, mode="bicubic", align_corners=False)

    return replace(found, scales=entry.scales, run=run)


def _from_file(path: Path, name: str, scale: float | None) -> Upscaler:
    from srqa.models import checkpoint, recognition
    from srqa.models.cards import cards

    state = checkpoint.read(path)
    checkpoint.check_finite(state, str(path))
    descriptor = recognition.recognise(state, str(path))
    entry = next((entry for entry in cards() if entry.name == name), None)
    kind = descriptor.architecture.id
    if entry and entry.architecture != kind:
        what = entry.architecture or "no network"
        raise UsageError(
            f"{path} is a checkpoint of {kind}, but {name} is {what}.",
            hint="Leave --model out: the architecture is recognised.",
        )
    found = recognition.upscaler(descriptor, name or path.stem)
    told = re.search(r"(?<!\d)(?:x(\d)|(\d)x)(?!\d)", path.stem.lower())
    if scale is None and told and getattr(found.module, "ambiguous", False):
        scales = tuple(s for s in found.scales or () if s == int(told[1] or told[2]))
        found = replace(found, scales=scales or found.scales)
    check_scale(found, scale)
    return found
