import io

import numpy as np
import pytest
from oracle.position import moved
from PIL import Image

from srqa.errors import NotApplicableError
from srqa.images.colour import luma
from srqa.images.resize import imresize
from srqa.metrics.registration import MIN_SIDE, growth, offset, shift

MOVES = [(0, 0), (0.5, 0.5), (1.5, 1.5), (-0.3, 0.7), (2.25, -3.4), (0.1, 0), (7.6, -5.2)]


@pytest.fixture(params=["astronaut", "coffee", "chelsea"])
def plane(request, photograph):
    return luma(photograph(request.param, 300, 420))[0].astype(np.float64)


def pair(plane, move):
    """A moved picture and its reference, both without the rim that a periodic move spoils."""
    return moved(plane, *move)[10:-10, 10:-10], plane[10:-10, 10:-10]


def jpeg(plane, quality):
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.clip(plane, 0, 1) * 255 + 0.5)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)) / 255


@pytest.mark.parametrize("move", MOVES)
def test_finds_moves_of_the_reference_itself(move, plane):
    a, b = pair(plane, move)
    assert offset(a[None], b[None]) == pytest.approx(move, abs=1e-3)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize(("damage", "limit"), [("none", 0.02), ("jpeg", 0.03), ("noise", 0.06)])
def test_finds_moves_of_bicubic_upscaling(move, damage, limit, plane, rng):
    a, b = pair(plane, move)
    a = imresize(imresize(a, 0.25), 4.0)
    if damage == "jpeg":
        a = jpeg(a, 30)
    elif damage == "noise":
        a = a + rng.normal(0, 0.05, a.shape)
    assert offset(a[None], b[None]) == pytest.approx(move, abs=limit)


def test_equal_pictures_do_not_move(plane):
    assert shift(plane[None], plane[None]) < 1e-9
    assert shift(0.5 * plane[None] + 0.2, plane[None]) < 1e-6


def test_sign(plane):
    down_right = np.roll(plane, (2, 3), (0, 1))
    assert offset(down_right[None], plane[None]) == pytest.approx((2, 3), abs=0.01)
    assert offset(plane[None], down_right[None]) == pytest.approx((-2, -3), abs=0.01)


def test_reveals_picking_every_fourth_pixel(plane):
    upscaled = imresize(plane[::4, ::4], 4.0)
    assert offset(upscaled[None], plane[None]) == pytest.approx((1.5, 1.5), abs=0.15)


@pytest.mark.parametrize("aligned", [True, False])
def test_reveals_aligned_corners(aligned, plane):
    import torch
    from torch.nn.functional import interpolate

    small = torch.tensor(imresize(plane, 0.25))[None, None]
    upscaled = interpolate(small, scale_factor=4, mode="bicubic", align_corners=aligned)[0].numpy()
    found = growth(upscaled, plane[None])
    assert min(found) > 1.5 if aligned else max(map(abs, found)) < 0.3
    assert shift(upscaled, plane[None]) < 0.25


def test_stripes_have_no_position_along_themselves():
    x = np.arange(64)
    a, b = (np.tile(np.sin((x - d) / 5), (64, 1))[None] for d in (0.5, 0))
    assert offset(a, b) == pytest.approx((0, 0.5), abs=1e-3)


@pytest.mark.parametrize("size", [(64, 64), (37, 101), (720, 300)])
@pytest.mark.parametrize("value", [0.0, 1 / 3, 1.0])
def test_flat_pictures_have_no_position(size, value, rng):
    flat = np.full((1, *size), value, np.float32)
    other = rng.random(flat.shape)
    for a, b in ((flat, flat), (flat, other), (other, flat)):
        with pytest.raises(NotApplicableError):
            shift(a, b)


@pytest.mark.parametrize("side", range(MIN_SIDE, MIN_SIDE + 6))
def test_smallest_pictures(side, plane):
    a, b = pair(plane, (0.5, 0.25))
    window = np.s_[None, 100 : 100 + side, 100 : 100 + side]
    assert offset(a[window], b[window]) == pytest.approx((0.5, 0.25), abs=0.3)


def test_batches_of_tensors(plane):
    import torch

    a, b = pair(plane, (1, 0))
    batch = torch.tensor(np.stack([a, b]))[:, None]
    values = shift(batch, torch.tensor(b)[None, None].expand(2, -1, -1, -1))
    assert values.tolist() == pytest.approx([1, 0], abs=1e-3)


@pytest.mark.parametrize(("size", "move"), [((1024, 1100), (-7.6, 5.2)), ((1031, 1025), (0, 0.5))])
def test_large_pictures_on_half_the_grid(size, move, photograph, monkeypatch):
    plane = luma(photograph("coffee", 400, 600))[0].astype(np.float64)
    height, width = size
    plane = imresize(plane, size=(1052, 1124))
    a, b = pair(plane, move)
    upscaled = imresize(imresize(a, 0.25), 4.0)
    pairs = [(x[None, :height, :width], b[None, :height, :width]) for x in (a, upscaled)]
    coarse = [offset(*p) for p in pairs]
    assert coarse[0] == pytest.approx(move, abs=1e-3)
    monkeypatch.setattr("srqa.metrics.registration._LARGE", 10**6)
    whole = [offset(*p) for p in pairs]
    assert 0 < np.abs(np.subtract(coarse, whole)).max() < 1e-4


def test_large_flat_pictures_have_no_position(rng):
    flat = np.full((1, 1024, 1025), 1 / 3, np.float32)
    for other in (flat, rng.random(flat.shape)):
        with pytest.raises(NotApplicableError):
            shift(other, flat)
