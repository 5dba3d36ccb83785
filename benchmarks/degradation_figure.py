"""The figure of docs/degradation.md: one photograph after each degradation, with what metrics say.

    python -m benchmarks.degradation_figure docs/images/degradation.png

Low resolution is shown enlarged by repeating its pixels, beside NIQE (of the enlargement by
bicubic, no reference) and LPIPS (of it, against the photograph). The photograph is Chelsea the cat,
of scikit-image (CC0).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import srqa
from srqa.demo import photographs
from srqa.images.read import read
from srqa.images.resize import imresize

SCALE = 3
SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("bi", {}),
    ("bd", {"preset": "bd"}),
    ("aniso + noise 5", {"kernel": "aniso", "noise": 5, "seed": 1}),
    ("motion", {"kernel": "motion", "length": 15.0, "angle": 30.0}),
    ("dn", {"preset": "dn"}),
    ("40 photons", {"photons": 40}),
    ("jpeg 15", {"preset": "jpeg", "quality": 15}),
    ("real-esrgan", {"preset": "real-esrgan", "seed": 3}),
)


def main(target: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    (source,) = [path for path in photographs() if path.stem == "chelsea"]
    hr = read(source).pixels[:300, 60:360]
    niqe, lpips = srqa.metric("niqe"), srqa.metric("lpips")
    figure, axes = plt.subplots(3, 3, figsize=(8.4, 9.3), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.1)
    shown = slice(60, 210), slice(75, 225)
    panels = [("high resolution", hr, f"NIQE {niqe(hr):.1f}")]
    for name, settings in SETTINGS:
        low = srqa.degrade(hr, SCALE, name="chelsea", **settings)
        large = imresize(low, SCALE)
        values = f"NIQE {niqe(large):.1f} · LPIPS {lpips(large, hr):.2f}"
        panels.append((name, np.kron(low, np.ones((SCALE, SCALE, 1), np.uint8)), values))
    for axis, (name, pixels, values) in zip(axes.flat, panels, strict=True):
        axis.imshow(pixels[shown], interpolation="nearest")
        axis.set_title(name, fontsize=12, fontweight="bold", loc="left")
        axis.set_xlabel(values, fontsize=11)
        axis.set_xticks([])
        axis.set_yticks([])
        for spine in axis.spines.values():
            spine.set_visible(False)
    figure.savefig(target, dpi=100, facecolor="white", pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
