"""Several processes, each with its part of every batch, started by torchrun.

Gradients are averaged over the processes after each backward pass, in one message; that equals one
process with the whole batch, but for batch normalisation, whose statistics each process has of its
own part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from srqa.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Group:
    """Which process of how many this is.

    Attributes:
        rank: from 0; only 0 writes and speaks.
        size: of all of them.
        device: what this one computes on.
    """

    rank: int
    size: int
    device: str

    def part(self, batch: int) -> tuple[int, int]:
        """First and last (left out) of a batch's examples that are this process's.

        Raises:
            UsageError: the batch does not fall into equal parts.

        >>> Group(1, 2, "cpu").part(16)
        (8, 16)
        """
        if batch % self.size:
            raise UsageError(f"A batch of {batch} does not fall into {self.size} equal parts.")
        each = batch // self.size
        return self.rank * each, (self.rank + 1) * each

    def average(self, module: nn.Module, facts: Sequence[Tensor] = ()) -> list[Tensor]:
        """Average gradients, and some numbers beside them, over all processes.

        Args:
            module: whose gradients are averaged where they are.
            facts: scalars.

        Returns:
            The scalars' averages.
        """
        import torch
        from torch import distributed

        if self.size == 1:
            return list(facts)
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        parts = [g.reshape(-1).float() for g in gradients]
        message = torch.cat([*parts, *(fact.detach().reshape(1).float() for fact in facts)])
        distributed.all_reduce(message)
        message /= self.size
        at = 0
        for gradient in gradients:
            count = gradient.numel()
            gradient.copy_(message[at : at + count].view_as(gradient))
            at += count
        return list(message[at:])


@contextmanager
def processes(device: str) -> Iterator[Group]:
    """This process and those beside it, as torchrun's environment says.

    Args:
        device: as `srqa.devices.choose_device` gives it; each process takes a GPU of its own.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group(0, 1, device)
        return
    import torch
    from torch import distributed

    on_gpu = device.startswith("cuda")
    if on_gpu:
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Group(distributed.get_rank(), size, device)
    finally:
        distributed.destroy_process_group()
