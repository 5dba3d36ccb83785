"""Maps of where pictures differ, against slow versions and against the metrics themselves."""

import numpy as np
import pytest
from oracle import colour as oracle_colour
from oracle import structure as oracle_structure
from oracle.pixels import rec601

import srqa
from srqa.errors import InputError, MismatchError, NotApplicableError, UsageError
from srqa.metrics import maps

EXACT = ["error", "mse", "delta-e", "ssim", "ssim-y"]
LEARNED = ["lpips", "lpips-vgg", "st-lpips", "st-lpips-vgg"]


@pytest.fixture
def pair(pictures):
    """Two pictures (H, W, 3) in [0, 1]."""
    return [np.ascontiguousarray(p.transpose(1, 2, 0)) for p in pictures(70, 90)]


def test_the_names():
    assert set(maps.names()) == {*EXACT, *LEARNED, "lpips-squeeze", "flip"}


@pytest.mark.parametrize("name", EXACT)
def test_the_mean_is_the_metrics_value(name, pair):
    found = srqa.difference_map(name, *pair)
    assert found.shape == (70, 90)
    assert np.nanmin(found) >= 0
    if name == "error":
        value = np.abs(pair[0].astype(float) - pair[1]).mean() * 255
    else:
        value = srqa.metric(name)(*pair)
    score = maps.get(name).score(np.nanmean(found, dtype=np.float64))
    assert score == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name", LEARNED)
def test_the_mean_of_a_learned_map_is_near(name, pair, weights):
    found = srqa.difference_map(name, *pair)
    assert found.shape == (70, 90)
    assert found.min() >= 0
    assert maps.get(name).score is None
    assert found.mean() == pytest.approx(srqa.metric(name)(*pair), rel=0.05)


def test_flip_is_the_mean_of_its_map(pair):
    pytest.importorskip("flip_evaluator", reason="pip install 'srqa[flip]'")
    found = srqa.difference_map("flip", *pair)
    assert found.shape == (70, 90)
    assert found.mean(dtype=np.float64) == pytest.approx(srqa.metric("flip")(*pair), abs=1e-7)


def test_error_at_every_pixel(rng):
    a, b = rng.integers(0, 256, (2, 13, 17, 3), dtype=np.uint8)
    found = srqa.difference_map("error", a, b)
    squares = srqa.difference_map("mse", a, b)
    for y in range(13):
        for x in range(17):
            apart = [abs(int(p) - int(q)) for p, q in zip(a[y, x], b[y, x], strict=True)]
            assert found[y, x] == pytest.approx(sum(apart) / 3, abs=1e-4)
            assert squares[y, x] == pytest.approx(sum(d * d for d in apart) / 3, rel=1e-5)


@pytest.mark.parametrize("name", ["ssim", "ssim-y"])
def test_structure_lies_where_its_window_does(name, pair):
    """Of 70 rows more than a strip, so the seam between strips is in it."""
    found = srqa.difference_map(name, *pair)
    planes = [p.transpose(2, 0, 1).astype(np.float64) for p in pair]
    if name == "ssim-y":
        planes = [rec601(p) for p in planes]
    both = zip(*planes, strict=True)
    expected = 1 - np.mean([oracle_structure.ssim_maps(p, q, 1.0)[0] for p, q in both], axis=0)
    assert found[5:-5, 5:-5] == pytest.approx(expected, abs=5e-5)
    rim = np.ones((70, 90), bool)
    rim[5:-5, 5:-5] = False
    assert np.array_equal(np.isnan(found), rim)


def test_colour_difference_at_some_pixels(pair, rng):
    found = srqa.difference_map("delta-e", *pair)
    for y, x in zip(rng.integers(0, 70, 40), rng.integers(0, 90, 40), strict=True):
        labs = [oracle_colour.lab(p[y, x].tolist()) for p in pair]
        assert found[y, x] == pytest.approx(oracle_colour.ciede2000(*labs), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", [*EXACT, *LEARNED])
def test_one_damaged_spot(name, photograph, weights):
    """The map is largest there, and 0 far from it for all that look at small windows."""
    hr = np.ascontiguousarray(photograph("coffee", 96, 128).transpose(1, 2, 0))
    sr = hr.copy()
    sr[60:68, 90:98] = 1 - sr[60:68, 90:98]
    found = np.nan_to_num(srqa.difference_map(name, sr, hr))
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert 48 <= y < 80
    assert 78 <= x < 110
    if name in EXACT:
        assert np.abs(found[:50]).max() < 1e-6
        assert np.abs(found[:, :80]).max() < 1e-6


@pytest.mark.parametrize("name", [*EXACT, "lpips"])
def test_equal_pictures(name, pair, weights):
    found = srqa.difference_map(name, pair[1], pair[1])
    assert np.nanmax(found) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", [*EXACT, "lpips"])
def test_tensors_and_arrays_agree(name, pair, weights):
    import torch

    found = srqa.difference_map(name, *pair)
    single = [torch.from_numpy(p).permute(2, 0, 1) for p in pair]
    one = srqa.difference_map(name, *single)
    assert one.shape == (70, 90)
    assert one.numpy() == pytest.approx(found, rel=1e-4, abs=5e-5, nan_ok=True)
    flipped = [torch.stack([p, p.flip(-1)]) for p in single]
    both = srqa.difference_map(name, *flipped)
    assert both.shape == (2, 70, 90)
    assert both[0].numpy() == pytest.approx(found, rel=1e-4, abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("name", ["error", "ssim-y", "lpips"])
def test_gradients_flow(name, pair, weights):
    import torch

    sr, hr = (torch.from_numpy(p).permute(2, 0, 1) for p in pair)
    sr.requires_grad_()
    srqa.difference_map(name, sr, hr).nanmean().backward()
    assert torch.isfinite(sr.grad).all()
    assert sr.grad.abs().sum() > 0


def test_grey_and_pil_pictures(rng):
    from PIL import Image

    a, b = rng.integers(0, 256, (2, 20, 24), dtype=np.uint8)
    for name in EXACT:
        colour = srqa.difference_map(name, *(np.stack([p] * 3, -1) for p in (a, b)))
        grey = srqa.difference_map(name, Image.fromarray(a), Image.fromarray(b))
        assert grey == pytest.approx(colour, abs=1e-4, nan_ok=True)


def test_names_that_are_no_maps():
    for name, words in {
        "eror": "Did you mean error",
        "psnr-y": "error",
        "nonsense": "ssim-y",
    }.items():
        with pytest.raises(UsageError) as caught:
            maps.get(name)
        assert name in str(caught.value)
        assert words in caught.value.hint
    assert maps.get(" SSIM_Y ") is maps.get("ssim-y")
    assert maps.get("ssimc").name == "ssim"


def test_pictures_that_do_not_fit():
    hr = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(MismatchError):
        srqa.difference_map("error", hr, hr[:8])
    with pytest.raises(NotApplicableError):
        srqa.difference_map("ssim", hr[:9], hr[:9])
    with pytest.raises(InputError):
        srqa.difference_map("error", hr * 1.5 + 99, hr)
