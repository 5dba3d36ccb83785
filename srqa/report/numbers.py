"""How numbers are written in reports and in the terminal: as papers print them."""

from __future__ import annotations

import math

from srqa.errors import UsageError
from srqa.metrics import registry
from srqa.metrics.spec import MetricSpec

_DECIBEL_PLACES = 2
_BOUNDED_PLACES = 4
_SIGNIFICANT = 3
# Names of metrics that a Run may hold though nobody has registered them here.
_BOUNDED_NAMES = (
    *("ssim", "ms-ssim", "iw-ssim", "fsim", "vif", "haarpsi", "vsi", "gmsd", "mdsi", "sr-sim"),
    *("lpips", "dists", "st-lpips", "clipiqa", "maniqa", "topiq"),
)


def find_spec(metric: str) -> MetricSpec | None:
    """The metric's entry in the registry, or None where a Run names one that is not there."""
    try:
        return registry.get(metric)
    except UsageError:
        return None


def decimals(metric: str) -> int | None:
    """Decimals that tables print for a metric; None stands for three significant digits.

    Example:
        >>> decimals("psnr-y"), decimals("ssim-y"), decimals("mse")
        (2, 4, None)
    """
    spec = find_spec(metric)
    if spec is not None and spec.unit == "dB":
        return _DECIBEL_PLACES
    if spec is not None:
        low, high = spec.bounds
        return _BOUNDED_PLACES if low >= -1 and high <= 1 else _by_name(metric)
    return _by_name(metric)


def _by_name(metric: str) -> int | None:
    name = metric.lower().replace("_", "-")
    if "psnr" in name:
        return _DECIBEL_PLACES
    return _BOUNDED_PLACES if name.startswith(_BOUNDED_NAMES) else None


def format_value(metric: str, value: float | None) -> str:
    """A value as published tables print it: PSNR with 2 decimals, SSIM with 4, else 3 digits.

    Args:
        metric: the metric's name, which need not be registered.
        value: its value; None and NaN become "n/a", infinities "inf" and "-inf".

    Example:
        >>> format_value("psnr-y", 32.6337), format_value("ssim-y", 0.90024)
        ('32.63', '0.9002')
        >>> format_value("mse", 61.26), format_value("mse", 4321.5), format_value("psnr", None)
        ('61.3', '4322', 'n/a')
    """
    if value is None or math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    places = decimals(metric)
    if places is not None:
        return f"{round(value, places) + 0.0:.{places}f}"
    return _significant(value)


def _significant(value: float) -> str:
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4:
        return f"{value:.{_SIGNIFICANT - 1}e}"
    places = max(0, _SIGNIFICANT - 1 - magnitude)
    return f"{value:.{places}f}"


def format_interval(metric: str, low: float, high: float) -> str:
    """An interval as ``[29.68, 35.51]``; an empty string where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{format_value(metric, low)}, {format_value(metric, high)}]"


def with_unit(metric: str, text: str) -> str:
    """A written value followed by the metric's unit, where it has one and there is a value."""
    spec = find_spec(metric)
    unit = spec.unit if spec is not None else ("dB" if "psnr" in metric.lower() else "")
    return f"{text} {unit}" if unit and text not in ("n/a", "inf", "-inf") else text


def format_scale(scale: float | None) -> str:
    """A factor of super-resolution as ``×4``; an empty string where it is unknown."""
    return "" if scale is None or math.isnan(scale) else f"×{scale:g}"
