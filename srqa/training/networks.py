"""Networks that can be trained, by the names of the zoo, with the sizes of their papers."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srqa.errors import UsageError

if TYPE_CHECKING:
    from srqa.models.networks import Network


@dataclass(frozen=True, slots=True)
class Trainable:
    """A network that can be trained.

    Attributes:
        name: what users type.
        scales: that it can be built for; None for any whole number from 2.
        options: its sizes, with the values of the paper.
        rate: the learning rate of Adam that suits it.
        make: the network, from the scale and the options.
    """

    name: str
    scales: tuple[int, ...] | None
    options: Mapping[str, int]
    rate: float
    make: Callable[..., Network]


def _fsrcnn(scale: int, *, d: int, s: int, m: int, channels: int) -> Network:
    from srqa.models.networks.fsrcnn import FSRCNN

    return FSRCNN(channels, d, s, m)


def _espcn(scale: int, *, first: int, second: int, channels: int) -> Network:
    from srqa.models.networks.espcn import ESPCN

    return ESPCN(scale, channels, (first, second))


def _srcnn(scale: int, *, middle: int, first: int, second: int, channels: int) -> Network:
    from srqa.models.networks.srcnn import SRCNN

    return SRCNN(channels, (9, middle, 5), (first, second))


def _vdsr(scale: int, *, depth: int, features: int, channels: int) -> Network:
    from srqa.models.networks.vdsr import VDSR

    return VDSR(channels, depth, features)


def _lapsrn(scale: int, *, depth: int, features: int, channels: int) -> Network:
    from srqa.models.networks.lapsrn import LapSRN

    return LapSRN(scale.bit_length() - 1, depth, channels, features)


def _edsr(scale: int, *, blocks: int, features: int, normalised: int) -> Network:
    from srqa.models.networks.edsr import EDSR

    return EDSR(scale, blocks, features, normalised=bool(normalised))


def _srresnet(scale: int, *, blocks: int, features: int) -> Network:
    from srqa.models.networks.srresnet import SRResNet

    return SRResNet(scale, blocks, features)


def _msrresnet(scale: int, *, blocks: int, features: int, channels: int) -> Network:
    from srqa.models.networks.srresnet import MSRResNet

    return MSRResNet(scale, blocks, features, channels)


def _imdn(scale: int, *, blocks: int, features: int, channels: int) -> Network:
    from srqa.models.networks.imdn import IMDN

    return IMDN(scale, features, blocks, channels)


TRAINABLE: tuple[Trainable, ...] = (
    Trainable("srcnn", None, {"middle": 5, "first": 64, "second": 32, "channels": 1}, 5e-4, _srcnn),
    Trainable("vdsr", None, {"depth": 20, "features": 64, "channels": 1}, 1e-4, _vdsr),
    Trainable("fsrcnn", (2, 3, 4), {"d": 56, "s": 12, "m": 4, "channels": 1}, 1e-3, _fsrcnn),
    Trainable("espcn", None, {"first": 64, "second": 32, "channels": 1}, 1e-3, _espcn),
    Trainable("lapsrn", (2, 4, 8), {"depth": 10, "features": 64, "channels": 1}, 1e-4, _lapsrn),
    Trainable("edsr", (2, 3, 4, 8), {"blocks": 16, "features": 64, "normalised": 0}, 2e-4, _edsr),
    Trainable("srresnet", (2, 4, 8), {"blocks": 16, "features": 64}, 2e-4, _srresnet),
    Trainable(
        "msrresnet", (2, 3, 4), {"blocks": 16, "features": 64, "channels": 3}, 2e-4, _msrresnet
    ),
    Trainable("imdn", None, {"blocks": 6, "features": 64, "channels": 3}, 2e-4, _imdn),
)
"""In the order of their years."""


def trainable(name: str) -> Trainable:
    """A network that can be trained, by its name.

    Raises:
        UsageError: there is none of that name.

    Example:
        >>> dict(trainable("espcn").options)
        {'first': 64, 'second': 32, 'channels': 1}
    """
    known = {one.name: one for one in TRAINABLE}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"There is no network {name!r} to train; there are {', '.join(known)}.", hint
        )
    return known[name]


def build(name: str, scale: int, options: Mapping[str, Any] | None = None) -> Network:
    """An untrained network, with weights as torch's global generator draws them.

    Args:
        name: of `TRAINABLE`.
        scale: what it will enlarge by.
        options: sizes that shall be otherwise than in the paper.

    Raises:
        UsageError: there is no such network or option, or it cannot be had at that scale or size.

    Example:
        >>> sum(p.numel() for p in build("fsrcnn", 2, {"d": 32, "s": 5, "m": 1}).parameters())
        4123
    """
    found = trainable(name)
    if scale < 2 or (found.scales is not None and scale not in found.scales):
        can = " or ".join(map(str, found.scales or ("any whole number from 2",)))
        raise UsageError(f"{name} can be trained for {can}, not for {scale}.")
    sizes = dict(found.options)
    for option, value in (options or {}).items():
        if option not in sizes:
            raise UsageError(f"{name} has no option {option!r}; it has {', '.join(sizes)}.")
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 4096:
            raise UsageError(f"{option} of {name} is a whole number from 1, not {value!r}.")
        sizes[option] = value
    if sizes.get("channels", 3) not in (1, 3):
        raise UsageError(f"channels is 1 (Y) or 3 (RGB), not {sizes['channels']}.")
    return found.make(scale, **sizes)
