"""Fitting the head: a logistic loss on pairs of one place, and folds that part photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from srqa.metrics.srqa_nr import Head, bent, standard
from srqa.metrics.srqa_nr_statistics import COUNT
from srqa.training.nr.guards import failed, held
from srqa.training.nr.pairs import Pairs, pairs
from srqa.training.nr.samples import Samples

if TYPE_CHECKING:
    import torch

DECAYS = (0.03, 0.1, 0.2, 0.4)
"""Of which cross-validation chooses: what the square of the weights costs."""
FOLDS = 7
_CHEAP = 1 / 100
"""What the weights of numbers that come of no network cost, against the thousands of the others."""
_DEEP, _DEAR = 2 * (256 + 256), 4
"""How many numbers come of AlexNet's last two taps, which tell rather what is shown than how; what
their weights cost more."""
_KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles at which the weight of a statistic may change."""
_ITERATIONS = 150
_LEAST_SPREAD = 0.02
"""Deviation below which a number is noise, within places."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The samples of a place, ready to be learned from."""

    photograph: str
    samples: Samples
    pairs: Pairs

    @staticmethod
    def of(photograph: str, samples: Samples) -> Judged:
        """With the pairs of its samples."""
        return Judged(photograph, samples, pairs(samples))


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """All pairs of several places, as tensors, over numbers that are brought to one scale and bent.

    Numbers are divided by their deviation within places: what differs between places alone, the
    content, says nothing of which sample is better.
    """

    places: Sequence[Judged]
    centre: torch.Tensor
    scale: torch.Tensor
    knots: torch.Tensor
    numbers: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor

    @staticmethod
    def of(places: Sequence[Judged]) -> Problem:
        """The problem that these places pose."""
        import torch

        described = [p.samples.described[p.samples.families != "guard"] for p in places]
        everything = np.concatenate(described)
        spread = np.mean([x.var(0) for x in described], axis=0) ** 0.5
        centre = torch.from_numpy(everything.mean(0))
        scale = torch.from_numpy(np.maximum(spread, _LEAST_SPREAD).astype(np.float32))
        z = standard(torch.from_numpy(everything), centre, scale)
        at = np.quantile(z[:, -COUNT:].numpy(), _KNOTS, axis=0).astype(np.float32)
        knots = torch.from_numpy(at)
        starts = np.cumsum([0, *(len(x) for x in described)])
        columns = [
            torch.from_numpy(
                np.concatenate(
                    [getattr(p.pairs, name) + (at if name in ("first", "second") else 0)
                     for p, at in zip(places, starts, strict=False)]
                )
            )
            for name in Pairs._fields
        ]  # fmt: skip
        first, second, target, weight = columns
        return Problem(
            places, centre, scale, knots, bent(z, knots), first, second,
            target.float(), weight.float() / len(places),
        )  # fmt: skip

    def solve(self, decay: float, start: torch.Tensor | None = None) -> torch.Tensor:
        """The weights (d,) of least loss, by L-BFGS, which has no chance in it."""
        import torch
        import torch.nn.functional as F

        size = self.numbers.shape[1]
        taps = len(self.centre) - self.knots.shape[1]
        cost = torch.full((size,), decay)
        cost[max(taps - _DEEP, 0) : taps] *= _DEAR
        cost[taps:] *= _CHEAP
        weights = (torch.zeros(size) if start is None else start.clone()).requires_grad_()
        optimiser = torch.optim.LBFGS(
            [weights], max_iter=_ITERATIONS, history_size=10, line_search_fn="strong_wolfe"
        )

        def loss() -> torch.Tensor:
            optimiser.zero_grad()
            sums = self.numbers @ weights
            each = F.binary_cross_entropy_with_logits(
                sums[self.first] - sums[self.second], self.target, reduction="none"
            )
            value: torch.Tensor = (each * self.weight).sum() + cost @ weights.square()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimiser.step(loss)  # type: ignore[no-untyped-call]
        return weights.detach()

    def head(self, weights: torch.Tensor) -> Head:
        """A head whose scores have a mean of about 50 and a deviation of about 25 here."""
        sums = self.numbers @ weights
        middle, spread = float(sums.mean()), float(sums.std()) or 1.0
        return Head(
            self.centre.numpy(),
            self.scale.numpy(),
            self.knots.numpy(),
            (weights / spread).numpy(),
            -middle / spread,
        )

    def sums(self, described: npt.NDArray[np.float32], weights: torch.Tensor) -> Any:
        """What these weights make of other descriptions."""
        import torch

        z = standard(torch.from_numpy(described), self.centre, self.scale)
        return (bent(z, self.knots) @ weights).numpy()


def folds(photographs: Sequence[str], seed: int, count: int = FOLDS) -> dict[str, int]:
    """To which fold each photograph belongs."""
    names = sorted(set(photographs))
    order = np.random.default_rng(seed).permutation(len(names))
    return {names[at]: place % min(count, len(names)) for place, at in enumerate(order)}


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Sums of every place, by a head that has not seen its photograph.

    Attributes:
        decay: what the square of the weights cost.
        loss: mean of the pairs' loss.
        sums: one array for each place.
    """

    decay: float
    loss: float
    sums: list[npt.NDArray[np.float32]]


def cross_validate(
    places: Sequence[Judged],
    seed: int = 0,
    decays: Sequence[float] = DECAYS,
    progress: Progress | None = None,
) -> Checked:
    """Try each decay on photographs left out, and keep the best head that all guards let pass.

    That is the one of least loss among those by which every guard holds at 95 % of places; where
    there is none, the one of least loss.
    """
    fold = folds([place.photograph for place in places], seed)
    count = max(fold.values()) + 1
    sums: dict[float, dict[int, Any]] = {decay: {} for decay in decays}
    for number in range(count):
        problem = Problem.of([p for p in places if fold[p.photograph] != number])
        weights = None
        for step, decay in enumerate(sorted(decays, reverse=True)):
            if progress:
                progress("Cross-validating", number * len(decays) + step, count * len(decays))
            weights = problem.solve(decay, weights)
            for at, place in enumerate(places):
                if fold[place.photograph] == number:
                    sums[decay][at] = problem.sums(place.samples.described, weights)
    tried = []
    for decay in decays:
        ordered = [sums[decay][at] for at in range(len(places))]
        losses = [_loss(p.pairs, s) for p, s in zip(places, ordered, strict=True)]
        tried.append(Checked(decay, float(np.mean(losses)), ordered))
    samples = [place.samples for place in places]
    sound = [one for one in tried if not failed(_shares(held(samples, one.sums)))]
    return min(sound or tried, key=lambda one: one.loss)


def _shares(found: Mapping[str, npt.NDArray[np.bool_]]) -> dict[str, float]:
    return {kind: float(each.mean()) for kind, each in found.items()}


def _loss(of: Pairs, sums: Any) -> float:
    apart = (sums[of.first] - sums[of.second]).astype(np.float64)
    each = np.logaddexp(0, apart) - of.target * apart
    return float((each * of.weight).sum())
