"""What one waits before anything happens."""

from __future__ import annotations

from benchmarks.comparison import Comparison, Limit, Target
from benchmarks.contender import Contender
from benchmarks.contenders import programs
from benchmarks.pictures import make_pair
from benchmarks.sections import Setting


def comparisons(setting: Setting) -> list[Comparison]:
    """From nothing to the first line, and to the first value."""
    reference, output = map(str, make_pair(setting.folder, *setting.size()))
    pair = [output, "--ref", reference, "--scale", "2"]

    def python(name: str, code: str) -> Contender:
        return Contender(name, programs.python, {"code": code}, whole=True)

    return [
        Comparison(
            "Start-up",
            (
                python("python", "pass"),
                python("python: import numpy, cv2", "import numpy, cv2"),
                Contender("srqa --help", programs.own, {"arguments": ["--help"]}, whole=True),
                Contender(
                    "srqa evaluate, one pair",
                    programs.evaluate,
                    {"arguments": pair, "metrics": "psnr-y,ssim-y"},
                    whole=True,
                ),
                python("python: import torch", "import torch"),
                python("python: import piq", "import piq"),
                python("python: import torchmetrics", "import torchmetrics"),
                python("python: import pyiqa", "import pyiqa"),
            ),
            base="python",
            unit="start",
            targets=(
                Limit("srqa --help", 0.3),
                Limit("srqa evaluate, one pair", 1.5),
                Target("python: import torch", "srqa evaluate, one pair", least=1.0),
            ),
            threads=setting.threads,
            note="`srqa evaluate` computes psnr-y and ssim-y of one 1280x720 pair.",
        )
    ]
