"""How cost grows: with the size of pictures, their number, the number of methods, with threads."""

from __future__ import annotations

from typing import Any

from benchmarks.comparison import Comparison
from benchmarks.contender import Contender
from benchmarks.contenders import networks, pairs, programs
from benchmarks.contenders.rivals import DIFFERS
from benchmarks.pictures import make_methods, make_pair
from benchmarks.sections import Setting
from benchmarks.sections.folders import METRICS, links

SIZES = ((640, 400), (1280, 800), (2560, 1600), (4096, 2560), (7040, 4688))
"""0.26, 1, 4, 10 and 33 megapixels."""
SMALL = SIZES[:3]


def sizes(setting: Setting) -> list[Comparison]:
    """Time for a megapixel, and memory, of some metrics by srqa and by a rival."""
    known = SMALL[:2] if setting.quick else SIZES
    files = {size: make_pair(setting.folder, *size) for size in known}

    def contenders(
        name: str, prepare: Any, some: Any, differs: str = "", **given: Any
    ) -> tuple[Contender, ...]:
        made = []
        for width, height in some:
            reference, output = map(str, files[width, height])
            pair = {"output": output, "reference": reference}
            label = f"{name}, {width * height / 1e6:.2g} MP"
            units = width * height / 1e6
            made.append(Contender(label, prepare, pair | given, units=units, differs=differs))
        return tuple(made)

    def table(metric: str, library: str, up_to: int, own_up_to: int = len(SIZES)) -> Comparison:
        rival = networks.rival if metric.startswith("lpips") else pairs.rival
        own = contenders("srqa", pairs.own, known[:own_up_to], metrics=[metric])
        differs = DIFFERS.get((library, metric), "")
        others = contenders(library, rival, known[:up_to], differs, library=library, metric=metric)
        return Comparison(
            f"{metric} by the size of the picture",
            (*own, *others),
            base=own[min(1, len(own) - 1)].name,
            unit="megapixel",
            threads=setting.threads,
        )

    return [
        table("ssim-y", "pyiqa", 2),
        table("ssim", "piq", 4),
        table("lpips", "lpips", 3),
        table("lpips-vgg", "lpips", 1, own_up_to=2),
        table("niqe", "pyiqa", 0),
    ]


def comparisons(setting: Setting) -> list[Comparison]:
    """The whole command by the number of pairs, of methods and of threads."""
    numbers = (1, 10) if setting.quick else (1, 10, 100, 500)

    def command(name: str, arguments: list[str], units: float, **given: Any) -> Contender:
        given = {"arguments": arguments, "metrics": METRICS} | given
        return Contender(name, programs.evaluate, given, units=units, whole=True)

    many = tuple(command(_counted(n, "pair"), links(setting, n), n) for n in numbers)
    size = setting.size()
    reference, outputs = make_methods(setting.folder, 8, size)
    after = ["--ref", str(reference.parent), "--scale", "2"]
    methods = tuple(
        command(_counted(n, "method"), [*(str(o.parent) for o in outputs[:n]), *after], n)
        for n in (1, 2, 4, 8)
    )
    threads = tuple(
        command(_counted(n, "thread"), links(setting, numbers[-2]), numbers[-2], threads=n)
        for n in (1, 2, 4)
    )
    shape = "x".join(map(str, size))
    return [
        Comparison(
            f"By the number of pairs: {METRICS} of 1280x720",
            many,
            base=many[-1].name,
            threads=setting.threads,
        ),
        Comparison(
            f"By the number of methods: {METRICS} of one {shape} reference",
            methods,
            base=methods[0].name,
            unit="method",
            threads=setting.threads,
        ),
        Comparison(
            f"By the number of threads: {METRICS} of {numbers[-2]} pairs",
            threads,
            base=threads[0].name,
            threads=setting.threads,
        ),
    ]


def _counted(number: int, unit: str) -> str:
    return f"srqa, {number} {unit}{'s' * (number > 1)}"
