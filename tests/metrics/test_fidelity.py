import json
import math
import sys
import types

import numpy as np
import pytest

import srqa
from srqa.images.arrays import is_tensor
from srqa.images.colour import luma
from srqa.images.resize import imresize
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}


def read(path):
    from PIL import Image

    pixels = np.asarray(Image.open(path).convert("RGB"))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float64) / 255


def cropped(planes, border):
    return planes[..., border:-border, border:-border]


def test_known_values():
    b = np.zeros((3, 4, 5))
    a = b + 1 / 255
    assert SPECS["psnr"](a, b) == pytest.approx(20 * math.log10(255))
    assert SPECS["mse"](a, b) == pytest.approx(1)
    assert SPECS["rmse"](a, b) == pytest.approx(1)
    assert SPECS["psnr"](b, b) == math.inf


def test_equal_tensors_are_infinite():
    import torch

    x = torch.rand(2, 3, 4, 5)
    assert SPECS["psnr"](x, x).tolist() == [math.inf, math.inf]


def test_full_range_luma_costs_1_3219_db(photograph, rng):
    b = photograph().astype(np.float64)
    a = np.clip(b + rng.normal(0, 0.05, b.shape), 0, 1)
    weights = np.array([65.481, 128.553, 24.966])[:, None, None] / 219
    full = [(weights * x).sum(0, keepdims=True) for x in (a, b)]
    studio = SPECS["psnr-y"](luma(a), luma(b))
    assert studio - SPECS["psnr-y"](*full) == pytest.approx(20 * math.log10(255 / 219), abs=1e-9)


def test_luma_does_not_see_chroma(photograph):
    """Cb moved by 20 of 255, then 8-bit RGB: finite unrounded, one level at most rounded."""
    b = np.round(photograph().astype(np.float64) * 0.6 * 255 + 50) / 255
    blue = 20 * 2.017 / 255
    green = -20 * 0.392 / 255
    a = np.round((b + np.array([0, green, blue])[:, None, None]) * 255) / 255
    assert a.max() <= 1
    assert 50 < SPECS["psnr-y"](luma(a), luma(b)) < 70
    rounded = luma(a, rounded=True), luma(b, rounded=True)
    changed = np.abs(rounded[0] - rounded[1]) * 255
    assert changed.max() <= 1.001
    assert np.mean(changed > 0.5) < 0.3
    assert SPECS["psnr"](a, b) < 30


@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
def test_rcan_on_set5(name, reference):
    """The numbers that MATLAB gives for RCAN x4 (crop 4, Y unrounded)."""
    expected = json.loads((reference / "expected.json").read_text())["set5_rcan_x4"]
    folder = reference / "set5"
    (path,) = (folder / "rcan_x4").glob(f"{name}*")
    a, b = (cropped(luma(read(p)), 4) for p in (path, folder / "hr_mod4" / f"{name}.png"))
    for kind in (np.float64, np.float32):
        given = a.astype(kind), b.astype(kind)
        assert SPECS["psnr-y"](*given) == pytest.approx(expected["psnr_y"][name], abs=1e-6)
        assert SPECS["ssim-y"](*given) == pytest.approx(expected["ssim_y"][name], abs=1e-6)


@pytest.mark.parametrize("scale", [3, 4])
def test_bicubic_on_set5(scale, reference):
    """The figures that SR tables give for bicubic: from float Y, and through 8-bit files."""
    expected = json.loads((reference / "expected.json").read_text())["set5_bicubic_mean"]
    rows = {"y_float": [], "rgb_files": []}
    for path in sorted((reference / "set5" / f"hr_mod{scale}").glob("*.png")):
        hr = luma(read(path), rounded=True)
        up = imresize(imresize(hr[0], 1 / scale), float(scale))[None]
        rows["y_float"].append(scores(up, hr, scale))
        lr = read(path.parents[1] / f"lr_bicubic_x{scale}" / path.name)
        up = imresize(lr.transpose(1, 2, 0), float(scale)).transpose(2, 0, 1)
        up = np.clip(np.floor(up * 255 + 0.5), 0, 255) / 255
        rows["rgb_files"].append(scores(luma(up, rounded=True), hr, scale))
    for pipeline, values in rows.items():
        psnr, ssim = np.mean(values, axis=0)
        assert psnr == pytest.approx(expected[pipeline][f"x{scale}"][0], abs=6e-4)
        assert ssim == pytest.approx(expected[pipeline][f"x{scale}"][1], abs=6e-5)


def scores(y, hr, border):
    y = np.clip(np.floor(y * 255 + 0.5) / 255, 0, 1)
    pair = cropped(y, border), cropped(hr, border)
    return SPECS["psnr-y"](*pair), SPECS["ssim-y"](*pair)


def test_arrays_are_told_while_another_thread_imports_torch(monkeypatch):
    """What `sys.modules` holds then is a torch without a tensor yet."""
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    assert not is_tensor(np.zeros((4, 4, 3), np.float32))
    a, b = np.zeros((4, 4, 3), np.float32), np.full((4, 4, 3), 0.1, np.float32)
    assert srqa.metric("mse")(a, b) == pytest.approx(0.01 * 255**2)
