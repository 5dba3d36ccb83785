"""Losses on pixels: slow versions, gradients, equal pictures."""

import numpy as np
import pytest
import torch
from oracle import losses as slow

from srqa.errors import InputError, MismatchError
from srqa.images.resize import imresize
from srqa.losses import pixel

ERRORS = ("l1", "l2", "charbonnier")
CASES = {
    "l1": (pixel.l1, slow.l1),
    "l2": (pixel.l2, slow.l2),
    "charbonnier": (pixel.charbonnier, slow.charbonnier),
    "charbonnier-0.1": (
        lambda sr, hr: pixel.charbonnier(sr, hr, 0.1),
        slow.pixel_loss("charbonnier", epsilon=0.1),
    ),
    "tv": (lambda sr, hr: pixel.total_variation(sr), lambda sr, hr: slow.total_variation(sr)),
    **{
        f"edge-{error}": (
            lambda sr, hr, error=error: pixel.edge(sr, hr, 3.0, error),
            lambda sr, hr, error=error: slow.edge(sr, hr, strength=3.0, kind=error),
        )
        for error in ERRORS
    },
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_slow_version(name, channels, batches):
    ours, theirs = CASES[name]
    sr, hr = batches(10, 13, channels)
    assert float(ours(sr, hr)) == pytest.approx(theirs(sr, hr), rel=1e-12)
    single = float(ours(sr.float(), hr.float()))
    assert single == pytest.approx(theirs(sr, hr), rel=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_gradients(name, batches):
    sr, hr = batches(5, 6)
    assert torch.autograd.gradcheck(CASES[name][0], (sr.requires_grad_(), hr))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0, None])
def test_equal_pictures_have_a_finite_gradient(name, level, batches):
    _, hr = batches()
    hr = (hr if level is None else torch.full_like(hr, level)).float()
    sr = hr.clone().requires_grad_()
    value = CASES[name][0](sr, hr)
    value.backward()
    expected = {"charbonnier": 1e-3, "charbonnier-0.1": 0.1, "edge-charbonnier": 1e-3}
    if name != "tv" or level is not None:
        assert float(value.detach()) == pytest.approx(expected.get(name, 0.0), rel=1e-5)
        assert sr.grad.abs().max() == 0
    assert sr.grad.isfinite().all()


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("error", ERRORS)
def test_cycle_equals_the_slow_version(scale, error, batches):
    sr, hr = batches(12, 24)
    lr = imresize(hr, 1 / scale)
    expected = slow.cycle(sr.numpy(), lr.numpy(), scale, error)
    assert float(pixel.cycle(sr, lr, error)) == pytest.approx(expected, rel=1e-10)
    assert float(pixel.cycle(hr, lr, "l1")) == pytest.approx(0, abs=1e-15)


def test_cycles_gradient(batches):
    sr, hr = batches(8, 12)
    lr = imresize(hr, 0.5)
    assert torch.autograd.gradcheck(
        lambda x: pixel.cycle(x, lr, "charbonnier"), (sr.requires_grad_(),)
    )


@pytest.mark.parametrize("shape", [(2, 1), (2, 3), (1, 1), (1, 3)])
@pytest.mark.parametrize("error", ERRORS)
def test_masked_equals_the_slow_version(shape, error, batches, rng):
    sr, hr = batches(7, 9)
    mask = torch.from_numpy(rng.random((*shape, 7, 9)) * (rng.random((*shape, 7, 9)) > 0.5))
    whole = np.broadcast_to(mask, (2, shape[1], 7, 9))
    expected = slow.masked(sr, hr, whole, kind=error)
    assert float(pixel.masked(sr, hr, mask, error)) == pytest.approx(expected, rel=1e-12)
    assert torch.autograd.gradcheck(
        lambda x: pixel.masked(x, hr, mask, error), (sr.requires_grad_(),)
    )


def test_an_empty_mask_asks_for_nothing(batches):
    sr, hr = batches()
    value = pixel.masked(sr.requires_grad_(), hr, torch.zeros(2, 1, 12, 16))
    value.backward()
    assert float(value.detach()) == 0
    assert sr.grad.abs().max() == 0


def test_a_mask_of_booleans_chooses_pixels(batches):
    sr, hr = batches()
    mask = torch.zeros(1, 1, 12, 16, dtype=torch.bool)
    mask[..., 3:7, 2:9] = True
    expected = pixel.l1(sr[..., 3:7, 2:9], hr[..., 3:7, 2:9])
    assert float(pixel.masked(sr, hr, mask)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("shape", [(12, 16), (2, 1, 12, 15), (3, 1, 12, 16), (2, 2, 12, 16)])
def test_masks_that_do_not_fit(shape, batches):
    with pytest.raises(MismatchError, match=r"mask is \(.*does not fit pictures \(2, 3, 12, 16\)"):
        pixel.masked(*batches(), torch.ones(shape))


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
def test_masks_of_odd_weights(wrong, batches):
    mask = torch.ones(1, 1, 12, 16)
    mask[0, 0, 4, 4] = wrong
    with pytest.raises(InputError, match="negative, infinite or NaN"):
        pixel.masked(*batches(), mask)


def test_edges_weigh_what_they_say():
    """A step of grey: full weight on its two sides, none added elsewhere."""
    hr = torch.zeros(1, 3, 8, 8)
    hr[..., 4:] = 0.7
    weights = pixel.edge_weights(hr, 4.0)[0, 0]
    assert weights[3].tolist() == pytest.approx([1, 1, 1, 5, 5, 1, 1, 1])
    assert pixel.edge_weights(torch.full((1, 1, 8, 8), 0.3)).unique().tolist() == [1.0]


def test_edge_without_strength_is_the_plain_loss(batches):
    sr, hr = batches()
    assert float(pixel.edge(sr, hr, 0.0)) == pytest.approx(float(pixel.l1(sr, hr)), rel=1e-12)
