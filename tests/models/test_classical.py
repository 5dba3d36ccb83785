import numpy as np
import pytest
import torch

from srqa.errors import UsageError
from srqa.images.resize import imresize
from srqa.models.classical import METHODS
from srqa.models.upscaler import enlarged

KERNELS = {
    "nearest": "nearest",
    "bilinear": "bilinear",
    "bicubic": "bicubic",
    "lanczos": "lanczos3",
}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_knows_its_name_and_keeps_the_sides(name):
    method = METHODS[name]()
    assert method.name == name
    for scale in method.scales or (1, 2, 3.37):
        made = method.run(torch.rand(2, 3, 9, 12), scale)
        assert made.shape == (2, 3, enlarged(9, scale), enlarged(12, scale))
        assert made.dtype == torch.float32


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("scale", [1, 1.5, 2, 3, 3.37, 4])
def test_interpolation_equals_imresize(name, scale, rng):
    pixels = rng.random((13, 18, 3))
    found = METHODS[name]().run(torch.from_numpy(pixels.transpose(2, 0, 1))[None], scale)
    expected = imresize(pixels, scale, kernel=KERNELS[name])
    np.testing.assert_allclose(found[0].numpy().transpose(1, 2, 0), expected, atol=1e-13)


@pytest.mark.parametrize("scale", [1.1, 1.3, 2.2, 4.6])
def test_floating_point_adds_no_pixel(scale):
    assert METHODS["bicubic"]().run(torch.rand(1, 1, 10, 20), scale).shape[-2:] == (
        round(10 * scale),
        round(20 * scale),
    )


@pytest.mark.parametrize("name", KERNELS)
def test_the_halo_is_enough_for_tiles(name, rng):
    method = METHODS[name]()
    whole = torch.from_numpy(rng.random((1, 1, 30, 20)))
    for scale in (2, 3, 2.5):
        inner = method.run(whole[..., 10 - method.halo : 20 + method.halo, :], scale)
        start = round(method.halo * scale) if method.halo * scale % 1 == 0 else None
        if start is None:
            continue
        expected = method.run(whole, scale)[..., round(10 * scale) : round(20 * scale), :]
        found = inner[..., start : start + round(10 * scale), :]
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("scale", [0.5, 0, -2, float("nan"), float("inf")])
def test_a_scale_below_one_is_refused(name, scale):
    with pytest.raises(UsageError, match="at least 1"):
        METHODS[name]().run(torch.rand(1, 1, 8, 8), scale)
