"""SSIM (Wang et al. 2004), MS-SSIM (2003), VIFp (Sheikh 2006), IW-SSIM (Wang, Li 2011)."""

import numpy as np
from oracle.pixels import bilinear, luminance
from scipy.signal import convolve2d

GREY = (0.298936021293775, 0.587043074451121, 0.114020904255103)
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def gaussian(size, sigma):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    g = np.exp(-(x * x + y * y) / (2 * sigma * sigma))
    return g / g.sum()


def statistics(a, b, window):
    def mean(x):
        return convolve2d(x, window, mode="valid")

    ma, mb = mean(a), mean(b)
    return ma, mb, mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb


def ssim_maps(a, b, peak):
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    ma, mb, va, vb, cov = statistics(a, b, gaussian(11, 1.5))
    cs = (2 * cov + c2) / (va + vb + c2)
    return (2 * ma * mb + c1) / (ma * ma + mb * mb + c1) * cs, cs


def ssim(a, b):
    """Mean over the channels of planes (C, H, W) in [0, 1]."""
    planes = zip(a.astype(np.float64), b.astype(np.float64), strict=True)
    return float(np.mean([ssim_maps(p, q, 1.0)[0].mean() for p, q in planes]))


def ms_ssim(a, b):
    values = []
    for p, q in zip(a.astype(np.float64), b.astype(np.float64), strict=True):
        product = 1.0
        for level, weight in enumerate(WEIGHTS):
            full, cs = ssim_maps(p, q, 1.0)
            product *= max((full if level == 4 else cs).mean(), 0.0) ** weight
            p, q = halve(p), halve(q)
        values.append(product)
    return float(np.mean(values))


def halve(x):
    x = np.pad(x, ((0, 1), (0, 1)), mode="symmetric")
    return ((x[:-1, :-1] + x[1:, :-1] + x[:-1, 1:] + x[1:, 1:]) / 4)[::2, ::2]


def vif(distorted, reference):
    a, b = luminance(distorted, GREY), luminance(reference, GREY)
    noise, tiny = 2.0, 1e-10
    kept = available = 0.0
    for scale in range(1, 5):
        size = 2 ** (5 - scale) + 1
        window = gaussian(size, size / 5)
        if scale > 1:
            a = convolve2d(a, window, mode="valid")[::2, ::2]
            b = convolve2d(b, window, mode="valid")[::2, ::2]
        _, _, va, vb, cov = statistics(a, b, window)
        for x, y, c in zip(va.ravel(), vb.ravel(), cov.ravel(), strict=True):
            x, y = max(x, 0.0), max(y, 0.0)
            gain = c / y if y > tiny and x > tiny else 0.0
            rest = x - gain * c if y > tiny else x
            if gain < 0:
                gain, rest = 0.0, x
            kept += np.log10(1 + gain * gain * y / (max(rest, tiny) + noise))
            available += np.log10(1 + y / noise)
    return kept / available


def reduce_expand(x):
    """One step of a Laplacian pyramid: the low band and the difference."""
    taps = np.outer((1, 4, 6, 4, 1), (1, 4, 6, 4, 1)) / 128

    def smooth(y):
        return convolve2d(np.pad(y, 2, mode="reflect"), taps, mode="valid")

    low = smooth(x)[::2, ::2]
    spread = np.zeros_like(x)
    spread[::2, ::2] = low
    return low, x - smooth(spread)


def enlarge(x):
    """To twice the size: bilinear to 4 n - 3, extrapolated by one at either end, every second."""
    h, w = x.shape
    t = np.zeros((4 * h - 1, 4 * w - 1))
    t[1:-1, 1:-1] = bilinear(x, 4 * h - 3, 4 * w - 3)
    t[0], t[-1] = 2 * t[1] - t[2], 2 * t[-2] - t[-3]
    t[:, 0], t[:, -1] = 2 * t[:, 1] - t[:, 2], 2 * t[:, -2] - t[:, -3]
    return t[::2, ::2]


def iw_ssim(distorted, reference):
    a, b = luminance(distorted, GREY), luminance(reference, GREY)
    bands = []
    for _ in range(4):
        (a, detail_a), (b, detail_b) = reduce_expand(a), reduce_expand(b)
        bands.append((detail_a, detail_b))
    bands.append((a, b))
    product = 1.0
    for level, (a, b) in enumerate(bands):
        full, cs = ssim_maps(a, b, 255)
        if level == 4:
            score = full.mean()
        else:
            content = information(a, b, bands[level + 1][1] if level < 3 else None)[4:-4, 4:-4]
            score = (cs * content).sum() / content.sum()
        product *= abs(score) ** (WEIGHTS[level] / sum(WEIGHTS))
    return product


def information(a, b, parent, noise=0.4):
    _, _, va, vb, cov = statistics(a, b, np.full((3, 3), 1 / 9))
    gain = np.where((va < 1e-8) | (vb < 1e-8), 0, cov / (vb + 1e-15))
    rest = np.maximum(va - gain * cov, 0)
    h, w = b.shape[0] - 2, b.shape[1] - 2
    vectors = [b[y : y + h, x : x + w].ravel() for y in range(3) for x in range(3)]
    if parent is not None:
        vectors.append(enlarge(parent)[1 : 1 + h, 1 : 1 + w].ravel())
    u = np.array(vectors)
    covariance = u @ u.T / u.shape[1]
    energy = (u * np.linalg.solve(covariance, u)).sum(0).reshape(h, w) / len(u)
    bits = np.zeros((h, w))
    for eigenvalue in np.linalg.eigvalsh(covariance):
        through = (rest + (1 + gain**2) * noise) * energy * eigenvalue + noise * rest
        bits += np.log2(1 + through / noise**2)
    return bits
