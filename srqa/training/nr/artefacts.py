"""Artefacts in steps: each kind is drawn once for a picture, then laid on as strongly as asked.

Every kind is a function of random numbers and a picture, float (H, W, 3) in [0, 1], that settles
what is left to chance (where, in which direction, of which grain) and returns a function of the
strength, in (0, 1]. So the steps of a series differ in strength alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]
Artefact = Callable[[float], Picture]


def _between(low: float, high: float, strength: float) -> float:
    """Geometric steps: what is twice as strong looks one step stronger."""
    return float(low * (high / low) ** strength)


def _smooth(picture: Any, sigma: float) -> Any:
    import cv2

    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.standard_normal(shape, dtype=np.float32)


def _coded(picture: Picture, quality: int) -> Picture:
    import cv2

    pixels = np.floor(np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    made: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(made[..., ::-1] / np.float32(255), np.float32)


def blur(rng: np.random.Generator, picture: Picture) -> Artefact:
    """A Gaussian, or the disc of a lens out of focus."""
    import cv2

    if rng.random() < 0.7:
        return lambda s: np.asarray(_smooth(picture, _between(0.45, 3.5, s)))

    def defocused(strength: float) -> Picture:
        radius = _between(0.8, 5.0, strength)
        reach = int(np.ceil(radius))
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
        return np.asarray(
            cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101)
        )

    return defocused


def noise(rng: np.random.Generator, picture: Picture) -> Artefact:
    """White, grey, of grain, or as of photons."""
    kind = rng.choice(["white", "grey", "grain", "photons"])
    pattern = _noise(rng, picture.shape[:2] + ((1,) if kind == "grey" else (3,)))
    if kind == "grain":
        pattern = _smooth(pattern, 0.8)
        pattern /= pattern.std()
    if kind == "photons":
        pattern = pattern * 1.4 * np.sqrt(np.clip(picture, 0, 1))
    return lambda s: np.clip(picture + _between(1.5, 36, s) / 255 * pattern, 0, 1)


def jpeg(rng: np.random.Generator, picture: Picture) -> Artefact:
    """JPEG, its grid anywhere."""
    y, x = rng.integers(0, 8, 2)
    around = np.pad(picture, ((y, 8), (x, 8), (0, 0)), mode="reflect")
    height, width = picture.shape[:2]

    def coded(strength: float) -> Picture:
        quality = max(round(101 - _between(6, 95, strength)), 2)
        return _coded(around, quality)[y:, x:][:height, :width]

    return coded


def ringing(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Frequencies cut off sharply, or lifted just below a cut: echoes along edges."""
    height, width = picture.shape[:2]
    around = np.pad(picture, ((32, 32), (32, 32), (0, 0)), mode="reflect")
    spectrum = np.fft.rfft2(around, axes=(0, 1))
    v = np.fft.fftfreq(around.shape[0])[:, None]
    u = np.fft.rfftfreq(around.shape[1])[None, :]
    radius = np.maximum(np.abs(u), np.abs(v)) if rng.random() < 0.5 else np.hypot(u, v)
    lifted, at = rng.random() < 0.5, float(rng.uniform(0.15, 0.3))

    def filtered(strength: float) -> Picture:
        if lifted:
            gain = 1 + _between(0.3, 5, strength) * np.exp(-(((radius - at) / 0.03) ** 2))
        else:
            gain = np.where(radius < 0.5 / _between(1.2, 5, strength), 1.0, 0.0)
        made = np.fft.irfft2(spectrum * gain[..., None], around.shape[:2], axes=(0, 1))
        return np.clip(made[32:, 32:][:height, :width], 0, 1).astype(np.float32)

    return filtered


def sharpening(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Too much of an unsharp mask."""
    detail = picture - _smooth(picture, float(rng.uniform(0.6, 2.0)))
    return lambda s: np.clip(picture + _between(0.5, 8, s) * detail, 0, 1)


def checkerboard(rng: np.random.Generator, picture: Picture) -> Artefact:
    """The grid that transposed convolutions leave: of 2 to 4 pixels, even or along detail."""
    period = int(rng.choice([2, 2, 3, 4, 4, 8]))
    height, width = picture.shape[:2]
    tile = _noise(rng, (period, period, 1 if rng.random() < 0.6 else 3))
    if rng.random() < 0.5:
        y, x = np.mgrid[0:period, 0:period]
        tile = np.where((x + y) % 2 == 0, 1.0, -1.0)[..., None]
    tile = tile - tile.mean((0, 1))
    pattern = np.tile(tile / (tile.std() + 1e-6), (height // period + 1, width // period + 1, 1))
    pattern = pattern[:height, :width].astype(np.float32)
    if rng.random() < 0.5:
        detail = np.abs(picture - _smooth(picture, 1.5)).mean(axis=2)
        local = _smooth(detail, 3.0)
        pattern *= (local / (local.mean() + 1e-6))[..., None].clip(0, 3)
    return lambda s: np.clip(picture + _between(2, 40, s) / 255 * pattern, 0, 1)


def wrong_texture(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Detail as sharp as before in the wrong place, as networks invent it."""
    import cv2

    height, width = picture.shape[:2]
    base = _smooth(picture, float(rng.uniform(1.0, 2.0)))
    detail = picture - base
    grain = float(rng.uniform(1.5, 6.0))
    shift = [_smooth(_noise(rng, (height, width)), grain) for _ in range(2)]
    shift = [field / field.std() for field in shift]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)

    def moved(strength: float) -> Picture:
        far = _between(0.4, 5, strength)
        warped = cv2.remap(
            detail, x + far * shift[0], y + far * shift[1], cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT_101,
        )  # fmt: skip
        return np.asarray(np.clip(base + warped, 0, 1))

    return moved


def grown_texture(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Noise of the detail's own strength and grain, laid where there is detail."""
    grain = float(rng.uniform(0.5, 1.2))
    pattern = _noise(rng, picture.shape[:2])
    pattern = _smooth(pattern, grain) - _smooth(pattern, 2 * grain)
    pattern /= pattern.std()
    detail = (picture - _smooth(picture, 2.0)).mean(axis=2)
    local = np.sqrt(_smooth(detail * detail, 4.0)) + 0.004
    grown = (pattern * local)[..., None]
    return lambda s: np.clip(picture + _between(0.2, 3, s) * grown, 0, 1)


def smoothing(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Edges kept and texture gone, as by denoising: like a painting."""
    import cv2

    near = float(rng.uniform(1.5, 3.0))
    sharper = float(rng.choice([0.0, 0.7]))

    def painted(strength: float) -> Picture:
        made = cv2.bilateralFilter(picture, 9, _between(0.03, 0.5, strength), near)
        return np.asarray(np.clip(made + sharper * (made - _smooth(made, 1.2)), 0, 1))

    return painted


def blocks(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Each block of pixels drawn towards its mean."""
    import cv2

    side = int(rng.choice([2, 3, 4, 4, 8]))
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // side, height // side), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return lambda s: picture + np.float32(_between(0.12, 1, s)) * (large - picture)


def aliasing(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Made smaller without a filter, then larger: stairs along edges."""
    import cv2

    back = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_LINEAR
    height, width = picture.shape[:2]

    def stepped(strength: float) -> Picture:
        times = _between(1.1, 4, strength)
        size = (round(width / times), round(height / times))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
        return np.clip(cv2.resize(small, (width, height), interpolation=back), 0, 1)

    return stepped


def stairs(rng: np.random.Generator, picture: Picture) -> Artefact:
    """Made smaller, then larger: smoothly by the weakest step, of whole pixels by the strongest."""
    import cv2

    scale = int(rng.integers(2, 5))
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // scale, height // scale), interpolation=cv2.INTER_AREA)
    smooth, stepped = (
        np.clip(cv2.resize(small, (width, height), interpolation=how), 0, 1)
        for how in (cv2.INTER_CUBIC, cv2.INTER_NEAREST)
    )
    return lambda s: smooth + np.float32(s) * (stepped - smooth)


KINDS: dict[str, Callable[[np.random.Generator, Picture], Artefact]] = {
    "blur": blur,
    "noise": noise,
    "jpeg": jpeg,
    "ringing": ringing,
    "sharpening": sharpening,
    "checkerboard": checkerboard,
    "wrong texture": wrong_texture,
    "grown texture": grown_texture,
    "smoothing": smoothing,
    "blocks": blocks,
    "aliasing": aliasing,
}

DRILLED = KINDS | {"stairs": stairs}
"""What series without labels are made of."""

ALWAYS_WORSE = frozenset(
    {"jpeg", "ringing", "checkerboard", "wrong texture", "blocks", "aliasing", "stairs"}
)
"""Kinds that no picture gains by. Others may mend one: noise a smooth, blur a noisy picture."""
UNORDERED = frozenset({"smoothing"})
"""Kinds of which a stronger step may be the better one: sharpening and smoothing at odds."""
