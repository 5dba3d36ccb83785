"""Losses on VGG16's maps and metrics as losses: slow versions, gradients, equal pictures."""

import numpy as np
import pytest
import torch
from oracle import losses as slow
from oracle import networks as oracle

import srqa
from srqa.errors import NotApplicableError
from srqa.losses import catalog, parse, perceptual
from srqa.metrics import registry

CASES = [
    ("content", "relu2_2", "euclidean"),
    ("content", "conv3_3", "mse"),
    ("content", "relu3_3", "l1"),
    ("texture", "relu2_2", "euclidean"),
    ("texture", "relu3_1", "mse"),
]
METRICS = [name for name in catalog.names() if name not in catalog.TERMS]
UNREACHABLE = {"lpips-squeeze", "clip-iqa", "arniqa"}  # weights that no package index has
CHEAP = ["mse", "rmse", "delta-e", "ssim", "ssim-y", "vif", "vsi", "lpips"]


@pytest.mark.parametrize(("kind", "layer", "norm"), CASES)
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_slow_version(kind, layer, norm, channels, weights, batches):
    sr, hr = (x.float() for x in batches(20, 27, channels))
    arrays = weights("lpips-vgg")
    coloured = [x.expand(-1, 3, -1, -1).numpy() for x in (sr, hr)]
    expected = getattr(slow, kind)(arrays, layer, norm)(*coloured)
    assert float(getattr(perceptual, kind)(sr, hr, layer, norm)) == pytest.approx(
        expected, rel=1e-5
    )


def test_the_euclidean_content_is_the_surveys():
    """|p - q| / (h w c), by hand: two maps of 2 x 3 places and 4 channels that differ by 1."""
    p, q = torch.ones(1, 4, 2, 3), torch.zeros(1, 4, 2, 3)
    assert float(perceptual.content_of_maps(p, q, "euclidean")) == pytest.approx(24**0.5 / 24)
    assert float(perceptual.content_of_maps(p, q, "mse")) == 1.0
    assert float(perceptual.content_of_maps(2 * p, q, "l1")) == 2.0
    # G[i, j] = 6 for all 16 pairs of channels
    assert float(perceptual.texture_of_maps(p, q, "euclidean")) == pytest.approx(24 / 16)
    assert float(perceptual.texture_of_maps(p, q, "mse")) == pytest.approx((24 / 24) ** 2)


def slow_gradient(arrays, kind, layer, norm, sr, hr):
    """Of the slow version's network in float64, by autograd."""
    made = oracle.network("vgg16", arrays)
    depth = {"relu2_2": 9, "relu3_1": 12, "relu3_3": 16}[layer]
    x = sr.double().requires_grad_()

    def maps(planes):
        mean, deviation = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        return made[:depth]((planes - oracle.column(mean)) / oracle.column(deviation))

    getattr(perceptual, f"{kind}_of_maps")(maps(x), maps(hr.double()), norm).backward()
    return x.grad


@pytest.mark.parametrize(("kind", "layer", "norm"), [c for c in CASES if "relu" in c[1]])
def test_gradients_are_those_of_the_network_in_float64(kind, layer, norm, weights, batches):
    sr, hr = (x.float() for x in batches(16, 20))
    expected = slow_gradient(weights("lpips-vgg"), kind, layer, norm, sr, hr)
    sr.requires_grad_()
    getattr(perceptual, kind)(sr, hr, layer, norm).backward()
    assert (sr.grad - expected).norm() < 1e-4 * expected.norm()
    assert expected.norm() > 0


@pytest.mark.parametrize("kind", ["content", "texture"])
@pytest.mark.parametrize("norm", ["euclidean", "mse"])
def test_gradients_of_the_arithmetic_on_maps(kind, norm, rng):
    p, q = (torch.from_numpy(rng.random((2, 3, 4, 5))) for _ in range(2))
    of_maps = getattr(perceptual, f"{kind}_of_maps")
    assert torch.autograd.gradcheck(lambda x: of_maps(x, q, norm), (p.requires_grad_(),))


@pytest.mark.parametrize(("kind", "layer", "norm"), CASES)
@pytest.mark.parametrize("level", [0.0, 0.5, None])
def test_equal_pictures_are_0_with_a_finite_gradient(kind, layer, norm, level, weights, batches):
    hr = batches(16, 16)[1].float()
    hr = hr if level is None else torch.full_like(hr, level)
    sr = hr.clone().requires_grad_()
    value = getattr(perceptual, kind)(sr, hr, layer, norm)
    value.backward()
    assert float(value.detach()) == 0.0
    assert sr.grad.abs().max() == 0.0


def test_terms_on_maps_share_one_pass(weights, batches, monkeypatch):
    sr, hr = (x.float() for x in batches(32, 32))
    lr = sr[..., ::2, ::2]
    objective = parse("content:relu1_2 + content:relu3_3:mse + 0.1*texture:relu2_2", 2)
    passes = []
    real = perceptual.features.maps
    monkeypatch.setattr(
        perceptual.features, "maps", lambda *a: passes.append(a[2]) or real(*a), raising=True
    )
    found = objective(sr.requires_grad_(), hr, lr)
    assert [sorted(names) for names in passes] == [["relu1_2", "relu2_2", "relu3_3"]] * 2
    for name, value in found.items():
        kind, layer, *norm = name.split(":")
        alone = getattr(perceptual, kind)(sr, hr, layer, *norm)
        assert float(value) == pytest.approx(float(alone.detach()), rel=1e-6)


def test_too_small_for_a_layer(weights):
    hr = torch.rand(1, 3, 15, 40)
    assert perceptual.content(hr, hr, "relu4_3") == 0
    with pytest.raises(NotApplicableError, match="40x15 pixels is too small for VGG16's relu5_1"):
        perceptual.vgg16_maps(hr, hr, ["relu2_2", "relu5_1"])


METRIC_CASES = [
    pytest.param(name, marks=() if name in CHEAP else pytest.mark.slow)
    for name in METRICS
    if name not in UNREACHABLE
]


@pytest.mark.parametrize("name", METRIC_CASES)
def test_a_metric_is_a_loss(name, weights, batches, rng):
    """It is the metric's value, turned so that less is better, and a step down its slope helps."""
    spec = registry.get(name)
    side = max(spec.min_side, 32)
    sr, hr = (x.float() for x in batches(side, side + 3))
    sr.requires_grad_()
    loss = perceptual.of_metric(spec, sr, hr)
    value = float(srqa.metric(name)(*((sr,) if spec.kind == "nr" else (sr, hr))).detach().mean())
    highest = spec.bounds[1] if np.isfinite(spec.bounds[1]) else 0.0
    expected = highest - value if spec.higher_is_better else value
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    (slope,) = torch.autograd.grad(loss, sr)
    assert slope.isfinite().all()
    step = 1e-3 / slope.abs().max()
    with torch.no_grad():
        assert perceptual.of_metric(spec, sr - step * slope, hr) < loss


@pytest.mark.parametrize("name", METRIC_CASES)
@pytest.mark.parametrize("level", [0.5, None])
def test_a_metric_of_equal_pictures_has_a_finite_gradient(name, level, weights, batches):
    spec = registry.get(name)
    side = max(spec.min_side, 32)
    hr = batches(side, side)[1].float()
    hr = hr if level is None else torch.full_like(hr, level)
    sr = hr.clone().requires_grad_()
    perceptual.of_metric(spec, sr, hr).backward()
    assert sr.grad.isfinite().all()


def test_pictures_without_a_value_are_left_out(batches):
    """VIF asks for texture in the reference: a patch of plain sky must not end a training."""
    spec = registry.get("vif")
    sr, hr = (x.float() for x in batches(48, 48))
    expected = perceptual.of_metric(spec, sr[1:], hr[1:])
    hr[0] = 0.5
    sr.requires_grad_()
    value = perceptual.of_metric(spec, sr, hr)
    value.backward()
    assert float(value.detach()) == float(expected)
    assert sr.grad[0].abs().max() == 0
    assert sr.grad[1].abs().max() > 0
    none = perceptual.of_metric(spec, sr, torch.full_like(hr, 0.5))
    none.backward()
    assert float(none.detach()) == 0


def test_too_small_for_a_metric():
    hr = torch.rand(1, 3, 10, 40)
    with pytest.raises(NotApplicableError, match=r"40x10 pixels is too small for ssim, .* 11"):
        perceptual.of_metric(registry.get("ssim"), hr, hr)
