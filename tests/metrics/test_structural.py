import numpy as np
import pytest
from oracle import structure
from scipy.ndimage import gaussian_filter

from srqa.images import filters
from srqa.images.colour import luma
from srqa.metrics import features, structural
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}


def noisy(x, rng, sigma=0.05):
    return np.clip(x + rng.normal(0, sigma, x.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_equals_skimage(name, photograph, rng):
    """scikit-image with the paper's window; its mean leaves out the 5 pixels that touch the rim."""
    metrics = pytest.importorskip("skimage.metrics")
    b = photograph(name)
    a = noisy(b, rng)
    keywords = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
        "data_range": 1.0,
    }
    given = (a.astype(np.float64), b.astype(np.float64))
    theirs = metrics.structural_similarity(*given, channel_axis=0, **keywords)
    assert SPECS["ssim"](a, b) == pytest.approx(theirs, abs=1e-6)
    grey = luma(given[0])[0], luma(given[1])[0]
    theirs = metrics.structural_similarity(*grey, **keywords)
    assert SPECS["ssim-y"](luma(a), luma(b)) == pytest.approx(theirs, abs=1e-6)


def graphics():
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:120, :160]
    blocks = rng.random((15, 20)).repeat(8, 0).repeat(8, 1)
    board = (((y // 12) + (x // 20)) % 2) * 0.7 + 0.15
    text = (rng.random((120, 160)) < 0.1) * 1.0
    flat = np.full((120, 160), 0.95)
    half = (x < 80) * 1.0
    yield "flat against flat", flat * 0 + 0.2, flat * 0 + 0.8
    yield "white against near white", flat * 0 + 1.0, flat * 0 + 0.9
    yield "black against white", flat * 0, flat * 0 + 1.0
    yield "blocks moved", np.roll(blocks, 5, 1), blocks
    yield "blocks brighter", blocks * 0.8 + 0.1, blocks * 0.8
    yield "board inverted", 1 - board, board
    yield "board blurred", gaussian_filter(board, 1.5), board
    yield "text against text", text, text[::-1]
    yield "noise on bright ground", np.clip(flat + rng.normal(0, 0.03, flat.shape), 0, 1), flat
    yield "noise on half and half", np.clip(half + rng.normal(0, 0.02, flat.shape), 0, 1), half


@pytest.mark.parametrize(("a", "b"), [c[1:] for c in graphics()], ids=[c[0] for c in graphics()])
def test_float32_keeps_its_digits_on_graphics(a, b):
    """The textbook form in float32 loses up to 8e-5 here."""
    a, b = a[None].astype(np.float32), b[None].astype(np.float32)
    assert SPECS["ssim"](a, b) == pytest.approx(structure.ssim(a, b), abs=3e-7)


@pytest.mark.parametrize("rows", [1, 7, 48, 1000])
@pytest.mark.parametrize("name", ["ssim", "ms-ssim", "delta-e"])
def test_strips_do_not_show(name, rows, photograph, rng, monkeypatch):
    b = photograph("coffee", 170, 161)
    a = noisy(b, rng)
    whole = SPECS[name](a, b)
    in_strips = filters.strips
    monkeypatch.setattr(filters, "strips", lambda height, halo, _: in_strips(height, halo, rows))
    assert SPECS[name](a, b) == pytest.approx(whole, rel=2e-7)


@pytest.mark.parametrize("shape", [(11, 11), (11, 40), (12, 13), (15, 11)])
def test_smallest_pictures(shape, rng):
    """Windows of one column: OpenCV takes a 4 x 1 array for a scalar, if asked carelessly."""
    a, b = rng.random((2, 1, *shape), dtype=np.float32)
    assert SPECS["ssim"](a, b) == pytest.approx(structure.ssim(a, b), abs=2e-7)


@pytest.mark.parametrize("shape", [(161, 161), (170, 163), (175, 176)])
def test_smallest_multi_scale_pictures(shape, rng):
    b = gaussian_filter(rng.random((1, *shape)), (0, 3, 3)).astype(np.float32)
    a = noisy(b, rng, 0.01)
    assert SPECS["ms-ssim"](a, b) == pytest.approx(structure.ms_ssim(a, b), abs=2e-7)


def test_negative_correlation_is_kept():
    x = np.indices((40, 40)).sum(0) % 2 * 0.8 + 0.1
    assert SPECS["ssim"](1 - x[None], x[None]) < -0.9


@pytest.mark.parametrize("order", [("ssim", "ms-ssim"), ("ms-ssim", "ssim")])
def test_both_share_the_finest_scale_and_not_a_digit_changes(order, photograph, rng, monkeypatch):
    b = photograph("coffee")
    a = noisy(b, rng)
    alone = {name: float(SPECS[name](a, b)) for name in order}
    looked_at = []
    filtered = structural._contrast_and_means

    def watched(p, q, wide=False):
        looked_at.append(p.size)
        return filtered(p, q, wide)

    monkeypatch.setattr(structural, "_contrast_and_means", watched)
    effort = {}
    for sharing in (False, True):
        looked_at.clear()
        if sharing:
            features.share(a)
            features.share(b)
        with features.settings(announced=[SPECS[name].function for name in order]):
            assert {name: float(SPECS[name](a, b)) for name in order} == alone
        effort[sharing] = sum(looked_at)
    assert effort[True] < 0.65 * effort[False]
