"""LPIPS and DISTS of one pair, and several metrics of several methods against one reference."""

from __future__ import annotations

from typing import Any

from benchmarks.comparison import Comparison, Target
from benchmarks.contender import Contender
from benchmarks.contenders import networks, pairs, programs
from benchmarks.pictures import make_methods, make_pair
from benchmarks.sections import Setting

WANTED = {"lpips": 1.35, "lpips-vgg": 2.4}
METHODS = 5


def comparisons(setting: Setting) -> list[Comparison]:
    """One table a metric."""
    size = setting.size()
    reference, output = map(str, make_pair(setting.folder, *size))
    pair: dict[str, Any] = {"output": output, "reference": reference, "device": setting.device}

    def own(metric: str) -> Contender:
        return Contender("srqa", pairs.own, {**pair, "metrics": [metric]})

    def rival(library: str, metric: str) -> Contender:
        given = {**pair, "library": library, "metric": metric}
        return Contender(library, networks.rival, given)

    shape = "x".join(map(str, size))
    made = [
        Comparison(
            f"{metric} of one {shape} pair",
            (
                _passes(setting, network, [output, reference]),
                own(metric),
                rival("lpips", metric),
                rival("torchmetrics", metric),
            ),
            targets=(
                Target("lpips", "srqa", least=WANTED[metric]),
                Target("srqa", "the two passes alone", most=1.15),
            ),
            threads=setting.threads,
        )
        for metric, (network, _) in networks.BACKBONES.items()
    ]
    made.append(
        Comparison(
            f"dists of one {shape} pair",
            (
                _passes(setting, "vgg16", [output, reference]),
                own("dists"),
                rival("pyiqa", "dists"),
            ),
            targets=(Target("pyiqa", "srqa", least=1),),
            threads=setting.threads,
        )
    )
    return made


def methods(setting: Setting) -> list[Comparison]:
    """Five methods against one reference, three metrics on VGG16."""
    size = setting.size()
    reference, outputs = make_methods(setting.folder, METHODS, size)
    metrics = ["lpips-vgg", "dists", networks.CONTENT]
    arguments = [*(str(path.parent) for path in outputs), "--ref", str(reference.parent)]
    arguments += ["--scale", "2", "--device", setting.device]
    name = "the six passes alone"
    return [
        Comparison(
            f"{', '.join(metrics)} of {METHODS} methods, one {'x'.join(map(str, size))} reference",
            (
                _passes(setting, "vgg16", [*map(str, outputs), str(reference)], name),
                Contender(
                    "srqa, whole command",
                    programs.evaluate,
                    {"arguments": arguments, "metrics": ",".join(metrics)},
                    whole=True,
                ),
                Contender(
                    "lpips, pyiqa and piq, one by one",
                    networks.rivals_one_by_one,
                    {
                        "metrics": [["lpips", metrics[0]], ["pyiqa", metrics[1]],
                                    ["piq", metrics[2]]],
                        "outputs": [str(path) for path in outputs],
                        "reference": str(reference),
                        "device": setting.device,
                    },
                ),
            ),
            unit="run",
            base="srqa, whole command",
            note="Start-up, reading and decoding count for srqa alone.",
            targets=(Target("lpips, pyiqa and piq, one by one", "srqa, whole command", least=6),),
            threads=setting.threads,
        )
    ]  # fmt: skip


def _passes(
    setting: Setting, network: str, pictures: list[str], name: str = "the two passes alone"
) -> Contender:
    given = {"network": network, "pictures": pictures, "device": setting.device}
    return Contender(name, networks.passes, given)
