"""Names and shapes of the checkpoints that authors, or makers of ports, have published.

Each function gives ``{name: shape}``; sizes may be made small.
"""

from __future__ import annotations

import numpy as np
import torch


def conv(name, after, before, side=3, bias=True):
    shapes = {f"{name}.weight": (after, before, side, side)}
    return shapes | ({f"{name}.bias": (after,)} if bias else {})


def linear(name, after, before):
    return {f"{name}.weight": (after, before), f"{name}.bias": (after,)}


def norm(name, features):
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{p}": (features,) for p in parts} | {f"{name}.num_batches_tracked": ()}


def merge(*tables):
    return {name: shape for table in tables for name, shape in table.items()}


def srcnn(sides=(9, 5, 5), widths=(64, 32)):
    """SRCNN-pytorch (yjn870)."""
    a, b = widths
    return merge(
        conv("conv1", a, 1, sides[0]), conv("conv2", b, a, sides[1]), conv("conv3", 1, b, sides[2])
    )


def vdsr_residual(depth=20, f=64):
    """pytorch-vdsr (twtygqyy), the published model."""
    return merge(
        *(conv(f"residual_layer.{i}.conv", f, f, bias=False) for i in range(depth - 2)),
        conv("input", f, 1, bias=False),
        conv("output", 1, f, bias=False),
    )


def vdsr_features(depth=20, f=64):
    """pytorch-vdsr, its first version."""
    widths = [1, *[f] * (depth - 1), 1]
    return merge(
        *(conv(f"features.{2 * i}", widths[i + 1], widths[i], bias=False) for i in range(depth))
    )


def fsrcnn(d=56, s=12, m=4):
    """FSRCNN-pytorch (yjn870)."""
    middle = [conv("mid_part.0", s, d, 1), {"mid_part.1.weight": (s,)}]
    for i in range(m):
        middle += [conv(f"mid_part.{2 * i + 2}", s, s), {f"mid_part.{2 * i + 3}.weight": (s,)}]
    middle += [conv(f"mid_part.{2 * m + 2}", d, s, 1), {f"mid_part.{2 * m + 3}.weight": (d,)}]
    last = {"last_part.weight": (d, 1, 9, 9), "last_part.bias": (1,)}
    return merge(conv("first_part.0", d, 1, 5), {"first_part.1.weight": (d,)}, *middle, last)


def espcn(scale=3):
    """ESPCN-pytorch (yjn870)."""
    return merge(
        conv("first_part.0", 64, 1, 5),
        conv("first_part.2", 32, 64),
        conv("last_part.0", scale**2, 32),
    )


def lapsrn(levels=2, depth=10, f=64):
    """pytorch-LapSRN (twtygqyy)."""
    tables = [conv("conv_input", f, 1, bias=False)]
    for level in range(1, levels + 1):
        tables.append({f"convt_I{level}.weight": (1, 1, 4, 4)})
        tables.append(conv(f"convt_R{level}", 1, f, bias=False))
        block = f"convt_F{level}.0.cov_block"
        tables += [conv(f"{block}.{2 * i}", f, f, bias=False) for i in range(depth)]
        tables.append({f"{block}.{2 * depth}.weight": (f, f, 4, 4)})
    return merge(*tables)


def shuffles(prefix, scale, f):
    if scale == 3:
        return conv(f"{prefix}.0", 9 * f, f)
    return merge(*(conv(f"{prefix}.{2 * i}", 4 * f, f) for i in range(scale.bit_length() - 1)))


def edsr(scale=4, blocks=16, f=64):
    """EDSR-PyTorch, the authors' own."""
    return merge(
        conv("sub_mean", 3, 3, 1),
        conv("add_mean", 3, 3, 1),
        conv("head.0", f, 3),
        *(conv(f"body.{i}.body.{k}", f, f) for i in range(blocks) for k in (0, 2)),
        conv(f"body.{blocks}", f, f),
        shuffles("tail.0", scale, f),
        conv("tail.1", 3, f),
    )


def edsr_basicsr(scale=4, blocks=16, f=64):
    """BasicSR's EDSR."""
    return merge(
        conv("conv_first", f, 3),
        *(conv(f"body.{i}.conv{k}", f, f) for i in range(blocks) for k in (1, 2)),
        conv("conv_after_body", f, f),
        shuffles("upsample", scale, f),
        conv("conv_last", 3, f),
    )


def carn(groups=1, scales=(2, 3, 4), several=True, f=64):
    """CARN-pytorch, the authors' own."""

    def fusions(prefix):
        return [conv(f"{prefix}c{i}.body.0", f, (i + 1) * f, 1) for i in (1, 2, 3)]

    def grouped(name, after):
        return {f"{name}.weight": (after, f // groups, 3, 3), f"{name}.bias": (after,)}

    tables = [conv("sub_mean.shifter", 3, 3, 1), conv("add_mean.shifter", 3, 3, 1)]
    tables += [conv("entry", f, 3), conv("exit", 3, f), *fusions("")]
    for block in (1, 2, 3):
        tables += fusions(f"b{block}.")
        for member in (1,) if groups > 1 else (1, 2, 3):
            body = f"b{block}.b{member}.body"
            tables += [grouped(f"{body}.0", f), grouped(f"{body}.2", f)]
            tables += [conv(f"{body}.4", f, f, 1)] if groups > 1 else []
    for scale in scales:
        body = f"upsample.up{scale if several else ''}.body"
        tables.append(grouped(f"{body}.0", (9 if scale == 3 else 4) * f))
        tables += [grouped(f"{body}.3", 4 * f)] if scale == 4 else []
    return merge(*tables)


def imdn(scale=4, f=64, blocks=6):
    """IMDN (Zheng222), the authors' own."""
    kept = f // 4
    tables = [conv("fea_conv", f, 3)]
    for i in range(1, blocks + 1):
        name = f"IMDB{i}"
        tables += [conv(f"{name}.c1", f, f), conv(f"{name}.c2", f, f - kept)]
        tables += [conv(f"{name}.c3", f, f - kept), conv(f"{name}.c4", kept, f - kept)]
        tables += [conv(f"{name}.c5", f, f, 1)]
        tables += [conv(f"{name}.cca.conv_du.0", f // 16, f, 1)]
        tables += [conv(f"{name}.cca.conv_du.2", f, f // 16, 1)]
    tables += [conv("c.0", f, blocks * f, 1), conv("LR_conv", f, f)]
    return merge(*tables, conv("upsampler.0", 3 * scale**2, f))


def srresnet(scale=4, blocks=16, f=64):
    """SRGAN (leftthomas), which has 5 blocks; the paper has 16."""
    prelu = {"block1.1.weight": (1,)}
    tables = [conv("block1.0", f, 3, 9), prelu]
    for i in range(2, blocks + 2):
        for k in (1, 2):
            tables += [conv(f"block{i}.conv{k}", f, f), norm(f"block{i}.bn{k}", f)]
        tables.append({f"block{i}.prelu.weight": (1,)})
    place = blocks + 2
    tables += [conv(f"block{place}.0", f, f), norm(f"block{place}.1", f)]
    doublings = scale.bit_length() - 1
    for i in range(doublings):
        tables += [conv(f"block{place + 1}.{i}.conv", 4 * f, f)]
        tables += [{f"block{place + 1}.{i}.prelu.weight": (1,)}]
    return merge(*tables, conv(f"block{place + 1}.{doublings}", 3, f, 9))


def msrresnet(scale=4, blocks=16, f=64):
    """BasicSR's MSRResNet."""
    ups = [conv("upconv1", f * (9 if scale == 3 else 4), f)]
    ups += [conv("upconv2", 4 * f, f)] if scale == 4 else []
    return merge(
        conv("conv_first", f, 3),
        *(conv(f"body.{i}.conv{k}", f, f) for i in range(blocks) for k in (1, 2)),
        *ups,
        conv("conv_hr", f, f),
        conv("conv_last", 3, f),
    )


def perceptron(f, widths):
    sizes = (9 * f + 4, *widths, 3)
    return merge(
        *(linear(f"imnet.layers.{2 * i}", sizes[i + 1], sizes[i]) for i in range(len(sizes) - 1))
    )


def liif_edsr(blocks=16, f=64, widths=(256,) * 4):
    """LIIF on EDSR-baseline, the authors' own; it carries mean shifts that it does not use."""
    return merge(
        conv("encoder.sub_mean", 3, 3, 1),
        conv("encoder.add_mean", 3, 3, 1),
        conv("encoder.head.0", f, 3),
        *(conv(f"encoder.body.{i}.body.{k}", f, f) for i in range(blocks) for k in (0, 2)),
        conv(f"encoder.body.{blocks}", f, f),
        perceptron(f, widths),
    )


def liif_rdn(blocks=16, depth=8, f=64, growth=64, widths=(256,) * 4):
    """LIIF on RDN, the authors' own."""
    tables = [conv("encoder.SFENet1", f, 3), conv("encoder.SFENet2", f, f)]
    for i in range(blocks):
        name = f"encoder.RDBs.{i}"
        tables += [conv(f"{name}.convs.{c}.conv.0", growth, f + c * growth) for c in range(depth)]
        tables += [conv(f"{name}.LFF", f, f + depth * growth, 1)]
    tables += [conv("encoder.GFF.0", f, blocks * f, 1), conv("encoder.GFF.1", f, f)]
    return merge(*tables, perceptron(f, widths))


def upconv7():
    """waifu2x's upconv7, as nunif names it."""
    widths = (3, 16, 32, 64, 128, 128, 256)
    last = {"net.12.weight": (256, 3, 4, 4), "net.12.bias": (3,)}
    return merge(*(conv(f"net.{2 * i}", widths[i + 1], widths[i]) for i in range(6)), last)


MEAN = (0.4488, 0.4371, 0.4040)


def state(shapes, seed=0, peak=1.0):
    """Tensors of these names and shapes: random, but of a size that keeps signals alive."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in shapes.items():
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        values = rng.normal(0, (1 / fan) ** 0.5 if len(shape) > 1 else 0.1, shape)
        if "running_var" in name:
            values = rng.uniform(0.5, 2, shape)
        elif ".bn" in name and name.endswith("weight"):
            values = rng.uniform(0.5, 1.5, shape)
        elif "num_batches" in name:
            values = np.array(7)
        elif "_mean." in name and name.endswith("weight"):
            values = np.eye(3).reshape(3, 3, 1, 1)
        elif "_mean." in name:
            values = (-1 if "sub_mean" in name else 1) * peak * np.array(MEAN)
        kind = np.int64 if "num_batches" in name else np.float32
        found[name] = torch.from_numpy(np.asarray(values, kind))
    return found
