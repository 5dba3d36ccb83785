"""NIQE and BRISQUE of one picture."""

from __future__ import annotations

from benchmarks.comparison import Comparison, Target
from benchmarks.contender import Contender
from benchmarks.contenders import naturalness, pairs
from benchmarks.pictures import make_pair
from benchmarks.sections import Setting

WANTED = {("pyiqa", "niqe"): 5, ("piq", "brisque"): 3}
DIFFERS = {
    ("piq", "brisque"): "zeros beyond the border",
    ("pyiqa", "brisque"): "shrinks with antialiasing",
}


def comparisons(setting: Setting) -> list[Comparison]:
    """One table a metric."""
    reference, output = map(str, make_pair(setting.folder, *setting.size()))

    def table(metric: str, libraries: tuple[str, ...], tolerance: float) -> Comparison:
        own = {"metrics": [metric], "output": output, "reference": reference}
        given = {"metric": metric, "output": output, "device": setting.device}
        return Comparison(
            f"{metric} of one {'x'.join(map(str, setting.size()))} picture",
            (
                Contender("srqa", pairs.own, own),
                *(
                    Contender(
                        library,
                        naturalness.rival,
                        {**given, "library": library},
                        differs=DIFFERS.get((library, metric), ""),
                    )
                    for library in libraries
                ),
            ),
            unit="picture",
            tolerance=tolerance,
            targets=tuple(
                Target(library, "srqa", least=WANTED[library, metric])
                for library in libraries
                if (library, metric) in WANTED
            ),
            threads=setting.threads,
        )

    return [table("niqe", ("pyiqa",), 1e-3), table("brisque", ("piq", "pyiqa"), 0.02)]
