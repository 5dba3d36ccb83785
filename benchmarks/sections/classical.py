"""Each classical metric of one pair in memory, against every rival that has it."""

from __future__ import annotations

from typing import Any

from benchmarks.comparison import Comparison, Target
from benchmarks.contender import Contender
from benchmarks.contenders import pairs
from benchmarks.contenders.rivals import DIFFERS, METRICS
from benchmarks.pictures import make_pair
from benchmarks.sections import Setting

WANTED = {"ssim": 8, "ms-ssim": 8, "vif": 3, "fsim": 3, "fsimc": 3}
"""How many times faster than the best rival with the same definition; else simply faster."""
TOLERANCE = {"vif": 1e-4, "dss": 1e-4, "psnr": 1e-5}
"""piq computes these in float32 without regard to cancellation."""


def comparisons(setting: Setting) -> list[Comparison]:
    """One table a metric."""
    reference, output = map(str, make_pair(setting.folder, *setting.size()))
    pair: dict[str, Any] = {"output": output, "reference": reference}
    if setting.device != "cpu":
        pair["device"] = setting.device
    limit = Contender("one read of the pair", pairs.reading, pair)
    made = []
    for metric, libraries in METRICS.items():
        rivals = tuple(
            Contender(
                library,
                pairs.rival,
                {**pair, "library": library, "metric": metric},
                differs=DIFFERS.get((library, metric), ""),
            )
            for library in libraries
        )
        own = Contender("srqa", pairs.own, {**pair, "metrics": [metric]})
        made.append(
            Comparison(
                f"{metric} of one {'x'.join(map(str, setting.size()))} pair",
                (own, *rivals) if setting.device != "cpu" else (limit, own, *rivals),
                tolerance=TOLERANCE.get(metric, 1e-5),
                targets=tuple(
                    Target(rival.name, "srqa", least=WANTED.get(metric, 1))
                    for rival in rivals
                    if not rival.differs
                ),
                threads=setting.threads,
            )
        )
    return made
