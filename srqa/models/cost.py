"""What a model costs: parameters, multiply-adds, memory. Counted on a small picture as it runs."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srqa.models.upscaler import Upscaler

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 64
"""Of the picture that is counted on, where the model does not ask for more."""
HD = (720, 1280)
"""The output for which papers of efficient super-resolution give multiply-adds."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one pass of a model costs.

    Attributes:
        parameters: trained numbers; 0 without a network.
        multiply_adds: of convolutions and matrix products, for each pixel of the input; other
            operations are not counted, as papers do not.
        memory: bytes that tensors take at most at one time besides the parameters, for each pixel
            of the input.
    """

    parameters: int
    multiply_adds: float
    memory: float

    def multiply_adds_hd(self, scale: float) -> float:
        """Multiply-adds for an output of 1280x720 pixels."""
        return self.multiply_adds * HD[0] * HD[1] / scale**2


def count(upscaler: Upscaler, scale: float, device: str = "cpu") -> Cost:
    """Run a small picture through a model and count.

    Args:
        upscaler: its module must be on `device`.
        scale: one that it can.
        device: where to run.

    Example:
        >>> from srqa.models.classical import METHODS
        >>> count(METHODS["bicubic"](), 2).parameters
        0
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    side = max(SIDE, upscaler.min_side)
    side += -side % upscaler.multiple
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, upscaler.channels or 3, side, side, generator=generator).to(device)
    with (
        torch.no_grad(),
        FlopCounterMode(display=False) as products,
        _living(picture, upscaler) as tensors,
    ):
        upscaler.run(picture, scale)
    parameters = sum(p.numel() for p in upscaler.module.parameters()) if upscaler.module else 0
    pixels = side * side
    return Cost(parameters, products.get_total_flops() / 2 / pixels, tensors.most / pixels)


def _living(picture: Tensor, upscaler: Upscaler) -> Any:
    """A mode in which the bytes of the tensors that operations make are counted while they live."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    module = upscaler.module
    standing = [*module.parameters(), *module.buffers()] if module else []

    class Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.now = self.most = picture.untyped_storage().nbytes()
            self._known = {x.untyped_storage()._cdata for x in (picture, *standing)}

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            for leaf in tree_leaves(result):
                if isinstance(leaf, torch.Tensor) and leaf.layout == torch.strided:
                    self._count(leaf.untyped_storage())
            return result

        def _count(self, storage: Any) -> None:
            key, size = storage._cdata, storage.nbytes()
            if key in self._known:
                return
            self._known.add(key)
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._gone, key, size).atexit = False

        def _gone(self, key: int, size: int) -> None:
            self._known.discard(key)
            self.now -= size

    return Living()
