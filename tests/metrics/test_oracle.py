"""Every metric against a slow float64 version written from its paper (tests/oracle)."""

import numpy as np
import pytest
from oracle import colour, gradient, pixels, position, saliency, structure
from scipy.ndimage import gaussian_filter

from srqa.images.colour import luma
from srqa.images.resize import imresize
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}


def on_luma(oracle):
    return lambda a, b: oracle(pixels.rec601(a), pixels.rec601(b))


# name: (oracle, tolerance)
ORACLES = {
    "psnr": (pixels.psnr, 1e-6),
    "psnr-y": (on_luma(pixels.psnr), 1e-5),
    "mse": (pixels.mse, 1e-4),
    "rmse": (pixels.rmse, 1e-5),
    "ssim": (structure.ssim, 2e-7),
    "ssim-y": (on_luma(structure.ssim), 2e-7),
    "ms-ssim": (structure.ms_ssim, 2e-7),
    "ms-ssim-y": (on_luma(structure.ms_ssim), 2e-7),
    "iw-ssim": (structure.iw_ssim, 1e-6),
    "vif": (structure.vif, 2e-7),
    "fsim": (saliency.fsim, 5e-7),
    "fsimc": (saliency.fsimc, 5e-7),
    "vsi": (saliency.vsi, 2e-7),
    "sr-sim": (saliency.sr_sim, 2e-7),
    "gmsd": (gradient.gmsd, 2e-7),
    "ms-gmsd": (gradient.ms_gmsd, 2e-7),
    "mdsi": (gradient.mdsi, 2e-7),
    "haarpsi": (gradient.haarpsi, 2e-7),
    "dss": (gradient.dss, 2e-7),
    "delta-e": (colour.delta_e, 1e-9),
}


@pytest.fixture(scope="module", params=["even", "odd"])
def pictures(request, photograph):
    height, width = {"even": (176, 192), "odd": (181, 203)}[request.param]
    sharp = photograph("astronaut", height, width)
    noise = np.random.default_rng(1).normal(0, 0.04, sharp.shape)
    blurred = np.clip(gaussian_filter(sharp, (0, 1.2, 1.2)) * 0.95, 0, 1)
    return {
        "noise": np.clip(sharp + noise, 0, 1).astype(np.float32),
        "blur": blurred,
        "reference": sharp,
    }


def test_every_metric_has_an_oracle():
    compared = {s.name for s in CATALOG if not s.weights and s.kind != "nr"}
    elsewhere = {"shift", "lr-psnr"} | {"cvvdp", "flip", "ssimulacra2"}  # test_perceived.py
    assert set(ORACLES) | elsewhere >= compared


@pytest.mark.parametrize("kind", ["noise", "blur"])
@pytest.mark.parametrize("name", ORACLES)
def test_agrees_with_the_paper(name, kind, pictures):
    spec, (oracle, tolerance) = SPECS[name], ORACLES[name]
    a, b = pictures[kind], pictures["reference"]
    given = (luma(a), luma(b)) if spec.input == "y" else (a, b)
    assert spec(*given) == pytest.approx(oracle(a, b), abs=tolerance)


@pytest.mark.parametrize("name", ["fsim", "fsimc", "vsi", "sr-sim", "mdsi"])
@pytest.mark.parametrize("side", [391, 642])
def test_agrees_where_pictures_are_shrunk_first(name, side, photograph, rng):
    sharp = np.tile(photograph("coffee", 400, 330), (1, 2, 2))[:, :side, : side + 13]
    noisy = np.clip(sharp + rng.normal(0, 0.05, sharp.shape), 0, 1)
    oracle, tolerance = ORACLES[name]
    assert SPECS[name](noisy, sharp) == pytest.approx(oracle(noisy, sharp), abs=tolerance)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lr_psnr(scale, photograph, rng):
    sr = photograph("chelsea", 24 * scale, 20 * scale)
    lr = rng.random((3, 24, 20), dtype=np.float32)
    assert SPECS["lr-psnr"](sr, lr) == pytest.approx(pixels.lr_psnr(sr, lr), abs=1e-9)


@pytest.mark.parametrize("move", [(0.5, 0.5), (-0.3, 0.7), (1.5, -1.5)])
def test_shift(move, photograph):
    from srqa.metrics.registration import offset

    sharp = luma(photograph("coffee", 256, 256))[0].astype(np.float64)
    moved = position.moved(sharp, *move)
    upscaled = imresize(imresize(moved, 0.25), 4.0)
    found = offset(upscaled[None], sharp[None])
    assert found == pytest.approx(position.offset(upscaled, sharp, move), abs=0.02)
    assert found == pytest.approx(move, abs=0.05)
