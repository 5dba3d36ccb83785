"""FSIM and FSIMc (Zhang et al. 2011), SR-SIM (2012) and VSI (2014), loop by loop."""

import math

import numpy as np
from oracle.gradient import YIQ, centred_mean, magnitude, similarity, whole_blocks
from oracle.pixels import bicubic, luminance
from scipy.ndimage import map_coordinates
from scipy.signal import convolve2d, correlate2d

SCHARR = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16


def axis_of_frequencies(n):
    return np.arange(-(n - 1) / 2, n / 2) / (n - 1) if n % 2 else np.arange(-n / 2, n / 2) / n


def phase_congruency(x, scales=4, orientations=4, shortest=6, ratio=0.55, noise_k=2.0):
    """Kovesi's PC2 with log-Gabor filters, as FSIM uses it."""
    h, w = x.shape
    fx, fy = np.meshgrid(axis_of_frequencies(w), axis_of_frequencies(h))
    radius, theta = np.hypot(fx, fy), np.arctan2(-fy, fx)
    low_pass = np.fft.ifftshift(1 / (1 + (radius / 0.45) ** 30))
    radius, theta = np.fft.ifftshift(radius), np.fft.ifftshift(theta)
    radius[0, 0] = 1
    spectrum = np.fft.fft2(x)
    spread = math.pi / orientations / 1.2
    energy_sum, amplitude_sum = np.zeros((h, w)), np.zeros((h, w))
    for o in range(orientations):
        angle = o * math.pi / orientations
        distance = np.abs(np.angle(np.exp(1j * (theta - angle))))
        angular = np.exp(-(distance**2) / (2 * spread**2))
        responses, filters = [], []
        for s in range(scales):
            radial = np.exp(-(np.log(radius * shortest * 2**s) ** 2) / (2 * math.log(ratio) ** 2))
            radial = radial * low_pass
            radial[0, 0] = 0
            filters.append(radial * angular)
            responses.append(np.fft.ifft2(spectrum * filters[-1]))
        total = sum(responses)
        direction = total / (np.abs(total) + 1e-16)
        energy = sum(
            (r * direction.conj()).real - np.abs((r * direction.conj()).imag) for r in responses
        )
        noise_power = np.median(np.abs(responses[0]) ** 2) / math.log(2) / (filters[0] ** 2).sum()
        kernels = [np.fft.ifft2(f).real * math.sqrt(h * w) for f in filters]
        squares = sum((k * k).sum() for k in kernels)
        crossed = sum(
            (kernels[i] * kernels[j]).sum() for i in range(scales) for j in range(i + 1, scales)
        )
        tau = math.sqrt((2 * noise_power * squares + 4 * noise_power * crossed) / 2)
        expected, deviation = tau * math.sqrt(math.pi / 2), math.sqrt(2 - math.pi / 2) * tau
        threshold = (expected + noise_k * deviation) / 1.7
        energy_sum += np.maximum(energy - threshold, 0)
        amplitude_sum += sum(np.abs(r) for r in responses)
    return energy_sum / amplitude_sum


def fsim(distorted, reference, colour=False):
    size = max(1, round(min(distorted.shape[1:]) / 256))
    ya, ia, qa = (whole_blocks(luminance(distorted, w), size) for w in YIQ)
    yb, ib, qb = (whole_blocks(luminance(reference, w), size) for w in YIQ)
    pa, pb = phase_congruency(ya), phase_congruency(yb)
    local = similarity(pa, pb, 0.85) * similarity(magnitude(ya, SCHARR), magnitude(yb, SCHARR), 160)
    if colour:
        local = local * np.abs(similarity(ia, ib, 200) * similarity(qa, qb, 200)) ** 0.03
    weight = np.maximum(pa, pb)
    return float((local * weight).sum() / weight.sum())


def fsimc(distorted, reference):
    return fsim(distorted, reference, colour=True)


def spectral_residual(x):
    """Hou and Zhang's saliency at a quarter of the size, scaled to [0, 1]."""
    small = bicubic(x, math.ceil(x.shape[0] / 4), math.ceil(x.shape[1] / 4), scale=0.25)
    spectrum = np.fft.fft2(small)
    amplitude = np.log(np.abs(spectrum))
    average = convolve2d(np.pad(amplitude, 1, mode="edge"), np.full((3, 3), 1 / 9), mode="valid")
    salient = np.abs(np.fft.ifft2(np.exp(amplitude - average + 1j * np.angle(spectrum)))) ** 2
    y = np.exp(-((np.arange(10) - 4.5) ** 2) / (2 * 3.8**2))
    window = np.outer(y, y) / np.outer(y, y).sum()
    # MATLAB's imfilter of an even window: from 4 before to 5 after.
    salient = correlate2d(np.pad(salient, ((4, 5), (4, 5))), window, mode="valid")
    salient = (salient - salient.min()) / (salient.max() - salient.min())
    return bicubic(salient, *x.shape)


def sr_sim(distorted, reference):
    size = max(1, round(min(distorted.shape[1:]) / 256))
    a, b = (centred_mean(luminance(x), size) for x in (distorted, reference))
    sa, sb = spectral_residual(a), spectral_residual(b)
    gradients = similarity(magnitude(a, SCHARR), magnitude(b, SCHARR), 225)
    weight = np.maximum(sa, sb)
    return float((similarity(sa, sb, 0.40) * gradients**0.5 * weight).sum() / weight.sum())


def lab_d50(rgb):
    """L*a*b* of sRGB (0..255) with the white (0.9642, 1, 0.8251), as SDSP has it."""
    v = rgb / 255
    v = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    matrix = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    white = (0.9642119944211994, 1, 0.8251882845188288)
    t = np.einsum("ij,jhw->ihw", np.array(matrix) / np.array(white)[:, None], v)
    f = np.where(t > 0.008856, np.cbrt(t), (903.3 * t + 16) / 116)
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def sample(plane, rows, columns):
    grid = np.meshgrid(rows, columns, indexing="ij")
    return map_coordinates(plane, grid, order=1, mode="nearest")


def sdsp(rgb):
    """Saliency by simple priors (Zhang, Gu, Li 2013): frequency, centre and colour."""
    h, w = rgb.shape[1:]
    rows, columns = ((np.arange(256) + 0.5) * n / 256 - 0.5 for n in (h, w))
    lab = lab_d50(np.stack([sample(p, rows, columns) for p in rgb]))
    f = np.arange(-128, 128) / 256
    radius = np.hypot(*np.meshgrid(f, f))
    radius = np.fft.ifftshift(np.where(radius <= 0.5, radius, 0))
    with np.errstate(divide="ignore"):
        gabor = np.exp(-(np.log(radius / 0.021) ** 2) / (2 * 1.34**2))
    gabor[radius == 0] = 0
    frequency = np.sqrt(sum(np.fft.ifft2(np.fft.fft2(p) * gabor).real ** 2 for p in lab))
    position = np.arange(1, 257) - 128
    centre = np.exp(-(position[:, None] ** 2 + position[None] ** 2) / 145.0**2)
    scaled = [(p - p.min()) / (p.max() - p.min()) for p in lab[1:]]
    warm = 1 - np.exp(-(scaled[0] ** 2 + scaled[1] ** 2) / 0.001**2)
    salient = frequency * centre * warm
    salient = sample(salient, np.linspace(0, 255, h), np.linspace(0, 255, w))
    return (salient - salient.min()) / (salient.max() - salient.min())


def vsi(distorted, reference):
    size = max(1, round(min(distorted.shape[1:]) / 256))
    before, after = size // 2, (size - 1) // 2 if size > 1 else 0

    def shrink(x):
        return whole_blocks(np.pad(x, ((before, after), (before, after)), mode="edge"), size)

    lmn = ((0.06, 0.63, 0.27), (0.30, 0.04, -0.35), (0.34, -0.6, 0.17))
    la, ma, na = (shrink(luminance(distorted, w)) for w in lmn)
    lb, mb, nb = (shrink(luminance(reference, w)) for w in lmn)
    va, vb = (shrink(sdsp(255 * x.astype(np.float64))) for x in (distorted, reference))
    colour = (similarity(ma, mb, 130) * similarity(na, nb, 130)).astype(complex) ** 0.02
    gradients = similarity(magnitude(la, SCHARR), magnitude(lb, SCHARR), 386) ** 0.4
    weight = np.maximum(va, vb)
    local = similarity(va, vb, 1.27) * gradients * colour.real * weight
    return float(local.sum() / weight.sum())
