"""What the tests of the engine and the command line share: small pictures, the program, plugins."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import imagecodecs
import numpy as np

from srqa.engine.results import Run, Score, summarise

SRQA = (sys.executable, "-m", "srqa")


def picture(name: str = "a", height: int = 32, width: int = 40) -> np.ndarray:
    """A smooth picture with some texture, (height, width, 3) uint8, always the same for a name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    y, x = np.mgrid[0:height, 0:width] / 16
    planes = [
        128 + 70 * np.sin(a * x + b * y + c) + rng.normal(0, 9, x.shape)
        for a, b, c in rng.uniform(0.3, 2.0, (3, 3))
    ]
    return np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)


def noisy(pixels: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """The picture with Gaussian noise."""
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def write(path: Path, pixels: np.ndarray) -> Path:
    """Write a PNG of 8 or 16 bits, whatever the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=1))
    return path


def scene(
    folder: Path,
    contents: Sequence[str] = ("a", "b", "c"),
    methods: Sequence[str] = ("fine", "poor"),
    side: int = 32,
) -> Path:
    """``hr/CONTENT.png`` and ``out/METHOD/CONTENT.png``; each method is noisier than the last."""
    for i, content in enumerate(contents):
        pixels = picture(content, side, side + 8)
        write(folder / "hr" / f"{content}.png", pixels)
        for level, method in enumerate(methods):
            made = noisy(pixels, 3 + 4 * level, seed=17 * i + level)
            write(folder / "out" / method / f"{content}.png", made)
    return folder


def environment(cache: Path | None = None, plugins: Path | None = None) -> dict[str, str]:
    """For a subprocess: its own cache and the folder of a plugin on the path."""
    found = dict(os.environ)
    if cache is not None:
        found["SRQA_CACHE"] = str(cache)
    if plugins is not None:
        found["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(plugins), found.get("PYTHONPATH", "")])
        )
    return found


def srqa(
    *arguments: str | bytes | Path, timeout: float = 300, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run the real program in a process of its own."""
    return subprocess.run(
        [*SRQA, *arguments],
        capture_output=True,
        check=False,
        timeout=timeout,
        **({"text": True, "encoding": "utf-8"} | options),
    )


def install(folder: Path, source: str, entry: str = "METRICS", name: str = "usermetrics") -> Path:
    """Lay an installed distribution into `folder` that offers metrics by an entry point."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(dedent(source), encoding="utf-8")
    facts = folder / f"{name}-1.0.dist-info"
    facts.mkdir(exist_ok=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[srqa.metrics]\n{name} = {name}:{entry}\n")
    return folder


def assert_one_sentence(text: str, *parts: str) -> None:
    """Standard error tells what happened without a traceback, naming `parts`."""
    assert "Traceback" not in text, text
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"


SIGNATURE = "{} | srqa 0.1 | sr | Y:bt601 float | crop 4 | mean of images"


def made(values, metric="psnr-y", dataset="", scale=4.0, signature=SIGNATURE, path=None):
    """A Run of ``{method: values of images}``."""
    rows = [
        Score(dataset, f"i{i:02}", scale, method, f"{method}/i{i:02}.png", "", metric, "image",
              value, "dB", 0.0, "broken" if math.isnan(value) else "")
        for method, column in values.items()
        for i, value in enumerate(column)
    ]  # fmt: skip
    summary = summarise(rows, {(metric, scale): signature.format(metric)})
    return Run({"metrics": [metric]}, rows, summary, [], path)


BASE = np.array([30.0, 31, 29, 33, 28, 35, 27, 34])


def repin(monkeypatch: Any, folder: Path, made: dict[str, bytes], server: str = "") -> None:
    """Let the manifest know made files by the names of real ones, to be had from `server`."""
    import hashlib
    import re

    from srqa.weights import manifest

    text = manifest.PATH.read_text(encoding="utf-8")
    blocks = text.split("[[file]]")
    for place, block in enumerate(blocks):
        name = re.search(r'^name = "(.*)"$', block, re.M)
        if name is None or name[1] not in made:
            continue
        data = made[name[1]]
        block = re.sub(r"^bytes = .*$", f"bytes = {len(data)}", block, flags=re.M)
        sha256 = hashlib.sha256(data).hexdigest()
        block = re.sub(r"^sha256 = .*$", f'sha256 = "{sha256}"', block, flags=re.M)
        if server:
            block = re.sub(r'url = "https://.*/([^/"]+)"', rf'url = "{server}/files/\1"', block)
        blocks[place] = block
    path = folder / "made_manifest.toml"
    path.write_text("[[file]]".join(blocks), encoding="utf-8")
    monkeypatch.setattr(manifest, "PATH", path)
