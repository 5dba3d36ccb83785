"""Hand-made metrics give what piq gives, and answer where piq does not."""

import numpy as np
import pytest

from srqa.errors import NotApplicableError
from srqa.metrics import information
from srqa.metrics.gradient import gmsd, mdsi, ms_gmsd
from srqa.metrics.iw_ssim import iw_ssim
from srqa.metrics.phase import fsim, fsimc
from srqa.metrics.saliency import sr_sim, vsi
from srqa.metrics.subbands import dss, haarpsi

piq = pytest.importorskip("piq")

# piq turns FSIM's axes, which matters at the highest frequency of an even side, and takes the lower
# of two medians; its imresize works in float32 (SR-SIM), and so does its table of sub-bands (DSS).
DIRECT = [
    (fsim, piq.fsim, {"chromatic": False}, 3e-5),
    (fsimc, piq.fsim, {}, 3e-5),
    (vsi, piq.vsi, {}, 1e-9),
    (sr_sim, piq.srsim, {}, 1e-6),
    (gmsd, piq.gmsd, {}, 1e-12),
    (ms_gmsd, piq.multi_scale_gmsd, {}, 1e-12),
    (mdsi, piq.mdsi, {}, 1e-12),
    (haarpsi, piq.haarpsi, {}, 1e-12),
    (dss, piq.dss, {}, 1e-6),
]
METRICS = [d[0] for d in DIRECT]


@pytest.fixture(scope="module")
def pair(photograph):
    b = photograph("astronaut", 181, 196)
    noise = np.random.default_rng(2).normal(0, 0.05, b.shape)
    return np.clip(b + noise, 0, 1).astype(np.float32), b


@pytest.mark.parametrize(
    ("ours", "theirs", "settings", "tolerance"), DIRECT, ids=lambda x: getattr(x, "__name__", "")
)
def test_equals_piq(ours, theirs, settings, tolerance, pair):
    import torch

    wide = [x.astype(np.float64) for x in pair]
    tensors = [torch.tensor(x)[None] for x in wide]
    direct = theirs(*tensors, **settings).item()
    assert ours(*wide) == pytest.approx(direct, abs=tolerance)
    assert ours(*tensors).item() == pytest.approx(direct, abs=tolerance)
    assert ours(*pair) == pytest.approx(direct, abs=max(tolerance, 1e-6))
    single = ours(*(t.float() for t in tensors)).item()
    assert single == pytest.approx(direct, abs=max(tolerance, 1e-6))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(information.vif, "vif_p"), (iw_ssim, "information_weighted_ssim")],
)
def test_own_versions_equal_piq_on_grey(ours, theirs, photograph, rng):
    """On sides that halve four times; elsewhere piq's pyramid treats the last row otherwise."""
    import torch

    b = photograph("coffee", 192, 176)[:1].astype(np.float64)
    a = np.clip(b + rng.normal(0, 0.05, b.shape), 0, 1)
    tensors = [torch.tensor(x)[None] for x in (a, b)]
    assert ours(a, b) == pytest.approx(getattr(piq, theirs)(*tensors).item(), abs=1e-8)


@pytest.mark.parametrize("metric", METRICS)
def test_equal_pictures_are_exact_in_every_precision(metric, pair):
    import torch

    worst = 0.0 if metric in (gmsd, ms_gmsd, mdsi) else 1.0
    for kind in (torch.float16, torch.float32, torch.float64):
        x = torch.tensor(pair[1])[None].to(kind).requires_grad_()
        value = metric(x, x.detach().clone())
        assert value.item() == worst
        value.sum().backward()
        assert (x.grad == 0).all()


@pytest.mark.parametrize("metric", METRICS)
def test_values_outside_are_clamped(metric, pair):
    a, b = pair
    assert metric(a * 1.2 - 0.1, b) == metric(np.clip(a * 1.2 - 0.1, 0, 1), b)


@pytest.mark.parametrize("metric", [fsim, fsimc, vsi, sr_sim])
def test_two_flat_pictures_have_no_value(metric):
    a, b = (np.full((3, 64, 64), v, np.float32) for v in (0.2, 0.8))
    with pytest.raises(NotApplicableError):
        metric(a, b)


@pytest.mark.parametrize("metric", [information.vif, iw_ssim])
def test_a_flat_reference_has_no_information(metric, rng):
    flat, other = np.full((3, 176, 176), 0.3, np.float32), rng.random((3, 176, 176))
    for a in (other, flat + 0.1):
        with pytest.raises(NotApplicableError):
            metric(a, flat)
    assert metric(flat, flat) == 1
    assert metric(flat, other) < 0.5


def test_iw_ssim_takes_references_that_vary_in_one_direction():
    """The covariance of neighbourhoods is singular there, and piq raises."""
    stripes = np.tile((np.arange(192) % 8 < 4).astype(np.float32), (3, 192, 1))
    assert 0.5 < iw_ssim(stripes * 0.8, stripes) < 1
