"""Calls of rival libraries on one pair, set to srqa's definitions where they can be.

By library and metric a function that takes the two pictures and gives the value. Arrays are planes
(3, H, W), tensors (1, 3, H, W), float32 in [0, 1]; for sewar (H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.contender import Absent

Call = Callable[[Any, Any], Any]

DIFFERS: dict[tuple[str, str], str] = {
    ("pyiqa", "vif"): "of luma only, in float64",
    ("torchmetrics", "vif"): "pixel domain without the border's treatment",
    ("sewar", "vif"): "pixel domain without the border's treatment",
    ("torchmetrics", "ssim"): "with a mirrored border",
    ("sewar", "ssim"): "8x8 mean window",
    ("sewar", "ms-ssim"): "8x8 mean window",
    ("pyiqa", "gmsd"): "of YIQ's luma",
    ("pyiqa", "ssim-y"): "rounds luma",
    ("pyiqa", "ms-ssim-y"): "rounds luma",
    ("piq", "psnr"): "adds 1e-8 to the error",
    ("pyiqa", "psnr"): "adds 1e-8 to the error",
}
"""Whose definition cannot be set to srqa's."""


def call(library: str, metric: str, device: str = "cpu") -> Call:
    """The metric as `library` computes it, pyiqa on that device; the others go where tensors are.

    Raises:
        Absent: the library has no such metric.
        ImportError: the library is not installed.
    """
    found = _LIBRARIES[library]().get(metric)
    if found is None:
        raise Absent(f"{library} has no {metric}")
    return found(device) if library == "pyiqa" else found


def _piq() -> dict[str, Call]:
    import piq

    return {
        "psnr": piq.psnr,
        "ssim": partial(piq.ssim, downsample=False),
        "ms-ssim": piq.multi_scale_ssim,
        "iw-ssim": piq.information_weighted_ssim,
        "vif": piq.vif_p,
        "fsim": partial(piq.fsim, chromatic=False),
        "fsimc": piq.fsim,
        "vsi": piq.vsi,
        "gmsd": piq.gmsd,
        "ms-gmsd": piq.multi_scale_gmsd,
        "mdsi": piq.mdsi,
        "haarpsi": piq.haarpsi,
        "sr-sim": piq.srsim,
        "dss": piq.dss,
    }


def _torchmetrics() -> dict[str, Call]:
    from torchmetrics.functional import image

    return {
        "psnr": partial(image.peak_signal_noise_ratio, data_range=1.0),
        "ssim": partial(image.structural_similarity_index_measure, data_range=1.0),
        "ms-ssim": partial(image.multiscale_structural_similarity_index_measure, data_range=1.0),
        "vif": lambda a, b: image.visual_information_fidelity(a * 255, b * 255),
    }


def _scikit_image() -> dict[str, Call]:
    from skimage import metrics

    paper = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return {
        "psnr": lambda a, b: metrics.peak_signal_noise_ratio(b, a, data_range=1.0),
        "ssim": partial(metrics.structural_similarity, data_range=1.0, channel_axis=0, **paper),
    }


def _sewar() -> dict[str, Call]:
    import sewar

    return {
        "psnr": lambda a, b: sewar.psnr(b, a),
        "ssim": lambda a, b: sewar.ssim(b, a)[0],
        "ms-ssim": lambda a, b: sewar.msssim(b, a).real,
        "vif": lambda a, b: sewar.vifp(b, a),
    }


def _pyiqa() -> dict[str, Callable[[str], Call]]:
    import pyiqa

    def make(name: str, **settings: Any) -> Callable[[str], Call]:
        return lambda device: pyiqa.create_metric(name, device=device, **settings)

    luma = {"downsample": False, "test_y_channel": True, "color_space": "ycbcr"}
    return {
        "psnr": make("psnr"),
        "ssim": make("ssimc", downsample=False),
        "ssim-y": make("ssim", **luma),
        "ms-ssim-y": make("ms_ssim", test_y_channel=True, color_space="ycbcr"),
        "vif": make("vif"),
        "fsimc": make("fsim"),
        "vsi": make("vsi"),
        "gmsd": make("gmsd"),
    }


_LIBRARIES: dict[str, Callable[[], dict[str, Any]]] = {
    "piq": _piq,
    "torchmetrics": _torchmetrics,
    "scikit-image": _scikit_image,
    "sewar": _sewar,
    "pyiqa": _pyiqa,
}
TENSORS = ("piq", "torchmetrics", "pyiqa")
"""The libraries that take tensors."""
METRICS = {
    "psnr": ("scikit-image", "torchmetrics", "piq", "pyiqa", "sewar"),
    "ssim": ("scikit-image", "piq", "torchmetrics", "pyiqa", "sewar"),
    "ssim-y": ("pyiqa",),
    "ms-ssim": ("piq", "torchmetrics", "sewar"),
    "ms-ssim-y": ("pyiqa",),
    "iw-ssim": ("piq",),
    "vif": ("piq", "torchmetrics", "pyiqa", "sewar"),
    "fsim": ("piq",),
    "fsimc": ("piq", "pyiqa"),
    "vsi": ("piq", "pyiqa"),
    "gmsd": ("piq", "pyiqa"),
    "ms-gmsd": ("piq",),
    "mdsi": ("piq",),
    "haarpsi": ("piq",),
    "sr-sim": ("piq",),
    "dss": ("piq",),
}
"""Who has which metric."""
