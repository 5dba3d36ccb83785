"""The adapters of piq give what piq gives, and answer where piq does not."""

import numpy as np
import pytest

from srqa.errors import NotApplicableError
from srqa.metrics import classic, information

piq = pytest.importorskip("piq")

DIRECT = [
    (classic.fsim, piq.fsim, {"chromatic": False}),
    (classic.fsimc, piq.fsim, {}),
    (classic.vsi, piq.vsi, {}),
    (classic.sr_sim, piq.srsim, {}),
    (classic.gmsd, piq.gmsd, {}),
    (classic.ms_gmsd, piq.multi_scale_gmsd, {}),
    (classic.mdsi, piq.mdsi, {}),
    (classic.haarpsi, piq.haarpsi, {}),
    (classic.dss, piq.dss, {}),
]
ADAPTERS = [d[0] for d in DIRECT]


@pytest.fixture(scope="module")
def pair(photograph):
    b = photograph("astronaut", 181, 196)
    noise = np.random.default_rng(2).normal(0, 0.05, b.shape)
    return np.clip(b + noise, 0, 1).astype(np.float32), b


@pytest.mark.parametrize(
    ("ours", "theirs", "settings"), DIRECT, ids=lambda x: getattr(x, "__name__", "")
)
def test_equals_piq(ours, theirs, settings, pair):
    import torch

    tensors = [torch.tensor(x)[None].double() for x in pair]
    direct = theirs(*tensors, **settings).item()
    assert ours(*pair) == pytest.approx(direct, abs=1e-12)
    assert ours(*tensors).item() == pytest.approx(direct, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(information.vif, "vif_p"), (information.iw_ssim, "information_weighted_ssim")],
)
def test_own_versions_equal_piq_on_grey(ours, theirs, photograph, rng):
    """On sides that halve four times; elsewhere piq's pyramid treats the last row otherwise."""
    import torch

    b = photograph("coffee", 192, 176)[:1].astype(np.float64)
    a = np.clip(b + rng.normal(0, 0.05, b.shape), 0, 1)
    tensors = [torch.tensor(x)[None] for x in (a, b)]
    assert ours(a, b) == pytest.approx(getattr(piq, theirs)(*tensors).item(), abs=1e-8)


@pytest.mark.parametrize("metric", ADAPTERS)
def test_equal_pictures_are_exact_in_every_precision(metric, pair):
    import torch

    worst = 0.0 if metric in (classic.gmsd, classic.ms_gmsd, classic.mdsi) else 1.0
    for kind in (torch.float16, torch.float32, torch.float64):
        x = torch.tensor(pair[1])[None].to(kind).requires_grad_()
        value = metric(x, x.detach().clone())
        assert value.item() == worst
        value.sum().backward()
        assert (x.grad == 0).all()


@pytest.mark.parametrize("metric", ADAPTERS)
def test_values_outside_are_clamped(metric, pair):
    a, b = pair
    assert metric(a * 1.2 - 0.1, b) == metric(np.clip(a * 1.2 - 0.1, 0, 1), b)


@pytest.mark.parametrize("metric", [classic.fsim, classic.fsimc, classic.vsi, classic.sr_sim])
def test_two_flat_pictures_have_no_value(metric):
    a, b = (np.full((3, 64, 64), v, np.float32) for v in (0.2, 0.8))
    with pytest.raises(NotApplicableError):
        metric(a, b)


@pytest.mark.parametrize("metric", [information.vif, information.iw_ssim])
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
    assert 0.5 < information.iw_ssim(stripes * 0.8, stripes) < 1
