"""Figures of scores with their intervals, and of standings with their tiers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.ratings.analysis import Analysis
from srqa.ratings.answers import Floats, Stimulus
from srqa.report.ratings.style import (
    BLUE,
    COLOURS,
    FAINT,
    INK,
    SOFT,
    canvas,
    light_grid,
    shortened,
)
from srqa.report.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 48
"""Names that are written beside a plot."""
_ROW = 0.165
_MOST_PANELS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What a figure of scores shows: stimuli with values and intervals."""

    stimuli: Sequence[Stimulus]
    values: Floats
    low: Floats
    high: Floats
    unit: str
    higher_is_better: bool = True

    @property
    def order(self) -> Any:
        """Codes from the best to the worst."""
        sign = -1 if self.higher_is_better else 1
        return np.argsort(sign * self.values, kind="stable")


def points(analysis: Analysis) -> Points:
    """The scores of an analysis."""
    if analysis.rated is not None:
        s, up = analysis.rated.scores, analysis.rated.higher_is_better
        return Points(s.stimuli, s.mos, s.ci_low, s.ci_high, analysis.unit, up)
    chosen = analysis.chosen
    if chosen is None:
        nothing = np.zeros(0)
        return Points((), nothing, nothing, nothing, analysis.unit)
    low, high = chosen.scale.intervals.T
    return Points(chosen.facts, chosen.scale.jod, low, high, "JOD")


def scores_figure(shown: Points) -> Figure:
    """Scores of stimuli: rows with names, a panel for each method, or one long row of dots."""
    subtitle = f"{counted(len(shown.values), 'picture')}, 95 % intervals"
    methods = _methods(shown)
    places = {(s.dataset, s.content, s.scale) for s in shown.stimuli}
    if len(shown.values) <= MOST_ROWS:
        return _rows(shown, subtitle, methods if len(places) > 1 else [])
    if 2 <= len(methods) <= _MOST_PANELS and len(places) > 2:
        return _panels(shown, subtitle, methods)
    return _dots(shown, subtitle)


def _methods(shown: Points) -> list[str]:
    """Methods from the best mean to the worst; empty unless each picture has one."""
    names = [s.method for s in shown.stimuli]
    if not all(names) or len(set(names)) < 2:
        return []
    label = np.array(names, dtype=object)
    sign = -1 if shown.higher_is_better else 1
    means = {name: float(shown.values[label == name].mean()) for name in dict.fromkeys(names)}
    return sorted(means, key=lambda name: sign * means[name])


def _place(stimulus: Stimulus) -> str:
    scale = f"×{stimulus.scale:g}" if stimulus.scale else ""
    return " ".join(filter(None, (stimulus.dataset, stimulus.content, scale)))


def _rows(shown: Points, subtitle: str, methods: list[str]) -> Figure:
    """A row a picture, best first; grouped by content where methods were applied to contents."""
    groups: list[tuple[str, list[int]]] = [("", [int(i) for i in shown.order])]
    colours = dict(zip(methods, COLOURS, strict=False)) if len(methods) <= len(COLOURS) else {}
    if methods:
        by_place: dict[str, list[int]] = {}
        for i in shown.order:
            by_place.setdefault(_place(shown.stimuli[i]), []).append(int(i))
        groups = sorted(by_place.items())
    rows = sum(len(members) for _, members in groups) + (1.5 * len(groups) if methods else 0)
    figure = canvas(f"{shown.unit} of each picture", subtitle, _ROW * rows + 0.55)
    axes = figure.add_subplot()
    ticks: list[float] = []
    labels: list[str] = []
    y = 0.0
    for title, members in groups:
        if methods:
            y += 0.6 if ticks else 0.0
            axes.text(0, y, shortened(title, 60), fontweight="bold", fontsize=7.5, va="center",
                      transform=axes.get_yaxis_transform())  # fmt: skip
            y += 0.9
        for i in members:
            stimulus = shown.stimuli[i]
            colour = colours.get(stimulus.method, BLUE)
            axes.plot([shown.low[i], shown.high[i]], [y, y], color=colour, linewidth=1.3,
                      solid_capstyle="butt")  # fmt: skip
            axes.plot(shown.values[i], y, "o", color=colour, markersize=4.2, markeredgewidth=0)
            ticks.append(y)
            labels.append(shortened(stimulus.method if methods else stimulus.name))
            y += 1
    axes.set_yticks(ticks, labels, fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(y - 0.3, -0.7)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(shown.unit)
    light_grid(axes, "x")
    return figure


def _panels(shown: Points, subtitle: str, methods: list[str]) -> Figure:
    """A panel a method; contents stand in the same order in all, by their mean over methods."""
    place = np.array([_place(s) for s in shown.stimuli], dtype=object)
    sums = {p: float(shown.values[place == p].mean()) for p in dict.fromkeys(place)}
    rank = {p: k for k, p in enumerate(sorted(sums, key=lambda p: -sums[p]))}
    lines = -(-len(methods) // 4)
    columns = -(-len(methods) // lines)
    figure = canvas(
        f"{shown.unit} of each picture, by method",
        f"{subtitle}; contents in the same order in every panel, the line is the method's mean",
        1.75 * lines,
    )
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    label = np.array([s.method for s in shown.stimuli], dtype=object)
    thin = float(np.clip(60 / len(rank), 0.25, 1.2))
    for k, method in enumerate(methods):
        axes = grid[k // columns, k % columns]
        rows = np.flatnonzero(label == method)
        x = np.array([rank[p] for p in place[rows]]) + 1
        colour = COLOURS[k % len(COLOURS)] if len(methods) <= len(COLOURS) else BLUE
        axes.vlines(x, shown.low[rows], shown.high[rows], color=colour, linewidth=thin, alpha=0.55)
        axes.plot(x, shown.values[rows], "o", color=colour, markersize=max(1.4, 2.6 * thin),
                  markeredgewidth=0)  # fmt: skip
        axes.axhline(float(shown.values[rows].mean()), color=INK, linewidth=0.7)
        axes.set_title(shortened(method, 28), fontweight="bold")
        axes.tick_params(labelbottom=k + columns >= len(methods))
        light_grid(axes, "y")
    for axes in grid.ravel()[len(methods) :]:
        axes.set_visible(False)
    figure.supxlabel("contents, the best first", fontsize=8)
    figure.supylabel(shown.unit, fontsize=8)
    return figure


def _dots(shown: Points, subtitle: str) -> Figure:
    """All pictures in one row of dots, best first."""
    order = shown.order
    figure = canvas(f"{shown.unit} of each picture", f"{subtitle}; the best first", 2.7)
    axes = figure.add_subplot()
    x = np.arange(1, len(order) + 1)
    thin = float(np.clip(160 / len(order), 0.3, 1.2))
    axes.vlines(x, shown.low[order], shown.high[order], color=BLUE, linewidth=thin, alpha=0.45)
    axes.plot(x, shown.values[order], "o", color=BLUE, markersize=1.2 + 1.6 * thin,
              markeredgewidth=0)  # fmt: skip
    axes.set_xlabel("rank")
    axes.set_ylabel(shown.unit)
    axes.set_xlim(0, len(order) + 1)
    light_grid(axes, "y")
    return figure


def standings_figure(analysis: Analysis) -> Figure | None:
    """Methods from the best to the worst with their tiers; None where nothing is compared.

    Choices: values with intervals. Ratings: differences from the best with theirs, and the margin
    within which methods count as equivalent.
    """
    found = analysis.standings
    if not found.names or len(found.names) > MOST_ROWS:
        return None
    ratings = analysis.rated is not None
    if ratings:
        values, low, high = _from_best(analysis)
        title, label = f"Difference from {shortened(found.names[0])}", f"difference in {found.unit}"
        subtitle = "95 % intervals over observers, not corrected; grey: equivalent by the margin"
    else:
        values, low, high = found.values, found.low, found.high
        title, label = f"{found.unit} ladder", found.unit
        subtitle = "95 % intervals; 1 JOD apart, the better is chosen in 75 % of the answers"
    figure = canvas(title, f"{subtitle}. A bar joins what is not told apart.",
                    max(_ROW * 1.25 * len(values) + 0.55, 1.0))  # fmt: skip
    axes = figure.add_subplot()
    if ratings:
        axes.axvspan(-found.margin, found.margin, color=FAINT, alpha=0.6, linewidth=0)
        axes.axvline(0, color=SOFT, linewidth=0.6)
    y = np.arange(len(values))
    axes.hlines(y, low, high, color=BLUE, linewidth=1.4)
    axes.plot(values, y, "o", color=BLUE, markersize=4.8, markeredgewidth=0)
    texts = [f"{value:.2f}".replace("-", "−") for value in found.values]
    axes.set_yticks(y, [f"{shortened(n)}  {t}" for n, t in zip(found.names, texts, strict=True)])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label)
    light_grid(axes, "x")
    _tier_bars(axes, found.tiers)
    return figure


def _from_best(analysis: Analysis) -> tuple[Floats, Floats, Floats]:
    """Differences of each method from the best, which is 0, with their intervals."""
    found = analysis.standings
    size = len(found.names)
    values, low, high = np.zeros(size), np.full(size, math.nan), np.full(size, math.nan)
    for d in found.differences:
        if d.first == found.names[0]:
            k = found.names.index(d.second)
            values[k], low[k], high[k] = -d.mean, -d.ci_high, -d.ci_low
    return values, low, high


def _tier_bars(axes: Axes, tiers: Sequence[str]) -> None:
    """To the right of the plot a bar for each tier, with its letter above."""
    letters = [letter for letter in _letters(tiers) if letter]
    place = axes.get_yaxis_transform()
    step = min(0.035, 0.3 / max(len(letters), 1))
    for k, letter in enumerate(letters):
        rows = [i for i, names in enumerate(tiers) if letter in _split(names)]
        x = 1.03 + step * k
        axes.plot([x, x], [rows[0] - 0.22, rows[-1] + 0.22], color=INK, linewidth=1.6,
                  transform=place, clip_on=False, solid_capstyle="butt")  # fmt: skip
        for row in rows:
            axes.plot(x, row, "o", color=INK, markersize=3, transform=place, clip_on=False)
        axes.text(x, rows[0] - 0.34, letter, fontsize=7, ha="center", va="bottom", transform=place)


def _split(tier: str) -> list[str]:
    """Letters of a tier; beyond z they carry apostrophes."""
    found: list[str] = []
    for sign in tier:
        if sign == "'" and found:
            found[-1] += sign
        else:
            found.append(sign)
    return found


def _letters(tiers: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(letter for tier in tiers for letter in _split(tier)))
