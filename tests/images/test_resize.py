import numpy as np
import pytest

from srqa.errors import UsageError
from srqa.images.resize import imresize

SETS = [
    ("hr_mod3", "lr_bicubic_x3", 1 / 3, "clamp"),
    ("hr_mod4", "lr_bicubic_x4", 1 / 4, "clamp"),
    ("hr_mod4", "lr_bicubic_x4_new_matlab", 1 / 4, "mirror"),
]


@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
@pytest.mark.parametrize(("high", "low", "scale", "border"), SETS)
def test_bit_exact_with_matlab(high, low, scale, border, name, reference):
    from PIL import Image

    (source,) = (reference / "set5" / high).glob(f"{name}*")
    (target,) = (reference / "set5" / low).glob(f"{name}*")
    hr, lr = (np.asarray(Image.open(p).convert("RGB")) for p in (source, target))
    assert np.array_equal(imresize(hr, scale, border=border), lr)
    assert np.array_equal(imresize(hr, size=lr.shape[:2], border=border), lr)


@pytest.mark.parametrize("scale", [0.25, 1 / 3, 0.5, 0.7, 1.0, 1.5, 2, 3.3, 4])
@pytest.mark.parametrize("shape", [(16, 24), (17, 23), (5, 40)])
def test_size_is_rounded_up(scale, shape):
    expected = tuple(int(np.ceil(n * scale)) for n in shape)
    assert imresize(np.zeros(shape), scale).shape == expected
    assert imresize(np.zeros((*shape, 3)), scale).shape == (*expected, 3)


def test_scale_and_size_agree_where_sides_divide(rng):
    x = rng.random((24, 36, 3))
    assert np.array_equal(imresize(x, 0.25), imresize(x, size=(6, 9)))
    assert np.array_equal(imresize(x, 3.0), imresize(x, size=(72, 108)))
    assert np.array_equal(imresize(x, 1.0), x)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic", "lanczos2", "lanczos3"])
@pytest.mark.parametrize("scale", [0.3, 0.5, 2, 2.5])
def test_keeps_flat_pictures_and_symmetry(kernel, scale, rng):
    flat = imresize(np.full((20, 30), 0.7), scale, kernel=kernel)
    np.testing.assert_allclose(flat, 0.7, atol=1e-14)
    x = rng.random((20, 30))
    if (30 * scale) % 1 == 0:
        mirrored = imresize(x[:, ::-1], scale, kernel=kernel)[:, ::-1]
        np.testing.assert_allclose(mirrored, imresize(x, scale, kernel=kernel), atol=1e-12)


def test_the_smaller_scale_goes_first(rng):
    x = rng.integers(0, 256, (40, 40), dtype=np.uint8)
    assert np.array_equal(imresize(x.T, size=(30, 10)).T, imresize(x, size=(10, 30)))


def test_integers_are_rounded_half_up_and_clamped():
    edge = np.zeros((8, 16), np.uint8)
    edge[:, 8:] = 255
    up = imresize(edge, 2.0)
    assert up.dtype == np.uint8
    assert (up.min(), up.max()) == (0, 255)
    assert imresize(edge.astype(np.float64), 2.0).max() > 255
    assert imresize(edge.astype(np.uint16) * 257, 2.0).max() == 65535
    assert imresize(np.array([[0, 1]], np.uint8), size=(1, 1), kernel="bilinear")[0, 0] == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [0.25, 0.37, 2.0, 3.0])
@pytest.mark.parametrize("border", ["mirror", "clamp"])
def test_tensors_equal_arrays(dtype, scale, border, rng):
    import torch

    x = rng.random((2, 3, 21, 26)).astype(dtype)
    found = imresize(torch.from_numpy(x), scale, border=border)
    assert found.dtype == getattr(torch, dtype)
    tolerance = 1e-12 if dtype == "float64" else 2e-6
    for picture, planes in zip(x, found.numpy(), strict=True):
        expected = imresize(picture.transpose(1, 2, 0), scale, border=border)
        np.testing.assert_allclose(planes.transpose(1, 2, 0), expected, atol=tolerance)


def test_gradient():
    import torch

    x = torch.rand(1, 1, 8, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: imresize(t, 0.5), x)
    assert torch.autograd.gradcheck(lambda t: imresize(t, size=(11, 10)), x)


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"scale": 2.0, "size": (4, 4)},
        {"scale": 0},
        {"scale": -1},
        {"scale": float("nan")},
        {"scale": float("inf")},
        {"size": (0, 4)},
        {"size": (4, -1)},
    ],
)
def test_refuses_what_makes_no_picture(keywords):
    with pytest.raises(UsageError):
        imresize(np.zeros((8, 8)), **keywords)
