"""Figures that show whether ratings and models are sound: SOS, observers, residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.chosen import Chosen
from srqa.ratings.analysis.rated import Rated
from srqa.ratings.answers import Floats
from srqa.ratings.paired_checks import OUT_OF_LINE
from srqa.ratings.scores import mos
from srqa.report.ratings.sentences import model_name
from srqa.report.ratings.style import BLUE, INK, ORANGE, SOFT, canvas, light_grid, shortened
from srqa.report.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 40
_MOST_POINTS = 20_000
_ROW = 0.165
_LABELLED = 5


def sos_figure(analysis: Analysis) -> Figure | None:
    """Variance of the votes against the mean, and the fitted curve; None where none was fitted."""
    rated = analysis.rated
    if rated is None or rated.sos is None:
        return None
    scores, scale = mos(rated.answers), rated.answers.rating_scale
    figure = canvas(
        "How far opinions spread (SOS)",
        f"a = {rated.sos.a:.3f} over {counted(len(scores.mos), 'picture')}; pictures usually give "
        "0.1 to 0.3 (shaded)",
        2.9, 4.6,
    )  # fmt: skip
    axes = figure.add_subplot()
    x = np.linspace(scale.low, scale.high, 200)
    shape = -(x**2) + (scale.low + scale.high) * x - scale.low * scale.high
    axes.fill_between(x, 0.1 * shape, 0.3 * shape, color="#ececec", linewidth=0)
    size = float(np.clip(400 / len(scores.mos), 2, 4))
    axes.plot(scores.mos, scores.sd**2, "o", color=BLUE, markersize=size, alpha=0.75,
              markeredgewidth=0)  # fmt: skip
    axes.plot(x, rated.sos.a * shape, color=ORANGE, linewidth=1.4)
    axes.set_xlabel("MOS")
    axes.set_ylabel("variance of the votes")
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(bottom=0)
    light_grid(axes, "both")
    return figure


def observers_figure(analysis: Analysis) -> Figure | None:
    """Who rates high or low and who is inconsistent, or whose choices the scale finds unlikely."""
    if analysis.rated is not None:
        return _raters(analysis.rated)
    if analysis.chosen is not None and analysis.chosen.observers:
        return _choosers(analysis.chosen)
    return None


def _raters(rated: Rated) -> Figure | None:
    found = rated.observers
    if found is None:
        return None
    subtitle = f"{counted(len(found.names), 'observer')}, by {model_name(rated.observers_by)}"
    if len(found.names) > MOST_ROWS:
        return _crowd(found.names, found.bias, found.inconsistency, subtitle)
    order = np.argsort(-found.bias, kind="stable")
    figure = canvas("Observers' bias and inconsistency", f"{subtitle}, 95 % intervals",
                    _ROW * len(order) + 0.6)  # fmt: skip
    left, right = figure.subplots(1, 2, sharey=True)
    _row_dots(left, found.bias[order], found.bias_low[order], found.bias_high[order])
    _row_dots(right, found.inconsistency[order], found.inconsistency_low[order],
              found.inconsistency_high[order])  # fmt: skip
    left.axvline(0, color=SOFT, linewidth=0.7)
    left.set_yticks(np.arange(len(order)), [shortened(found.names[i], 22) for i in order])
    left.set_ylim(len(order) - 0.4, -0.6)
    left.set_xlabel("bias: above or below the panel")
    right.set_xlabel("inconsistency: standard deviation")
    right.set_xlim(left=0)
    return figure


def _row_dots(axes: Axes, values: Floats, low: Floats, high: Floats) -> None:
    y = np.arange(len(values))
    axes.hlines(y, low, high, color=BLUE, linewidth=1.2)
    axes.plot(values, y, "o", color=BLUE, markersize=3.8, markeredgewidth=0)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    light_grid(axes, "x")


def _crowd(names: tuple[str, ...], bias: Floats, spread: Floats, subtitle: str) -> Figure:
    """Many observers: bias against inconsistency, the farthest with their names."""
    figure = canvas("Observers' bias and inconsistency", subtitle, 3.4, 4.9)
    axes = figure.add_subplot()
    size = float(np.clip(500 / len(names), 2, 4))
    axes.plot(bias, spread, "o", color=BLUE, markersize=size, alpha=0.6, markeredgewidth=0)
    away = np.abs(_standard(bias)) + np.abs(_standard(spread))
    middle = float(np.median(bias))
    for i in np.argsort(-away)[:_LABELLED]:
        right = bias[i] <= middle
        axes.annotate(shortened(names[i], 22), (bias[i], spread[i]), fontsize=6.5, color=SOFT,
                      xytext=(4 if right else -4, 3), textcoords="offset points",
                      ha="left" if right else "right")  # fmt: skip
    axes.axvline(0, color=SOFT, linewidth=0.7)
    axes.set_xlabel("bias: above or below the panel")
    axes.set_ylabel("inconsistency: standard deviation")
    axes.set_ylim(bottom=0)
    light_grid(axes, "both")
    return figure


def _standard(values: Floats) -> Floats:
    spread = float(values.std())
    found: Floats = (values - values.mean()) / (spread or 1.0)
    return found


def _choosers(chosen: Chosen) -> Figure:
    fits = sorted(chosen.observers, key=lambda fit: -np.nan_to_num(fit.log10_likelihood, nan=-99))
    value = np.array([fit.log10_likelihood for fit in fits])
    out = np.array([fit.flagged for fit in fits])
    crowd = len(fits) > MOST_ROWS
    height = 2.6 if crowd else _ROW * len(fits) + 0.6
    figure = canvas(
        "How likely observers' choices are on the others' scale",
        f"{counted(len(fits), 'observer')}; orange: more than {OUT_OF_LINE:g} interquartile ranges "
        "below the first quartile",
        height,
    )
    axes = figure.add_subplot()
    place = np.arange(len(fits))
    low, high = np.nanquantile(value, [0.25, 0.75])
    span = axes.axhspan if crowd else axes.axvspan
    span(low, high, color="#ececec", linewidth=0)
    for rows, colour in ((~out, BLUE), (out, ORANGE)):
        x, y = (place[rows], value[rows]) if crowd else (value[rows], place[rows])
        axes.plot(x, y, "o", color=colour, markersize=4, markeredgewidth=0)
    label = "mean log10 likelihood a pair (grey: middle half)"
    if crowd:
        axes.set_ylabel(label)
        axes.set_xlabel("observers, the likeliest first")
        light_grid(axes, "y")
        return figure
    axes.set_yticks(place, [shortened(fit.observer, 22) for fit in fits])
    axes.set_ylim(len(fits) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label)
    light_grid(axes, "x")
    return figure


def residuals_figure(analysis: Analysis) -> Figure | None:
    """What the model does not explain; None where there is nothing to show."""
    if analysis.rated is not None:
        return _rating_residuals(analysis.rated)
    if analysis.chosen is not None:
        return _pair_residuals(analysis.chosen)
    return None


def _rating_residuals(rated: Rated) -> Figure | None:
    from statistics import NormalDist

    with np.errstate(invalid="ignore", divide="ignore"):
        standard = rated.residual / rated.spread
    known = np.flatnonzero(np.isfinite(standard))
    if len(known) < 3:
        return None
    figure = canvas(
        "Residuals of the votes",
        f"{counted(len(known), 'vote')} minus what is expected by "
        f"{model_name(rated.scores.model)}, in standard deviations",
        2.7,
    )
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.4, 1))
    rng = np.random.default_rng(0)
    shown = known if len(known) <= _MOST_POINTS else rng.choice(known, _MOST_POINTS, replace=False)
    alpha = float(np.clip(900 / len(shown), 0.06, 0.6))
    left.plot(rated.expected[shown], standard[shown], "o", color=BLUE, markersize=2.2, alpha=alpha,
              markeredgewidth=0, rasterized=len(shown) > 3000)  # fmt: skip
    x, middle = _running_mean(rated.expected[known], standard[known])
    left.plot(x, middle, color=ORANGE, linewidth=1.4)
    left.axhline(0, color=SOFT, linewidth=0.7)
    left.set_xlabel("expected vote (orange: running mean of the residuals)")
    left.set_ylabel("standardised residual")
    ends = float(np.clip(np.abs(standard[known]).max(), 3, 6))
    bins = np.linspace(-ends, ends, 41)
    right.hist(np.clip(standard[known], -ends, ends), bins=bins, density=True,
               orientation="horizontal", color=BLUE, alpha=0.45)  # fmt: skip
    curve = np.linspace(-ends, ends, 200)
    right.plot([NormalDist().pdf(v) for v in curve], curve, color=INK, linewidth=1)
    right.set_xlabel("density (line: normal)")
    left.set_ylim(-ends * 1.03, ends * 1.03)
    for axes in (left, right):
        light_grid(axes, "y")
    return figure


def _running_mean(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Means of y in slices of equally many x."""
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, max(3, min(20, len(x) // 20)))
    return (
        np.array([x[part].mean() for part in parts]),
        np.array([y[part].mean() for part in parts]),
    )


def _pair_residuals(chosen: Chosen) -> Figure:
    fit = chosen.fit
    figure = canvas(
        "Observed and expected choices",
        f"{counted(len(fit.answers), 'pair')} of pictures, area by answers; orange: off by more "
        "than 3 standard errors",
        3.2, 4.6,
    )  # fmt: skip
    axes = figure.add_subplot()
    far = np.abs(fit.residual) > 3
    area: Any = np.clip(60 * fit.answers / fit.answers.max(), 3, 60)
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.7)
    for rows, colour in ((~far, BLUE), (far, ORANGE)):
        axes.scatter(fit.expected[rows], fit.observed[rows], s=area[rows], color=colour, alpha=0.5,
                     linewidths=0)  # fmt: skip
    axes.set_xlabel("expected share of the first")
    axes.set_ylabel("observed share")
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.set_aspect("equal")
    light_grid(axes, "both")
    return figure
