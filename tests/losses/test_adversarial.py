"""Adversarial losses: both sides' formulas, one step of each side by hand, the penalty's slopes."""

import numpy as np
import pytest
import torch
from oracle import losses as slow
from torch import nn

from srqa.errors import MismatchError, NotApplicableError
from srqa.losses import parse
from srqa.losses.adversarial import Adversarial
from srqa.losses.discriminators import PatchDiscriminator, SrganDiscriminator

KINDS = ("vanilla", "lsgan", "wgan-gp", "ragan")


class Linear(nn.Module):
    """C(x) = w * mean(x) + b."""

    def __init__(self, w, b):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(float(w), dtype=torch.double))
        self.b = nn.Parameter(torch.tensor(float(b), dtype=torch.double))

    def forward(self, x):
        return self.w * x.mean((1, 2, 3)) + self.b


class Generator(nn.Module):
    """Pictures of 2 x 2 pixels, all of them theta * z."""

    def __init__(self, theta):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(float(theta), dtype=torch.double))

    def forward(self, z):
        return (self.theta * z)[:, None, None, None].expand(-1, 1, 2, 2)


THETA, W, B, RATE, PENALTY = 0.7, 1.3, -0.2, 0.1, 10.0
Z = np.array([0.2, 0.9, 0.5])
Y = np.array([0.6, 0.1, 0.8])


def slopes_by_hand(kind):
    """d generator / d theta, d discriminator / d w, d discriminator / d b, derived on paper.

    c = w theta z + b is said of outputs, r = w y + b of references; s is the sigmoid, whose
    softplus has the slope s(x) dx.
    """
    s = slow.sigmoid
    c, r = W * THETA * Z + B, W * Y + B
    if kind == "vanilla":
        return (
            np.mean(-s(-c) * W * Z),
            np.mean(-s(-r) * Y) + np.mean(s(c) * THETA * Z),
            np.mean(-s(-r)) + np.mean(s(c)),
        )
    if kind == "lsgan":
        return (
            np.mean(2 * (c - 1) * W * Z),
            np.mean(2 * (r - 1) * Y) + np.mean(2 * c * THETA * Z),
            np.mean(2 * (r - 1)) + np.mean(2 * c),
        )
    if kind == "wgan-gp":
        # each of the 4 pixels has the slope w / 4, so their length is |w| / 2 wherever x lies
        return (
            -np.mean(W * Z),
            np.mean(THETA * Z) - np.mean(Y) + PENALTY * 2 * (abs(W) / 2 - 1) / 2,
            0.0,
        )
    return (
        np.mean(-s(r.mean() - c) * W * Z) + np.mean(s(r - c.mean())) * -W * Z.mean(),
        np.mean(s(c.mean() - r) * (THETA * Z.mean() - Y))
        + np.mean(s(c - r.mean()) * (THETA * Z - Y.mean())),
        0.0,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_of_both_sides_is_what_was_derived_by_hand(kind):
    generator, judge = Generator(THETA), Linear(W, B)
    adversarial = Adversarial(kind, judge, PENALTY)
    movers = [torch.optim.SGD(m.parameters(), lr=RATE) for m in (generator, judge)]
    sr = generator(torch.from_numpy(Z))
    hr = torch.from_numpy(Y)[:, None, None, None].expand(-1, 1, 2, 2)

    adversarial.generator_loss(sr, hr).backward()
    assert judge.w.grad is None
    assert judge.b.grad is None
    movers[0].step()
    slope, of_w, of_b = slopes_by_hand(kind)
    assert float(generator.theta.detach()) == pytest.approx(THETA - RATE * slope, rel=1e-12)
    assert (float(judge.w.detach()), float(judge.b.detach())) == (W, B)

    generator.theta.grad = None
    adversarial.discriminator_loss(sr, hr).backward()
    assert generator.theta.grad is None
    movers[1].step()
    assert float(judge.w.detach()) == pytest.approx(W - RATE * of_w, rel=1e-12)
    assert float(judge.b.detach()) == pytest.approx(B - RATE * of_b, abs=1e-15, rel=1e-12)
    assert min(abs(slope), abs(of_w)) > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_equal_the_slow_version(kind, rng):
    """On maps of a patch discriminator, whose places count as pictures do."""
    said = {}
    judge = nn.Module()
    judge.forward = lambda x: said["real" if x.mean() > 0.5 else "fake"]
    real, fake = (torch.from_numpy(rng.normal(0, 2, (3, 1, 4, 5))) for _ in range(2))
    said |= {"real": real, "fake": fake}
    adversarial = Adversarial(kind, judge, penalty=0.0)
    sr, hr = torch.zeros(3, 3, 8, 8), torch.ones(3, 3, 8, 8)
    expected = slow.adversarial(kind, real.numpy(), fake.numpy())
    assert float(adversarial.discriminator_loss(sr, hr)) == pytest.approx(expected[0], rel=1e-12)
    assert float(adversarial.generator_loss(sr, hr)) == pytest.approx(expected[1], rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sure_discriminator_gives_no_infinity(kind):
    adversarial = Adversarial(kind, Linear(1e4, -5e3))
    sr = torch.zeros(2, 3, 4, 4, dtype=torch.double, requires_grad=True)
    hr = torch.ones(2, 3, 4, 4, dtype=torch.double)
    for loss in (adversarial.generator_loss(sr, hr), adversarial.discriminator_loss(sr, hr)):
        loss.backward()
        assert loss.isfinite()
    assert sr.grad.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [SrganDiscriminator, PatchDiscriminator])
def test_neither_side_leaves_gradients_on_the_other(kind, make):
    adversarial = Adversarial(kind, make(features=2, norm="layer"))
    scale = torch.ones((), requires_grad=True)
    sr, hr = scale * torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    adversarial.generator_loss(sr, hr).backward(retain_graph=True)
    judge = list(adversarial.discriminator.parameters())
    assert all(p.grad is None and p.requires_grad for p in judge)
    assert scale.grad.abs() > 0
    scale.grad = None
    adversarial.discriminator_loss(sr, hr).backward()
    assert scale.grad is None
    assert all(p.grad is not None and p.grad.isfinite().all() for p in judge)


@pytest.mark.parametrize("kind", KINDS)
def test_generators_gradient_in_float64(kind, rng):
    adversarial = Adversarial(kind, PatchDiscriminator(1, "layer").double())
    sr, hr = (torch.from_numpy(rng.random((1, 1, 32, 32))) for _ in range(2))
    direction = torch.from_numpy(rng.normal(0, 1, sr.shape))

    def along(t):
        return adversarial.generator_loss(sr + t * direction, hr)

    assert torch.autograd.gradcheck(along, (torch.zeros((), dtype=torch.double).requires_grad_(),))


class Quadratic(nn.Module):
    """C(x) = a |x|^2 / 2, whose gradient is a x."""

    def __init__(self, a):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.double))

    def forward(self, x):
        return self.a * x[:, :1].square().sum((1, 2, 3)) / 2


@pytest.mark.parametrize("a", [0.3, -2.0])
def test_the_penalty_and_its_slope_by_hand(a):
    """Between equal pictures x is known: (|a| |x| - 1)^2, with the slope 2 (|a| |x| - 1) |x| s."""
    judge = Quadratic(a)
    hr = torch.tensor([[[[0.3, 0.4]]], [[[0.0, 0.9]]]], dtype=torch.double)
    penalty = Adversarial("wgan-gp", judge).gradient_penalty(hr, hr)
    lengths = np.array([0.5, 0.9])
    assert float(penalty.detach()) == pytest.approx(np.mean((abs(a) * lengths - 1) ** 2))
    penalty.backward()
    slope = np.mean(2 * (abs(a) * lengths - 1) * lengths * np.sign(a))
    assert float(judge.a.grad) == pytest.approx(slope)


def test_the_penalty_has_a_second_derivative_at_all_numbers(rng):
    """Finite differences of the whole discriminator's loss, along each number's own direction."""
    torch.manual_seed(3)
    judge = PatchDiscriminator(1, "layer").double()
    adversarial = Adversarial("wgan-gp", judge)
    sr, hr = (torch.from_numpy(rng.random((2, 3, 32, 32))) for _ in range(2))

    def loss():
        torch.manual_seed(5)  # the same places between outputs and references
        return adversarial.discriminator_loss(sr, hr)

    loss().backward()
    step = 1e-6
    for name, parameter in judge.named_parameters():
        direction = torch.from_numpy(rng.normal(0, 1, parameter.shape))
        with torch.no_grad():
            parameter += step * direction
            above = float(loss().detach())
            parameter -= 2 * step * direction
            below = float(loss().detach())
            parameter += step * direction
        expected = float((parameter.grad * direction).sum())
        assert (above - below) / (2 * step) == pytest.approx(expected, rel=1e-4, abs=1e-7), name


def test_the_penalty_at_a_gradient_of_0():
    """A discriminator that says the same of all pictures: penalty 1, no NaN."""
    judge = PatchDiscriminator(2, "layer")
    for parameter in judge.parameters():
        nn.init.zeros_(parameter)
    hr = torch.rand(2, 3, 32, 32)
    penalty = Adversarial("wgan-gp", judge).gradient_penalty(hr, hr)
    penalty.backward()
    assert float(penalty.detach()) == 1.0
    assert all(p.grad is None or p.grad.isfinite().all() for p in judge.parameters())


def test_pictures_between_lie_at_places_of_their_own():
    seen = []

    class Watching(Quadratic):
        def forward(self, x):
            seen.append(x.detach())
            return super().forward(x)

    adversarial = Adversarial("wgan-gp", Watching(1.0))
    sr, hr = torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2)
    adversarial.gradient_penalty(sr, hr)
    (between,) = seen
    places = between[:, 0, 0, 0]
    assert torch.equal(between, places[:, None, None, None].expand_as(between))
    assert len(places.unique()) == 64
    assert 0 <= places.min() < 0.2
    assert 0.8 < places.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_grey_counts_as_three_equal_channels(kind):
    adversarial = Adversarial(kind, PatchDiscriminator(2), penalty=0.0).eval()
    sr, hr = torch.rand(2, 1, 32, 40), torch.rand(2, 1, 32, 40)
    coloured = [x.expand(-1, 3, -1, -1) for x in (sr, hr)]
    for side in (adversarial.generator_loss, adversarial.discriminator_loss):
        assert float(side(sr, hr).detach()) == pytest.approx(
            float(side(*coloured).detach()), rel=1e-6
        )


def test_the_penalty_is_of_the_samples_that_a_picture_has():
    """Grey pictures have a third of the samples; their slope is the sum over three channels."""
    adversarial = Adversarial("wgan-gp", Linear(1.3, 0))
    for channels in (1, 3):
        hr = torch.rand(2, channels, 4, 4, dtype=torch.double)
        length = 1.3 / (16 * channels) ** 0.5
        penalty = float(adversarial.gradient_penalty(hr, hr).detach())
        assert penalty == pytest.approx((length - 1) ** 2)


@pytest.mark.parametrize("text", ["gan", "gan:patch"])
def test_sizes_that_do_not_fit(text):
    adversarial = parse(f"{text}:features=2", 2).adversarial
    small, wide = torch.rand(1, 3, 31, 64), torch.rand(1, 3, 64, 64)
    for side in (adversarial.generator_loss, adversarial.discriminator_loss):
        with pytest.raises(
            NotApplicableError, match=r"64x31 .* too small for the discr.* 32 a side"
        ):
            side(small, small)
        with pytest.raises(MismatchError, match="differ in size"):
            side(small, wide)
        assert side(wide, wide).isfinite()


@pytest.mark.parametrize("kind", KINDS)
def test_under_autocast_losses_are_float32(kind):
    adversarial = parse(f"gan:{kind}:patch:features=4", 2).adversarial
    sr = torch.rand(2, 3, 32, 32, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        made = sr * 1.0
        generators = adversarial.generator_loss(made, torch.rand(2, 3, 32, 32))
        judges = adversarial.discriminator_loss(made, torch.rand(2, 3, 32, 32))
    assert generators.dtype == judges.dtype == torch.float32
    (generators + judges).backward()
    assert sr.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in adversarial.discriminator.parameters())
