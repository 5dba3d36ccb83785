"""How numbers are written."""

from __future__ import annotations

import math

import pytest

from srqa.report.numbers import format_interval, format_scale, format_value, with_unit


@pytest.mark.parametrize(
    ("metric", "value", "written"),
    [
        ("psnr-y", 32.6335, "32.63"),
        ("psnr", math.inf, "inf"),
        ("psnr", -math.inf, "-inf"),
        ("psnr-y", -0.001, "0.00"),
        ("ssim", 0.90024, "0.9002"),
        ("ms-ssim-y", 1.0, "1.0000"),
        ("rmse", 7.6408, "7.64"),
        ("mse", 1234.6, "1235"),
        ("mse", 0.0, "0"),
        ("mse", 3.21e-7, "3.21e-07"),
        ("lpips-from-elsewhere", 0.12345, "0.1235"),
        ("psnr-of-a-plugin", 30.0, "30.00"),
        ("never-heard-of", 4.5678, "4.57"),
        ("ssim", math.nan, "n/a"),
        ("ssim", None, "n/a"),
    ],
)
def test_digits_are_those_of_published_tables(
    metric: str, value: float | None, written: str
) -> None:
    assert format_value(metric, value) == written


def test_interval_and_unit() -> None:
    assert format_interval("psnr-y", 29.676, 35.5135) == "[29.68, 35.51]"
    assert format_interval("psnr-y", math.nan, math.nan) == ""
    assert with_unit("psnr-y", "32.63") == "32.63 dB"
    assert with_unit("psnr-y", "inf") == "inf"
    assert with_unit("ssim", "0.9") == "0.9"
    assert [format_scale(s) for s in (4.0, 2.5, None)] == ["×4", "×2.5", ""]
