"""Runs built by hand, for the tests of reports."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from srqa.engine.results import FileRow, Run, Score, summarise
from srqa.metrics import registry
from srqa.metrics.spec import MetricSpec

Value = Callable[[str, str, str, int], float]


def values(method: str, metric: str, dataset: str, index: int) -> float:
    """Plausible numbers that depend on nothing but the arguments."""
    seed = int(
        hashlib.sha256(f"{method}/{metric}/{dataset}/{index}".encode(errors="replace")).hexdigest()[
            :8
        ],
        16,
    )
    wobble = seed / 2**32
    quality = (int(hashlib.sha256(method.encode(errors="replace")).hexdigest()[:2], 16) % 7) / 7
    if "psnr" in metric:
        return 25 + 4 * quality + 3 * math.sin(index) + wobble
    if "ssim" in metric:
        return 0.7 + 0.2 * quality + 0.08 * wobble
    return 3 + 2 * (1 - quality) + wobble


def make_run(
    methods: Sequence[str] = ("bicubic", "rcan", "swinir"),
    metrics: Sequence[str] = ("psnr-y", "ssim-y"),
    groups: Sequence[tuple[str, float | None]] = (("Set5", 4.0),),
    images: int = 5,
    value: Value = values,
    **manifest: object,
) -> Run:
    """A Run without files, whose numbers come from `value`."""
    units = {spec.name: spec.unit for spec in registry.specs()}
    rows = [
        Score(
            dataset=dataset,
            content=f"img{i:04d}",
            scale=scale,
            method=method,
            image=f"{method}/{dataset}/img{i:04d}.png",
            reference=f"{dataset}/img{i:04d}.png",
            metric=metric,
            level="image",
            value=value(method, metric, dataset, i),
            unit=units.get(metric, ""),
            seconds=0.01,
        )
        for dataset, scale in groups
        for i in range(images)
        for method in methods
        for metric in metrics
    ]
    return assemble(rows, **manifest)


def assemble(rows: list[Score], files: Sequence[FileRow] = (), **manifest: object) -> Run:
    """A Run of given rows, summarised as `evaluate` does."""
    keys = dict.fromkeys((row.metric, row.scale) for row in rows)
    signatures = {key: f"{key[0]} | srqa 0.1 | sr | mean of images" for key in keys}
    made = {
        "schema": 1,
        "srqa": "0.1.0",
        "metrics": list(dict.fromkeys(row.metric for row in rows)),
        "protocol": {"name": "sr", "depth": 8, "crop": "scale", "description": "As papers do."},
        "signatures": [
            {"metric": m, "scale": s, "signature": text} for (m, s), text in signatures.items()
        ],
        "warnings": [],
        "interval": "95 % bootstrap",
    }
    return Run(made | manifest, rows, summarise(rows, signatures), list(files))


def no_reference_metric(name: str = "calm", higher: bool = False) -> MetricSpec:
    """A no-reference metric as a user may register one."""
    return MetricSpec(
        name=name,
        function=lambda planes: 0.0,
        summary="how calm a picture is",
        kind="nr",
        higher_is_better=higher,
        guidance="Good for naps.",
    )


def texture(index: int, size: tuple[int, int]) -> np.ndarray:
    """A smooth picture with some detail, (H, W, 3) uint8."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    rng = np.random.default_rng(index)
    planes = [
        120 + 60 * np.sin(x / (5 + index + c)) + 50 * np.cos(y / (7 + c)) + rng.normal(0, 9, size)
        for c in range(3)
    ]
    return np.clip(np.stack(planes, axis=2), 0, 255).astype(np.uint8)


def run_with_pictures(
    folder: Path,
    methods: Sequence[str] = ("blur", "noise"),
    images: int = 3,
    size: tuple[int, int] = (96, 120),
    reference: bool = True,
    **manifest: object,
) -> Run:
    """A Run whose pictures lie in `folder`: each method adds noise of its own strength."""
    rows, files = [], []
    for i in range(images):
        clean = texture(i, size)
        if reference:
            files.append(_write(folder, "reference", f"img{i}.png", clean))
        for k, method in enumerate(methods):
            strength = 4.0 * (k + 1) * (1 + i)
            noise = np.random.default_rng(100 * i + k).normal(0, strength, clean.shape)
            output = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
            place = f"m{k}/img{i}.png"
            files.append(_write(folder, "output", place, output))
            error = float(((output.astype(float) - clean) ** 2).mean())
            score = 20 * math.log10(255 / math.sqrt(error))
            metric, reference_name = ("psnr", f"img{i}.png") if reference else ("calm", "")
            rows.append(
                Score(
                    "",
                    f"img{i}",
                    4.0,
                    method,
                    place,
                    reference_name,
                    metric,
                    "image",
                    score,
                    "dB",
                    0,
                )
            )
    return assemble(rows, files, **manifest)


def _write(folder: Path, role: str, name: str, pixels: np.ndarray) -> FileRow:
    path = folder / role / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    data = path.read_bytes()
    height, width = pixels.shape[:2]
    sha = hashlib.sha256(data).hexdigest()
    return FileRow(
        role, name, path.as_posix(), sha, len(data), width, height, 3, 8, "png", False, ""
    )
