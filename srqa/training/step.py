"""One step: an update of the network, and one of the discriminator where there is one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from srqa.errors import SrqaError
from srqa.training import state
from srqa.training.parallel import Group
from srqa.training.state import State

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from srqa.training.batches import Batch


class DivergedError(SrqaError):
    """A loss or a weight is NaN or infinite: the training went astray."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a training.

    Attributes:
        group: the processes that share it.
        mixed: half precision where it is safe.
    """

    group: Group
    mixed: bool

    def __call__(self, now: State, batch: Batch, stopping: bool) -> bool:
        """Take a step.

        Args:
            now: what is changed.
            batch: this process's part.
            stopping: this process was asked to stop.

        Returns:
            Whether any process was asked to stop.

        Raises:
            DivergedError: a term was NaN or infinite; nothing was changed by it.
        """
        import torch

        settings, device = now.settings, self.group.device
        torch.manual_seed(state.number(settings.seed, f"step {now.steps} of {self.group.rank}"))
        low, high = (
            planes.to(device, non_blocking=True, memory_format=torch.channels_last)
            for planes in batch
        )
        now.network.train()
        with self._autocast():
            made = now.network.enlarge(low, settings.scale)
        terms = now.objective(made.float(), high, low)
        facts = {**terms, "total": terms.total.detach(), "stop": low.new_tensor(float(stopping))}
        values = self._update(now, now.network, terms.total, facts)
        stop = values.pop("stop") > 0
        if (adversarial := now.objective.adversarial) is not None:
            with self._autocast():
                loss = adversarial.discriminator_loss(made.float(), high)
            values |= self._update(now, adversarial, loss, {"discriminator": loss.detach()})
        now.steps += 1
        now.follow()
        for name, value in values.items():
            now.sums[name] = now.sums.get(name, 0.0) + value
        now.summed += 1
        return stop

    def _autocast(self) -> torch.autocast:
        import torch

        kind = self.group.device.partition(":")[0]
        return torch.autocast(kind, torch.float16 if self.mixed else None, enabled=self.mixed)

    def _update(
        self, now: State, module: nn.Module, loss: Tensor, facts: Mapping[str, Tensor]
    ) -> dict[str, float]:
        """Backward and a step of the module's optimiser; the facts' means over the processes."""
        optimiser, scaler = now.optimisers[module]
        for group in optimiser.param_groups:
            group["lr"] = now.settings.rate_at(now.steps)
        optimiser.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        means = self.group.average(module, list(facts.values()))
        values = {name: float(mean) for name, mean in zip(facts, means, strict=True)}
        for name, value in values.items():
            if not math.isfinite(value):
                raise DivergedError(
                    f"The loss's term {name} was {value} at step {now.steps + 1}.",
                    "A smaller --rate or another loss may help.",
                )
        scaler.step(optimiser)
        scaler.update()
        return values
