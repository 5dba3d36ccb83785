"""A tiny network is trained for 50 steps with each loss, and the loss falls."""

import pytest
import torch
from torch import nn

from srqa.images.resize import imresize
from srqa.losses import Adversarial, parse

STEPS = 50


class Tiny(nn.Module):
    """The bicubic enlargement and what three convolutions add to it; x2."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 12, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, lr):
        return imresize(lr, 2) + self.layers(lr)


@pytest.fixture
def patches(photograph):
    """(hr, lr) of two photographs: 8 patches of 48 x 48."""
    whole = [torch.from_numpy(photograph(name, 192, 208)) for name in ("astronaut", "coffee")]
    corners = [(y, x) for y in (20, 100) for x in (30, 120)]
    hr = torch.stack([p[:, y : y + 48, x : x + 48] for p in whole for y, x in corners])
    return hr, imresize(hr, 0.5)


def trained(text, hr, lr, mask=None):
    """The terms' values before each step, and the network after the last."""
    torch.manual_seed(0)
    network, objective = Tiny(), parse(text, 2)
    mover = torch.optim.Adam(network.parameters(), lr=1e-3)
    adversarial = objective.adversarial
    if adversarial is not None:
        judge = torch.optim.Adam(adversarial.discriminator.parameters(), lr=1e-3)
    history = []
    for _ in range(STEPS):
        sr = network(lr)
        terms = objective(sr, hr, lr, mask)
        mover.zero_grad()
        terms.total.backward()
        mover.step()
        if adversarial is not None:
            judge.zero_grad()
            loss = adversarial.discriminator_loss(sr, hr)
            loss.backward()
            judge.step()
            assert loss.isfinite()
        assert all(value.isfinite() for value in terms.values())
        history.append({name: float(value) for name, value in terms.items()})
    return history, network


QUICK = ["l1", "l2", "charbonnier", "edge:l2", "tv", "cycle:l2", "mask:l2", "ssim"]
SLOW = ["content:relu2_2", "content:relu3_3:mse", "content:relu1_2:l1", "texture:relu2_2",
        "texture:relu2_2:mse", "lpips", "lpips-vgg", "dists", "vif"]  # fmt: skip


@pytest.mark.parametrize(
    "text", [*QUICK, *(pytest.param(text, marks=pytest.mark.slow) for text in SLOW)]
)
def test_each_loss_falls(text, weights, patches):
    hr, lr = patches
    mask = torch.zeros(8, 1, 48, 48)
    mask[..., 12:36, 12:36] = 1
    history, _ = trained(text, hr, lr, mask if text.startswith("mask") else None)
    first, last = (sum(step[text] for step in part) / 5 for part in (history[:5], history[-5:]))
    assert last < first - 0.03 * abs(first)


KINDS = ("vanilla", "lsgan", "wgan-gp", "ragan")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("judge", ["srgan:side=48", "patch"])
def test_beside_a_discriminator_pixels_are_learned(kind, judge, patches):
    history, _ = trained(f"l1 + 0.001*gan:{kind}:{judge}:features=4", *patches)
    assert history[-1]["l1"] < 0.5 * history[0]["l1"]


class Judge(nn.Module):
    """Of pictures of one pixel."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.LeakyReLU(0.2),
            nn.Linear(16, 1),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x[:, 0, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_finds_the_references_by_its_discriminator_alone(kind):
    """References are 0.7 and noise, outputs theta and such noise: theta must come to 0.7.

    A critic whose slope is bound to 1 turns round only when the outputs have gone by some 2 times
    the penalty's weight too far: hence the small weight.
    """
    torch.manual_seed(0)
    adversarial = Adversarial(kind, Judge(), penalty=0.1)
    theta = torch.zeros(1, requires_grad=True)
    mover = torch.optim.Adam([theta], lr=0.01, betas=(0.5, 0.9))
    judge = torch.optim.Adam(adversarial.discriminator.parameters(), lr=0.01, betas=(0.5, 0.9))
    places = []
    for _ in range(400):
        hr = 0.7 + 0.2 * torch.randn(64, 1, 1, 1)
        sr = theta + 0.2 * torch.randn(64, 1, 1, 1)
        mover.zero_grad()
        adversarial.generator_loss(sr, hr).backward()
        mover.step()
        judge.zero_grad()
        adversarial.discriminator_loss(sr, hr).backward()
        judge.step()
        places.append(float(theta.detach()))
    assert sum(places[-200:]) / 200 == pytest.approx(0.7, abs=0.1)
