"""Networks for super-resolution, slowly: float64, numpy, loops over taps, from the papers.

Every function takes a checkpoint as published, ``{name: array}``, and a picture (C, h, w).
"""

from __future__ import annotations

import numpy as np


def conv(x, weight, bias=None, groups=1):
    """Cross-correlation with zeros around, the size kept."""
    after, before, side, _ = weight.shape
    _, height, width = x.shape
    pad = side // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((after, height, width))
    each = after // groups
    for o in range(after):
        group = o // each
        planes = padded[group * before : (group + 1) * before]
        for a in range(side):
            for b in range(side):
                part = planes[:, a : a + height, b : b + width]
                out[o] += np.tensordot(weight[o, :, a, b], part, 1)
        if bias is not None:
            out[o] += bias[o]
    return out


def transposed(x, weight, stride, pad, bias=None, more=0):
    """Every input pixel lays the kernel, weighed by its value, onto the result."""
    _, after, side, _ = weight.shape
    height, width = x.shape[1:]
    full = np.zeros(
        (after, (height - 1) * stride + side + more, (width - 1) * stride + side + more)
    )
    for r in range(height):
        for c in range(width):
            patch = np.tensordot(x[:, r, c], weight, 1)
            full[:, r * stride : r * stride + side, c * stride : c * stride + side] += patch
    if bias is not None:
        full += bias[:, None, None]
    return full[:, pad : full.shape[1] - pad, pad : full.shape[2] - pad]


def shuffle(x, step):
    """Channel c * step^2 + a * step + b gives the pixels at (a, b) of each cell."""
    channels, height, width = x.shape
    out = np.zeros((channels // step**2, height * step, width * step))
    for c in range(channels):
        a, b = divmod(c % step**2, step)
        out[c // step**2, a::step, b::step] = x[c]
    return out


def relu(x):
    return np.maximum(x, 0)


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


def prelu(x, slopes):
    return np.where(x > 0, x, slopes.reshape(-1, 1, 1) * x)


def normed(x, s, name):
    mean, var, gain, bias = (
        s[f"{name}.{p}"][:, None, None] for p in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(var + 1e-5) * gain + bias


def layer(s, name, x, groups=1):
    return conv(x, s[f"{name}.weight"], s.get(f"{name}.bias"), groups)


def srcnn(s, x):
    x = relu(layer(s, "conv1", x))
    return layer(s, "conv3", relu(layer(s, "conv2", x)))


def vdsr(s, x):
    """`x` is enlarged already."""
    if "input.weight" in s:
        middle = sum(name.startswith("residual_layer") for name in s)
        names = ["input", *(f"residual_layer.{i}.conv" for i in range(middle)), "output"]
    else:
        names = [f"features.{2 * i}" for i in range(len(s))]
    y = x
    for name in names[:-1]:
        y = relu(layer(s, name, y))
    return x + layer(s, names[-1], y)


def fsrcnn(s, x, scale):
    x = prelu(layer(s, "first_part.0", x), s["first_part.1.weight"])
    count = sum(name.startswith("mid_part") and name.endswith("bias") for name in s)
    for i in range(count):
        x = prelu(layer(s, f"mid_part.{2 * i}", x), s[f"mid_part.{2 * i + 1}.weight"])
    return transposed(x, s["last_part.weight"], scale, 4, s["last_part.bias"], scale - 1)


def espcn(s, x, scale):
    x = np.tanh(layer(s, "first_part.0", x))
    return shuffle(layer(s, "last_part.0", np.tanh(layer(s, "first_part.2", x))), scale)


def lapsrn(s, x, levels, depth):
    """All levels' results."""
    features, image, results = leaky(layer(s, "conv_input", x), 0.2), x, []
    for level in range(1, levels + 1):
        block = f"convt_F{level}.0.cov_block"
        for i in range(depth):
            features = leaky(layer(s, f"{block}.{2 * i}", features), 0.2)
        features = leaky(transposed(features, s[f"{block}.{2 * depth}.weight"], 2, 1), 0.2)
        image = transposed(image, s[f"convt_I{level}.weight"], 2, 1)
        image = image + layer(s, f"convt_R{level}", features)
        results.append(image)
    return results


def residual(s, x, first, second, gain=1.0):
    return x + gain * layer(s, second, relu(layer(s, first, x)))


MEAN = np.array([0.4488, 0.4371, 0.4040])[:, None, None]


def edsr(s, x, scale, blocks, peak=255.0, gain=1.0):
    theirs = "head.0.weight" in s
    x = (x - MEAN) * peak
    first = x = layer(s, "head.0" if theirs else "conv_first", x)
    for i in range(blocks):
        names = [f"body.{i}.body.0", f"body.{i}.body.2"] if theirs else [
            f"body.{i}.conv1", f"body.{i}.conv2"]  # fmt: skip
        x = residual(s, x, *names, gain)
    x = first + layer(s, f"body.{blocks}" if theirs else "conv_after_body", x)
    for i, step in enumerate([2, 2] if scale == 4 else [scale]):
        x = shuffle(layer(s, f"{'tail.0' if theirs else 'upsample'}.{2 * i}", x), step)
    return layer(s, "tail.1" if theirs else "conv_last", x) / peak + MEAN


def carn(s, x, scale, groups=1, several=True):
    def cascade(prefix, x, member):
        maps = x
        for i in (1, 2, 3):
            maps = np.concatenate([maps, member(i, x)])
            x = relu(layer(s, f"{prefix}c{i}.body.0", maps))
        return x

    def block(number, x):
        def member(i, x):
            body = f"b{number}.b{1 if groups > 1 else i}.body"
            y = layer(s, f"{body}.2", relu(layer(s, f"{body}.0", x, groups)), groups)
            if groups > 1:
                y = layer(s, f"{body}.4", relu(y))
            return relu(x + y)

        return cascade(f"b{number}.", x, member)

    x = cascade("", layer(s, "entry", x - MEAN), block)
    up = f"upsample.up{scale if several else ''}.body"
    for i, step in enumerate([2, 2] if scale == 4 else [scale]):
        x = shuffle(relu(layer(s, f"{up}.{3 * i}", x, groups)), step)
    return layer(s, "exit", x) + MEAN


def imdn(s, x, scale, blocks):
    first = x = layer(s, "fea_conv", x)
    kept = len(x) // 4
    results = []
    for b in range(1, blocks + 1):
        name, rest, parts = f"IMDB{b}", x, []
        for i in (1, 2, 3):
            rest = leaky(layer(s, f"{name}.c{i}", rest), 0.05)
            parts, rest = [*parts, rest[:kept]], rest[kept:]
        y = np.concatenate([*parts, layer(s, f"{name}.c4", rest)])
        strength = (y.mean((1, 2)) + y.std((1, 2)))[:, None, None]
        z = layer(s, f"{name}.cca.conv_du.2", relu(layer(s, f"{name}.cca.conv_du.0", strength)))
        x = x + layer(s, f"{name}.c5", y / (1 + np.exp(-z)))
        results.append(x)
    x = first + layer(s, "LR_conv", leaky(layer(s, "c.0", np.concatenate(results)), 0.05))
    return shuffle(layer(s, "upsampler.0", x), scale)


def srresnet(s, x, blocks, doublings, squash=True):
    first = x = prelu(layer(s, "block1.0", x), s["block1.1.weight"])
    for i in range(2, blocks + 2):
        name = f"block{i}"
        y = prelu(normed(layer(s, f"{name}.conv1", x), s, f"{name}.bn1"), s[f"{name}.prelu.weight"])
        x = x + normed(layer(s, f"{name}.conv2", y), s, f"{name}.bn2")
    name = f"block{blocks + 2}"
    x = first + normed(layer(s, f"{name}.0", x), s, f"{name}.1")
    name = f"block{blocks + 3}"
    for i in range(doublings):
        x = prelu(shuffle(layer(s, f"{name}.{i}.conv", x), 2), s[f"{name}.{i}.prelu.weight"])
    x = layer(s, f"{name}.{doublings}", x)
    return (np.tanh(x) + 1) / 2 if squash else x


def bilinear(x, scale):
    """Half-pixel centres, the edge repeated."""

    def along(x, axis):
        side = x.shape[axis]
        place = (np.arange(side * scale) + 0.5) / scale - 0.5
        low = np.floor(place).astype(int)
        part = place - low
        a = np.take(x, np.clip(low, 0, side - 1), axis)
        b = np.take(x, np.clip(low + 1, 0, side - 1), axis)
        part = part.reshape([-1 if i == axis else 1 for i in range(3)])
        return a * (1 - part) + b * part

    return along(along(x, 1), 2)


def msrresnet(s, x, scale, blocks):
    y = leaky(layer(s, "conv_first", x), 0.1)
    for i in range(blocks):
        y = residual(s, y, f"body.{i}.conv1", f"body.{i}.conv2")
    for i, step in enumerate([2, 2] if scale == 4 else [scale], 1):
        y = leaky(shuffle(layer(s, f"upconv{i}", y), step), 0.1)
    return layer(s, "conv_last", leaky(layer(s, "conv_hr", y), 0.1)) + bilinear(x, scale)


def upconv7(s, x):
    """waifu2x: valid convolutions of the picture with its edge repeated 7 pixels around."""
    x = np.pad(x, ((0, 0), (7, 7), (7, 7)), mode="edge")
    for i in range(6):
        x = leaky(layer(s, f"net.{2 * i}", x)[:, 1:-1, 1:-1], 0.1)
    return transposed(x, s["net.12.weight"], 2, 3, s["net.12.bias"])


def _features(s, x):
    if "encoder.SFENet1.weight" in s:
        first = layer(s, "encoder.SFENet1", x)
        x, maps = layer(s, "encoder.SFENet2", first), []
        i = 0
        while f"encoder.RDBs.{i}.LFF.weight" in s:
            y, c = x, 0
            while f"encoder.RDBs.{i}.convs.{c}.conv.0.weight" in s:
                y = np.concatenate([y, relu(layer(s, f"encoder.RDBs.{i}.convs.{c}.conv.0", y))])
                c += 1
            x = x + layer(s, f"encoder.RDBs.{i}.LFF", y)
            maps.append(x)
            i += 1
        return first + layer(s, "encoder.GFF.1", layer(s, "encoder.GFF.0", np.concatenate(maps)))
    first = x = layer(s, "encoder.head.0", x)
    i = 0
    while f"encoder.body.{i}.body.0.weight" in s:
        x = residual(s, x, f"encoder.body.{i}.body.0", f"encoder.body.{i}.body.2")
        i += 1
    return first + layer(s, f"encoder.body.{i}", x)


def liif(s, x, size):
    """The published way: coordinates from -1 to 1, four neighbours, 3x3 features unfolded."""
    features = _features(s, (x - 0.5) / 0.5)
    channels, h, w = features.shape
    padded = np.pad(features, ((0, 0), (1, 1), (1, 1)))
    height, width = size
    out = np.zeros((3, height, width))

    def answer(vector):
        i = 0
        while f"imnet.layers.{i}.weight" in s:
            vector = s[f"imnet.layers.{i}.weight"] @ vector + s[f"imnet.layers.{i}.bias"]
            i += 2
            if f"imnet.layers.{i}.weight" in s:
                vector = relu(vector)
        return vector

    for r in range(height):
        for c in range(width):
            y, x_ = -1 + (2 * r + 1) / height, -1 + (2 * c + 1) / width
            found = []
            for vy in (-1, 1):
                for vx in (-1, 1):
                    py = np.clip(y + vy / h + 1e-6, -1 + 1e-6, 1 - 1e-6)
                    px = np.clip(x_ + vx / w + 1e-6, -1 + 1e-6, 1 - 1e-6)
                    i = int(np.clip(np.rint(((py + 1) * h - 1) / 2), 0, h - 1))
                    j = int(np.clip(np.rint(((px + 1) * w - 1) / 2), 0, w - 1))
                    dy = (y - (-1 + (2 * i + 1) / h)) * h
                    dx = (x_ - (-1 + (2 * j + 1) / w)) * w
                    near = padded[:, i : i + 3, j : j + 3].reshape(channels * 9)
                    vector = np.concatenate([near, [dy, dx, 2 * h / height, 2 * w / width]])
                    found.append((answer(vector), abs(dy * dx) + 1e-9))
            areas = [area for _, area in found]
            for (value, _), area in zip(found, areas[::-1], strict=True):
                out[:, r, c] += value * area / sum(areas)
    return out * 0.5 + 0.5
