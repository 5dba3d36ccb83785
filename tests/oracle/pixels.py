"""Slow float64 versions of what the metrics share: colour, resizing, mean squared error, PSNR."""

import math

import numpy as np


def rec601(rgb):
    """Y of BT.601, 16..235 of 255, divided by 255. Planes (3, H, W) or (1, H, W)."""
    r, g, b = rgb.astype(np.float64) if rgb.shape[0] == 3 else np.repeat(rgb, 3, 0).astype(float)
    return (16 + 65.481 * r + 128.553 * g + 24.966 * b)[None] / 255


def luminance(rgb, weights=(0.299, 0.587, 0.114)):
    """A weighted sum of R, G and B on the 0..255 scale, (H, W)."""
    r, g, b = rgb.astype(np.float64) if rgb.shape[0] == 3 else np.repeat(rgb, 3, 0).astype(float)
    return 255 * (weights[0] * r + weights[1] * g + weights[2] * b)


def mse(a, b):
    total = 0.0
    for p, q in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True):
        total += (255 * p - 255 * q) ** 2
    return total / a.size


def rmse(a, b):
    return math.sqrt(mse(a, b))


def psnr(a, b):
    error = mse(a, b)
    return math.inf if error == 0 else 20 * math.log10(255) - 10 * math.log10(error)


def resize_axis(rows, size, kernel, support, scale=None):
    """MATLAB's imresize along axis 0, antialiased, mirrored border, from its definition."""
    n = rows.shape[0]
    scale = scale or size / n
    stretch = min(scale, 1.0)
    result = np.zeros((size, *rows.shape[1:]))
    for i in range(size):
        centre = (i + 0.5) / scale - 0.5
        reach = support / 2 / stretch
        weights, values = [], []
        for j in range(math.floor(centre - reach) - 1, math.ceil(centre + reach) + 2):
            k = j % (2 * n)
            weights.append(kernel(abs(stretch * (centre - j))))
            values.append(rows[k if k < n else 2 * n - 1 - k])
        result[i] = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    return result


def cubic(x):
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def bicubic(plane, height, width, scale=None):
    rows = resize_axis(plane, height, cubic, 4, scale)
    return resize_axis(rows.T, width, cubic, 4, scale).T


def bilinear(plane, height, width):
    def tent(x):
        return max(0.0, 1 - x)

    return resize_axis(resize_axis(plane, height, tent, 2).T, width, tent, 2).T


def lr_psnr(sr, lr):
    small = np.stack([bicubic(p.astype(np.float64), *lr.shape[1:]) for p in sr])
    return psnr(small, lr.astype(np.float64))
