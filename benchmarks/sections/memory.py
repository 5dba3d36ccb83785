"""The most memory that srqa takes: one huge pair, and very many small ones."""

from __future__ import annotations

from typing import Any

from benchmarks.comparison import Comparison, Limit
from benchmarks.contender import Contender
from benchmarks.contenders import programs
from benchmarks.pictures import make_pair, make_small
from benchmarks.sections import Setting

HUGE = (7040, 4688)


def classical(lr: bool = False) -> list[str]:
    """Metrics of srqa's own of one output, which take no network and nothing beside a reference.

    With `lr` those that look at the low-resolution input as well.
    """
    from srqa.metrics.api import select

    return [
        spec.name
        for spec in select(level="image")
        if (lr or spec.kind != "lr")
        and not (spec.weights or spec.extra or spec.provider or spec.given)
    ]


def comparisons(setting: Setting) -> list[Comparison]:
    """Whole commands."""
    size = (1408, 938) if setting.quick else HUGE
    reference, output = map(str, make_pair(setting.folder, *size))
    huge = [output, "--ref", reference, "--scale", "2"]

    def command(name: str, arguments: list[str], metrics: str, units: float = 1) -> Contender:
        given: dict[str, Any] = {"arguments": arguments, "metrics": metrics}
        return Contender(name, programs.evaluate, given, units=units, whole=True)

    all_classical = classical()
    together = f"all {len(all_classical)} classical"
    large = [command("psnr-y,ssim-y", huge, "psnr-y,ssim-y")]
    large.append(command(together, huge, ",".join(all_classical)))
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
                Limit(together, 2e9, "peak"),
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
