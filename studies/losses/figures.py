"""The figures: the plane of perception and distortion, spectra, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from srqa.report.ratings.style import COLOURS, SOFT, canvas, light_grid

from ..pictures import row_of_parts
from ..tables import Difference
from ..trainings import METHOD
from .spectra import Power

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKS = "osD^vP*X<>hp"


def plane_figure(rows: Sequence[Difference], distortion: str, perception: str) -> Figure:
    """Each loss as a point: distortion across, perception down; both are better to the lower right.

    Bars are 95 % intervals of the differences from the plain loss.
    """
    cells = {(row.method, row.metric): row for row in rows}
    methods = [m for m in dict.fromkeys(row.method for row in rows) if m != METHOD]
    figure = canvas(
        "What losses buy and cost",
        f"mean over {rows[0].n} contents; bars: 95 % intervals of the difference from l1; better "
        "is to the right and up",
        3.6,
    )
    axes = figure.add_subplot()
    for k, method in enumerate(methods):
        across, up = cells[method, distortion], cells[method, perception]
        bars = [
            [[row.change - row.low], [row.high - row.change]] if row.high > row.low else None
            for row in (across, up)
        ]
        axes.errorbar(
            across.mean, up.mean, xerr=bars[0], yerr=bars[1], fmt=_MARKS[k % len(_MARKS)],
            color=COLOURS[k % len(COLOURS)], markersize=5, elinewidth=0.7, label=method,
        )  # fmt: skip
    axes.invert_yaxis()
    axes.set_xlabel(f"{distortion} (higher is better)")
    axes.set_ylabel(f"{perception} (lower is better)")
    figure.legend(loc="outside right center", fontsize=7.5)
    light_grid(axes, "both")
    return figure


def spectra_figure(rows: Sequence[Power], methods: Sequence[str]) -> Figure:
    """Power beside the references' by frequency, a line a method."""
    figure = canvas(
        "How smooth results are",
        "power of Y in rings of frequency beside the references', mean over contents; below the "
        "line is smoother than the photograph",
        3.0,
    )
    axes: Axes = figure.add_subplot()
    axes.axhline(0, color=SOFT, linewidth=0.8)
    axes.axvline(0.125, color=SOFT, linewidth=0.8, linestyle=":")
    axes.annotate("the input's limit", (0.125, 1), xycoords=("data", "axes fraction"), fontsize=7,
                  xytext=(3, -8), textcoords="offset points", color=SOFT)  # fmt: skip
    for k, method in enumerate(methods):
        mine = [row for row in rows if row.method == method]
        axes.plot([row.frequency for row in mine], [row.ratio for row in mine],
                  color=COLOURS[k % len(COLOURS)], linewidth=1.3, label=method,
                  linestyle="-" if k < len(COLOURS) else "--")  # fmt: skip
    axes.set_xlabel("frequency, cycles a pixel")
    axes.set_ylabel("power beside the reference, dB")
    figure.legend(loc="outside right center", fontsize=7.5)
    light_grid(axes, "y")
    return figure


def pictures_figure(folder: Path, contents: Sequence[str], methods: Sequence[str]) -> Figure:
    """The middle of contents: a row a content, a column a method, the reference last."""
    return row_of_parts(
        folder, contents, methods, "The same network after each loss", "the middle of contents"
    )
