"""NIQE (Mittal 2013), BRISQUE (Mittal 2012) and PIQE (Venkatanath 2015), slowly, on grey 0..255."""

import math

import numpy as np
from scipy.ndimage import correlate
from scipy.special import gamma

SHAPES = np.arange(0.2, 10.0005, 0.001)
RATIOS = gamma(2 / SHAPES) ** 2 / (gamma(1 / SHAPES) * gamma(3 / SHAPES))


def window():
    y, x = np.mgrid[-3:4, -3:4]
    weights = np.exp(-(x * x + y * y) / (2 * (7 / 6) ** 2))
    return weights / weights.sum()


def mscn(grey):
    """Differences that only rounding makes (below 1e-9) are none: their sign means nothing."""
    mean = correlate(grey, window(), mode="nearest")
    square = correlate(grey**2, window(), mode="nearest")
    difference = grey - mean
    difference = np.where(abs(difference) < 1e-9, 0, difference)
    return difference / (np.sqrt(abs(square - mean**2)) + 1)


def aggd(x):
    """Shape, left and right deviation, by going through the whole grid."""
    x = np.ravel(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        left, right = (
            math.sqrt(np.mean(side**2)) if side.size else math.nan for side in (x[x < 0], x[x > 0])
        )
        skew = np.float64(left) / right
        r = np.mean(abs(x)) ** 2 / np.mean(x**2)
    rho = r * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    place = 0 if math.isnan(rho) else int(np.argmin((RATIOS - rho) ** 2))
    return SHAPES[place], left, right


def keys(t, a):
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


def halved(line, a, stretch, fold):
    """One line at half the length: Keys' kernel `stretch` times as wide, `fold` mends indices."""
    n, size = len(line), len(line) // 2
    out = np.zeros((size, *line.shape[1:]))
    for i in range(size):
        centre = (i + 0.5) * n / size - 0.5
        taps = range(math.floor(centre) - 2 * stretch, math.floor(centre) + 2 * stretch + 2)
        weights = [keys((centre - j) / stretch, a) for j in taps]
        for j, w in zip(taps, weights, strict=True):
            out[i] += w / sum(weights) * line[fold(j, n)]
    return out


def mirrored(j, n):
    j %= 2 * n
    return j if j < n else 2 * n - 1 - j


def clamped(j, n):
    return min(max(j, 0), n - 1)


def matlab_half(x):
    return halved(halved(x, -0.5, 2, mirrored).T, -0.5, 2, mirrored).T


def opencv_half(x):
    return halved(halved(x, -0.75, 1, clamped).T, -0.75, 1, clamped).T


def niqe_features(block):
    def beta(shape, deviation):
        return deviation * math.sqrt(gamma(1 / shape) / gamma(3 / shape))

    shape, left, right = aggd(block)
    found = [shape, (beta(shape, left) + beta(shape, right)) / 2]
    for move in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shape, left, right = aggd(block * np.roll(block, move, axis=(0, 1)))
        bl, br = beta(shape, left), beta(shape, right)
        found += [shape, (br - bl) * gamma(2 / shape) / gamma(1 / shape), bl, br]
    return found


def niqe_table(grey):
    """A row of 36 statistics for each 96 x 96 block."""
    h, w = grey.shape[0] // 96, grey.shape[1] // 96
    grey = grey[: h * 96, : w * 96]
    full, half = mscn(grey), mscn(matlab_half(grey))
    rows = []
    for y in range(0, h * 96, 96):
        for x in range(0, w * 96, 96):
            small = half[y // 2 : y // 2 + 48, x // 2 : x // 2 + 48]
            rows.append(niqe_features(full[y : y + 96, x : x + 96]) + niqe_features(small))
    return np.array(rows)


def niqe(grey, mean, covariance):
    rows = niqe_table(grey)
    columns = rows.T
    average = np.array([np.mean(c[~np.isnan(c)]) for c in columns])
    whole = rows[[not np.isnan(r).any() for r in rows]]
    away = whole - whole.mean(axis=0)
    own = away.T @ away / (len(whole) - 1)
    difference = mean - average
    return math.sqrt(difference @ np.linalg.pinv((own + covariance) / 2) @ difference)


def brisque_features(grey):
    found = []
    for x in (grey, opencv_half(grey)):
        m = mscn(x)
        shape, left, right = aggd(m)
        found += [shape, (left**2 + right**2) / 2]
        h, w = m.shape
        for dy, dx in ((0, 1), (1, 0), (1, 1), (-1, 1)):
            product = np.zeros_like(m)
            for i in range(h):
                if 0 <= i + dy < h:
                    product[i, : w - dx] = m[i, : w - dx] * m[i + dy, dx:]
            shape, left, right = aggd(product)
            constant = math.sqrt(gamma(1 / shape) / gamma(3 / shape))
            mean = (right - left) * gamma(2 / shape) / gamma(1 / shape) * constant
            found += [shape, mean, left**2, right**2]
    return np.array(found)


def piqe(grey):
    h, w = (math.ceil(n / 16) * 16 for n in grey.shape)
    rows = [mirrored(i, grey.shape[0]) for i in range(h)]
    columns = [mirrored(i, grey.shape[1]) for i in range(w)]
    m = mscn(grey[np.ix_(rows, columns)])
    active, cost = 0, 0.0
    for y in range(0, h, 16):
        for x in range(0, w, 16):
            block = m[y : y + 16, x : x + 16]
            variance = block.var(ddof=1)
            if variance <= 0.1:
                continue
            active += 1
            edges = (block[0], block[15], block[:, 0], block[:, 15])
            if any(e[i : i + 6].std(ddof=1) < 0.1 for e in edges for i in range(11)):
                cost += 1 - variance
            around = block[:, [*range(7), 8, *range(10, 16)]].std(ddof=1)
            inside = block[:, 7:9].std(ddof=1)
            if around == 0:
                continue  # a ratio of infinity, or none: not noise
            sigma, ratio = math.sqrt(variance), inside / around
            if sigma > 2 * abs(sigma - ratio) / max(sigma, ratio):
                cost += variance
    return (cost + 1) / (active + 1) * 100
