"""Losses of the SR literature, slowly: loops over pixels in float64, written from the papers.

Pictures are arrays (N, C, H, W); a loss is the mean over the batch.
"""

import numpy as np
from oracle import networks


def each(function):
    """A loss of one picture as a loss of a batch."""

    def of_batch(*batches, **settings):
        pictures = zip(*(np.asarray(b, np.float64) for b in batches), strict=True)
        return float(np.mean([function(*p, **settings) for p in pictures]))

    return of_batch


def pixels(picture):
    c, h, w = picture.shape
    return ((k, i, j) for k in range(c) for i in range(h) for j in range(w))


def of_pixel(apart, kind, epsilon=1e-3):
    if kind == "l1":
        return abs(apart)
    return apart**2 if kind == "l2" else (apart**2 + epsilon**2) ** 0.5


def pixel_loss(kind, **settings):
    def loss(sr, hr):
        total = sum(of_pixel(sr[at] - hr[at], kind, **settings) for at in pixels(sr))
        return total / sr.size

    return each(loss)


l1, l2, charbonnier = (pixel_loss(kind) for kind in ("l1", "l2", "charbonnier"))


@each
def total_variation(sr):
    return networks.total_variation(sr)


def grey(picture):
    """MATLAB's rgb2gray with all its digits."""
    if len(picture) == 1:
        return picture[0]
    r, g, b = picture
    return 0.298936021293775 * r + 0.587043074451121 * g + 0.114020904255103 * b


SCHARR = np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]) / 16


def gradient_lengths(plane):
    """Scharr's operator inside, the outermost pixels repeated from their neighbours."""
    h, w = plane.shape
    found = np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            m, n = min(max(i, 1), h - 2), min(max(j, 1), w - 2)
            window = plane[m - 1 : m + 2, n - 1 : n + 2]
            found[i, j] = np.hypot((SCHARR * window).sum(), (SCHARR.T * window).sum())
    return found


@each
def edge(sr, hr, strength=4.0, kind="l1"):
    lengths = gradient_lengths(grey(hr))
    weights = 1 + strength * (lengths / lengths.max() if lengths.max() else lengths)
    errors = [weights[i, j] * of_pixel(sr[k, i, j] - hr[k, i, j], kind) for k, i, j in pixels(sr)]
    return sum(errors) / (weights.sum() * len(sr))


@each
def masked(sr, hr, mask, kind="l1"):
    mask = np.broadcast_to(mask, sr.shape)
    if not mask.sum():
        return 0.0
    return sum(mask[at] * of_pixel(sr[at] - hr[at], kind) for at in pixels(sr)) / mask.sum()


def keys(x):
    """Keys' cubic kernel, a = -0.5."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def shrunk_line(line, scale):
    """MATLAB's imresize of one line to ``1 / scale``: a widened kernel, mirrored borders."""
    n = len(line)
    made = []
    for i in range(n // scale):
        centre = (i + 0.5) * scale - 0.5
        reach = range(int(np.floor(centre)) - 2 * scale, int(np.ceil(centre)) + 2 * scale + 1)
        gains = [keys((centre - at) / scale) for at in reach]
        samples = [line[-1 - at if at < 0 else 2 * n - 1 - at if at >= n else at] for at in reach]
        made.append(np.dot(gains, samples) / sum(gains))
    return made


def shrunk(picture, scale):
    rows = np.apply_along_axis(shrunk_line, 1, picture, scale)
    return np.apply_along_axis(shrunk_line, 2, rows, scale)


def cycle(sr, lr, scale, kind="l1"):
    return pixel_loss(kind)([shrunk(np.asarray(p, np.float64), scale) for p in sr], lr)


def content(arrays, layer, norm):
    def loss(sr, hr):
        p, q = (networks.vgg16_map(arrays, v, layer) for v in (sr, hr))
        if norm == "l1":
            return np.abs(p - q).mean()
        length = np.linalg.norm((p - q).ravel())
        return (length if norm == "euclidean" else length**2) / p.size

    return each(loss)


def texture(arrays, layer, norm):
    def loss(sr, hr):
        p, q = (networks.vgg16_map(arrays, v, layer) for v in (sr, hr))
        first, second = (np.einsum("ihw,jhw->ij", x, x) for x in (p, q))
        if norm == "euclidean":
            return np.linalg.norm(first - second) / len(p) ** 2
        return (np.linalg.norm(first - second) / p.size) ** 2

    return each(loss)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def adversarial(kind, real, fake):
    """(discriminator's, generator's) loss from what the discriminator says before the sigmoid."""
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    log = np.log
    if kind == "vanilla":
        judge = -log(sigmoid(real)).mean() - log(1 - sigmoid(fake)).mean()
        return judge, -log(sigmoid(fake)).mean()
    if kind == "lsgan":
        return ((real - 1) ** 2).mean() + (fake**2).mean(), ((fake - 1) ** 2).mean()
    if kind == "wgan-gp":
        return fake.mean() - real.mean(), -fake.mean()
    real_is_more = sigmoid(real - fake.mean())
    fake_is_more = sigmoid(fake - real.mean())
    judge = -log(real_is_more).mean() - log(1 - fake_is_more).mean()
    return judge, -log(1 - real_is_more).mean() - log(fake_is_more).mean()
