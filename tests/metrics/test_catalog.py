"""What holds for every metric that compares and needs no trained weights."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from oracle.position import moved

from srqa.errors import NotApplicableError
from srqa.images.colour import gray, luma
from srqa.images.resize import imresize
from srqa.metrics.catalog import CATALOG

PLAIN = [s for s in CATALOG if not s.weights and s.level == "image" and s.kind != "nr"]
PAIRED = [s for s in PLAIN if s.kind == "fr"]
QUALITY = [s for s in PAIRED if s.name != "shift"]
BEST = {"psnr": math.inf, "psnr-y": math.inf, "cvvdp": 10.0, "ssimulacra2": 100.0}
SYMMETRIC = {s.name for s in QUALITY} - {"vif", "iw-ssim", "mdsi", "cvvdp", "ssimulacra2"}


def each(specs):
    return pytest.mark.parametrize("spec", specs, ids=lambda s: s.name)


def given(spec, rgb):
    return {"y": luma, "gray": gray, "rgb": lambda x: x}[spec.input](rgb)


def best(spec):
    return BEST.get(spec.name, 1.0 if spec.higher_is_better else 0.0)


def noisy(rgb, sigma):
    noise = np.random.default_rng(5).normal(0, 1, rgb.shape)
    return np.clip(rgb + sigma * noise, 0, 1).astype(np.float32)


def test_names_are_unique_and_plain():
    names = [s.name for s in CATALOG]
    assert len(set(names)) == len(names)
    assert all(n == n.lower() and n.replace("-", "").isalnum() for n in names)


@each(CATALOG)
def test_is_described(spec):
    assert spec.summary
    assert spec.settings or spec.paper
    assert len(spec.guidance) > 40
    assert spec.guidance.endswith(".")
    assert spec.bounds[0] < spec.bounds[1]
    assert spec.code_licence
    assert spec.unit in {"", "dB", "px", "JOD"}


@each(QUALITY)
def test_equal_pictures_are_best(spec, photograph):
    x = given(spec, photograph())
    assert spec(x, x.copy()) == pytest.approx(best(spec), abs=1e-12)


@each(PAIRED)
def test_equal_flat_pictures_are_best_or_nothing(spec):
    for value in (0.0, 1 / 3, 1.0):
        x = given(spec, np.full((3, 176, 176), value, np.float32))
        try:
            assert spec(x, x.copy()) == pytest.approx(best(spec), abs=1e-12)
        except NotApplicableError:
            assert spec.name == "shift"


@each(PAIRED)
def test_flat_pictures_give_a_number_or_a_reason(spec, rng):
    grey, white = (np.full((3, 176, 176), v, np.float32) for v in (0.4, 1.0))
    stripes = np.tile((np.arange(176) % 8 < 4).astype(np.float32), (3, 176, 1))
    noise = rng.random((3, 176, 176), dtype=np.float32)
    for a, b in itertools.permutations([grey, white, stripes, noise], 2):
        try:
            value = spec(given(spec, a), given(spec, b))
        except NotApplicableError:
            continue
        assert spec.bounds[0] <= value <= spec.bounds[1]


@each(QUALITY)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_gets_worse_with_noise(spec, name, photograph):
    sharp = photograph(name)
    values = [spec(given(spec, noisy(sharp, s)), given(spec, sharp)) for s in (0.01, 0.04, 0.16)]
    assert values == sorted(values, reverse=spec.higher_is_better)
    assert len(set(values)) == 3


@each(QUALITY)
def test_stays_in_bounds_on_noise(spec, rng):
    for _ in range(3):
        a, b = rng.random((2, 3, 170, 180), dtype=np.float32)
        assert spec.bounds[0] <= spec(given(spec, a), given(spec, b)) <= spec.bounds[1]


@each([s for s in QUALITY if s.name in SYMMETRIC])
def test_is_symmetric(spec, photograph):
    a, b = given(spec, noisy(photograph(), 0.05)), given(spec, photograph())
    assert spec(a, b) == pytest.approx(spec(b, a), rel=1e-6)


@each(PAIRED)
def test_min_side_is_enough_on_either_side(spec, photograph):
    for shape in ((spec.min_side, 200), (200, spec.min_side), (spec.min_side, spec.min_side)):
        b = photograph("coffee", 300, 300)[:, -shape[0] :, -shape[1] :]
        value = spec(given(spec, noisy(b, 0.1)), given(spec, b))
        assert spec.bounds[0] <= value <= spec.bounds[1]
        assert value != best(spec)


@each(PLAIN)
def test_arrays_equal_tensors_and_batches_change_nothing(spec, photograph):
    import torch

    sharp = [photograph(n, 168, 164) for n in ("astronaut", "coffee", "chelsea")]
    rough = [noisy(x, s) for x, s in zip(sharp, (0.02, 0.1, 0.05), strict=True)]
    first = [given(spec, x).astype(np.float64) for x in rough]
    second = [given(spec, x).astype(np.float64) for x in sharp]
    if spec.kind == "lr":
        second = [x[:, ::4, ::4] for x in second]
    alone = [spec(a, b) for a, b in zip(first, second, strict=True)]
    assert all(isinstance(v, float) for v in alone)
    batch = [torch.tensor(np.stack(x)) for x in (first, second)]
    together = spec(*batch)
    assert together.shape == (3,)
    tolerance = 1e-5 if spec.name == "shift" else 1e-9
    assert together.tolist() == pytest.approx(alone, rel=tolerance)
    single = spec(*(x.float() for x in batch))
    assert single.tolist() == pytest.approx(alone, rel=2e-4)


@each(PLAIN)
def test_threads_do_not_meet(spec, photograph):
    from concurrent.futures import ThreadPoolExecutor

    sharp = photograph("chelsea", 168, 164)
    pairs = [(given(spec, noisy(sharp, 0.02 * k)), given(spec, sharp)) for k in range(1, 5)]
    if spec.kind == "lr":
        pairs = [(a, np.ascontiguousarray(b[:, ::4, ::4])) for a, b in pairs]
    alone = [spec(a, b) for a, b in pairs]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda p: spec(*p), pairs))
    assert together == alone


@each([s for s in QUALITY if s.input == "rgb"])
def test_grey_planes_count_as_equal_channels(spec, photograph):
    b = photograph()[:1]
    a = noisy(b, 0.05)
    grey = spec(a, b)
    assert grey == pytest.approx(spec(np.repeat(a, 3, 0), np.repeat(b, 3, 0)), rel=1e-6)


@each([s for s in PLAIN if s.kind == "lr"])
def test_lr_consistency(spec, photograph):
    sharp = photograph("coffee", 120, 160).astype(np.float64)
    small = np.stack([imresize(p, 0.25) for p in sharp])
    assert spec(sharp, small) == math.inf or spec(sharp, small) > 280
    values = [spec(noisy(sharp, s).astype(np.float64), small) for s in (0.01, 0.04, 0.16)]
    assert values == sorted(values, reverse=True)
    assert spec(sharp[:1], small[:1]) > 280
    assert spec(np.repeat(sharp[:1], 3, 0), small[:1]) > 280


def test_shift_grows_with_the_shift(photograph):
    (spec,) = (s for s in PAIRED if s.name == "shift")
    y = luma(photograph())[0].astype(np.float64)
    values = [spec(moved(y, d, 0)[None], y[None]) for d in (0, 0.25, 0.5, 1.5)]
    assert values == pytest.approx([0, 0.25, 0.5, 1.5], abs=0.02)


def test_the_catalog_loads_without_heavy_libraries():
    code = (
        "import sys, srqa.metrics.catalog as c, numpy as np;"
        "spec = {s.name: s for s in c.CATALOG};"
        "x = np.random.rand(1, 64, 64).astype('f');"
        "[spec[n](x, x[:, ::-1]) for n in ('psnr-y', 'ssim-y', 'shift')];"
        "print([m for m in ('torch', 'piq', 'scipy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
