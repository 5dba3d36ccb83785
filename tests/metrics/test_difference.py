import numpy as np
import pytest

from srqa.images.colour import lab
from srqa.metrics.difference import ciede2000, delta_e

# Sharma, Wu, Dalal 2005, table 1: L1 a1 b1 L2 a2 b2 and the difference to four digits.
SHARMA = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
TABLE = np.array([line.split() for line in SHARMA.split("\n") if line], dtype=float)


@pytest.mark.parametrize("swapped", [False, True])
def test_published_pairs(swapped):
    first, second = TABLE[:, None, :3].T, TABLE[:, None, 3:6].T
    found = ciede2000(second, first) if swapped else ciede2000(first, second)
    assert len(TABLE) == 34
    np.testing.assert_allclose(found.ravel(), TABLE[:, 6], atol=5.1e-5)


def test_published_pairs_on_tensors():
    import torch

    pairs = torch.tensor(TABLE).T[:, None, :]
    found = ciede2000(pairs[None, :3], pairs[None, 3:6])
    np.testing.assert_allclose(found.ravel().numpy(), TABLE[:, 6], atol=5.1e-5)


def test_agrees_with_skimage_everywhere(rng):
    color = pytest.importorskip("skimage.color")
    first, second = (rng.uniform(-110, 110, (3, 60, 60)) for _ in range(2))
    first[0], second[0] = rng.uniform(0, 100, (2, 60, 60))
    second[1:, :10] = -first[1:, :10]
    first[1:, 10:14] = 0
    theirs = color.deltaE_ciede2000(np.moveaxis(first, 0, -1), np.moveaxis(second, 0, -1))
    np.testing.assert_allclose(ciede2000(first, second)[0], theirs, atol=1e-10)


def test_from_srgb_as_skimage_does(photograph, rng):
    color = pytest.importorskip("skimage.color")
    b = photograph().astype(np.float64)
    a = np.clip(b + rng.normal(0, 0.05, b.shape), 0, 1)
    total, count = delta_e(a, b)
    pair = (color.rgb2lab(np.moveaxis(x, 0, -1)) for x in (a, b))
    theirs = color.deltaE_ciede2000(*pair).mean()
    # skimage's matrix has six digits more.
    assert total / count == pytest.approx(theirs, abs=1e-4 * theirs)


def test_black_to_white_is_100():
    total, count = delta_e(np.zeros((3, 2, 2)), np.ones((3, 2, 2)))
    assert total / count == pytest.approx(100, abs=1e-4)


def test_grey_planes_count_as_equal_channels(photograph):
    a, b = photograph()[:1], photograph("coffee")[:1]
    assert delta_e(a, b)[0] == pytest.approx(delta_e(a.repeat(3, 0), b.repeat(3, 0))[0])
    assert np.abs(lab(a.repeat(3, 0).astype(np.float64))[1:]).max() < 1e-4


def test_gradient_is_finite_for_equal_grey_black_and_white():
    import torch

    x = torch.rand(1, 3, 6, 6, dtype=torch.float64)
    x[..., 0, :], x[..., 1, :], x[..., 2, :] = 0.5, 0, 1
    y = x.clone()
    y[..., 4:, :] = torch.rand(1, 3, 2, 6)
    y[..., :3, :3] = torch.rand(1, 3, 3, 3)
    x.requires_grad_()
    y.requires_grad_()
    delta_e(y, x)[0].sum().backward()
    assert x.grad.isfinite().all()
    assert y.grad.isfinite().all()
