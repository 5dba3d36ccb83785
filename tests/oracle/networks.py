"""LPIPS, ST-LPIPS, DISTS, content and texture distance, slowly: torchvision's own networks and the
papers' formulas in float64, one picture at a time."""

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image

LAYERS = {
    "alexnet": (2, 5, 8, 10, 12),
    "vgg16": (4, 9, 16, 23, 30),
    "squeezenet1_1": (2, 5, 8, 10, 11, 12, 13),
}
"""After how many of torchvision's `features` LPIPS looks at a map."""


def network(name, arrays):
    """torchvision's `features` with these numbers, in float64."""
    with torch.device("meta"):  # nothing is drawn only to be replaced
        made = getattr(torchvision.models, name)(weights=None).features
    state = {
        k.removeprefix("features."): torch.tensor(v)
        for k, v in arrays.items()
        if k.startswith("features.")
    }
    made.load_state_dict(state, assign=True)
    return made.double().eval().requires_grad_(False)


def tensor(planes):
    return torch.tensor(np.asarray(planes), dtype=torch.float64)[None]


def column(values):
    return torch.tensor(values, dtype=torch.float64)[None, :, None, None]


def maps(made, x, depths):
    found = []
    for i, layer in enumerate(made):
        x = layer(x.clone())
        if i + 1 in depths:
            found.append(x.clone())
    return found


def lpips_from(first, second, heads):
    total = 0.0
    for a, b, head in zip(first, second, heads, strict=True):
        a = a / (a.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)
        b = b / (b.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)
        total += ((a - b) ** 2 * column(np.ravel(head))).sum(1).mean().item()
    return total


def to_lpips(planes):
    return (2 * tensor(planes) - 1 - column([-0.030, -0.088, -0.188])) / column(
        [0.458, 0.448, 0.450]
    )


def lpips(name, arrays, a, b):
    made = network(name, arrays)
    heads = [arrays[f"lin{i}.weight"] for i in range(len(LAYERS[name]))]
    first, second = (maps(made, to_lpips(x), LAYERS[name]) for x in (a, b))
    return lpips_from(first, second, heads)


def lpips_map(name, arrays, a, b):
    made = network(name, arrays)
    total = 0.0
    pairs = zip(*(maps(made, to_lpips(x), LAYERS[name]) for x in (a, b)), strict=True)
    for i, (x, y) in enumerate(pairs):
        x, y = (v / (v.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) for v in (x, y))
        layer = ((x - y) ** 2 * column(np.ravel(arrays[f"lin{i}.weight"]))).sum(1, keepdim=True)
        total = total + torch.nn.Upsample(size=a.shape[-2:], mode="bilinear")(layer)
    return total[0, 0].numpy()


def blurred(x, stride):
    """Reflected by 2, filtered with (1, 2, 1)/4 along both sides, every `stride`-th sample."""
    x = np.pad(x[0].numpy(), ((0, 0), (2, 2), (2, 2)), mode="reflect")
    for axis in (1, 2):
        n = x.shape[axis]
        x = sum(w * np.take(x, range(i, n - 2 + i), axis) for i, w in enumerate((0.25, 0.5, 0.25)))
    return torch.tensor(x[None, :, ::stride, ::stride])


def st_lpips(name, state, a, b):
    """ST-LPIPS ("alex" or "vgg") with the authors' own state dict."""
    state = {k: torch.tensor(v, dtype=torch.float64) for k, v in state.items()}

    def run(x):
        found = []
        for stage in range(1, 6):
            keys = sorted(
                {int(k.split(".")[2]) for k in state if k.startswith(f"net.slice{stage}.")}
            )
            for key in keys:
                at = f"net.slice{stage}.{key}"
                if f"{at}.filt" in state:
                    if stage > 1:
                        x = F.max_pool2d(x, 3 if name == "alex" else 2, 1)
                    x = blurred(x, 2)
                    continue
                weight = state[f"{at}.weight"]
                padding = {11: 2, 5: 2, 3: 1}[weight.shape[-1]]
                x = F.conv2d(x, weight, state[f"{at}.bias"], padding=padding)
                if (name, stage) != ("alex", 1):
                    x = x.relu()
            x = x.relu()
            found.append(x)
        return found

    heads = [state[f"lin{i}.model.1.weight"].numpy() for i in range(5)]
    return lpips_from(run(to_lpips(a)), run(to_lpips(b)), heads)


def l2_pooled(x):
    hann = np.hanning(5)[1:-1]
    g = torch.tensor(np.outer(hann, hann) / np.outer(hann, hann).sum())
    squares = F.pad(x * x, [1] * 4)
    out = sum(
        g[i, j] * squares[..., i : i + x.shape[-2], j : j + x.shape[-1]]
        for i in range(3)
        for j in range(3)
    )
    return (out[..., ::2, ::2] + 1e-12).sqrt()


def dists(arrays, trained, a, b):
    """The paper's equations 5 to 8, with the covariance as it stands there."""
    made = network("vgg16", arrays)

    def run(planes):
        x = tensor(planes)
        found = [x]
        x = (x - column([0.485, 0.456, 0.406])) / column([0.229, 0.224, 0.225])
        for i, layer in enumerate(made[:30]):
            x = l2_pooled(x) if isinstance(layer, torch.nn.MaxPool2d) else layer(x.clone())
            if i in (3, 8, 15, 22, 29):
                found.append(x.clone())
        return found

    alpha, beta = (np.ravel(trained[k]).astype(np.float64) for k in ("alpha", "beta"))
    total, at = 0.0, 0
    for x, y in zip(run(a), run(b), strict=True):
        for p, q in zip(x[0].numpy(), y[0].numpy(), strict=True):
            covariance = np.mean((p - p.mean()) * (q - q.mean()))
            means = (2 * p.mean() * q.mean() + 1e-6) / (p.mean() ** 2 + q.mean() ** 2 + 1e-6)
            structure = (2 * covariance + 1e-6) / (p.var() + q.var() + 1e-6)
            total += alpha[at] * means + beta[at] * structure
            at += 1
    return 1 - total / (alpha.sum() + beta.sum())


def shrunk(planes, side=256):
    """The authors' preparation: torchvision's resize of an 8-bit PIL picture, then `ToTensor`."""
    picture = Image.fromarray(np.rint(planes.transpose(1, 2, 0) * 255).astype(np.uint8))
    if min(picture.size) > side:
        picture = torchvision.transforms.functional.resize(picture, side)
    return torchvision.transforms.functional.to_tensor(picture).numpy()


def vgg16_map(arrays, planes, layer):
    """A map (C, h, w) by its name in the literature, such as relu2_2."""
    names, stage, number = [], 1, 0
    made = network("vgg16", arrays)
    for module in made:
        if isinstance(module, torch.nn.MaxPool2d):
            stage, number = stage + 1, 0
            names.append("")
        elif isinstance(module, torch.nn.Conv2d):
            number += 1
            names.append(f"conv{stage}_{number}")
        else:
            names.append(f"relu{stage}_{number}")
    x = (tensor(planes) - column([0.485, 0.456, 0.406])) / column([0.229, 0.224, 0.225])
    depth = names.index(layer) + 1
    (found,) = maps(made[:depth], x, (depth,))
    return found[0].numpy()


def content(arrays, layer, a, b):
    x, y = (vgg16_map(arrays, v, layer) for v in (a, b))
    return float(np.sqrt(np.mean((x - y) ** 2)))


def texture(arrays, layer, a, b):
    grams = []
    for planes in (a, b):
        x = vgg16_map(arrays, planes, layer)
        grams.append(np.einsum("ihw,jhw->ij", x, x) / x[0].size)
    return float(np.linalg.norm(grams[0] - grams[1]) / len(grams[0]) ** 2)


def total_variation(planes):
    values = [
        np.hypot(p[i, j + 1] - p[i, j], p[i + 1, j] - p[i, j])
        for p in planes.astype(np.float64)
        for i in range(p.shape[0] - 1)
        for j in range(p.shape[1] - 1)
    ]
    return float(np.mean(values))
