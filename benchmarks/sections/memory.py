"""The most memory that srqa takes: one huge pair, and very many small ones."""

from __future__ import annotations

from typing import Any

from benchmarks.comparison import Comparison, Limit
from benchmarks.contender import Contender
from benchmarks.contenders import programs
from benchmarks.pictures import make_pair, make_small
from benchmarks.sections import Setting

HUGE = (7040, 4688)
CLASSICAL = (
    "psnr", "psnr-y", "ssim", "ssim-y", "ms-ssim", "iw-ssim", "vif", "fsim", "fsimc", "vsi",
    "sr-sim", "gmsd", "ms-gmsd", "mdsi", "haarpsi", "dss",
)  # fmt: skip


def comparisons(setting: Setting) -> list[Comparison]:
    """Whole commands."""
    size = (1408, 938) if setting.quick else HUGE
    reference, output = map(str, make_pair(setting.folder, *size))
    huge = [output, "--ref", reference, "--scale", "2"]

    def command(name: str, arguments: list[str], metrics: str, units: float = 1) -> Contender:
        given: dict[str, Any] = {"arguments": arguments, "metrics": metrics}
        return Contender(name, programs.evaluate, given, units=units, whole=True)

    alone = {"psnr-y,ssim-y": "psnr-y,ssim-y", "all classical": ",".join(CLASSICAL)}
    large = [command(name, huge, metrics) for name, metrics in alone.items()]
    large += [command(name, huge, name) for name in ("lpips", "lpips-vgg", "niqe", "brisque")]
    many = []
    for n in (100, 300) if setting.quick else (1000, 10_000):
        small_reference, small_output = map(str, make_small(setting.folder, n))
        arguments = [small_output, "--ref", small_reference, "--scale", "2"]
        many.append(command(f"{n} pairs", arguments, "psnr-y,ssim-y", n))
    return [
        Comparison(
            f"Memory of one {size[0] * size[1] / 1e6:.0f}-megapixel pair",
            tuple(large),
            base="psnr-y,ssim-y",
            targets=(
                Limit("all classical", 2e9, "peak"),
                Limit("lpips-vgg", 3e9, "peak"),
            ),
            threads=setting.threads,
        ),
        Comparison(
            "Memory of many 32x32 pairs",
            tuple(many),
            base=many[0].name,
            threads=setting.threads,
        ),
    ]
