"""A+: against the paper's way written out, in tiles, and on Set5."""

import math

import numpy as np
import pytest
import torch

import srqa
import srqa.models
from benchmarks import aplus_train
from srqa.errors import UsageError
from srqa.images.colour import luma
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.models.classical import anchored, aplus

SCALES = anchored.SCALES


def slow(low, scale, learned):
    """One patch after the other: every pixel's features, its nearest anchor, its map, the mean.

    `low` has pixels enough around it, so that nothing beyond the edge matters in the middle.
    """
    filters, anchors, maps, basis = (
        getattr(learned, name).numpy() for name in ("filters", "anchors", "maps", "basis")
    )
    high = imresize(low, scale)
    total, count = np.zeros_like(high), np.zeros_like(high)
    reach = anchored.REACH
    for i in range(reach, low.shape[0] - reach):
        for j in range(reach, low.shape[1] - reach):
            around = low[i - reach : i + reach + 1, j - reach : j + reach + 1]
            seen = np.array([(f[0] * around).sum() for f in filters])
            alike = [abs(math.fsum(anchor * seen)) for anchor in anchors]
            patch = np.tensordot(maps[int(np.argmax(alike))].T @ seen, basis[:, 0], 1)
            place = slice((i - 1) * scale, (i + 2) * scale), slice((j - 1) * scale, (j + 2) * scale)
            total[place] += patch
            count[place] += 1
    return high + total / np.maximum(count, 1), count == anchored.PATCH**2


@pytest.mark.parametrize("scale", SCALES)
def test_it_is_the_papers_way(scale, photograph):
    low = photograph("astronaut", 80, 240)[0, 50:65, 200:214].astype(np.float64)
    expected, whole = slow(low, scale, anchored.regressors(scale))
    found = aplus().run(torch.from_numpy(low)[None, None], scale)[0, 0].numpy()
    assert whole.sum() > 10 * scale**2
    np.testing.assert_allclose(found[whole], expected[whole], atol=1e-10)


@pytest.mark.parametrize("scale", SCALES)
def test_edges_are_mirrored(scale, rng):
    low = rng.random((6, 7))
    wide = torch.from_numpy(np.pad(low, 6, "symmetric"))[None, None]
    inner = slice(6 * scale, -6 * scale)
    found = aplus().run(torch.from_numpy(low)[None, None], scale)
    torch.testing.assert_close(
        found, aplus().run(wide, scale)[..., inner, inner], atol=1e-12, rtol=0
    )


@pytest.mark.parametrize("scale", SCALES)
def test_tiles_equal_the_whole(scale, photograph, monkeypatch):
    low = torch.from_numpy(photograph("coffee", 60, 50)[:1])[None]
    method = aplus()
    assert method.halo == 5
    whole = method.run(low, scale)
    monkeypatch.setattr(anchored, "_CELLS", 200)  # bands of few rows
    torch.testing.assert_close(method.run(low, scale), whole, atol=1e-7, rtol=0)
    for top, left in ((7, 13), (20, 25)):
        tall, wide = slice(top - 5, top + 21), slice(left - 5, left + 17)
        tile = method.run(low[..., tall, wide], scale)[..., 5 * scale : -5 * scale, :]
        tile = tile[..., 5 * scale : -5 * scale]
        expected = whole[..., top * scale : (top + 16) * scale, left * scale : (left + 12) * scale]
        torch.testing.assert_close(tile, expected, atol=1e-7, rtol=0)
    shorter = slice(3 * 5 - 4, 3 * 5 + 17)  # with a pixel less around it, it differs
    tile = method.run(low[..., shorter, :], scale)[..., 4 * scale : -4 * scale, :]
    assert (tile - whole[..., 15 * scale : 28 * scale, :]).abs().max() > 1e-6


def test_pictures_in_tiles_are_the_same_to_the_byte(photograph):
    pixels = (photograph("coffee", 70, 60).transpose(1, 2, 0) * 255).astype(np.uint8)
    whole = srqa.upscale(pixels, model="aplus", scale=3, tile=None)
    assert np.array_equal(srqa.upscale(pixels, model="aplus", scale=3, tile=20), whole)


@pytest.mark.parametrize("scale", SCALES)
def test_any_input(scale, photograph):
    method = aplus()
    for sides in ((1, 1), (1, 7), (2, 3), (9, 5)):
        made = method.run(torch.rand(1, 1, *sides), scale)
        assert made.shape[-2:] == (sides[0] * scale, sides[1] * scale)
        assert torch.isfinite(made).all()
    flat = torch.full((1, 1, 6, 8), 0.4)
    torch.testing.assert_close(
        method.run(flat, scale), torch.full((1, 1, 6 * scale, 8 * scale), 0.4)
    )
    assert method.run(torch.rand(0, 1, 4, 5), scale).shape == (0, 1, 4 * scale, 5 * scale)
    both = torch.from_numpy(photograph("coffee", 20, 24))[None].repeat(2, 1, 1, 1)
    made = method.run(both, scale)
    assert made.shape == (2, 3, 20 * scale, 24 * scale)
    torch.testing.assert_close(made[1:, 1:2], method.run(both[:1, 1:2], scale))
    assert method.run(both.half(), scale).dtype == torch.float16


def test_other_scales_are_refused():
    with pytest.raises(UsageError, match=r"by 2, 3 or 4, not by 2\.5"):
        aplus().run(torch.rand(1, 1, 8, 8), 2.5)
    with pytest.raises(UsageError, match=r"aplus enlarges by 2, 3 or 4, not by 5"):
        srqa.models.load("aplus", 5)


@pytest.mark.parametrize("scale", SCALES)
def test_what_was_learned(scale):
    learned = anchored.regressors(scale)
    count, features = learned.anchors.shape
    assert learned.filters.shape == (features, 1, 9, 9)
    assert learned.maps.shape[:2] == (count, features)
    assert learned.basis.shape == (learned.maps.shape[2], 1, 3 * scale, 3 * scale)
    assert learned.filters.sum((2, 3)).abs().max() < 1e-5  # flat inputs have no features
    torch.testing.assert_close(
        learned.anchors.norm(dim=1), torch.ones(count).double(), atol=1e-3, rtol=0
    )
    numbers = sum(getattr(learned, n).numel() for n in ("filters", "anchors", "maps", "basis"))
    assert srqa.models.card("aplus").parameters[scale] == numbers
    assert (anchored._DATA / f"aplus-x{scale}.npz").stat().st_size < 800_000


@pytest.mark.parametrize("scale", SCALES)
def test_filters_are_the_papers_features(scale, rng):
    """Training's matrix, against derivatives of the enlarged picture written as differences."""
    low = rng.random((20, 21))
    high = imresize(low, scale)
    top, left = 9 * scale, 10 * scale  # of the patch's first pixel, around (10, 11)
    s, before, after = scale, (scale + 1) // 2, scale // 2
    expected = []
    for order in (1, 2):
        for axis in (1, 0):

            def at(offset, axis=axis):
                moved = np.roll(high, -offset, axis)
                return moved[top : top + 3 * s, left : left + 3 * s]

            made = at(-before) - at(after) if order == 1 else (at(-s) + at(s)) / 2 - at(0)
            expected.append(made.ravel())
    around = torch.from_numpy(low[10 - 4 : 15, 11 - 4 : 16].ravel())
    found = aplus_train.features(scale) @ around
    np.testing.assert_allclose(found.numpy(), np.concatenate(expected), atol=1e-12)


def test_training_learns(tmp_path, photograph):
    """A few anchors, learned from one picture's left half, help on its right half."""
    plane = luma(torch.from_numpy(photograph("coffee", 240, 360)).double()[None])[0, 0]
    generator = torch.Generator().manual_seed(0)
    pool = aplus_train.Pool(*aplus_train.examples(plane[:, :180], 2))
    filters = aplus_train.principal(pool, 2)
    points = pool.seen @ filters.T.float()
    length = points.norm(dim=1, keepdim=True).clamp(min=1e-2)
    anchors = aplus_train.clusters(points / length, 16, generator, rounds=5)
    maps, basis = aplus_train.regress(points / length, pool.lacking / length, anchors, 12)
    learned = anchored.Regressors(
        filters.reshape(-1, 1, 9, 9), anchors, maps, basis.reshape(-1, 1, 6, 6)
    )
    aplus_train.save(learned, tmp_path / "aplus-x2.npz")
    right = plane[None, None, :, 180:]
    low = imresize(right, 0.5)
    plain = imresize(low, 2)
    made = plain + anchored.lacking(low, learned)
    assert float(((made - right) ** 2).mean()) < 0.9 * float(((plain - right) ** 2).mean())


def scores(reference, scale, content):
    """PSNR-Y and SSIM-Y of the 8-bit result, through the whole of `srqa upscale`'s way."""
    folder = reference / "set5"
    hr = read(folder / f"hr_mod{3 if scale == 3 else 4}" / f"{content}.png").pixels
    if scale == 2:
        lr = np.floor(imresize(hr.astype(np.float64), 0.5).clip(0, 255) + 0.5).astype(np.uint8)
    else:
        lr = read(folder / f"lr_bicubic_x{scale}" / f"{content}.png").pixels
    made = srqa.upscale(lr, model="aplus", scale=scale)
    cut = slice(scale, -scale), slice(scale, -scale)
    pair = [np.ascontiguousarray(p[cut]) for p in (made, hr)]
    return [srqa.metric(name)(*pair) for name in ("psnr-y", "ssim-y")]


SMALL = {2: (30.783, 0.95624), 3: (26.064, 0.88292), 4: (23.731, 0.80646)}


@pytest.mark.parametrize("scale", SCALES)
def test_the_smallest_picture_of_set5(reference, scale):
    psnr, ssim = scores(reference, scale, "butterfly")
    assert (psnr, ssim) == pytest.approx(SMALL[scale], abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("scale", SCALES)
def test_all_of_set5(reference, scale):
    contents = ("baby", "bird", "butterfly", "head", "woman")
    psnr, ssim = np.mean([scores(reference, scale, content) for content in contents], axis=0)
    (said,) = [f for f in srqa.models.card("aplus").measured if f.scale == scale]
    assert said.psnr == pytest.approx(psnr, abs=0.006)
    assert said.ssim == pytest.approx(ssim, abs=6e-5)
    (plain,) = [f for f in srqa.models.card("bicubic").measured if f.scale == scale]
    assert psnr > plain.psnr + (0.8 if scale == 4 else 1.0)
