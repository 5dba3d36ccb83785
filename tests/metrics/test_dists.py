import numpy as np
import pytest
from oracle import networks as oracle

from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}


@pytest.mark.parametrize("size", [(64, 80), (73, 91)])
def test_agrees_with_the_paper(size, weights, pictures):
    a, b = pictures(*size)
    expected = oracle.dists(weights("lpips-vgg"), weights("dists"), a, b)
    assert SPECS["dists"](a, b) == pytest.approx(expected, abs=1e-6)


def test_agrees_with_torchmetrics(weights, pictures, monkeypatch):
    import torch
    import torchvision

    package = pytest.importorskip("torchmetrics.functional.image.dists")
    network = torchvision.models.vgg16(weights=None)
    network.features = oracle.network("vgg16", weights("lpips-vgg")).float()
    monkeypatch.setattr(package, "vgg16", lambda weights: network)
    for size in ((96, 112), (131, 100)):
        a, b = pictures(*size)
        tensors = (torch.tensor(x)[None] for x in (a, b))
        expected = package.deep_image_structure_and_texture_similarity(*tensors).item()
        assert SPECS["dists"](a, b) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [(300, 400), (511, 290), (257, 257), (200, 300)])
def test_256_is_what_the_authors_do(size, weights, photograph, rng):
    sharp = photograph("astronaut", *size)
    rough = np.rint((sharp + rng.normal(0, 0.05, sharp.shape)).clip(0, 1) * 255) / 255
    a, b = rough.astype(np.float32), sharp
    expected = SPECS["dists"](oracle.shrunk(a), oracle.shrunk(b))
    assert SPECS["dists-256"](a, b) == pytest.approx(expected, abs=1e-5)


def test_256_with_the_papers_formulas(weights, photograph, rng):
    sharp = photograph("coffee", 300, 330)
    rough = (sharp * 0.8).astype(np.float32)
    rough = np.rint(rough * 255).astype(np.float32) / 255
    arrays, trained = weights("lpips-vgg"), weights("dists")
    expected = oracle.dists(arrays, trained, oracle.shrunk(rough), oracle.shrunk(sharp))
    assert SPECS["dists-256"](rough, sharp) == pytest.approx(expected, abs=1e-5)


def test_flat_pictures_keep_their_digits(weights):
    for x, y in ((0.3, 0.31), (1.0, 0.0)):
        a, b = (np.full((3, 64, 64), v, np.float32) for v in (x, y))
        expected = oracle.dists(weights("lpips-vgg"), weights("dists"), a, b)
        assert SPECS["dists"](a, b) == pytest.approx(expected, abs=1e-4)
