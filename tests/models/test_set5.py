"""DAT-light on Set5: the published figures, and each picture's as recorded from its own forward."""

import numpy as np
import pytest
import torch

import srqa
import srqa.models
from srqa.images.read import read

# PSNR and SSIM on Y of the 8-bit output, borders of `scale` pixels cut; computed once by
# spandrel's forward pass of the authors' network and weights, in float32 on a CPU.
RECORDED = {
    4: {
        "baby": (33.917426, 0.895972),
        "bird": (35.356648, 0.948793),
        "butterfly": (29.283836, 0.931111),
        "head": (33.056727, 0.799715),
        "woman": (31.242670, 0.920020),
    },
    3: {
        "baby": (35.782783, 0.930833),
        "bird": (38.514511, 0.974061),
        "butterfly": (31.906853, 0.956784),
        "head": (34.195694, 0.838557),
        "woman": (33.389663, 0.949105),
    },
}
PUBLISHED = {4: 32.57, 3: 34.76}


def scores(reference, scale, content):
    folder = reference / "set5"
    lr = read(folder / f"lr_bicubic_x{scale}" / f"{content}.png").pixels
    hr = read(folder / f"hr_mod{scale}" / f"{content}.png").pixels
    upscaler = srqa.models.load("dat-light", scale, offline=True)
    x = torch.from_numpy(lr.transpose(2, 0, 1).astype(np.float32) / 255)[None]
    y = upscaler.run(x, scale)[0].clamp(0, 1).numpy().transpose(1, 2, 0)
    pair = [np.floor(y * 255 + 0.5) / 255, hr / 255]
    inner = [np.ascontiguousarray(p[scale:-scale, scale:-scale]) for p in pair]
    return [srqa.metric(name)(*inner) for name in ("psnr-y", "ssim-y")]


@pytest.mark.parametrize("scale", [3, 4])
def test_the_smallest_picture(reference, zoo, scale):
    zoo(f"dat-light-x{scale}")
    psnr, ssim = scores(reference, scale, "butterfly")
    expected = RECORDED[scale]["butterfly"]
    assert psnr == pytest.approx(expected[0], abs=2e-3)
    assert ssim == pytest.approx(expected[1], abs=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [3, 4])
def test_all_of_set5(reference, zoo, scale):
    zoo(f"dat-light-x{scale}")
    found = {content: scores(reference, scale, content) for content in RECORDED[scale]}
    for content, expected in RECORDED[scale].items():
        assert found[content][0] == pytest.approx(expected[0], abs=2e-3), content
        assert found[content][1] == pytest.approx(expected[1], abs=2e-5), content
    mean = np.mean([psnr for psnr, _ in found.values()])
    assert mean == pytest.approx(PUBLISHED[scale], abs=0.01)
    card = srqa.models.card("dat-light")
    (said,) = [f for f in card.measured if f.scale == scale]
    assert said.psnr == pytest.approx(mean, abs=0.006)
