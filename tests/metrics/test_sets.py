"""Distances of sets, on made samples and on VGG16's features."""

import math

import numpy as np
import pytest

import srqa
from srqa.errors import InputError, MismatchError, NotApplicableError, UsageError
from srqa.metrics import features, sets
from srqa.metrics.spec import SetValue
from srqa.statistics.pairs import mean_over_pairs


def samples(rng, n, d, scale=1.0, shift=0.0):
    mixing = np.eye(d) + 0.3 * np.random.default_rng(7).normal(size=(d, d)) / math.sqrt(d)
    return (np.abs(rng.normal(size=(n, d)) @ mixing) * scale + shift).astype(np.float32)


def cut(array, sizes):
    return np.split(array, np.cumsum(sizes)[:-1])


# patches


@pytest.mark.parametrize("size", [(256, 256), (383, 700), (384, 384), (640, 512), (511, 900)])
def test_patches_are_hifics(size):
    """Two grids, the second moved by half a patch, as `unfold` cuts them."""
    import torch
    from torch.nn.functional import unfold

    picture = torch.rand(1, 3, *size)
    grids = [picture, picture[..., 128:, 128:]]
    expected = [
        unfold(g, 256, stride=256).permute(0, 2, 1).reshape(-1, 3, 256, 256)
        for g in grids
        if min(g.shape[-2:]) >= 256
    ]
    found = torch.cat(list(sets.patches(picture)))
    assert torch.equal(found, torch.cat(expected))
    assert torch.equal(torch.cat(list(sets.patches(picture[0].numpy()))), found)


def test_a_small_picture_has_no_patches():
    assert sets.corners(255, 4000) == sets.corners(4000, 255) == []
    assert sets.gather(np.zeros((3, 255, 300), np.float32), lambda x: x, 5).shape == (0, 5)


# Fréchet distance


def slow_frechet(x, y):
    from scipy.linalg import sqrtm

    x, y = x.astype(np.float64), y.astype(np.float64)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)


@pytest.mark.parametrize(("n", "d"), [(400, 12), (90, 60), (120, 80)])
def test_frechet_equals_the_definition_and_torch_fidelity(rng, n, d):
    import torch

    fid = pytest.importorskip("torch_fidelity.metric_fid", reason="pip install 'srqa[fid]'")
    x, y = samples(rng, n, d), samples(rng, n + 30, d, 1.1, 0.2)
    found = sets.frechet_distance(x, y)
    assert found == pytest.approx(slow_frechet(x, y), rel=1e-9)
    statistics = [fid.fid_features_to_statistics(torch.tensor(s, dtype=torch.float64))
                  for s in (x, y)]  # fmt: skip
    theirs = fid.fid_statistics_to_metric(*statistics, verbose=False)
    assert found == pytest.approx(theirs["frechet_inception_distance"], rel=1e-9)


def test_frechet_of_known_gaussians(rng):
    """Samples made to have exactly these moments: the closed form of diagonal covariances."""
    d, n = 20, 300
    white = rng.normal(size=(n, d))
    white -= white.mean(0)
    white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white, rowvar=False))).T
    first, second = rng.uniform(0.1, 2, (2, d))
    shift = rng.normal(size=d)
    found = sets.frechet_distance(white * first, white[:, ::-1] * second + shift)
    expected = (shift**2).sum() + ((first - second) ** 2).sum()
    assert found == pytest.approx(expected, rel=1e-10)


def test_frechet_of_equal_sets_is_zero_even_where_the_covariance_is_singular(rng):
    for n, d in ((300, 40), (30, 200)):
        x = samples(rng, n, d)
        assert sets.frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9 * d)


def test_frechet_lies_above_the_truth_the_more_the_fewer_samples(rng):
    found = [
        np.mean([sets.frechet_distance(rng.normal(size=(n, 16)), rng.normal(size=(n, 16)))
                 for _ in range(10)])
        for n in (40, 160, 640)
    ]  # fmt: skip
    assert found[0] > 2 * found[1] > 4 * found[2] > 0


def test_too_few_patches_are_refused_with_the_way_out(rng):
    metric = sets.frechet("some-frechet", "some-mmd")
    few, enough = samples(rng, 40, 40), samples(rng, 41, 40)
    with pytest.raises(NotApplicableError, match=r"more than 40 patches.* 40; some-mmd"):
        metric([few], [few])
    value = metric([enough[:20], enough[20:]], [enough])
    assert value.n == 41
    assert value.value == pytest.approx(0, abs=1e-6)
    assert math.isnan(value.low)
    assert math.isnan(value.high)
    with pytest.raises(NotApplicableError, match="no picture is as large"):
        metric([few[:0]], [few[:0]])


# kernel distance


def slow_mmd(outputs, references):
    """Term by term from the paper, pairs of one picture left out."""

    def kernel(a, b):
        return (float(a.astype(np.float64) @ b.astype(np.float64)) / len(a) + 1) ** 3

    terms = []
    for i, (xs, ys) in enumerate(zip(outputs, references, strict=True)):
        for j, (us, vs) in enumerate(zip(outputs, references, strict=True)):
            if i != j:
                terms += [
                    kernel(x, u) + kernel(y, v) - kernel(x, v) - kernel(y, u)
                    for x, y in zip(xs, ys, strict=True)
                    for u, v in zip(us, vs, strict=True)
                ]
    return np.mean(terms)


@pytest.mark.parametrize("block", [1, 7, 16, 1024])
def test_kernel_distance_equals_the_definition(rng, block, monkeypatch):
    monkeypatch.setattr(sets, "_BLOCK", block)
    sizes = [3, 1, 6, 4, 2]
    x, y = cut(samples(rng, 16, 9), sizes), cut(samples(rng, 16, 9, 1.2), sizes)
    found = sets.kernel_distance(x, y)
    assert found.value == pytest.approx(slow_mmd(x, y), rel=1e-10)
    assert found.n == 16
    assert found.low < found.value < found.high


def test_kernel_distance_equals_torch_fidelitys_for_one_patch_a_picture(rng):
    kid = pytest.importorskip("torch_fidelity.metric_kid", reason="pip install 'srqa[fid]'")
    x, y = (s.astype(np.float64) for s in (samples(rng, 150, 30), samples(rng, 150, 30, 1.1)))
    kernels = [kid.kernel_poly(a, b) for a, b in ((x, x), (x, y), (y, y))]
    found = sets.kernel_distance(cut(x, [1] * 150), cut(y, [1] * 150)).value
    assert found == pytest.approx(kid.mmd2(*kernels, mmd_est="u-statistic"), rel=1e-9)
    assert found == pytest.approx(kid.mmd2(*kernels, mmd_est="unbiased"), rel=0.05)


def test_kernel_distance_of_equal_sets_is_zero_without_an_interval_of_chance(rng):
    x = cut(samples(rng, 40, 12), [8] * 5)
    assert sets.kernel_distance(x, x) == SetValue(0.0, 0.0, 0.0, 40)


def test_few_pictures_have_no_interval_and_one_has_no_value(rng):
    x, y = cut(samples(rng, 16, 9), [4] * 4), cut(samples(rng, 16, 9), [4] * 4)
    value = sets.kernel_distance(x, y)
    assert math.isfinite(value.value)
    assert math.isnan(value.low)
    with pytest.raises(NotApplicableError, match="different pictures"):
        sets.mmd("some-mmd")([x[0], x[1][:0]], [y[0], y[1][:0]])


def test_unpaired_numbers_of_patches_are_refused(rng):
    x = cut(samples(rng, 16, 9), [4] * 4)
    with pytest.raises(MismatchError, match="different numbers"):
        sets.kernel_distance(x, [*x[:3], x[3][:2]])


def draw(rng, pictures, noise, shift, d=12):
    """Patches that share something inside a picture; each output follows its reference."""
    sizes = rng.integers(2, 7, pictures)
    owner = np.repeat(np.arange(pictures), sizes)
    own = np.abs(rng.normal(0.4, 0.25, (pictures, d)))
    y = np.maximum(own[owner] + rng.normal(0, 0.2, (len(owner), d)), 0)
    x = y + rng.normal(0, noise, y.shape) + shift * rng.uniform(0.5, 1.5, (pictures, 1))[owner]
    return cut(np.maximum(x, 0), sizes), cut(y, sizes)


CASES = {"nearly equal": (0.05, 0.0), "noisy": (0.2, 0.0), "shifted": (0.1, 0.1)}


@pytest.mark.parametrize("case", CASES)
def test_the_interval_holds_what_it_promises(case):
    """Coverage over made data sets; the truth is that of many large ones."""
    rng = np.random.default_rng(3)
    noise, shift = CASES[case]
    truth = np.mean([sets.kernel_distance(*draw(rng, 300, noise, shift)).value for _ in range(20)])
    values = [sets.kernel_distance(*draw(rng, 24, noise, shift)) for _ in range(300)]
    covered = np.mean([v.low <= truth <= v.high for v in values])
    assert covered >= 0.92
    estimates = np.array([v.value for v in values])
    error = estimates.std() / math.sqrt(len(values))
    assert abs(estimates.mean() - truth) < 3.5 * error
    # It is not wide for nothing: half its width is near twice the true spread.
    width = np.median([v.high - v.low for v in values])
    assert width < 2 * 4 * estimates.std()


def test_patches_instead_of_pictures_would_promise_too_much():
    """The reason for counting pictures: taken singly, patches of one picture mislead."""
    rng = np.random.default_rng(4)
    truth = np.mean([sets.kernel_distance(*draw(rng, 300, 0.1, 0.1)).value for _ in range(20)])
    covered = []
    for _ in range(150):
        x, y = (np.concatenate(s) for s in draw(rng, 24, 0.1, 0.1))
        singly = sets.kernel_distance(cut(x, [1] * len(x)), cut(y, [1] * len(y)))
        covered.append(singly.low <= truth <= singly.high)
    assert np.mean(covered) < 0.9


def test_mean_over_pairs_by_hand():
    sums = np.array([[90.0, 6, 2], [6, 90, 4], [2, 4, 90]])
    found = mean_over_pairs(sums, np.array([1.0, 2, 1]))
    assert found.value == pytest.approx((6 + 2 + 4) / (2 + 1 + 2))
    assert math.isnan(found.low)


def test_mean_over_pairs_of_a_sum_is_twice_the_mean_and_its_t_interval(rng):
    """For h(a, b) = a + b the U-statistic is twice the mean: the textbook's interval."""
    from scipy import stats

    x = rng.normal(size=15)
    found = mean_over_pairs(x[:, None] + x, np.ones(15))
    low, high = stats.t.interval(0.95, 14, x.mean(), stats.sem(x))
    assert found == pytest.approx((2 * x.mean(), 2 * low, 2 * high))


# VGG16


def test_vgg16_samples_equal_torchvisions(weights, photograph):
    import torch
    from torchvision.models import vgg16

    picture = photograph("astronaut", 400, 420)
    network = vgg16().features[:30]
    numbers = {k.removeprefix("features."): torch.from_numpy(v)
               for k, v in weights("lpips-vgg").items() if k.startswith("features.")}  # fmt: skip
    network.load_state_dict(numbers)
    mean, deviation = (torch.tensor(v)[:, None, None] for v in
                       ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))  # fmt: skip
    with torch.inference_mode():
        tiles = torch.cat(list(sets.patches(picture)))
        expected = network((tiles - mean) / deviation).mean((-2, -1)).numpy()
    found = sets.vgg16(picture)
    assert found.shape == (2, 512)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert np.array_equal(sets.vgg16(torch.from_numpy(picture)[None]), found)


def test_samples_do_not_depend_on_the_memory(weights, photograph):
    weights("lpips-vgg")
    picture = photograph("coffee", 384, 384)
    with features.settings(memory=1):
        singly = sets.vgg16(picture)
    assert len(singly) == 2
    assert sets.vgg16(picture) == pytest.approx(singly, rel=1e-4, abs=1e-5)


# Python


@pytest.fixture
def shown(photograph, rng):
    """Outputs and references, (H, W, 3) uint8."""
    names = ("astronaut", "coffee")
    sharp = [photograph(n, 300, 300).transpose(1, 2, 0) for n in names]
    rough = [np.clip(x + rng.normal(0, 0.1, x.shape), 0, 1) for x in sharp]
    return tuple([np.rint(x * 255).astype(np.uint8) for x in s] for s in (rough, sharp))


def test_metric_takes_two_sets(weights, shown):
    import torch
    from PIL import Image

    weights("lpips-vgg")
    outputs, references = shown
    metric = srqa.metric("vgg16-mmd-patch")
    value = metric(outputs, references)
    assert isinstance(value, SetValue)
    assert value.value > 0
    assert value.n == 2
    pictures = [[Image.fromarray(p) for p in s] for s in shown]
    assert metric(*pictures) == pytest.approx(value, nan_ok=True)
    batches = [torch.from_numpy(np.stack(s)).permute(0, 3, 1, 2) for s in shown]
    assert metric(*batches) == pytest.approx(value, nan_ok=True)
    assert metric((p for p in outputs), iter(references)) == pytest.approx(value, nan_ok=True)
    with pytest.raises(NotApplicableError, match="more than 512 patches"):
        srqa.metric("vgg16-frechet-patch")(outputs, references)


def test_metric_says_what_is_wrong_with_the_sets(shown):
    outputs, references = shown
    metric = srqa.metric("vgg16-mmd-patch")
    for pair in ((outputs[0], references[0]), ("a.png", "b.png")):
        with pytest.raises(UsageError, match="two sets of pictures"):
            metric(*pair)
    with pytest.raises(UsageError, match="a reference"):
        metric(outputs)
    with pytest.raises(MismatchError, match="differ in length"):
        metric(outputs[:0], references)
    with pytest.raises(MismatchError, match=r"Output 0 of the set is 300x300, its reference 299"):
        metric(outputs, [references[0][:, :299]])
    with pytest.raises(InputError, match="not a picture"):
        metric([np.zeros((2, 3, 4, 5))], [np.zeros((2, 3, 4, 5))])
