import numpy as np
import pytest
from oracle import networks as oracle

import srqa
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}
LAYERED = [n for n in SPECS if n.startswith(("content-", "texture-"))]


@pytest.mark.parametrize("name", LAYERED)
@pytest.mark.parametrize("size", [(64, 80), (73, 91)])
def test_agrees_with_the_formula(name, size, weights, pictures):
    kind, _, layer = name.split("-", 2)
    a, b = pictures(*size)
    expected = getattr(oracle, kind)(weights("lpips-vgg"), layer.replace("-", "_"), a, b)
    assert SPECS[name](a, b) == pytest.approx(expected, rel=1e-5)


def test_layers_may_be_written_as_in_papers():
    assert srqa.metric("content-vgg16-relu2_2").name == "content-vgg16-relu2-2"


@pytest.mark.parametrize("name", ["content-vgg16-relu2-2", "texture-vgg16-relu2-2"])
def test_value_does_not_depend_on_the_area(name, weights, rng):
    """One tile of texture, once and repeated: equal but for the border."""
    tile = rng.random((2, 3, 64, 64), dtype=np.float32)
    small, large = (np.tile(tile, (1, 1, n, n)) for n in (3, 6))
    assert SPECS[name](*large) == pytest.approx(SPECS[name](*small), rel=0.1)


def test_total_variation(photograph):
    import torch

    x = photograph("coffee", 30, 41)
    value = SPECS["tv"](x)
    assert value == pytest.approx(oracle.total_variation(x), rel=1e-6)
    batch = torch.tensor(np.stack([x, x * 0.5]))
    assert SPECS["tv"](batch).tolist() == pytest.approx([value, value / 2], rel=1e-6)
    assert SPECS["tv"](np.full((3, 4, 4), 0.3)) == 0.0


def test_total_variation_has_a_gradient_on_flat_ground(photograph):
    import torch

    x = torch.tensor(photograph("coffee", 30, 41))[None].clone()
    x[..., :20] = 0.5
    x.requires_grad_()
    SPECS["tv"](x).sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad.abs().max() > 0
