"""`parse` and `Objective`: the sum, what is watched, what it needs, what does not fit."""

import copy

import pytest
import torch

import srqa.losses
from srqa.errors import MismatchError, NotApplicableError, UsageError
from srqa.losses import Adversarial, Objective, Terms, parse, pixel
from srqa.losses.discriminators import PatchDiscriminator, SrganDiscriminator


@pytest.fixture
def trio(batches):
    """Outputs that want gradients, references, inputs at x2; float32."""

    def make(height=32, width=40, channels=3):
        sr, hr = (x.float() for x in batches(height, width, channels))
        return sr.requires_grad_(), hr, hr[..., ::2, ::2].contiguous()

    return make


def test_the_sum(trio):
    sr, hr, lr = trio()
    objective = parse("l1 + 0.5*l2 + 2*tv + cycle:l2 + 3*edge", scale=2)
    found = objective(sr, hr, lr)
    expected = {
        "l1": pixel.l1(sr, hr),
        "l2": pixel.l2(sr, hr),
        "tv": pixel.total_variation(sr),
        "cycle:l2": pixel.cycle(sr, lr, "l2"),
        "edge": pixel.edge(sr, hr),
    }
    assert list(found) == list(expected)
    assert dict(found) == {name: value.detach() for name, value in expected.items()}
    weights = (1, 0.5, 2, 1, 3)
    total = sum(w * v for w, v in zip(weights, expected.values(), strict=True))
    assert torch.allclose(found.total, total)
    (ours,) = torch.autograd.grad(found.total, sr)
    (theirs,) = torch.autograd.grad(total, sr)
    assert torch.allclose(ours, theirs)
    assert not any(value.requires_grad for value in found.values())


def test_a_term_of_weight_0_is_watched(trio):
    sr, hr, lr = trio()
    alone, watching = parse("l2", 2)(sr, hr, lr), parse("0*tv + l2 + 0*l1", 2)(sr, hr, lr)
    assert list(watching) == ["tv", "l2", "l1"]
    assert float(watching["l1"]) == float(pixel.l1(sr, hr).detach())
    assert float(watching.total.detach()) == float(alone.total.detach())
    (ours,) = torch.autograd.grad(watching.total, sr)
    (theirs,) = torch.autograd.grad(alone.total, sr)
    assert torch.equal(ours, theirs)


def test_maps_that_are_watched_too_still_have_gradients(weights, trio):
    sr, hr, lr = trio()
    alone = parse("content:relu2_2:mse", 2)(sr, hr, lr).total
    both = parse("0*content:relu1_2 + content:relu2_2:mse", 2)(sr, hr, lr).total
    (ours,) = torch.autograd.grad(both, sr)
    (theirs,) = torch.autograd.grad(alone, sr)
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-8)


def test_nothing_is_learned_where_no_gradient_is_asked_for(trio):
    with torch.no_grad():
        found = parse("l1 + 0.1*gan:patch:features=2", 2)(*trio())
    assert not found.total.requires_grad


def test_a_mask(trio):
    sr, hr, lr = trio()
    objective = parse("l1 + mask:l2", 2)
    mask = torch.zeros(2, 1, 32, 40)
    mask[..., :5] = 1
    assert objective.needs_mask
    found = objective(sr, hr, lr, mask)
    assert float(found["mask:l2"]) == float(pixel.masked(sr, hr, mask, "l2").detach())
    with pytest.raises(UsageError, match="term mask, which takes weights of pixels"):
        objective(sr, hr, lr)
    with pytest.raises(UsageError, match="l1 has no term mask"):
        parse("l1", 2)(sr, hr, lr, mask)


def test_the_discriminator(trio):
    objective = parse("l1 + 0.1*gan:ragan:features=4:side=32", 2)
    assert isinstance(objective.adversarial, Adversarial)
    assert isinstance(objective.adversarial.discriminator, SrganDiscriminator)
    assert objective.adversarial.discriminator.places == 2
    assert parse("l1", 2).adversarial is None
    sr, hr, lr = trio()
    objective.eval()  # batch normalisation then gives the same twice
    found = objective(sr, hr, lr)
    again = objective.adversarial.generator_loss(sr, hr)
    assert float(found["gan:ragan:features=4:side=32"]) == float(again.detach())
    assert objective.adversarial.discriminator_loss(sr, hr).requires_grad


@pytest.mark.parametrize(("kind", "normalised"), [("wgan-gp", False), ("ragan", True)])
def test_a_penalty_on_single_pictures_forbids_batch_normalisation(kind, normalised):
    for name in ("srgan", "patch"):
        judge = parse(f"gan:{kind}:{name}:features=2", 2).adversarial.discriminator
        assert normalised == any(isinstance(m, torch.nn.BatchNorm2d) for m in judge.modules())


def test_options_reach_the_discriminator():
    adversarial = parse("gan:wgan-gp:patch:features=3:penalty=2.5", 2).adversarial
    assert isinstance(adversarial.discriminator, PatchDiscriminator)
    assert adversarial.discriminator.layers[0].out_channels == 3
    assert (adversarial.kind, adversarial.penalty) == ("wgan-gp", 2.5)


def test_the_seed_decides_the_discriminator():
    def made(seed):
        torch.manual_seed(seed)
        return parse("gan:patch:features=2", 4).state_dict()

    first, again, other = made(1), made(1), made(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_state_holds_the_discriminator_alone(trio):
    objective = parse("l1 + content + 0.1*gan:patch:features=2", 2)
    state = objective.state_dict()
    assert {name.split(".")[1] for name in state} == {"discriminator"}
    other = parse(objective.text, 2)
    other.load_state_dict(copy.deepcopy(state))
    sr, hr, _ = trio()
    pair = [o.adversarial.eval().generator_loss(sr, hr).item() for o in (objective, other)]
    assert pair[0] == pair[1]


def test_what_it_needs():
    objective = parse("l1 + content:relu4_3 + 0*dists + lpips-vgg + ssim", 2)
    assert objective.weight_files == ("lpips-vgg", "dists")
    assert objective.min_side == 16
    assert parse("l1", 2).min_side == 1
    assert parse("l1 + tv", 2).min_side == 2
    assert parse("edge", 2).min_side == 3
    assert parse("ssim", 2).min_side == 11
    assert parse("l1 + gan", 2).min_side == 32


@pytest.mark.parametrize(
    "text",
    ["tv", "edge", "ssim", "content:relu4_3", "texture:relu3_1", "gan:features=2", "lpips"],
)
def test_the_least_side_is_enough_and_one_less_is_not(text, weights):
    objective = parse(text, 1)
    side = objective.min_side
    hr = torch.rand(2, 3, side, side)
    assert objective(hr, hr * 0.9, hr).total.isfinite()
    if side > 3:
        small = hr[..., 1:]
        with pytest.raises(NotApplicableError, match="is too small for"):
            objective(small, small, small)


@pytest.mark.parametrize("text", ["l1", "edge", "tv", "ssim", "content:relu2_2", "gan:features=2"])
def test_grey_pictures(text, weights, trio):
    found = parse(text, 2)(*trio(channels=1))
    assert found.total.isfinite()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_narrow_numbers_are_widened(dtype, weights, trio):
    sr, hr, lr = (x.detach().to(dtype) for x in trio())
    sr.requires_grad_()
    found = parse("l1 + ssim + 0.1*content:relu2_2 + cycle + tv + edge + charbonnier", 2)(
        sr, hr, lr
    )
    found.total.backward()
    assert found.total.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert sr.grad.isfinite().all()
    assert sr.grad.dtype == dtype


def test_all_is_float32_under_autocast(weights, trio):
    sr, hr, lr = trio()
    objective = parse("content:relu2_2 + texture:relu2_2 + lpips + ssim + cycle + edge", 2)
    expected = objective(sr, hr, lr)
    with torch.autocast("cpu", torch.bfloat16):
        found = objective(sr, hr, lr)
    assert {k: float(v) for k, v in found.items()} == {k: float(v) for k, v in expected.items()}


@pytest.mark.parametrize(
    ("sr", "hr", "lr"),
    [
        ((2, 3, 32, 32), (2, 3, 32, 30), (2, 3, 16, 16)),
        ((2, 3, 32, 32), (1, 3, 32, 32), (2, 3, 16, 16)),
        ((2, 3, 32, 32), (2, 1, 32, 32), (2, 3, 16, 16)),
        ((2, 4, 32, 32), (2, 4, 32, 32), (2, 4, 16, 16)),
        ((3, 32, 32), (3, 32, 32), (3, 16, 16)),
        ((2, 3, 32, 32), (2, 3, 32, 32), (2, 3, 8, 8)),
        ((2, 3, 32, 32), (2, 3, 32, 32), (2, 1, 16, 16)),
    ],
)
def test_shapes_that_do_not_fit(sr, hr, lr):
    with pytest.raises(MismatchError):
        parse("l1", 2)(*map(torch.rand, (sr, hr, lr)))


@pytest.mark.parametrize("scale", [0, 0.5, -2, float("nan"), float("inf")])
def test_odd_scales(scale):
    with pytest.raises(UsageError, match="scale of at least 1"):
        parse("l1", scale)


def test_bad_text_makes_no_objective():
    with pytest.raises(UsageError, match="no loss term 'contant'"):
        parse("l1 + contant", 4)


def test_the_public_face():
    assert set(srqa.losses.__all__) <= set(dir(srqa.losses))
    assert [getattr(srqa.losses, name).__name__ for name in ("Objective", "Terms")] == [
        Objective.__name__,
        Terms.__name__,
    ]
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = srqa.losses.nope
    assert "l1 + 0.1*tv" in repr(parse("l1+0.1*tv", 4))
