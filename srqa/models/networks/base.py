"""What our own networks share, and how they join spandrel's recognition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spandrel import Architecture, ImageModelDescriptor, SizeRequirements
from torch import Tensor, nn

State = Mapping[str, Tensor]
"""A checkpoint's tensors by their names."""


class Network(nn.Module):
    """A network for super-resolution.

    ``forward`` is what is trained; ``enlarge`` is what an `Upscaler` runs.

    Attributes:
        scales: the scales that it can; None for any real number.
        channels: of the pictures that it takes: 3 for RGB, 1 for the plane Y.
        halo: pixels of the input on each side that an output pixel depends on, its receptive field,
            at the smallest scale; None for all of the picture.
        inexact: why tiles change the result in spite of the halo, see `Upscaler`.
        multiple: input sides must be multiples of it.
        min_side: the shortest side of an input.
        ambiguous: whether a checkpoint was trained for one of the scales and does not say which.
        supports_half: whether half precision is known to be safe.
    """

    scales: tuple[int, ...] | None
    channels: int
    halo: int | None
    inexact: ClassVar[str] = ""
    multiple: ClassVar[int] = 1
    min_side: ClassVar[int] = 1
    ambiguous: ClassVar[bool] = False
    supports_half: ClassVar[bool] = True

    def enlarge(self, pictures: Tensor, scale: float) -> Tensor:
        """Pictures (N, channels, h, w) in [0, 1] at a scale that it can."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Design:
    """One of our architectures and how a checkpoint of it is recognised.

    Attributes:
        name: of the architecture.
        detect: whether a checkpoint is one of it.
        build: the network for a checkpoint, whose hyperparameters are read from it, and the
            checkpoint with the network's own names. May raise anything if the checkpoint is none.
    """

    name: str
    detect: Callable[[State], bool]
    build: Callable[[State], tuple[Network, State]]


class Own(Architecture[Network]):  # type: ignore[misc]  # spandrel has no types
    """A `Design` as spandrel's registry takes it."""

    def __init__(self, design: Design) -> None:
        super().__init__(id=design.name, detect=design.detect)
        self._build = design.build

    def load(self, state_dict: Any) -> ImageModelDescriptor[Network]:
        """The network with the numbers of a checkpoint."""
        network, state = self._build(state_dict)
        scale = max(network.scales or (1,))
        return ImageModelDescriptor(
            network,
            dict(state),
            architecture=self,
            purpose="SR",
            tags=[],
            supports_half=network.supports_half,
            supports_bfloat16=True,
            scale=scale,
            input_channels=network.channels,
            output_channels=network.channels,
            size_requirements=SizeRequirements(network.min_side, network.multiple),
            call_fn=lambda model, pictures: model.enlarge(pictures, scale),
        )


def has(*names: str) -> Callable[[State], bool]:
    """A `Design.detect` that asks for tensors of all these names."""
    return lambda state: all(name in state for name in names)


def count(state: State, prefix: str) -> int:
    """How many members ``PREFIX.0``, ``PREFIX.1``, ... a checkpoint has, gaps included.

    >>> count({"body.0.weight": 1, "body.2.weight": 2}, "body")
    3
    """
    starts = (name[len(prefix) + 1 :] for name in state if name.startswith(f"{prefix}."))
    numbers = [int(start.split(".")[0]) for start in starts if start.split(".")[0].isdigit()]
    return max(numbers, default=-1) + 1


def renamed(state: State, rename: Callable[[str], str]) -> dict[str, Tensor]:
    """A checkpoint with other names."""
    return {rename(name): tensor for name, tensor in state.items()}
