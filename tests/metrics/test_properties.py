"""Random pictures of every sort: noise, flat ground, blocks, ramps, and mixtures of them."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import structure

from srqa.images import filters
from srqa.metrics.catalog import CATALOG

SPECS = {s.name: s for s in CATALOG}
ADDITIVE = ["psnr", "mse", "rmse", "ssim", "delta-e"]
few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def pairs(draw):
    """Two pictures (3, H, W) float32 of one size."""
    height, width = draw(st.integers(11, 40)), draw(st.integers(11, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return picture(draw, rng, height, width), picture(draw, rng, height, width)


def picture(draw, rng, height, width):
    sort = draw(st.sampled_from(["noise", "flat", "blocks", "ramp", "specks"]))
    low, high = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    if sort == "flat":
        x = np.full((3, height, width), low)
    elif sort == "blocks":
        x = rng.random((3, 6, 6)).repeat(7, 1).repeat(7, 2)[:, :height, :width]
    elif sort == "ramp":
        x = np.broadcast_to(np.linspace(0, 1, width), (3, height, width))
    elif sort == "specks":
        x = (rng.random((3, height, width)) < 0.05) * 1.0
    else:
        x = rng.random((3, height, width))
    if sort != "flat":
        x = low + (high - low) * x
    return np.ascontiguousarray(np.round(x * 255) / 255, dtype=np.float32)


@pytest.mark.parametrize("name", ADDITIVE)
@given(pair=pairs())
@few
def test_identity_symmetry_bounds(name, pair):
    spec, (a, b) = SPECS[name], pair
    best = {"psnr": math.inf, "ssim": 1.0}.get(name, 0.0)
    assert spec(a, a.copy()) == best
    value = spec(a, b)
    # SSIM is a small difference of sums near 1: float32 keeps it to 2e-7, whatever its size.
    absolute = 2e-7 if name == "ssim" else 1e-9
    assert value == pytest.approx(spec(b, a), rel=1e-6, abs=absolute)
    assert spec.bounds[0] <= value <= spec.bounds[1]


@pytest.mark.parametrize("name", ADDITIVE)
@given(pair=pairs())
@few
def test_arrays_equal_tensors(name, pair):
    import torch

    spec = SPECS[name]
    value = spec(*pair)
    single, double = (
        spec(*(torch.tensor(x, dtype=kind)[None] for x in pair)).item()
        for kind in (torch.float32, torch.float64)
    )
    wide = spec(*(x.astype(np.float64) for x in pair))
    assert value == pytest.approx(single, rel=1e-6, abs=3e-7)
    assert wide == pytest.approx(double, rel=1e-9, abs=1e-9)


@given(pair=pairs())
@few
def test_ssim_in_float32_equals_the_textbook(pair):
    assert SPECS["ssim"](*pair) == pytest.approx(structure.ssim(*pair), abs=3e-7)


@pytest.mark.parametrize("name", ["ssim", "delta-e"])
@given(pair=pairs(), rows=st.integers(1, 50))
@few
def test_strips_do_not_show(name, pair, rows, monkeypatch):
    whole = SPECS[name](*pair)
    with monkeypatch.context() as patch:
        strips = filters.strips
        patch.setattr(filters, "strips", lambda height, halo, _: strips(height, halo, rows))
        assert SPECS[name](*pair) == pytest.approx(whole, rel=1e-6, abs=3e-7)


@pytest.mark.parametrize("name", ADDITIVE)
@given(first=pairs(), seed=st.integers(0, 1000))
@few
def test_batches_change_nothing(name, first, seed):
    import torch

    a, b = (torch.tensor(x, dtype=torch.float64) for x in first)
    other = torch.tensor(np.random.default_rng(seed).random(a.shape))
    together = SPECS[name](torch.stack([a, other, b]), torch.stack([b, b, other])).tolist()
    alone = [SPECS[name](x[None], y[None]).item() for x, y in ((a, b), (other, b), (b, other))]
    assert together == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("name", ADDITIVE)
@given(pair=pairs())
@few
def test_mirrored_and_turned_pictures_are_the_same(name, pair):
    a, b = pair
    value = SPECS[name](a, b)
    for turn in (lambda x: x[:, ::-1], lambda x: x[:, :, ::-1], lambda x: x.transpose(0, 2, 1)):
        turned = [np.ascontiguousarray(turn(x)) for x in (a, b)]
        assert SPECS[name](*turned) == pytest.approx(value, rel=1e-6, abs=3e-7)
