"""A step with a discriminator, on networks so small that the answer is known."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from srqa.losses import parse
from srqa.training.parallel import Group
from srqa.training.settings import Settings
from srqa.training.state import State
from srqa.training.step import Step

RATE = 0.01


class Times(nn.Module):
    """Enlarges by the nearest pixel and multiplies by a."""

    channels = 3

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(0.5))

    def enlarge(self, pictures, scale):
        return self.a * pictures.repeat_interleave(scale, 2).repeat_interleave(scale, 3)


class Mean(nn.Module):
    """C(x) = w mean(x) + b."""

    def __init__(self, w, b):
        super().__init__()
        self.w, self.b = nn.Parameter(torch.tensor(w)), nn.Parameter(torch.tensor(b))

    def forward(self, x):
        return self.w * x.mean((1, 2, 3))[:, None] + self.b


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def toy(w, b):
    objective = parse("gan:vanilla", 2)
    objective.adversarial.discriminator = Mean(w, b)
    network = Times()
    optimisers = {
        module: (
            torch.optim.SGD(module.parameters(), RATE),
            torch.amp.GradScaler("cuda", enabled=False),
        )
        for module in (network, objective.adversarial)
    }
    settings = Settings("espcn", 2, ("x",), rate=RATE, schedule="constant")
    return SimpleNamespace(
        settings=settings, network=network, objective=objective, optimisers=optimisers,
        steps=0, sums={}, summed=0, follow=lambda: None,
    )  # fmt: skip


@pytest.mark.parametrize(("w", "b"), [(2.0, -0.3), (-1.5, 0.8)])
def test_both_updates_are_those_of_the_formulas(w, b):
    """SGD on -log S(C(sr)), then on -log S(C(hr)) - log(1 - S(C(sr))) with the old network's sr."""
    now = toy(w, b)
    low, high = torch.full((2, 3, 4, 4), 0.6), torch.full((2, 3, 8, 8), 0.9)
    assert Step(Group(0, 1, "cpu"), mixed=False)(now, (low, high), stopping=False) is False
    fake, real = w * 0.5 * 0.6 + b, w * 0.9 + b
    a = 0.5 + RATE * sigmoid(-fake) * w * 0.6
    w_slope = -sigmoid(-real) * 0.9 + sigmoid(fake) * 0.3
    b_slope = -sigmoid(-real) + sigmoid(fake)
    judge = now.objective.adversarial.discriminator
    assert now.network.a.item() == pytest.approx(a, abs=1e-6)
    assert judge.w.item() == pytest.approx(w - RATE * w_slope, abs=1e-6)
    assert judge.b.item() == pytest.approx(b - RATE * b_slope, abs=1e-6)
    assert now.sums["total"] == pytest.approx(-math.log(sigmoid(fake)), abs=1e-6)
    expected = -math.log(sigmoid(real)) - math.log(sigmoid(-fake))
    assert now.sums["discriminator"] == pytest.approx(expected, abs=1e-6)
    assert now.steps == now.summed == 1


def test_adam_is_the_papers():
    """Two steps on l2 by hand: Kingma and Ba, Algorithm 1."""
    settings = Settings("espcn", 2, ("x",), options={"first": 2, "second": 2}, loss="l2",
                        schedule="constant", rate=RATE, ema=0)  # fmt: skip
    now = State(settings, "cpu", mixed=False)
    step = Step(Group(0, 1, "cpu"), mixed=False)
    generator = torch.Generator().manual_seed(0)
    low, high = (torch.rand(2, 1, side, side, generator=generator) for side in (6, 12))
    values = {n: p.detach().double() for n, p in now.network.named_parameters()}
    first = {n: torch.zeros_like(v) for n, v in values.items()}
    second = {n: torch.zeros_like(v) for n, v in values.items()}
    for t in (1, 2):
        loss = (now.network.enlarge(low, 2) - high).square().mean()
        named = dict(now.network.named_parameters())
        slopes = dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))
        for n, slope in slopes.items():
            first[n] = 0.9 * first[n] + 0.1 * slope
            second[n] = 0.999 * second[n] + 0.001 * slope.double() ** 2
            hats = first[n] / (1 - 0.9**t), second[n] / (1 - 0.999**t)
            values[n] = values[n] - RATE * hats[0] / (hats[1].sqrt() + 1e-8)
        step(now, (low, high), stopping=False)
        for n, p in now.network.named_parameters():
            torch.testing.assert_close(p.detach().double(), values[n], rtol=1e-4, atol=1e-5)
