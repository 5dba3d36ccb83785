import math
from collections import Counter

import numpy as np
import pytest
import torch
from support import picture

import srqa
from srqa.degradation.kernels import Disk, Gaussian, Motion, Sinc
from srqa.degradation.model import Classical, stream
from srqa.degradation.presets import PRESETS, degradation
from srqa.degradation.realesrgan import RealEsrgan
from srqa.degradation.steps import Blur, Compress, Downsample, Noise, Rescale
from srqa.errors import UsageError


def draws(made, n):
    return [made.draw(stream(seed, "name", "draw")) for seed in range(n)]


def test_real_esrgan_draws_as_its_configuration_says():
    """Probabilities within four standard errors, every value within its bounds."""
    n = 4000
    counts = Counter()
    for steps in draws(RealEsrgan(), n):
        first, rest = steps[0], steps[4:]
        assert isinstance(first, Blur)
        assert [type(s) for s in steps[1:4]] == [Rescale, Noise, Compress]
        counts["sinc"] += isinstance(first.kernel, Sinc)
        if isinstance(first.kernel, Gaussian):
            k = first.kernel
            assert 0.2 <= k.sigma <= 3
            assert k.size in range(7, 22, 2)
            kind = ("plateau" if k.plateau else "gaussian" if k.power == 1 else "generalised",
                    k.sigma_y is not None)  # fmt: skip
            counts[kind] += 1
            low, high = {"plateau": (1, 2), "gaussian": (1, 1)}.get(kind[0], (0.5, 4))
            assert low <= k.power <= high
        else:
            low = math.pi / 3 if first.kernel.size < 13 else math.pi / 5
            assert low <= first.kernel.cutoff <= math.pi
        factor = steps[1].factor
        assert 0.15 <= factor <= 1.5
        counts["up"] += factor > 1
        counts["down"] += factor < 1
        for noise in (steps[2], next(s for s in rest if isinstance(s, Noise))):
            counts["gaussian noise"] += noise.kind == "gaussian"
            counts["grey"] += noise.grey
        assert 30 <= steps[3].quality <= 95
        second = isinstance(rest[0], Blur)
        counts["second blur"] += second
        if second and isinstance(rest[0].kernel, Gaussian):
            assert 0.2 <= rest[0].kernel.sigma <= 1.5
        tail = rest[second + 2 :]
        counts["jpeg last"] += isinstance(tail[-1], Compress)
        counts["final sinc"] += any(isinstance(s, Blur) for s in tail)
        assert Counter(type(s) for s in tail) - Counter([Blur]) == Counter([Rescale, Compress])
        assert next(s for s in tail if isinstance(s, Rescale)).factor == 1
    expected = {
        "sinc": (0.1, n),
        ("gaussian", False): (0.9 * 0.45, n),
        ("gaussian", True): (0.9 * 0.25, n),
        ("generalised", False): (0.9 * 0.12, n),
        ("generalised", True): (0.9 * 0.03, n),
        ("plateau", False): (0.9 * 0.12, n),
        ("plateau", True): (0.9 * 0.03, n),
        "up": (0.2, n),
        "down": (0.7, n),
        "gaussian noise": (0.5, 2 * n),
        "grey": (0.4, 2 * n),
        "second blur": (0.8, n),
        "jpeg last": (0.5, n),
        "final sinc": (0.8, n),
    }
    for what, (p, trials) in expected.items():
        error = 4 * math.sqrt(p * (1 - p) / trials)
        assert counts[what] / trials == pytest.approx(p, abs=error), what


@pytest.mark.parametrize("scale", [1, 2, 2.5, 4])
@pytest.mark.parametrize("side", [32, 64, 130])
def test_real_esrgan_always_ends_at_the_low_resolution(scale, side):
    made = RealEsrgan(scale)
    for seed in range(12):
        low = made(picture("a", side, side + 9), np.random.default_rng(seed))
        assert low.shape == (math.floor(side / scale), math.floor((side + 9) / scale), 3)


def test_streams_hang_on_seed_name_and_use_alone():
    first = stream(1, "a", "draw").random(4)
    assert np.array_equal(first, stream(1, "a", "draw").random(4))
    others = [stream(2, "a", "draw"), stream(1, "b", "draw"), stream(1, "a", "noise")]
    assert all(not np.array_equal(first, other.random(4)) for other in others)


def test_random_numbers_are_those_of_the_manifest_of_old():
    """If this fails, files of old seeds can no longer be made again: the change must be said."""
    found = stream(7, "Set5/baby", "noise").bit_generator.random_raw(3).tolist()
    assert found == [15717467180296295287, 9296775749725799657, 9785800686118126189]


def test_ranges_are_drawn_from_and_values_are_kept():
    steps = draws(degradation("bi", 4, {"kernel": "aniso", "noise": (2, 8), "codec": "jpeg",
                                        "quality": (20, 60)}), 300)  # fmt: skip
    sigmas = np.array([[s[0].kernel.sigma, s[0].kernel.sigma_y] for s in steps])
    assert 0.6 <= sigmas.min() < 0.8
    assert 4.8 < sigmas.max() <= 5
    angles = [s[0].kernel.angle for s in steps]
    assert 0 <= min(angles) < 5
    assert 175 < max(angles) <= 180
    levels = [s[2].level for s in steps]
    assert 2 <= min(levels) < 2.2
    assert 7.8 < max(levels) <= 8
    assert {type(s[3].quality) for s in steps} == {int}
    fixed = draws(degradation("bi", 4, {"kernel": "gaussian", "sigma": 2.0, "noise": 5}), 3)
    assert fixed[0] == fixed[1] == fixed[2]
    assert fixed[0] == (Blur(Gaussian(2.0)), Downsample(4), Noise("gaussian", 5))


def test_each_kernel_has_its_settings():
    def kernel(**settings):
        return degradation("bi", 2, settings).draw(stream(0, "", ""))[0].kernel

    assert kernel(kernel="motion", length=9.0, angle=45.0) == Motion(9, 45)
    assert kernel(kernel="disk", radius=3.0) == Disk(3)
    assert kernel(kernel="gaussian", sigma=1.0, size=5) == Gaussian(1.0, size=5)
    several = (Disk(1), Disk(2), Disk(3))
    found = {s[0].kernel for s in draws(degradation("bi", 2, {"kernel": several}), 60)}
    assert found == set(several)


def test_presets_of_the_literature():
    assert degradation("bd").draw(stream(0, "", "")) == (
        Blur(Gaussian(1.6, size=7), "clamp"),
        Downsample(3, "nearest"),
    )
    assert degradation("dn").draw(stream(0, "", "")) == (Downsample(3), Noise("gaussian", 30))
    assert degradation("jpeg", 2).draw(stream(0, "", "")) == (Downsample(2), Compress("jpeg", 40))
    assert degradation("bd", 3, {"sigma": 3.0}).draw(stream(0, "", ""))[0].kernel.size is None
    assert degradation("bi", 4).name == "bi"
    assert degradation("bi", 4, {"noise": 3}).name == "bi, changed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("blur", 4), "bi, bd, dn, jpeg, real-esrgan"),
        (("bi",), "--scale 4"),
        (("bi", 0.5), "from 1 to 64, not 0.5"),
        (("bi", float("nan")), "from 1"),
        (("real-esrgan", 4, {"noise": 3}), "noise cannot be set"),
        (("bi", 4, {"nois": 3}), "'nois'"),
        (("bi", 4, {"noise": -1}), "between 0 and 255"),
        (("bi", 4, {"noise": (9, 3)}), "LOW:HIGH"),
        (("bi", 4, {"codec": "jpeg", "quality": 0}), "1 and 100"),
        (("bi", 4, {"codec": "png"}), "jpeg or webp"),
        (("bi", 4, {"down": "box"}), "bicubic, bilinear"),
        (("bi", 4, {"border": "wrap"}), "mirror or clamp"),
        (("bi", 4, {"kernel": "moffat"}), "none, gaussian"),
        (("bi", 4, {"kernel": "gaussian", "sigma": 0.0}), "standard deviation"),
        (("bi", 4, {"kernel": "motion", "length": (0.0, 5.0)}), "length"),
        (("bi", 4, {"photons": 0}), "photons"),
    ],
)
def test_what_makes_no_degradation(arguments, words):
    with pytest.raises(UsageError) as error:
        degradation(*arguments)
    assert words in f"{error.value} {error.value.hint}"


def test_arrays_and_names():
    pixels = picture("a", 40, 40)
    made = srqa.degrade(pixels, 4, noise=9, seed=3, name="a")
    assert np.array_equal(made, srqa.degrade(pixels, 4, noise=9, seed=3, name="a"))
    assert not np.array_equal(made, srqa.degrade(pixels, 4, noise=9, seed=3, name="b"))
    assert not np.array_equal(made, srqa.degrade(pixels, 4, noise=9, seed=4, name="a"))


@pytest.mark.parametrize("preset", [p.name for p in PRESETS])
def test_tensors_equal_arrays(preset):
    pixels = (picture("a", 66, 78) / 255).astype(np.float32)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    made = srqa.degrade(tensor, 3, preset=preset, seed=5)
    expected = srqa.degrade(pixels, 3, preset=preset, seed=5)
    assert made.dtype == torch.float32
    assert np.array_equal(made.permute(1, 2, 0).numpy(), expected)
    batch = srqa.degrade(torch.stack([tensor, tensor]), 3, preset=preset, seed=5)
    assert batch.shape == (2, *made.shape)
    if preset in ("dn", "real-esrgan"):
        assert not torch.equal(batch[0], batch[1])
    assert srqa.degrade(tensor[:1], 3, preset=preset).shape == (1, *made.shape[1:])


def test_a_training_loop_draws_from_its_own_generator():
    made = degradation("real-esrgan", 4)
    patches = torch.rand(3, 3, 64, 64)
    first = made(patches, np.random.default_rng(1))
    assert first.shape == (3, 3, 16, 16)
    assert torch.equal(first, made(patches, np.random.default_rng(1)))
    assert not torch.equal(first, made(patches, np.random.default_rng(2)))
    assert 0 <= first.min() <= first.max() <= 1


def test_a_degradation_given_ready():
    pixels = picture("a", 40, 40)
    own = Classical(4, "own", "disk", radius=1.5, noise=3)
    expected = srqa.degrade(pixels, 4, kernel="disk", radius=1.5, noise=3)
    assert np.array_equal(srqa.degrade(pixels, preset=own), expected)
    with pytest.raises(UsageError, match="given ready"):
        srqa.degrade(pixels, 2, preset=own)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((8, 8, 4), np.uint8), r"\(8, 8, 4\)"),
        (np.zeros((8, 8), np.int32), "int32"),
        (np.zeros((0, 8), np.uint8), "no pixels"),
        (np.full((8, 8), 1.5), "0, 1"),
        (np.full((8, 8), np.nan), "0, 1"),
    ],
)
def test_arrays_that_are_no_picture(pixels, words):
    with pytest.raises(UsageError, match=words):
        srqa.degrade(pixels, 2)


def test_pixels_are_not_written_and_files_not_returned(tmp_path):
    with pytest.raises(UsageError, match="out"):
        srqa.degrade(np.zeros((8, 8), np.uint8), 2, out=tmp_path)
    with pytest.raises(UsageError, match="out"):
        srqa.degrade(tmp_path, 2)
