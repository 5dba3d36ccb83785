"""`srqa.degrade`: arrays, tensors and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

import numpy as np

from srqa.degradation.folders import (
    Degraded,
    Progress,
    Source,
    degrade_folder,
    find_sources,
    replaying,
)
from srqa.degradation.model import Degradation, stream
from srqa.degradation.naming import Naming
from srqa.degradation.presets import degradation
from srqa.degradation.record import Settings, read_manifest
from srqa.degradation.steps import Step
from srqa.errors import UsageError
from srqa.images.arrays import is_tensor
from srqa.images.read import DecodePolicy


@overload
def degrade(
    source: str | Path,
    scale: float | None = ...,
    *,
    out: str | Path,
    preset: str | Degradation = ...,
    seed: int = ...,
    pattern: str = ...,
    pairs: bool = ...,
    crop: int = ...,
    step: int = ...,
    policy: DecodePolicy | None = ...,
    workers: int | None = ...,
    resume: bool = ...,
    overwrite: bool = ...,
    progress: Progress | None = ...,
    command: str = ...,
    **settings: Any,
) -> Degraded: ...


@overload
def degrade(
    source: Any,
    scale: float | None = ...,
    *,
    preset: str | Degradation = ...,
    seed: int = ...,
    name: str = ...,
    **settings: Any,
) -> Any: ...


def degrade(
    source: Any,
    scale: float | None = None,
    *,
    out: str | Path | None = None,
    preset: str | Degradation = "bi",
    seed: int = 0,
    name: str = "",
    pattern: str = "{content}.png",
    pairs: bool = False,
    crop: int = 0,
    step: int = 0,
    policy: DecodePolicy | None = None,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str = "",
    **settings: Any,
) -> Any:
    """Make low-resolution pictures: ``Y = (X * H) down s + noise``, and compression.

    Sides that the scale does not divide are cut at the bottom and right, never resized. Without
    settings it is MATLAB's bicubic, bit for bit.

    Args:
        source: pixels, as an array (H, W) or (H, W, 3), uint8, uint16 or floats in [0, 1], or as a
            tensor (C, H, W) or (N, C, H, W) of floats in [0, 1]; or the path of a folder or file.
        scale: high over low resolution, any number from 1; "bd", "dn" and "real-esrgan" have their
            usual one.
        out: the folder to write into; for paths only.
        preset: "bi", "bd", "dn", "jpeg", "real-esrgan", or a `Degradation` of your own.
        seed: with the picture's name it settles all chance; neither order nor workers matter.
        name: the name of pixels, to get what a file of that name would get.
        pattern, pairs, crop, step: names of files, and whether high resolution is written beside
            them, whole or in parts; see `srqa.degradation.naming.Naming`.
        policy: how files become pixels.
        workers, resume, overwrite, progress, command: as of `degrade_folder`.
        settings: fields of `srqa.degradation.model.Classical`, for instance ``kernel="gaussian",
            sigma=2.0, noise=5``; a range such as ``noise=(0, 25)`` is drawn from for each picture.

    Returns:
        Degraded pixels, of the same kind and dtype; for paths what was made of each picture.

    Raises:
        UsageError: an unknown preset or setting, or a value that makes no sense.
        InputError: a picture smaller than the scale or than the kernel.
        PairingError, OutputError, RunError: for paths, as of `degrade_folder`.

    Example:
        >>> import numpy as np
        >>> hr = np.zeros((64, 96, 3), np.uint8)
        >>> degrade(hr, 4).shape
        (16, 24, 3)
        >>> degrade(hr, 2, kernel="gaussian", sigma=1.2, noise=5, seed=1).dtype
        dtype('uint8')
    """
    chosen = choose(preset, scale, settings)
    if isinstance(source, str | Path):
        if out is None:
            raise UsageError("Degrading files needs a folder to write into: out=...")
        naming = Naming(pattern, pairs, crop, step)
        shared = shared_settings(chosen, seed, naming, policy or DecodePolicy())
        return degrade_folder(
            Path(source),
            Path(out),
            shared,
            lambda one: one.steps(chosen, seed),
            workers=workers,
            resume=resume,
            overwrite=overwrite,
            progress=progress,
            command=command,
        )
    if out is not None:
        raise UsageError("Pixels are returned, not written: leave out= away.")
    return _degrade_pixels(source, chosen, seed, name)


def choose(preset: str | Degradation, scale: float | None, settings: dict[str, Any]) -> Degradation:
    """A degradation by name, or one that is given ready.

    Raises:
        UsageError: they contradict each other, or are unknown.
    """
    if isinstance(preset, str):
        return degradation(preset, scale, settings)
    if settings or scale not in (None, preset.scale):
        raise UsageError("A degradation that is given ready takes neither scale nor settings.")
    return preset


def shared_settings(
    chosen: Degradation, seed: int, naming: Naming, policy: DecodePolicy
) -> Settings:
    """What the manifest says of all pictures."""
    return Settings(chosen.describe(), chosen.scale, chosen.floating, seed, naming, policy)


def replay(
    manifest: Path,
    place: Path,
    out: Path,
    *,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str = "",
) -> tuple[Degraded, list[str]]:
    """Make again what a manifest describes, and compare.

    Args:
        manifest: a `degradation.json`, or the folder that holds one.
        place: the high-resolution pictures.
        out, workers, resume, overwrite, progress, command: as of `degrade_folder`.

    Returns:
        What was made, and a sentence for each picture that did not come out as it should.

    Raises:
        RunError: the manifest cannot be read.
        PairingError, OutputError: as of `degrade_folder`.
    """
    from srqa.degradation.folders import differences

    settings, recorded, _ = read_manifest(manifest)
    made = degrade_folder(
        place,
        out,
        settings,
        replaying(recorded),
        workers=workers,
        resume=resume,
        overwrite=overwrite,
        progress=progress,
        command=command,
    )
    return made, differences(recorded, made.records)


def planned(
    source: Path, chosen: Degradation, settings: Settings
) -> list[tuple[Source, tuple[Step, ...]]]:
    """What would be done to each picture, without opening any."""
    sources, _ = find_sources(source, settings)
    return [(one, one.steps(chosen, settings.seed)) for one in sources]


def _degrade_pixels(pixels: Any, chosen: Degradation, seed: int, name: str) -> Any:
    """One picture; of a batch each has the stream of its place."""
    if is_tensor(pixels) and pixels.ndim == 4:
        import torch

        parts = [
            _degrade_pixels(one, chosen, seed, f"{name}[{at}]") for at, one in enumerate(pixels)
        ]
        return torch.stack(parts)
    if not is_tensor(pixels):
        pixels = np.asarray(pixels)
        check_array(pixels)
    return chosen.apply(
        pixels, chosen.draw(stream(seed, name, "draw")), stream(seed, name, "noise")
    )


def check_array(pixels: np.ndarray[Any, Any]) -> None:
    """Refuse arrays that are no picture.

    Raises:
        UsageError: of another shape or dtype, empty, or floats beyond [0, 1].
    """
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise UsageError(f"A picture is (H, W) or (H, W, 3), not {pixels.shape}.")
    if not pixels.size:
        raise UsageError("The picture has no pixels.")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise UsageError(f"Pixels are uint8, uint16, float32 or float64, not {pixels.dtype}.")
    if pixels.dtype.kind == "f" and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise UsageError("Float pixels lie in [0, 1]; these do not.")
