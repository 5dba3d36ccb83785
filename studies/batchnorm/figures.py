"""The figures: the answer to low contrast, plain colours, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from srqa.report.ratings.style import BLUE, ORANGE, canvas, light_grid

from ..pictures import row_of_parts
from .jobs import NORMALISED, PLAIN, kind_of
from .measuring import Contrast, Flat

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {PLAIN: BLUE, NORMALISED: ORANGE}


def answers_figure(contrasts: Sequence[Contrast], flats: Sequence[Flat]) -> Figure:
    """Three panels: fidelity by contrast, spread by contrast, patterns on plain colours."""
    figure = canvas(
        "EDSR's block with batch normalisation and without",
        "a line or dot a seed, blue without and orange with; errors are divided by the contrast",
        2.6,
    )
    left, middle, right = figure.subplots(1, 3)
    for axes, field in ((left, "psnr"), (middle, "spread")):
        for name in dict.fromkeys(row.name for row in contrasts):
            mine = [row for row in contrasts if row.name == name]
            axes.plot([row.contrast for row in mine], [getattr(row, field) for row in mine], "o-",
                      color=_COLOURS[kind_of(name)], markersize=3, linewidth=1.1)  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted({row.contrast for row in contrasts}))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.invert_xaxis()
        axes.set_xlabel("contrast of the picture")
        light_grid(axes, "y")
    left.set_ylabel("PSNR beside the contrast, dB")
    middle.set_ylabel("deviation beside the reference's")
    for row in flats:
        right.plot([list(_COLOURS).index(kind_of(row.name))], [row.pattern], "o",
                   color=_COLOURS[kind_of(row.name)], markersize=4)  # fmt: skip
    right.set_xticks(range(len(_COLOURS)), list(_COLOURS))
    right.set_xlim(-0.6, len(_COLOURS) - 0.4)
    right.set_ylim(bottom=0)
    right.set_ylabel("pattern on plain colours, levels")
    light_grid(right, "y")
    return figure


def pictures_figure(folder: Path, contents: Sequence[str]) -> Figure:
    """The middle of contents by the first seed's networks."""
    methods = ["bicubic", f"{PLAIN}-0", f"{NORMALISED}-0"]
    title = "EDSR's block without and with batch normalisation"
    return row_of_parts(folder, contents, methods, title, "the middle of contents", 4)
