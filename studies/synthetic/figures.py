"""The figures: falls, curves of what methods gain over interpolation, and pictures."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from srqa.images.read import read
from srqa.models.naming import portable
from srqa.report.ratings.style import COLOURS, FAINT, INK, SOFT, canvas, light_grid, shortened

from ..pictures import show_part
from .conditions import BASE, CONDITIONS, SCALE, Condition
from .falls import INTERPOLATION, Fall, array, of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = (("psnr-y", "dB of PSNR-Y"), ("lpips", "LPIPS"))
_SHOWN = 96
"""Side of the part of a content that pictures show, in pixels."""
_AXES = {
    "blur": ("σ of the blur, pixels of the high resolution", False),
    "noise": ("noise, levels of 8 bits", False),
    "jpeg": ("quality of the JPEG", True),
}
"""What a family's amount is, and whether less of it is worse."""


def falls_figure(rows: Sequence[Fall]) -> Figure:
    """Two panels of dots with intervals, a line a condition, a colour a method."""
    shown = [c for c in CONDITIONS if c.name != BASE and any(r.condition == c.name for r in rows)]
    methods = _methods(rows)
    n = max(row.n for row in rows)
    figure = canvas(
        "What each method loses when inputs are not MATLAB's bicubic, x4",
        f"{n} contents; difference from the same method on bicubic inputs, 95 % intervals over "
        "contents; worse is to the left",
        0.34 * len(shown) + 0.75,
    )
    axes = figure.subplots(1, len(PANELS), sharey=True)
    for axis, (metric, unit) in zip(axes, PANELS, strict=True):
        _dots(axis, of(rows, metric), shown, methods)
        axis.set_xlabel(f"change, {unit}")
    axes[1].invert_xaxis()
    axes[0].set_yticks(range(len(shown)), [c.words for c in shown], fontsize=7.5)
    axes[0].set_ylim(len(shown) - 0.4, -0.6)
    _legend(figure, axes[0], len(methods))
    return figure


def _dots(
    axes: Axes, rows: Sequence[Fall], shown: Sequence[Condition], methods: Sequence[str]
) -> None:
    line = {c.name: i for i, c in enumerate(shown)}
    for i in range(0, len(shown), 2):
        axes.axhspan(i - 0.5, i + 0.5, color=FAINT, alpha=0.3, linewidth=0)
    axes.axvline(0, color=SOFT, linewidth=0.8)
    for k, method in enumerate(methods):
        mine = [row for row in rows if row.method == method and row.condition in line]
        shift = 0.7 * ((k + 0.5) / len(methods) - 0.5)
        y = np.array([line[row.condition] for row in mine]) + shift
        axes.hlines(y, array(mine, "change_low"), array(mine, "change_high"),
                    color=COLOURS[k], linewidth=1.2)  # fmt: skip
        axes.plot(array(mine, "change"), y, "o", color=COLOURS[k], markersize=3.6,
                  markeredgewidth=0, label=method)  # fmt: skip
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    light_grid(axes, "x")


def curves_figure(rows: Sequence[Fall]) -> Figure:
    """What methods gain over bicubic interpolation of the same input, as inputs get worse."""
    families = [f for f in _AXES if any(c.family == f and _amounts(rows, f) for c in CONDITIONS)]
    methods = [method for method in _methods(rows) if method != INTERPOLATION]
    figure = canvas(
        "What is left of the gain over bicubic interpolation, x4",
        "above the line a method is better than interpolating the same input; bands are 95 % "
        "intervals over contents",
        4.3,
    )
    grid = figure.subplots(len(PANELS), len(families), sharex="col", sharey="row", squeeze=False)
    for j, family in enumerate(families):
        for i, (metric, _) in enumerate(PANELS):
            _curves(grid[i, j], of(rows, metric), family, methods)
        label, reverse = _AXES[family]
        grid[-1, j].set_xlabel(label)
        if reverse:
            grid[-1, j].invert_xaxis()
    for i, (metric, unit) in enumerate(PANELS):
        lower = metric == "lpips"
        grid[i, 0].set_ylabel(f"{unit} less interpolation's" + ("\n(less is better)" * lower))
        if lower:
            grid[i, 0].invert_yaxis()
    _legend(figure, grid[0, 0], len(methods))
    return figure


def _amounts(rows: Sequence[Fall], family: str) -> dict[str, float]:
    there = {row.condition for row in rows}
    found = {c.name: c.amount for c in CONDITIONS if c.family == family and c.name in there}
    if family == "noise" and found:
        found[BASE] = 0.0
    if family == "jpeg" and found:
        found[BASE] = 100.0
    return found


def _curves(axes: Axes, rows: Sequence[Fall], family: str, methods: Sequence[str]) -> None:
    amounts = _amounts(rows, family)
    axes.axhline(0, color=COLOURS[0], linewidth=1.0)
    for k, method in enumerate(methods, start=1):
        mine = [row for row in rows if row.method == method and row.condition in amounts]
        mine.sort(key=lambda row: amounts[row.condition])
        x = [amounts[row.condition] for row in mine]
        axes.fill_between(x, array(mine, "gain_low"), array(mine, "gain_high"), color=COLOURS[k],
                          alpha=0.15, linewidth=0)  # fmt: skip
        axes.plot(x, array(mine, "gain"), "o-", color=COLOURS[k], markersize=3, linewidth=1.3,
                  markeredgewidth=0, label=method)  # fmt: skip
    light_grid(axes, "y")


def pictures_figure(
    folder: Path, content: str, names: Sequence[str], methods: Sequence[str], rows: Sequence[Fall]
) -> Figure:
    """A part of one content: a row a condition, a column a method, the input in front.

    Args:
        folder: that `measuring.measure` filled.
        content: which.
        names: conditions.
        methods: in the order of the columns.
        rows: for the mean LPIPS below each condition's pictures.
    """
    high = read(folder / "hr" / f"{content}.png").pixels
    figure = canvas(
        f"“{content}”, enlarged by 4 from four inputs",
        "the middle of the content; the input's pixels are shown as squares; below, the mean LPIPS "
        "over all contents (less is better)",
        0.98 * len(names) + 0.25,
    )
    grid = figure.subplots(len(names), len(methods) + 2, squeeze=False)
    words = {c.name: c.words for c in CONDITIONS}
    known = {(r.condition, r.method): r.mean for r in of(rows, "lpips")}
    for i, name in enumerate(names):
        low = read(folder / "lr" / name / f"{content}.png").pixels
        show_part(grid[i, 0], low.repeat(SCALE, 0).repeat(SCALE, 1), _SHOWN)
        grid[i, 0].set_ylabel(_wrapped(words[name]), fontsize=6.5, rotation=0, ha="right",
                              va="center")  # fmt: skip
        for j, method in enumerate(methods, start=1):
            path = folder / "outputs" / portable(method) / name / f"{content}.png"
            show_part(grid[i, j], read(path).pixels, _SHOWN)
            if (name, method) in known:
                grid[i, j].set_xlabel(f"{known[name, method]:.3f}", fontsize=6.5, labelpad=1.5)
        show_part(grid[i, -1], high, _SHOWN)
    for axis, title in zip(grid[0], ("input", *methods, "reference"), strict=True):
        axis.set_title(title.replace("real-esrgan-", "real-esrgan\n"), fontsize=7, loc="center")
    return figure


def _wrapped(words: str) -> str:
    return "\n".join(textwrap.wrap(words, 20))


def _methods(rows: Sequence[Fall]) -> list[str]:
    return list(dict.fromkeys(row.method for row in rows))


def _legend(figure: Figure, axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, [shortened(label) for label in labels], loc="outside lower center", ncols=columns,
        fontsize=7.5, handletextpad=0.3, columnspacing=1.4, labelcolor=INK,
    )  # fmt: skip


def finite(rows: Sequence[Fall]) -> bool:
    """Whether there are intervals to draw."""
    return all(not math.isnan(row.change_low) for row in rows)
