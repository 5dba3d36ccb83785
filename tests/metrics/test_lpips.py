import importlib
import json
import sys
import types

import numpy as np
import pytest
from oracle import networks as oracle
from support import repin

import srqa
from srqa.metrics import lpips
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}
NETS = {"lpips": ("alexnet", "lpips-alex"), "lpips-vgg": ("vgg16", "lpips-vgg")}
NAMES = ["lpips", "lpips-vgg", "st-lpips", "st-lpips-vgg"]


@pytest.fixture
def example(reference):
    """``example(name)``: a picture of the authors' repository, (H, W, 3) uint8."""
    from PIL import Image

    return lambda name: np.asarray(Image.open(reference / f"lpips/{name}.png").convert("RGB"))


@pytest.mark.parametrize("name", NETS)
def test_the_authors_example(name, weights, example, reference):
    expected = json.loads((reference / "expected.json").read_text())["lpips"]
    net = "vgg" if "vgg" in name else "alex"
    for other in ("ex_p0", "ex_p1"):
        value = srqa.metric(name)(example(other), example("ex_ref"))
        assert value == pytest.approx(expected[f"ex_ref vs {other}"][net], abs=2e-6)


def test_the_example_in_the_readme_of_st_lpips(weights, example):
    value = srqa.metric("st-lpips")(example("ex_p0"), example("ex_ref"))
    assert value == pytest.approx(0.7777554988861084, abs=1e-6)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("size", [(64, 64), (73, 90)])
def test_agrees_with_the_paper(name, size, weights, pictures):
    net, file = NETS[name]
    a, b = pictures(*size)
    assert SPECS[name](a, b) == pytest.approx(oracle.lpips(net, weights(file), a, b), abs=1e-6)


@pytest.mark.parametrize("net", ["alex", "vgg"])
@pytest.mark.parametrize("size", [(64, 64), (73, 91)])
def test_shift_tolerant_agrees_with_the_paper(net, size, weights, pictures):
    a, b = pictures(*size)
    expected = oracle.st_lpips(net, weights(f"st-lpips-{net}"), a, b)
    name = "st-lpips" if net == "alex" else "st-lpips-vgg"
    assert SPECS[name](a, b) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_agrees_with_the_authors_package(name, weights, rng):
    import torch

    package = pytest.importorskip("lpips")
    net, file = NETS[name]
    rival = package.LPIPS(net=net.removesuffix("16").removesuffix("net"), pnet_rand=True,
                          verbose=False)  # fmt: skip
    found = {k.split(".", 1)[-1]: v for k, v in rival.net.state_dict().items()}
    state = {k.removeprefix("features."): torch.tensor(v) for k, v in weights(file).items()}
    for key, value in found.items():
        value.copy_(state[key])
    for i in range(10):
        a, b = rng.random((2, 3, 64 + i, 80 - i), dtype=np.float32)
        b = b if i % 2 else (a + 0.1 * b).clip(0, 1)
        with torch.no_grad():
            expected = rival(torch.tensor(a)[None], torch.tensor(b)[None], normalize=True).item()
        assert SPECS[name](a, b) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_agrees_with_the_package_of_st_lpips(net, weights, rng, monkeypatch):
    import torch

    for absent in ("IPython", "torchsummary"):  # imported there and not used
        stub = types.ModuleType(absent)
        stub.embed = stub.summary = None
        monkeypatch.setitem(sys.modules, absent, stub)
    pytest.importorskip("stlpips_pytorch")
    package = importlib.import_module("stlpips_pytorch.stlpips")
    rival = package.LPIPS(net=net, variant="shift_tolerant", verbose=False)
    name = "st-lpips" if net == "alex" else "st-lpips-vgg"
    for i in range(3):
        a, b = rng.random((2, 3, 64 + i, 80 - i), dtype=np.float32)
        with torch.no_grad():
            expected = rival(torch.tensor(a)[None], torch.tensor(b)[None], normalize=True).item()
        assert SPECS[name](a, b) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_map(name, weights, pictures):
    import torch

    a, b = pictures(70, 90)
    net, file = NETS[name]
    found = lpips.difference_map(name, a, b)
    assert found.shape == (70, 90)
    assert found == pytest.approx(oracle.lpips_map(net, weights(file), a, b), abs=1e-5)
    batch = [torch.tensor(np.stack([x, x[:, ::-1]])) for x in (a, b)]
    assert lpips.difference_map(name, *batch)[0].numpy() == pytest.approx(found, abs=1e-6)


def made_squeezenet(folder, monkeypatch):
    import torch
    import torchvision

    torch.manual_seed(3)
    state = torchvision.models.squeezenet1_1(weights=None).state_dict()
    folder.mkdir(exist_ok=True)
    path = folder / "squeezenet1_1-b8a52dc0.pth"
    torch.save(state, path)
    repin(monkeypatch, folder, {"squeezenet1-1": path.read_bytes()})
    return {k: v.numpy() for k, v in state.items()}


@pytest.fixture
def squeeze(tmp_path, monkeypatch, weights):
    """The heads of LPIPS on SqueezeNet; the network itself is the user's to supply."""
    import srqa.weights
    from srqa.metrics import networks

    srqa.weights.pull(["lpips-squeeze-heads"])
    heads = weights("lpips-squeeze-heads")
    monkeypatch.setattr(srqa.weights, "load", lambda name: heads)
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    networks.unload()
    yield heads
    networks.unload()


def test_squeeze_with_a_supplied_backbone(squeeze, tmp_path, pictures, monkeypatch):
    arrays = made_squeezenet(tmp_path, monkeypatch) | squeeze
    for size in ((64, 64), (75, 82), (17, 17)):
        a, b = pictures(*size)
        expected = oracle.lpips("squeezenet1_1", arrays, a, b)
        assert SPECS["lpips-squeeze"](a, b) == pytest.approx(expected, abs=1e-6)


def test_squeeze_without_backbone_says_what_to_do(squeeze, pictures):
    with pytest.raises(srqa.errors.WeightsError, match="squeezenet1-1") as error:
        SPECS["lpips-squeeze"](*pictures())
    assert error.value.exit_code == 4
    assert "download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth" in error.value.hint
