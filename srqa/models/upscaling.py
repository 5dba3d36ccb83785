"""`upscale`: from pictures to enlarged pictures, with any model, resumable and reproducible."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import srqa
from srqa.devices import choose_device, describe
from srqa.errors import UsageError
from srqa.memory import free, parse
from srqa.models.cards import card
from srqa.models.folders import Progress, Upscaled, Work
from srqa.models.loading import load
from srqa.models.naming import Naming, find_jobs, format_of
from srqa.models.record import Record, sha256_of
from srqa.models.running import Array, Enlarger
from srqa.models.settings import Dtype, Settings, check
from srqa.models.upscaler import Upscaler
from srqa.weights import get as get_weights

if TYPE_CHECKING:
    from typing import Literal

    from srqa.weights.store import Progress as Fetching


def upscale(
    pictures: Path | str | Sequence[Path | str] | npt.NDArray[Any],
    model: str | Upscaler = "",
    *,
    scale: float | None = None,
    weights: Path | str | None = None,
    outscale: float | None = None,
    out: Path | str | None = None,
    tile: int | Literal["auto"] | None = "auto",
    overlap: int | None = None,
    batch: int | None = None,
    ensemble: bool = False,
    device: str = "auto",
    dtype: Dtype = "auto",
    threads: int | None = None,
    memory: str | int | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    fetching: Fetching | None = None,
    **files: Any,
) -> Upscaled | npt.NDArray[Any]:
    """Enlarge pictures with a model.

    16 bits stay 16, grey stays grey, alpha is enlarged by bicubic interpolation, EXIF and colour
    profile are kept; the pixels are turned as EXIF says. A manifest beside the results says how
    they were made.

    Args:
        pictures: a file, a folder, several of them; or an array (H, W[, 3 or 4]) of uint8, uint16
            or float in [0, 1], which gives an array.
        model: a name, as in `srqa models list`, or an `Upscaler`.
        scale: the factor; the model's largest when not said.
        weights: a checkpoint of your own; its architecture is recognised.
        outscale: the factor of the result, where it is another than the model's: its result is
            resized as MATLAB's imresize does.
        out: a folder, or a file for one picture. When not said, one picture's result lies beside
            it, and a folder's in ``outputs/MODEL``.
        tile: side of the tiles in pixels of the input; "auto" by the memory that is free; None
            never cuts.
        overlap: pixels around each tile; as far as the model looks when not said.
        batch: tiles computed together.
        ensemble: the mean over the eight turns and mirrorings of the input, which takes eight
            times as long and gains some hundredths of a dB.
        device: "auto" (a GPU if there is one), "cpu", "cuda" or "cuda:N".
        dtype: in which networks compute: "auto", "float32", "float16" or "bfloat16".
        threads: of the CPU; all when not said.
        memory: what may be taken ("8GB", or bytes); half of what is free when not said.
        offline: fetch no weights.
        progress: called after each tile of one picture, or after each of several pictures.
        fetching: called with (what, bytes done, bytes in all or None) while weights are fetched.
        files: for files only, as of `upscale_files`: name, format, quality, resume, overwrite.

    Returns:
        What was made, or an array. Pictures that failed are rows with a `problem`.

    Raises:
        UsageError: no such model or scale, or settings that make no sense.
        WeightsError: the weights cannot be had.
        InputError: the pictures cannot be had; for an array, the model gives no picture.
        RunError: results are there already, or were made with other settings.
        OutputError: results cannot be written.

    Example:
        >>> import numpy as np, srqa
        >>> srqa.upscale(np.zeros((4, 5), np.uint8), "bicubic", scale=2.5).shape
        (10, 13)
    """
    running: dict[str, Any] = {
        "scale": scale,
        "weights": weights,
        "outscale": outscale,
        "tile": tile,
        "overlap": overlap,
        "batch": batch,
        "ensemble": ensemble,
        "device": device,
        "dtype": dtype,
        "memory": memory,
        "offline": offline,
        "fetching": fetching,
    }
    if not isinstance(pictures, np.ndarray):
        return upscale_files(
            pictures, model, out=out, threads=threads, progress=progress, **running, **files
        )
    if out is not None or files:
        raise UsageError("An array gives an array: options for files say nothing here.")
    with _threads(threads):
        upscaler, settings, _ = _prepared(model, **running)
        return _array(pictures, Enlarger(upscaler, settings), progress)


def upscale_files(
    pictures: Path | str | Sequence[Path | str],
    model: str | Upscaler = "",
    *,
    out: Path | str | None = None,
    name: str | None = None,
    format: Literal["png", "jpg", "webp", "tiff"] | None = None,  # noqa: A002 (as the option)
    quality: int = 95,
    threads: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    **running: Any,
) -> Upscaled:
    """Enlarge files; see `upscale`.

    Args:
        pictures, model, out, threads, progress, running: as of `upscale`.
        name: what results are called, as ``"{name}_{model}"``.
        format: "png", "jpg", "webp" or "tiff"; PNG when nothing says otherwise.
        quality: 1 to 100 of jpg and webp; 100 makes webp lossless.
        resume: go on with results that are there; pictures that are done are not done again.
        overwrite: replace results that are there.
    """
    if resume and overwrite:
        raise UsageError("--resume and --overwrite contradict each other.")
    with _threads(threads):
        upscaler, settings, facts = _prepared(model, **running)
        places = [pictures] if isinstance(pictures, str | Path) else list(pictures)
        place = Path(out) if out is not None else None
        kind = format_of(place, format)
        naming = Naming(upscaler.name, settings.outscale or settings.scale, kind, place, name)
        jobs, folder, manifest = find_jobs([Path(p) for p in places], naming)
        described = facts | _described(settings, kind, quality, name)
        chosen = {"memory": settings.memory, "device": describe(settings.device)}
        record = Record(folder / manifest, described, chosen)
        work = Work(upscaler, settings, kind, quality, progress)
        return work.through(jobs, record, resume, overwrite)


def _prepared(
    model: str | Upscaler,
    *,
    scale: float | None = None,
    weights: Path | str | None = None,
    outscale: float | None = None,
    device: str = "auto",
    memory: str | int | None = None,
    offline: bool = False,
    fetching: Fetching | None = None,
    **running: Any,
) -> tuple[Upscaler, Settings, dict[str, Any]]:
    target = choose_device(device)
    upscaler, facts = chosen_model(
        model, scale=scale, weights=weights, offline=offline, fetching=fetching
    )
    allowed = parse(memory) if memory is not None else free(target) // 2
    settings = Settings(
        _scale(upscaler, scale, outscale),
        outscale=outscale,
        device=target,
        memory=allowed,
        **running,
    )
    check(upscaler, settings)
    return upscaler, settings, facts


def chosen_model(
    model: str | Upscaler,
    *,
    scale: float | None = None,
    weights: Path | str | None = None,
    offline: bool = False,
    fetching: Fetching | None = None,
) -> tuple[Upscaler, dict[str, Any]]:
    """A model ready to run, and what a manifest says of it: its name and its weights' hashes.

    Raises:
        UsageError, WeightsError, InputError: as of `srqa.models.load`.
    """
    if isinstance(model, Upscaler):
        if weights is not None:
            raise UsageError("Weights are for a model that is given by its name.")
        return model, {"model": model.name, "weights": _sha256_of_module(model)}
    if not model and weights is None:
        raise UsageError(
            "No model is given.", "--model NAME (`srqa models list`) or --weights FILE."
        )
    path = Path(weights) if weights is not None else None
    upscaler = load(model, scale, weights=path, offline=offline, progress=fetching)
    if path is not None:
        return upscaler, {"model": upscaler.name, "weights": {path.name: sha256_of(path)}}
    file = card(model).file(scale)
    hashes = {file: get_weights(file).sha256} if file else {}
    return upscaler, {"model": upscaler.name, "weights": hashes}


def _sha256_of_module(upscaler: Upscaler) -> dict[str, str]:
    """A hash over the numbers of a module that somebody made."""
    if upscaler.module is None:
        return {}
    total = hashlib.sha256()
    for key, tensor in sorted(upscaler.module.state_dict().items()):
        total.update(key.encode())
        total.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return {"numbers": total.hexdigest()}


def _scale(upscaler: Upscaler, scale: float | None, outscale: float | None) -> float:
    if scale is not None:
        return float(scale)
    if upscaler.scales is not None:
        return float(max(upscaler.scales))
    if outscale is not None:
        return float(outscale)
    raise UsageError(f"{upscaler.name} can any scale: say which, by --scale.")


def _described(settings: Settings, kind: str, quality: int, name: str | None) -> dict[str, Any]:
    """What decides the results besides the model, as plain values."""
    return {
        "scale": settings.scale,
        "outscale": settings.outscale,
        "tile": settings.tile,
        "overlap": settings.overlap,
        "ensemble": settings.ensemble,
        "dtype": settings.dtype,
        "format": kind,
        "quality": quality if kind in ("jpg", "webp") else None,
        "name": name,
        "version": srqa.__version__,
    }


@contextmanager
def _threads(wanted: int | None) -> Iterator[None]:
    if wanted is None:
        yield
        return
    if wanted < 1:
        raise UsageError(f"--threads must be at least 1, not {wanted}.")
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _array(pixels: Array, enlarger: Enlarger, progress: Progress | None) -> Array:
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise UsageError(f"A picture is (H, W) or (H, W, 3 or 4), not {pixels.shape}.")
    if pixels.dtype not in (np.uint8, np.uint16) and pixels.dtype.kind != "f":
        raise UsageError(f"A picture is uint8, uint16 or float in [0, 1], not {pixels.dtype}.")
    if pixels.dtype.kind == "f" and not bool(((pixels >= 0) & (pixels <= 1)).all()):
        raise UsageError("Float pictures must lie in [0, 1].")
    alpha = pixels[..., 3] if pixels.ndim == 3 and pixels.shape[2] == 4 else None
    colours = pixels[..., :3] if alpha is not None else pixels
    return enlarger(colours, alpha, progress)
