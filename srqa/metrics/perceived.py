"""Metrics that model what is seen on a display at a distance, computed by their authors' packages.

ColorVideoVDP (package cvvdp, MIT) and LDR-FLIP (package flip-evaluator, BSD-3-Clause) carry their
own data and fetch nothing. Pictures are handed over one at a time, clamped to [0, 1].
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import MissingPackageError
from srqa.images.arrays import Planes, Value, as_batch, is_tensor, unbatch

if TYPE_CHECKING:
    import torch

DISPLAY = "standard_4k"
"""30 inch, 3840 x 2160, 200 cd/m^2, contrast 1000, 250 lux, seen from 0.7472 m."""
CVVDP_MIN_SIDE = 8
PIXELS_PER_DEGREE = 0.7 * 3840 / 0.7 * np.pi / 180
"""FLIP's own default: 3840 pixels on 0.7 m, seen from 0.7 m."""

_importing = threading.Lock()
_own = threading.local()


def cvvdp(distorted: Planes, reference: Planes) -> Value:
    """ColorVideoVDP of Mantiuk et al. 2024 on the display `DISPLAY`.

    Returns:
        Just-objectionable differences: 10 for equal pictures, one less for each step that 75 % of
        people see as worse. It is differentiable with respect to tensors.

    Raises:
        MissingPackageError: the package cvvdp is not installed.
    """
    predict = _color_video_vdp(as_batch(distorted).device)

    def jod(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = predict(a.contiguous(), b.contiguous(), dim_order="BCHW")[0]
        return found.reshape(())

    return _one_by_one(jod, distorted, reference)


def flip(distorted: Planes, reference: Planes) -> Value:
    """LDR-FLIP of Andersson et al. 2020: the mean of its error map at 67 pixels per degree.

    Returns:
        0 for equal pictures to 1.

    Raises:
        MissingPackageError: the package flip-evaluator is not installed.
    """
    import torch

    def error(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.tensor(np.mean(_flip_errors(a, b), dtype=np.float64)).to(a.device)

    return _one_by_one(error, distorted, reference)


def flip_map(distorted: Planes, reference: Planes) -> Any:
    """The error map whose mean `flip` is.

    Returns:
        An array (H, W) for an array, a tensor (N, H, W) for a batch; 0 to 1.

    Raises:
        MissingPackageError: the package flip-evaluator is not installed.
    """
    import torch

    pairs = zip(_prepared(distorted), _prepared(reference), strict=True)
    found = [_flip_errors(a[None], b[None]) for a, b in pairs]
    if not is_tensor(distorted):
        return found[0]
    return torch.from_numpy(np.stack(found)).to(distorted.device)


def _flip_errors(a: torch.Tensor, b: torch.Tensor) -> np.ndarray[Any, Any]:
    """The error map (H, W) of two pictures (1, 3, H, W), float32."""
    package = _package("flip", "flip-evaluator", "flip", "flip_evaluator")
    pixels = [np.ascontiguousarray(x[0].detach().cpu().permute(1, 2, 0).numpy()) for x in (b, a)]
    found = package.evaluate(
        *pixels,
        "LDR",
        applyMagma=False,
        computeMeanError=False,
        parameters={"ppd": PIXELS_PER_DEGREE},
    )
    return np.asarray(found[0], np.float32).reshape(a.shape[-2:])


def _one_by_one(
    compute: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    distorted: Planes,
    reference: Planes,
) -> Value:
    """Call `compute` on float32 pictures (1, 3, H, W) of a batch, one after the other."""
    import torch

    pairs = zip(_prepared(distorted), _prepared(reference), strict=True)
    values = [compute(a[None], b[None]).double() for a, b in pairs]
    return unbatch(torch.stack(values), distorted)


def _prepared(planes: Planes) -> torch.Tensor:
    x = as_batch(planes).float().clamp(0.0, 1.0)
    return x if x.shape[1] == 3 else x.expand(-1, 3, -1, -1)


def _package(metric: str, distribution: str, extra: str, module: str) -> ModuleType:
    """A package that an extra of srqa brings, imported once and without traces on the path."""
    from importlib import import_module

    with _importing:
        if known := sys.modules.get(module):
            return known
        path = list(sys.path)
        try:
            return import_module(module)
        except ImportError as error:
            raise MissingPackageError(
                f"The metric {metric} needs the package {distribution}, which is not here or not "
                f"whole ({error}).",
                hint=f"pip install 'srqa[{extra}]'",
            ) from error
        finally:
            for added in [entry for entry in sys.path if entry not in path]:
                with suppress(ValueError):
                    sys.path.remove(added)


def _color_video_vdp(device: Any) -> Callable[..., Any]:
    """The method `predict` of a model that only this thread uses, for it keeps what it computed."""
    models: dict[str, Any] = _own.__dict__.setdefault("models", {})
    if str(device) not in models:
        package = _package("cvvdp", "cvvdp", "cvvdp", "pycvvdp")
        models[str(device)] = package.cvvdp(display_name=DISPLAY, device=device, quiet=True)
    predict: Callable[..., Any] = models[str(device)].predict
    return predict
