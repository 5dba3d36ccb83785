"""The solvers: adjoints, known answers, convergence, and what they are good for."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from scipy.optimize import minimize

from srqa.degradation.kernels import Gaussian, Motion, Taps, taps
from srqa.degradation.steps import Blur
from srqa.errors import UsageError
from srqa.images.resize import imresize
from srqa.models.classical import METHODS, ibp, tikhonov, tv, wavelet
from srqa.models.classical.camera import camera
from srqa.models.classical.interpolation import interpolate
from srqa.models.classical.priors import Haar, TotalVariation
from srqa.models.classical.reconstruction import noise_of, tv_weight
from srqa.models.classical.solvers import conjugate_gradient, primal_dual
from srqa.models.upscaler import enlarged

SKEW = Taps(((0.0, 0.1, 0.3), (0.0, 0.2, 0.4), (0.0, 0.0, 0.0)))
BLURS = {
    "none": None,
    "gaussian": taps(Gaussian(1.2, size=7)),
    "motion": taps(Motion(5, 30)),
    "skew": np.array(SKEW.values),
}
REGULARISED = {"tv": tv, "wavelet": wavelet, "tikhonov": tikhonov}


def random(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def photo(photograph, side=48, name="astronaut"):
    return torch.from_numpy(photograph(name, 160, 360)[:, 60 : 60 + side, 190 : 190 + side])[None]


def psnr(a, b, border=4):
    error = (a.clamp(0, 1) - b)[..., border:-border, border:-border]
    return float(-10 * torch.log10((error.double() ** 2).mean()))


@pytest.mark.parametrize("blur", BLURS)
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 2.5, 3.37])
@pytest.mark.parametrize("border", ["mirror", "clamp"])
def test_the_adjoint_is_exact(scale, blur, border):
    """<A x, y> = <x, A' y>, and the gram is A A'."""
    y = random(11, 14, 2)
    a = camera((11, 14), scale, y, taps=BLURS[blur], border=border)
    x = random(enlarged(11, scale), enlarged(14, scale), 2, seed=1)
    left, right = (a.see(x) * y).sum(), (x * a.back(y)).sum()
    assert abs(left - right) < 1e-10 * (a.see(x).norm() * y.norm())
    torch.testing.assert_close(a.gram(y), a.see(a.back(y)), atol=1e-12, rtol=0)


@pytest.mark.parametrize("blur", BLURS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_camera_sees_what_degrading_makes(scale, blur, rng):
    """The two are written apart: scipy's convolution, and imresize."""
    pixels = rng.random((24, 36, 3))
    a = camera((24 // scale, 36 // scale), scale, torch.zeros(1).double(), taps=BLURS[blur])
    found = a.see(torch.from_numpy(pixels)).numpy()
    if BLURS[blur] is not None:
        planes = [convolve(p, BLURS[blur], mode="reflect") for p in pixels.transpose(2, 0, 1)]
        pixels = np.stack(planes, axis=2)
    np.testing.assert_allclose(found, imresize(pixels, 1 / scale), atol=1e-12)


@pytest.mark.parametrize("blur", BLURS)
@pytest.mark.parametrize("scale", [1, 2, 3.37])
def test_the_norm_is_a_bound_and_near(scale, blur):
    a = camera((15, 12), scale, torch.zeros(1).double(), taps=BLURS[blur])
    x = random(enlarged(15, scale), enlarged(12, scale), 1)
    for _ in range(200):
        x = a.back(a.see(x))
        largest = float(x.norm())
        x = x / largest
    assert largest <= a.norm < (1.01 if blur == "none" else 2) * largest


@pytest.mark.parametrize("prior", [TotalVariation(3), Haar(1), Haar(2)])
def test_priors_have_exact_adjoints_and_bounds(prior):
    x = random(13, 17, 3)
    p = torch.from_numpy(np.random.default_rng(1).standard_normal(tuple(prior.analyse(x).shape)))
    left, right = (prior.analyse(x) * p).sum(), (x * prior.back(p)).sum()
    assert abs(left - right) < 1e-10 * p.norm() * x.norm()
    for _ in range(300):
        x = prior.back(prior.analyse(x))
        largest = float(x.norm())
        x = x / largest
    assert 0.4 * prior.norm < largest <= prior.norm
    assert prior.analyse(torch.ones(13, 17, 3).double()).abs().max() < 1e-12


def dense(function, size, out):
    """The matrix of a linear function of a flat vector."""
    units = torch.eye(int(np.prod(size))).double()
    columns = [function(unit.reshape(size)).reshape(-1) for unit in units]
    return torch.stack(columns, dim=1).numpy().reshape(out, -1)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_tikhonov_is_the_direct_solution(scale, rng):
    """Against the normal equations, written as dense matrices and solved by LAPACK."""
    low = (4, 5)
    high = (4 * scale, 5 * scale, 1)
    y = torch.from_numpy(rng.random((1, 1, *low)))
    a = camera(low, scale, y)
    matrix = dense(a.see, high, 20)
    down = dense(lambda x: x[1:] - x[:-1], high, (high[0] - 1) * high[1])
    right = dense(lambda x: x[:, 1:] - x[:, :-1], high, high[0] * (high[1] - 1))
    left = scale**2 * matrix.T @ matrix + 0.05 * (down.T @ down + right.T @ right)
    expected = np.linalg.solve(left, scale**2 * matrix.T @ y.numpy().reshape(-1))
    found = tikhonov(0.05, tolerance=1e-12, iterations=1000).run(y, scale)
    np.testing.assert_allclose(found.reshape(-1).numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("height", [0.5, 0.05])
def test_total_variation_of_a_step(height):
    """Rudin, Osher and Fatemi's problem has a known answer: each side moves by a / its width."""
    step = torch.full((1, 1, 6, 10), 0.2).double()
    step[..., 4:] += height
    found = tv(0.1, tolerance=1e-6, iterations=1000).run(step, 1)
    left, right = 0.2 + 0.1 / 4, 0.2 + height - 0.1 / 6
    if left > right:  # the sides meet
        left = right = (4 * 0.2 + 6 * (0.2 + height)) / 10
    assert (found[..., :4] - left).abs().max() < 1e-4
    assert (found[..., 4:] - right).abs().max() < 1e-4


def reference_minimum(y, a, prior, weight, size):
    """The objective's minimum by quasi-Newton steps on lengths that are smooth near 0."""
    small = 1e-7

    def objective(values, epsilon):
        x = torch.from_numpy(values).reshape(size).requires_grad_()
        lengths = (prior.analyse(x) ** 2).sum(0 if isinstance(prior, TotalVariation) else ())
        lengths = lengths.sum(-1) if isinstance(prior, TotalVariation) else prior.analyse(x) ** 2
        value = 0.5 * a.gain * ((a.see(x) - y) ** 2).sum()
        value = value + weight * (lengths + epsilon**2).sqrt().sum()
        value.backward()
        return float(value), x.grad.reshape(-1).numpy()

    x = np.full(int(np.prod(size)), 0.5)
    for epsilon in (1e-2, 1e-4, small):
        options = {"maxiter": 300, "maxfun": 600, "ftol": 1e-15, "gtol": 1e-10}
        found = minimize(objective, x, (epsilon,), "L-BFGS-B", True, options=options)
        x = found.x
    return found.fun


@pytest.mark.parametrize(("name", "scale"), [("tv", 1), ("tv", 2), ("wavelet", 2)])
def test_the_minimum_is_that_of_another_solver(name, scale, rng):
    y = torch.from_numpy(rng.random((5, 6, 2)))
    size = (5 * scale, 6 * scale, 2)
    a = camera((5, 6), scale, y)
    prior = TotalVariation(2) if name == "tv" else Haar(2)
    states = []
    start = torch.full(size, 0.5).double()
    primal_dual(a, y, prior, 0.1, start, tolerance=1e-4, iterations=500, watch=states.append)
    expected = reference_minimum(y, a, prior, 0.1, size)
    assert states[-1].objective == pytest.approx(expected, rel=1e-3)
    assert states[-1].objective - states[-1].gap <= expected * (1 + 1e-5)


@pytest.mark.parametrize("blur", ["none", "gaussian"])
@pytest.mark.parametrize("name", ["tv", "wavelet"])
def test_the_duality_gap_closes(name, blur, photograph):
    """It bounds what is left at every check, whatever the iterations after it find."""
    low = photo(photograph, 16).double()
    a = camera((16, 16), 2, low, taps=BLURS[blur])
    y = low[0].permute(1, 2, 0).contiguous()
    prior = TotalVariation(3) if name == "tv" else Haar(2)
    states = []
    start = interpolate(low, 2)[0].permute(1, 2, 0).contiguous()
    limits = {"tolerance": 0, "iterations": 200 if blur == "none" else 60, "inner": (1e-9, 80)}
    primal_dual(a, y, prior, 0.01, start, **limits, watch=states.append)
    best = min(state.objective for state in states)
    for state in states:
        assert state.gap > 0
        assert state.objective - state.gap <= best
    gaps = [state.gap / best for state in states]
    assert gaps[-1] < gaps[len(gaps) // 4] / 2
    assert gaps[-1] < gaps[0] / 6
    # Once it has settled the objective falls to the minimum without a rise worth speaking of.
    late = [state.objective for state in states[len(states) // 2 :]]
    assert all(after < before * (1 + 1e-4) for before, after in pairwise(late))


def test_conjugate_gradients_fall_at_every_step():
    rng = np.random.default_rng(5)
    root = rng.standard_normal((30, 30))
    matrix = torch.from_numpy(root @ root.T + np.eye(30))
    b = torch.from_numpy(rng.standard_normal(30))
    states = []
    found = conjugate_gradient(
        lambda x: matrix @ x, b, torch.zeros(30).double(), tolerance=1e-12, iterations=200,
        watch=states.append,
    )  # fmt: skip
    np.testing.assert_allclose(found.numpy(), np.linalg.solve(matrix.numpy(), b.numpy()), atol=1e-9)
    falls = [state.objective for state in states]
    assert all(after <= before + 1e-9 for before, after in pairwise(falls))
    direct = -0.5 * float(b @ torch.linalg.solve(matrix, b))
    assert falls[-1] == pytest.approx(direct)


def test_tikhonov_falls_at_every_step(photograph):
    states = []
    tikhonov(tolerance=1e-9, watch=states.append).run(photo(photograph, 24).double(), 3)
    falls = [state.objective for state in states]
    assert len(falls) > 5
    assert all(after <= before + 1e-9 for before, after in pairwise(falls))


@pytest.mark.parametrize("scale", [2, 3, 4, 2.5])
def test_back_projection_explains_the_input(scale, photograph):
    """D H x = y in the end, and nearer at every step."""
    low = photo(photograph, 20).double()
    seen = []
    made = ibp(tolerance=1e-4, iterations=200, watch=lambda n, largest: seen.append(largest)).run(
        low, scale
    )
    a = camera((20, 20), scale, low)
    again = a.see(made[0].permute(1, 2, 0).contiguous()).permute(2, 0, 1)
    assert (again - low[0]).abs().max() <= 1e-4
    assert all(after < before for before, after in pairwise(seen))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_who_knows_the_way_down_comes_nearer(scale, photograph):
    """On a photograph without noise: nearest < bilinear < bicubic < what knows of it."""
    hr = photo(photograph, 96)
    low = imresize(hr, 1 / scale)
    low = torch.floor(low.clamp(0, 1) * 255 + 0.5) / 255
    names = ("nearest", "bilinear", "bicubic", "ibp")
    found = [psnr(METHODS[name]().run(low, scale), hr) for name in names]
    assert found == sorted(found)
    for name in ("tv", "tikhonov", "lanczos"):
        assert psnr(METHODS[name]().run(low, scale), hr) > found[2] + 0.15
    assert psnr(METHODS["wavelet"]().run(low, scale), hr) > found[1]


@pytest.mark.parametrize("noise", [5, 10, 25])
@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_total_variation_beats_bicubic_on_noise(noise, name, photograph):
    hr = photo(photograph, 96, name)
    low = imresize(hr, 1 / 3)
    low = (low + noise / 255 * random(*low.shape, seed=noise)).clamp(0, 1).float()
    plain = psnr(METHODS["bicubic"]().run(low, 3), hr)
    assert psnr(tv(noise=noise).run(low, 3), hr) > plain + 0.2


@pytest.mark.parametrize("noise", [5, 10, 25])
def test_the_noise_of_a_picture_is_found(noise, photograph):
    low = photo(photograph, 96, "coffee")
    low = torch.nn.functional.avg_pool2d(low, 2)
    noisy = low + noise / 255 * random(*low.shape, seed=noise)
    assert noise * 0.9 < noise_of(noisy[0]) < noise * 1.2 + 2
    assert noise_of(torch.rand(3, 1, 9)) == 0


@pytest.mark.parametrize("noise", [10, 25])
def test_noisy_inputs_need_no_telling(noise, photograph):
    """Two pictures of one batch, one with noise and one without."""
    hr = torch.cat([photo(photograph, 96), photo(photograph, 96, "coffee")])
    low = imresize(hr, 1 / 3)
    low[0] += noise / 255 * random(*low[0].shape, seed=noise).float()
    low = low.clamp(0, 1)
    made = METHODS["tv-noisy"]().run(low, 3)
    plain = METHODS["bicubic"]().run(low, 3)
    told = tv(noise=noise).run(low[:1], 3)
    assert psnr(made[:1], hr[:1]) > psnr(plain[:1], hr[:1]) + 0.2
    assert psnr(made[:1], hr[:1]) > psnr(told, hr[:1]) - 0.4
    assert psnr(made[1:], hr[1:]) > psnr(plain[1:], hr[1:]) - 0.5


def test_a_known_blur_is_undone(photograph):
    hr = photo(photograph, 48)
    kernel = Gaussian(1.2, size=7)
    blurred = Blur(kernel)(hr[0].permute(1, 2, 0).contiguous().numpy(), None, (1, 1))
    low = imresize(torch.from_numpy(blurred).permute(2, 0, 1)[None], 0.5)
    for method in (tv, ibp):
        known = method(taps=taps(kernel), iterations=15).run(low, 2)
        assert psnr(known, hr) > psnr(method(iterations=15).run(low, 2), hr) + 0.5


@pytest.mark.parametrize("name", ["ibp", "tikhonov", "wavelet", "tv"])
def test_the_halo_is_enough_for_tiles(name, photograph):
    """What lies further than the halo changes less than a level of 8 bits."""
    low = photo(photograph, 64)
    method = METHODS[name]()
    whole = method.run(low, 2)
    a, b = 24 - method.halo, 40 + method.halo
    tile = method.run(low[..., a:b, a:b], 2)
    cut = slice(2 * method.halo, 2 * method.halo + 32)
    assert (tile[..., cut, cut] - whole[..., 48:80, 48:80]).abs().max() < 1 / 255


@pytest.mark.parametrize("name", ["ibp", "tikhonov", "wavelet", "tv"])
def test_batches_planes_and_types(name, photograph):
    low = torch.cat([photo(photograph, 20), photo(photograph, 20, "coffee")])
    method = METHODS[name]()
    both = method.run(low, 2)
    for at in (0, 1):
        assert (method.run(low[at : at + 1], 2) - both[at : at + 1]).abs().max() < 2 / 255
    grey = method.run(low[:, :1], 2)
    assert grey.shape == (2, 1, 40, 40)
    same = low[:, :1].expand(2, 3, 20, 20)
    if name != "tv":
        assert (method.run(same, 2) - grey).abs().max() < 1e-4
    assert method.run(low.half(), 2).dtype == torch.float16
    assert method.run(low.double(), 2.5).shape == (2, 3, 50, 50)
    assert torch.isfinite(method.run(torch.zeros(1, 3, 5, 4), 3)).all()
    assert torch.isfinite(method.run(torch.rand(1, 1, 1, 1), 4)).all()


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf")])
def test_weights_that_make_no_sense(weight):
    for make in REGULARISED.values():
        with pytest.raises(UsageError, match="positive"):
            make(weight)


def test_noise_and_kernels_that_make_no_sense():
    with pytest.raises(UsageError, match="0 to 255"):
        tv(noise=-3)
    assert tv_weight(10) > tv_weight(5) > tv_weight(0) > 0
    with pytest.raises(UsageError, match="odd"):
        tv(taps=np.full((4, 4), 1 / 16)).run(torch.rand(1, 3, 8, 8), 2)
