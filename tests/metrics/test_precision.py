"""Float32 means float32; bfloat16 where it was asked for, and only there."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import srqa
from srqa.metrics import features, networks
from srqa.metrics.catalog import CATALOG
from srqa.metrics.comparison import Comparison
from srqa.metrics.precision import _places, full_precision

torch = pytest.importorskip("torch")
COMPARISONS = [
    s for s in CATALOG if isinstance(s.function, Comparison) and s.name != "lpips-squeeze"
]


@pytest.fixture(autouse=True)
def _nothing_kept():
    features.forget()


def state():
    return [getattr(place, name) for place, name, _ in _places()]


def exact():
    return [value for *_, value in _places()]


@pytest.fixture
def loose():
    """A user who allows TensorFloat-32 and bfloat16 everywhere."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield state()
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_switches_are_off_inside_and_as_before_after(loose, device):
    assert loose != exact()
    with full_precision(torch.device(device)):
        assert state() == exact()
        with full_precision(torch.device(device)):
            pass
        assert state() == exact()
    assert state() == loose


def test_threads_that_overlap_leave_the_switches_as_they_were(loose):
    """The first to come leaves first."""
    first, both, left = Barrier(2), Barrier(2), Barrier(2)

    def early():
        with full_precision(torch.device("cpu")):
            first.wait(30)
            both.wait(30)
        left.wait(30)

    def late():
        first.wait(30)
        with full_precision(torch.device("cpu")):
            both.wait(30)
            left.wait(30)
            return state()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(early)
        assert pool.submit(late).result(60) == exact()
    assert state() == loose


@pytest.mark.parametrize("name", ["lpips", "texture-vgg16-relu4-3"])
def test_the_user_s_switches_change_no_value(name, weights, pictures, loose):
    metric = srqa.metric(name)
    a, b = (torch.tensor(p) for p in pictures())
    allowed = metric(a, b).item()
    torch.set_float32_matmul_precision("highest")
    features.forget()
    assert metric(a, b).item() == allowed


def test_how_networks_run(weights, pictures):
    """Channels last, in float32, without a graph; and there is no layer that trains or drops."""
    a, b = (torch.tensor(p)[None] for p in pictures())
    assert {s.operation for n in (networks.ALEXNET, networks.ST_VGG16, networks.VGG16_L2,
                                  networks.SQUEEZENET) for s in n.steps} == {
        "conv", "relu", "max", "ceil", "blur", "l2", "expand"}  # fmt: skip
    for network in (networks.ALEXNET, networks.VGG16, networks.VGG16_L2, networks.ST_ALEXNET):
        for found in features.maps(network, a, network.taps):
            assert found.is_contiguous(memory_format=torch.channels_last)
            assert found.dtype == torch.float32
            assert not found.requires_grad
        for number in networks.parameters(network.weights).values():
            assert not number.requires_grad
    assert not srqa.metric("lpips")(a, b).requires_grad


# ------------------------------------------------------------------------------- bfloat16


@pytest.mark.parametrize("spec", COMPARISONS, ids=lambda s: s.name)
def test_bfloat16_is_near_and_equal_pictures_stay_equal(spec, weights, pictures):
    a, b = pictures()
    exact = spec(a, b)
    with features.settings(dtype="bfloat16"):
        near = spec(a, b)
        assert spec(b, b.copy()) == 0.0
    assert near != exact
    assert near == pytest.approx(exact, rel=0.02)


def test_bfloat16_bands_are_those_of_the_whole(weights, pictures):
    a, b = pictures(100, 80)
    for spec in COMPARISONS:
        with features.settings(dtype="bfloat16"):
            whole = spec(a, b)
            need = features.memory_of_maps(spec.function.network, a, spec.function.names)
        with features.settings(dtype="bfloat16", memory=need - 1):
            assert spec(a, b) == pytest.approx(whole, rel=1e-5, abs=1e-5), spec.name


def test_types_are_kept_apart(weights, pictures):
    a, b = pictures()
    for planes in (a, b):
        features.share(planes)
    lpips = srqa.metrics.registry.get("lpips")
    exact = lpips(a, b)
    with features.settings(dtype="bfloat16"):
        near = lpips(a, b)
        (found, *_) = features.maps(networks.ALEXNET, a, networks.ALEXNET.taps)
        assert found.dtype == torch.bfloat16
    assert near != exact
    assert lpips(a, b) == exact


def test_only_convolutions_and_maps_are_bfloat16(weights, pictures, monkeypatch):
    """Heads and sums are not, nor the pooling that squares."""
    from srqa.metrics import comparison, dists, lpips

    seen = []
    strip = comparison._strip

    def looked_at(a, b, rows):
        x, y = strip(a, b, rows)
        assert x.dtype == y.dtype == torch.float32
        if rows.start == 0:
            seen.append(a.dtype)
        return x, y

    monkeypatch.setattr(comparison, "_strip", looked_at)
    parameters = networks.parameters
    asked = []
    monkeypatch.setattr(networks, "parameters", lambda *key: asked.append(key) or parameters(*key))
    a, b = pictures()
    with features.settings(dtype="bfloat16"):
        dists.dists(a, b)
        lpips.metric("lpips")(a, b)
    assert seen == [torch.bfloat16] * 5 + [torch.float32] + [torch.bfloat16] * 5
    assert asked
    assert all("bfloat16" not in key for key in asked)


def test_bfloat16_is_marked_and_cached_apart(weights, tmp_path):
    from support import scene

    folder = scene(tmp_path, contents=("a",), methods=("x",), side=64)

    def values(dtype):
        run = srqa.evaluate(folder / "out", folder / "hr", scale=4, device="cpu", dtype=dtype,
                            metrics=["psnr-y", "lpips", "niqe-gray", "tv"])  # fmt: skip
        scores = run.scores.set_index("metric")["value"].to_dict()
        return scores, run.summary.set_index("metric")["signature"].to_dict()

    exact, plain = values("float32")
    near, marked = values("bfloat16")
    again, _ = values("float32")
    np.testing.assert_equal(again, exact)
    assert near["lpips"] == pytest.approx(exact["lpips"], rel=0.02)
    assert near["lpips"] != exact["lpips"]
    assert "bfloat16" in marked["lpips"]
    for name in ("psnr-y", "tv"):
        assert near[name] == exact[name]
        assert marked[name] == plain[name]
