"""GMSD (Xue 2014), MS-GMSD (Zhang 2017), MDSI (Nafchi 2016), HaarPSI (2018), DSS (Balanov 2015)."""

import math

import numpy as np
from oracle.pixels import luminance
from scipy.fft import dctn
from scipy.signal import convolve2d


def similarity(a, b, constant, masking=0.0):
    return ((2 - masking) * a * b + constant) / (a * a + b * b - masking * a * b + constant)


def magnitude(x, kernel):
    gy, gx = convolve2d(x, kernel.T, mode="same"), convolve2d(x, kernel, mode="same")
    return np.sqrt(gx * gx + gy * gy)


PREWITT = np.array([[1, 0, -1]] * 3) / 3


def same(x, kernel):
    """MATLAB's ``conv2(x, kernel, 'same')``, which for even kernels looks further ahead."""
    up, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    return convolve2d(x, kernel)[up : up + x.shape[0], left : left + x.shape[1]]


def whole_blocks(x, size):
    """Means of the blocks from the top left that lie inside the picture."""
    h, w = x.shape[0] // size, x.shape[1] // size
    return x[: h * size, : w * size].reshape(h, size, w, size).mean((1, 3))


def halved(x):
    """Means of 2 x 2; if a side is odd, zeros are added to both before."""
    return whole_blocks(np.pad(x, ((0, 1), (0, 1))) if any(n % 2 for n in x.shape) else x, 2)


def centred_mean(x, size):
    """Means of size x size around every size-th pixel, zeros outside (MATLAB's conv2)."""
    up, down = (size - 1) // 2, size // 2
    return whole_blocks(np.pad(x, ((up, down), (up, down))), size)


def gmsd(distorted, reference):
    a, b = (halved(luminance(x)) for x in (distorted, reference))
    return float(np.std(similarity(magnitude(a, PREWITT), magnitude(b, PREWITT), 170)))


def ms_gmsd(distorted, reference):
    a, b = luminance(distorted), luminance(reference)
    total = 0.0
    for level, weight in enumerate((0.096, 0.596, 0.289, 0.019)):
        if level:
            a, b = halved(a), halved(b)
        maps = similarity(magnitude(a, PREWITT), magnitude(b, PREWITT), 170, masking=0.5)
        total += weight * np.var(maps)
    return math.sqrt(total)


def mdsi(distorted, reference):
    size = max(1, round(min(distorted.shape[1:]) / 256))

    def channels(rgb, *weights):
        return [centred_mean(luminance(rgb, w), size) for w in weights]

    lhm = ((0.2989, 0.587, 0.114), (0.30, 0.04, -0.35), (0.34, -0.6, 0.17))
    la, ha, ma = channels(distorted, *lhm)
    lb, hb, mb = channels(reference, *lhm)
    ga, gb, gf = (magnitude(x, PREWITT) for x in (la, lb, (la + lb) / 2))
    gs = similarity(ga, gb, 140) + similarity(ga, gf, 55) - similarity(gb, gf, 55)
    cs = (2 * (ha * hb + ma * mb) + 550) / (ha**2 + hb**2 + ma**2 + mb**2 + 550)
    powered = (0.6 * gs + 0.4 * cs).astype(complex) ** 0.25
    return float(np.mean(np.abs(powered - powered.mean())) ** 0.25)


YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


def haarpsi(distorted, reference, c=30.0, alpha=4.2):
    first = [halved(luminance(distorted, w)) for w in YIQ]
    second = [halved(luminance(reference, w)) for w in YIQ]

    def wavelet(x, scale, axis):
        size = 2**scale
        kernel = np.ones((size, size)) / size
        kernel[: size // 2] *= -1
        return np.abs(same(x, kernel if axis == 0 else kernel.T))

    def logistic(x):
        return 1 / (1 + np.exp(-alpha * x))

    weights, maps = [], []
    for axis in (0, 1):
        both = [(wavelet(first[0], s, axis), wavelet(second[0], s, axis)) for s in (1, 2, 3)]
        maps.append((similarity(*both[0], c) + similarity(*both[1], c)) / 2)
        weights.append(np.maximum(*both[2]))
    box = np.full((2, 2), 0.25)
    colour = [
        similarity(np.abs(same(p, box)), np.abs(same(q, box)), c)
        for p, q in zip(first[1:], second[1:], strict=True)
    ]
    maps.append((colour[0] + colour[1]) / 2)
    weights.append((weights[0] + weights[1]) / 2)
    mean = sum((logistic(m) * w).sum() for m, w in zip(maps, weights, strict=True))
    mean /= sum(w.sum() for w in weights)
    return float((math.log(mean / (1 - mean)) / alpha) ** 2)


def dss(distorted, reference):
    a, b = luminance(distorted), luminance(reference)
    h, w = a.shape[0] // 8, a.shape[1] // 8
    bands = []
    for x in (a, b):
        blocks = x[: h * 8, : w * 8].reshape(h, 8, w, 8).transpose(0, 2, 1, 3)
        bands.append(dctn(blocks, axes=(2, 3), norm="ortho"))
    y = np.exp(-((np.arange(-1, 2)) ** 2) / (2 * 1.5**2))
    window = np.outer(y, y) / np.outer(y, y).sum()
    total = weights = 0.0
    for m in range(8):
        for n in range(8):
            weight = math.exp(-((m + 0.5) ** 2 + (n + 0.5) ** 2) / (2 * 1.55**2))
            if weight < 0.01:
                continue
            total += weight * subband(bands[0][..., m, n], bands[1][..., m, n], m == n == 0, window)
            weights += weight
    return total / weights


def subband(p, q, is_mean, window):
    constant = 1000 if is_mean else 300

    def mean(x):
        return convolve2d(x, window, mode="same")

    vp = np.maximum(mean(p * p) - mean(p) ** 2, 0)
    vq = np.maximum(mean(q * q) - mean(q) ** 2, 0)
    product = np.sqrt(vp * vq)
    worst = round(0.05 * p.size)
    value = np.sort(((2 * product + constant) / (vp + vq + constant)).ravel())[:worst].mean()
    if is_mean:
        covariance = mean(p * q) - mean(p) * mean(q)
        structure = (covariance + constant) / (product + constant)
        value *= np.sort(structure.ravel())[:worst].mean()
    return float(value)
