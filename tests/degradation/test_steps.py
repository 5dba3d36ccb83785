import json

import numpy as np
import pytest
from support import picture

from srqa.degradation import steps as stages
from srqa.degradation.kernels import Disk, Gaussian, Motion, Sinc, Taps, taps
from srqa.degradation.model import Classical, degrade_pixels, stream
from srqa.degradation.presets import degradation
from srqa.degradation.sampling import aligned, area_weights
from srqa.degradation.steps import Blur, Compress, Downsample, Noise, Rescale
from srqa.errors import InputError
from srqa.images.resize import imresize

RNG = np.random.default_rng(0)
KERNELS = [
    Gaussian(1.6),
    Gaussian(0.8, 2.0, 40),
    Motion(6.3, 25),
    Disk(2.4),
    Sinc(1.7, 9),
    Taps(((0.0, 0.1, 0.3), (0.0, 0.2, 0.4), (0.0, 0.0, 0.0))),
]


def ramp(height, width):
    """A picture whose value is its place: 0.01 x + 0.001 y."""
    y, x = np.mgrid[0:height, 0:width]
    return 0.01 * x + 0.001 * y


def middle(array, share=0.3):
    height, width = array.shape
    top, left = int(height * share), int(width * share)
    return array[top : height - top, left : width - left]


def expected_ramp(low, scale):
    y, x = np.mgrid[0 : low[0], 0 : low[1]]
    return 0.01 * ((x + 0.5) * scale - 0.5) + 0.001 * ((y + 0.5) * scale - 0.5)


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 2.5, 3.37])
@pytest.mark.parametrize("down", ["bicubic", "bilinear", "lanczos", "area"])
def test_low_pixels_lie_in_the_middle_of_those_they_cover(down, scale):
    made = degrade_pixels(ramp(60, 72), [Downsample(scale, down)], RNG, scale)
    where = expected_ramp(made.shape, scale)
    # Between whole scales the weights of a widened kernel sum to 1, but do not quite balance.
    tolerance = 1e-9 if scale == int(scale) else 0.01 * (0.06 if down == "area" else 0.03)
    np.testing.assert_allclose(middle(made), middle(where), atol=tolerance)
    assert abs(float((middle(made) - middle(where)).mean())) < 0.01 * 0.005


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("down", ["bicubic", "bilinear", "lanczos", "area", "nearest"])
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_no_kernel_moves_the_picture(kernel, down, scale):
    """Whatever the kernel and the sampling, also where no pixel lies in the middle."""
    between = down == "nearest" and scale % 2 == 0
    steps = [Blur(kernel, "mirror", between), Downsample(scale, down)]
    made = degrade_pixels(ramp(96, 96), steps, RNG, scale)
    np.testing.assert_allclose(middle(made), middle(expected_ramp(made.shape, scale)), atol=1e-9)


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
def test_which_pixel_nearest_keeps(scale):
    """The middle one for odd scales, the one to the lower right of the middle for even ones."""
    made = degrade_pixels(ramp(60, 60), [Downsample(scale, "nearest")], RNG, scale)
    assert np.array_equal(made, ramp(60, 60)[scale // 2 :: scale, scale // 2 :: scale])


@pytest.mark.parametrize("scale", [2, 4])
def test_the_drawn_degradation_centres_the_kernel_between_pixels(scale):
    steps = Classical(scale, kernel="gaussian", down="nearest").draw(RNG)
    assert steps[0].between
    assert not Classical(3, kernel="gaussian", down="nearest").draw(RNG)[0].between
    assert not Classical(scale, kernel="gaussian").draw(RNG)[0].between


def matlab_bd(pixels, scale, sigma=1.6):
    """RCAN's blur-down degradation, one sum after the other, from its description in MATLAB."""
    if scale % 2:
        size = 7 if scale == 3 else int(np.ceil(sigma * 3)) * 2 + 1
        first = (scale - 1) // 2
    else:
        size = int(np.ceil(sigma * 3)) * 2 + 2
        first = scale // 2 - 1
    at = np.arange(size) - (size - 1) / 2
    weight = np.exp(-(at[:, None] ** 2 + at[None] ** 2) / (2 * sigma**2))
    weight /= weight.sum()
    # imfilter: the middle of n taps is number floor((n + 1) / 2), counted from 1.
    before = (size + 1) // 2 - 1
    height, width, _ = pixels.shape
    made = np.zeros((height // scale, width // scale, 3), np.uint8)
    for i in range(made.shape[0]):
        for j in range(made.shape[1]):
            rows = np.clip(first + i * scale - before + np.arange(size), 0, height - 1)
            columns = np.clip(first + j * scale - before + np.arange(size), 0, width - 1)
            block = pixels[np.ix_(rows, columns)].astype(np.float64)
            made[i, j] = np.floor((block * weight[..., None]).sum((0, 1)) + 0.5)
    return made


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
def test_bd_is_that_of_the_literature(scale):
    pixels = picture("bd", 60, 60)
    made = degradation("bd", scale)(pixels, RNG)
    assert np.array_equal(made, matlab_bd(pixels, scale))


def test_blur_is_a_convolution(rng):
    """Against scipy, with a kernel that has no symmetry; every border."""
    from scipy.ndimage import convolve

    kernel = Taps(tuple(map(tuple, np.outer([0.1, 0.2, 0.4, 0.2, 0.1], [0.2, 0.3, 0.2, 0.2, 0.1]))))
    plane = rng.random((20, 24))
    for border, mode in (("mirror", "reflect"), ("clamp", "nearest"), ("reflect", "mirror")):
        found = Blur(kernel, border)(plane, RNG, (1, 1))
        np.testing.assert_allclose(found, convolve(plane, taps(kernel), mode=mode), atol=1e-12)


@pytest.mark.parametrize("border", ["mirror", "clamp"])
def test_bicubic_is_imresize(border):
    pixels = picture("a", 40, 52)
    made = degradation("bi", 4, {"border": border})(pixels, RNG)
    assert np.array_equal(made, imresize(pixels, 0.25, border=border))


@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
@pytest.mark.parametrize(
    ("high", "low", "scale", "border"),
    [
        ("hr_mod3", "lr_bicubic_x3", 3, "clamp"),
        ("hr_mod4", "lr_bicubic_x4", 4, "clamp"),
        ("hr_mod4", "lr_bicubic_x4_new_matlab", 4, "mirror"),
    ],
)
def test_set5_bit_for_bit(reference, name, high, low, scale, border):
    import srqa
    from srqa.images.read import read

    (source,) = (reference / "set5" / high).glob(f"{name}*")
    (target,) = (reference / "set5" / low).glob(f"{name}*")
    made = srqa.degrade(read(source).pixels, scale, border=border)
    expected = read(target).pixels
    assert np.array_equal(made, expected if made.ndim == expected.ndim else expected[..., 0])


@pytest.mark.parametrize("scale", [2, 3, 1.7])
def test_area_is_the_mean_of_what_is_covered(scale, rng):
    """Against fine sampling of the picture as little squares."""
    plane = rng.random((17, 17))
    low, high = aligned(17, scale)
    made = degrade_pixels(plane, [Downsample(scale, "area")], RNG, scale)
    fine = 200
    at = (np.arange(low * fine) + 0.5) / fine * scale
    index = np.minimum(at.astype(int), high - 1)
    expected = plane[np.ix_(index, index)].reshape(low, fine, low, fine).mean((1, 3))
    np.testing.assert_allclose(made, expected, atol=4e-3)
    weight, index = area_weights(high, low, scale)
    np.testing.assert_allclose(weight.sum(1), 1)
    assert index.max() < high


@pytest.mark.parametrize("method", ["bicubic", "bilinear"])
@pytest.mark.parametrize("factor", [0.25, 0.5, 1.0, 1.5])
def test_rescale_is_that_of_torch(method, factor, rng):
    import torch

    plane = rng.random((24, 32))
    found = Rescale(factor, "picture", method)(plane, RNG, (6, 8))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(plane)[None, None], scale_factor=factor, mode=method, align_corners=False
    )
    np.testing.assert_allclose(found, expected[0, 0].numpy(), atol=1e-6)


def test_rescale_relative_to_the_low_resolution(rng):
    plane = rng.random((24, 32)).astype(np.float32)
    assert Rescale(1.5, "low", "area")(plane, RNG, (6, 8)).shape == (9, 12)
    assert Rescale(1, "low", "area")(plane, RNG, (6, 8)).shape == (6, 8)
    assert Rescale(0.01, "picture", "bilinear")(plane, RNG, (6, 8)).shape == (1, 1)
    blocks = plane.reshape(6, 4, 8, 4).mean((1, 3))
    np.testing.assert_allclose(Rescale(1, "low", "area")(plane, RNG, (6, 8)), blocks, atol=1e-6)


FLAT = np.full((300, 300, 3), 128, np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_gaussian_noise_has_its_level(dtype):
    full = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    pixels = np.full((300, 300, 3), 0.5 * full).astype(dtype)
    made = Noise("gaussian", 10)(pixels, stream(0, "", ""), (1, 1))
    assert made.dtype == pixels.dtype
    error = (made.astype(np.float64) - pixels) * 255 / full
    assert error.std() == pytest.approx(10, rel=0.01)
    assert error.mean() == pytest.approx(0, abs=0.06)
    red, green, _ = error.reshape(-1, 3).T
    assert abs(np.corrcoef(red, green)[0, 1]) < 0.02


def test_grey_noise_is_the_same_in_all_channels():
    for noise in (Noise("gaussian", 10, True), Noise("poisson", 1, True, 100)):
        made = noise(FLAT, stream(0, "", ""), (1, 1))
        assert made.std() > 3
        assert np.array_equal(made[..., 0], made[..., 2])


@pytest.mark.parametrize("photons", [30, 400])
def test_poisson_noise_has_the_variance_of_its_mean(photons):
    for value in (60, 128, 200):
        pixels = np.full((300, 300, 3), value / 255)
        made = Noise("poisson", 1, False, photons)(pixels, stream(1, "", ""), (1, 1))
        inside = made[made < 1] if value == 60 else made
        assert inside.mean() == pytest.approx(value / 255, rel=0.02)
        if made.max() < 1:
            assert made.var() == pytest.approx(value / 255 / photons, rel=0.02)


def test_poisson_noise_of_the_pictures_own_levels():
    """Real-ESRGAN's: as many photons at white as the picture has levels, as a power of 2."""
    pixels = np.tile(np.linspace(0.3, 0.5, 3), (300, 100))[..., None].repeat(3, 2)
    made = Noise("poisson", 1)(pixels, stream(1, "", ""), (1, 1))
    np.testing.assert_allclose(made * 4, np.round(made * 4), atol=1e-6)


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
@pytest.mark.parametrize("quality", [10, 40, 95])
@pytest.mark.parametrize("grey", [False, True])
def test_compression_is_that_of_pillow(codec, quality, grey):
    """The same libraries by another way: what anybody's tool makes of that quality."""
    import io

    from PIL import Image

    pixels = picture("a", 48, 64)
    pixels = pixels[..., 0] if grey else pixels
    made = Compress(codec, quality)(pixels, RNG, (1, 1))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, codec, quality=quality)
    expected = np.asarray(Image.open(file))
    if grey and codec == "webp":
        expected = expected[..., 1]
    assert np.array_equal(made, expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("preset", ["bi", "bd", "dn", "jpeg", "real-esrgan"])
def test_kind_and_depth_are_kept(preset, dtype, grey):
    pixels = picture("a", 70, 90)[..., 0] if grey else picture("a", 70, 90)
    if dtype == "uint16":
        pixels = pixels.astype(np.uint16) * 257
    elif dtype != "uint8":
        pixels = (pixels / 255).astype(dtype)
    made = degradation(preset, 3)(pixels, np.random.default_rng(3))
    assert made.dtype == pixels.dtype
    assert made.shape == (23, 30, *pixels.shape[2:])
    if dtype == "uint16" and preset in ("bi", "bd", "dn"):
        assert (made % 257 != 0).mean() > 0.9, "16 bits went through 8"


@pytest.mark.parametrize("preset", ["bi", "bd", "dn", "jpeg", "real-esrgan"])
def test_steps_survive_a_manifest(preset):
    steps = degradation(preset, 4).draw(stream(4, "a", "draw"))
    again = tuple(stages.from_dict(json.loads(json.dumps(stages.to_dict(s)))) for s in steps)
    assert again == steps


def test_what_the_scale_does_not_divide_is_cut():
    pixels = picture("a", 43, 55)
    made = degradation("bi", 4)(pixels, RNG)
    assert np.array_equal(made, imresize(pixels[:40, :52], 0.25))


@pytest.mark.parametrize("side", range(1, 60))
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 1.1, 2.5, 3.37, 7.25])
def test_sides_of_any_scale(side, scale):
    low, high = aligned(side, scale)
    assert 0 <= high <= side
    assert high == int(np.ceil(round(low * scale, 6)))
    assert int(np.ceil(round((low + 1) * scale, 6))) > side
    if scale == int(scale):
        assert high == side - side % scale


def test_too_small():
    with pytest.raises(InputError, match="too few for a scale of 4"):
        degradation("bi", 4)(np.zeros((3, 40), np.uint8), RNG)
    with pytest.raises(InputError, match="7x7 taps of the kernel"):
        degradation("bd", 3)(np.zeros((6, 40), np.uint8), RNG)
