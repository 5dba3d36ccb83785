"""Train A+ (`srqa.models.classical.anchored`): makes srqa/models/classical/data/aplus-x*.npz.

    for package in lomiri-wallpapers-16.04 palapeli-data; do
        apt-get download $package && dpkg -x ${package}_*.deb photographs/
    done
    python -m benchmarks.aplus_train photographs/

Debian's packages (bookworm) hold the photographs; `PHOTOGRAPHS` names those that are used. They are
JPEG and large, so they are made 3, 4 and 6 times smaller first. Takes some minutes and 3 GB.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, unfold

from srqa.images.colour import luma
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.models.classical import anchored
from srqa.models.classical.anchored import PATCH, REACH

PHOTOGRAPHS = (
    # lomiri-wallpapers-16.04, by its copyright file CC-BY-4.0 (seeding: CC0-1.0)
    "aitzgorri_by_Aitzol_Berasategi.jpg",
    "friends_by_Aitzol_Berasategi.jpg",
    "life_by_Aitzol_Berasategi.jpg",
    "picosdeeuropa_by_Aitzol_Berasategi.jpg",
    "sunset_by_Aitzol_Berasategi.jpg",
    "Picture_0B_by_freespace.jpg",
    "Picture_1A_by_freespace.jpg",
    "Wine_by_Jakkub_Mede.jpg",
    "seeding_by_Clements_Engelhardt.jpg",
    # palapeli-data, by the entries beside them in the public domain
    "cincinnati-bridge.jpg",
    "citrus-fruits.jpg",
    "european-honey-bee.jpg",
)
SHRUNK = (3, 4, 6)
ENERGY = 0.999
NEIGHBOURS = 2048
RIDGE = 0.1
FLAT = 1 / 255
"""Patches whose derivatives are smaller, in the quadratic mean, show little but rounding."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Examples: input around a pixel (n, 81), and the patch that interpolation lacks (n, 9 s s)."""

    seen: Tensor
    lacking: Tensor


def pictures(folder: Path) -> Iterator[Tensor]:
    """Y (h, w) in [0, 1] of every photograph, in every size."""
    places = {path.name: path for path in folder.rglob("*.jpg")}
    for name in PHOTOGRAPHS:
        pixels = read(places[name]).pixels
        for factor in SHRUNK:
            small = np.rint(imresize(pixels, 1 / factor).astype(np.float64)).clip(0, 255)
            yield luma(torch.from_numpy(small / 255).permute(2, 0, 1)[None])[0, 0]


def turned(plane: Tensor, how: int) -> Tensor:
    """One of the eight ways to lay a picture down."""
    return torch.rot90(plane.flip(1) if how >= 4 else plane, how % 4)


def examples(high: Tensor, scale: int) -> tuple[Tensor, Tensor]:
    """All of a picture, as in `Pool`."""
    high = high[: high.shape[0] // scale * scale, : high.shape[1] // scale * scale]
    low = torch.floor(imresize(high, 1 / scale).clamp(0, 1) * 255 + 0.5) / 255
    lacking = high - imresize(low, scale)
    seen = unfold(low[None, None].float(), 2 * REACH + 1)[0].T
    edge = (REACH - 1) * scale
    cut = lacking[edge:-edge, edge:-edge]
    return seen, unfold(cut[None, None].float(), PATCH * scale, stride=scale)[0].T


def gather(planes: list[Tensor], scale: int, size: int, generator: torch.Generator) -> Pool:
    """`size` examples that are not flat, as many of each picture and size as its pixels say."""
    area = sum(plane.numel() for plane in planes)
    parts: list[tuple[Tensor, Tensor]] = []
    for at, plane in enumerate(planes):
        wanted = round(size * plane.numel() / area)
        made = [examples(turned(plane, way), scale) for way in ways(at, scale)]
        seen, lacking = zip(*made, strict=True)
        both = torch.cat(seen), torch.cat(lacking)
        rough = both[0].std(dim=1) > 2 * FLAT
        chosen = rough.nonzero()[:, 0]
        chosen = chosen[torch.randperm(len(chosen), generator=generator)[:wanted]]
        parts.append((both[0][chosen], both[1][chosen]))
    return Pool(torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts]))


def ways(at: int, scale: int) -> tuple[int, ...]:
    """How a picture is laid down: more often the larger the scale, which leaves fewer pixels."""
    return tuple((at + 3 * i) % 8 for i in range({2: 1, 3: 2, 4: 4}[scale]))


def derivatives(high: Tensor, scale: int) -> Tensor:
    """First and second derivatives of planes (n, 1, h, w) along both axes, (n, 4, h, w).

    Over `scale` pixels, so that all reach as far as the next pixel of the input.
    """
    first, second = torch.zeros(2 * scale + 1), torch.zeros(2 * scale + 1)
    before, after = scale - (scale + 1) // 2, scale + scale // 2
    first[before], first[after] = 1, -1
    second[0], second[scale], second[-1] = 0.5, -1, 0.5
    rows = [kernel.to(high)[None, None, None] for kernel in (first, second)]
    return torch.cat([
        made for row in rows for made in (
            conv2d(high, row, padding=(0, scale)),
            conv2d(high, row.transpose(2, 3), padding=(scale, 0)),
        )
    ], 1)  # fmt: skip


def features(scale: int) -> Tensor:
    """The paper's features before PCA as a matrix (4 * 9 s s, 81) on the input around a pixel."""
    side, middle = 6 * REACH + 1, 3 * REACH
    units = torch.zeros((2 * REACH + 1) ** 2, 1, side, side).double()
    for at, unit in enumerate(units):
        unit[0, middle - REACH + at // (2 * REACH + 1), middle - REACH + at % (2 * REACH + 1)] = 1
    seen = derivatives(imresize(units, scale), scale)
    patch = slice((middle - 1) * scale, (middle + 2) * scale)
    return seen[..., patch, patch].flatten(1).T


def principal(pool: Pool, scale: int) -> Tensor:
    """Filters (d, 81): the features' principal components that hold `ENERGY` of their energy."""
    matrix = features(scale)
    seen = pool.seen.double()
    values, vectors = torch.linalg.eigh(matrix @ (seen.T @ seen / len(seen)) @ matrix.T)
    values, vectors = values.flip(0), vectors.flip(1)
    count = int((values.cumsum(0) / values.sum() < ENERGY).sum()) + 1
    return vectors[:, :count].T @ matrix


def clusters(points: Tensor, count: int, generator: torch.Generator, rounds: int = 15) -> Tensor:
    """Anchors (count, d): k-means of directions, opposite ones being the same."""
    anchors = points[torch.randperm(len(points), generator=generator)[:count]].clone()
    for _ in range(rounds):
        total, members = torch.zeros_like(anchors), torch.zeros(count)
        for part in points.split(1 << 16):
            alike = part @ anchors.T
            nearest = alike.abs().argmax(1)
            sign = alike.gather(1, nearest[:, None]).sign()
            total.index_add_(0, nearest, part * sign)
            members += nearest.bincount(minlength=count)
        spare = points[torch.randint(len(points), (count,), generator=generator)]
        total = torch.where((members < 8)[:, None], spare, total)
        anchors = total / total.norm(dim=1, keepdim=True)
    return anchors


def regress(points: Tensor, lacking: Tensor, anchors: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Maps (k, d, r) and their basis (r, 9 s s): ridge regression on each anchor's neighbours.

    The basis holds the `rank` patches in which the maps' results have the most energy.
    """
    maps, energy = [], torch.zeros(lacking.shape[1], lacking.shape[1]).double()
    for some in anchors.split(16):
        near = (some @ points.T).abs().topk(NEIGHBOURS, dim=1).indices
        for rows in near:
            x, y = points[rows].double(), lacking[rows].double()
            gram = x.T @ x
            one = torch.linalg.solve(gram + RIDGE * torch.eye(len(gram)).double(), x.T @ y)
            maps.append(one)
            energy += one.T @ gram @ one
    values, vectors = torch.linalg.eigh(energy)
    basis = vectors.flip(1)[:, :rank]
    print(f"{rank} patches hold {float(values[-rank:].sum() / values.sum()):.2%}", flush=True)
    return torch.stack(maps) @ basis, basis.T


def train(
    planes: list[Tensor], scale: int, size: int, count: int, rank: int
) -> anchored.Regressors:
    """All of it, for one scale."""
    generator = torch.Generator().manual_seed(scale)
    pool = gather(planes, scale, size, generator)
    filters = principal(pool, scale)
    points = pool.seen @ filters.T.float()
    length = points.norm(dim=1, keepdim=True)
    rough = length[:, 0] > FLAT * 2 * PATCH * scale  # the root of how many derivatives there are
    points, lacking = (points / length)[rough], (pool.lacking / length)[rough]
    print(f"x{scale}: {len(points)} examples, {len(filters)} features", flush=True)
    anchors = clusters(points[:: max(1, len(points) // 120_000)], count, generator)
    maps, basis = regress(points, lacking, anchors.half().float(), rank)
    side, reach = PATCH * scale, 2 * REACH + 1
    return anchored.Regressors(
        filters.reshape(-1, 1, reach, reach), anchors, maps, basis.reshape(-1, 1, side, side)
    )


def save(learned: anchored.Regressors, path: Path) -> None:
    """The anchors and maps in half precision, the rest in single."""
    np.savez_compressed(
        path,
        filters=learned.filters.float().numpy(),
        anchors=learned.anchors.half().numpy(),
        maps=learned.maps.half().numpy(),
        basis=learned.basis.float().numpy(),
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path, help="a folder, searched with all below it")
    parser.add_argument("--scales", default="2,3,4")
    parser.add_argument("--out", type=Path, default=Path(anchored.__file__).with_name("data"))
    parser.add_argument("--examples", type=int, default=600_000)
    parser.add_argument("--anchors", type=int, default=512)
    parser.add_argument("--rank", type=int, default=24)
    given = parser.parse_args()
    planes = list(pictures(given.photographs))
    for scale in map(int, given.scales.split(",")):
        learned = train(planes, scale, given.examples, given.anchors, given.rank)
        save(learned, given.out / f"aplus-x{scale}.npz")


if __name__ == "__main__":
    main()
