"""LPIPS and DISTS of one pair, and several metrics of several methods against one reference."""

from __future__ import annotations

from typing import Any

from benchmarks.comparison import Comparison, Slope, Target
from benchmarks.contender import Contender
from benchmarks.contenders import loops, networks, pairs, programs
from benchmarks.pictures import make_methods, make_pair, make_pairs
from benchmarks.sections import Setting
from benchmarks.sections.folders import links

WANTED = {"lpips": 1.35, "lpips-vgg": 2.4}
"""On a CPU; on a GPU, where everybody's time is that of the same convolutions, not to be slower."""
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
                Target("lpips", "srqa", least=WANTED[metric] if setting.device == "cpu" else 1),
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
            targets=(Target("lpips, pyiqa and piq, one by one", "srqa, whole command", least=6),)
            if setting.device == "cpu"
            else (),
            threads=setting.threads,
        )
    ]  # fmt: skip


def folders(setting: Setting) -> list[Comparison]:
    """Folders with a network among the metrics: decoding beside what a GPU computes."""
    few, many = (10, 30) if setting.quick else (100, 500)
    reference, output = map(str, make_pairs(setting.folder / "pairs", many))
    given: dict[str, Any] = {"reference": reference, "output": output, "decoder": setting.decoder}
    device = {"device": setting.device}

    def own(pairs: int) -> Contender:
        arguments = [*links(setting, pairs), "--device", setting.device]
        work = {"arguments": arguments, "metrics": "psnr-y,ssim-y,lpips"}
        return Contender(f"srqa, {pairs} pairs", programs.evaluate, work, units=pairs, whole=True)

    decoding, passes = f"decoding alone, {many} pairs", "AlexNet alone, in batches of 16"
    slope, rival = "srqa, each further pair", "lpips, loop"
    bare = {"network": "alexnet", "folders": [reference, output], "pairs": many, "batch": 16}
    return [
        Comparison(
            "psnr-y, ssim-y and lpips of folders of 1280x720 PNG pairs",
            (
                Contender(decoding, loops.decoding, {**given, "pairs": many}, units=many),
                Contender(passes, networks.batches, bare | device, units=many),
                own(few),
                own(many),
                Contender(
                    rival,
                    networks.loop,
                    {**given, "library": "lpips", "metric": "lpips", "pairs": few} | device,
                    units=few,
                ),
            ),
            base=decoding,
            slopes=(Slope(slope, f"srqa, {many} pairs", f"srqa, {few} pairs"),),
            targets=(Target(rival, slope, least=1),),
            threads=setting.threads,
            note="`srqa` is the whole command, start-up included. The loop decodes with as many "
            "threads, computes LPIPS alone, and one pair at a time.",
            patience=3 if setting.quick else 40,
        )
    ]


def _passes(
    setting: Setting, network: str, pictures: list[str], name: str = "the two passes alone"
) -> Contender:
    given = {"network": network, "pictures": pictures, "device": setting.device}
    return Contender(name, networks.passes, given)
