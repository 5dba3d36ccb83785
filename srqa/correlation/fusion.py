"""One metric made of several, learned from human scores and checked on contents it has not seen."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import srqa
from srqa.correlation.data import Data, choose
from srqa.correlation.figures import folds
from srqa.errors import InputError, UsageError
from srqa.files import write_text
from srqa.metrics.fused import Part, Recipe
from srqa.statistics.clustered import Floats
from srqa.statistics.correlation import pearson, spearman

FEWEST_CONTENTS = 10
"""Contents below which nothing is learned: a check on unseen contents would say nothing."""
FOLDS, INNER = 5, 4
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Of the ridge, chosen among by the inner folds; 1 doubles the weight of a metric's variance."""
_KNOTS = 5

How = Literal["ridge", "monotone"]


@dataclass(frozen=True, slots=True)
class Fused:
    """A learned metric and how good it is.

    Attributes:
        recipe: how the number is made.
        srocc, plcc, rmse: on contents that were held out (outer folds).
        best_part, best_part_srocc: the best single metric, on the same pictures.
        n, contents: pictures and contents that it was learned from.
        unit: of the human scores that it predicts.
        strengths: ridge chosen in each outer fold.
    """

    recipe: Recipe
    srocc: float
    plcc: float
    rmse: float
    best_part: str
    best_part_srocc: float
    n: int
    contents: int
    unit: str
    strengths: tuple[float, ...]

    def sentence(self) -> str:
        """What it is worth, in a sentence."""
        names = ", ".join(part.metric for part in self.recipe.parts)
        better = "better than" if self.srocc > self.best_part_srocc else "no better than"
        return (
            f"Fused metric of {names}: SROCC {self.srocc:.3f} on held-out contents, {better} "
            f"{self.best_part} alone ({self.best_part_srocc:.3f})."
        )

    def card(self) -> dict[str, Any]:
        """What the file says of its worth."""
        kept = asdict(self)
        kept.pop("recipe")
        return kept

    def save(self, path: Path | str) -> Path:
        """Write the file that ``srqa evaluate -m fused:FILE`` takes.

        Raises:
            OutputError: it cannot be written.
        """
        path = Path(path)
        record = {"srqa": srqa.__version__, **self.recipe.to_json(), "card": self.card()}
        write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        return path


def fuse(
    data: Data, names: Sequence[str], *, how: How = "ridge", seed: int = 0, unit: str = "MOS"
) -> Fused:
    """Learn a weighted sum of metrics, or of rising curves of them, from human scores.

    Nested cross-validation over whole contents: the inner folds choose the strength of the ridge,
    the outer ones say how good the choice is on contents that nothing was learned from. The recipe
    that is returned is learned from all pictures in the same way.

    Args:
        data: complete cases of a correlation (`srqa.correlate(...).data`).
        names: of the metrics to be fused, two or more.
        how: "ridge" on z-scores; "monotone" adds up piecewise linear curves of each metric that
            never fall as it gets better.
        seed: of the folds.
        unit: of the scores.

    Raises:
        UsageError: fewer than two metrics, an unknown one, or an unknown way.
        InputError: fewer than `FEWEST_CONTENTS` contents, or than three pictures for each number.

    Reference:
        Varma, Simon, Bias in error estimation when using cross-validation for model selection, BMC
        Bioinformatics 7, 2006 (why nested).
    """
    if how not in ("ridge", "monotone"):
        raise UsageError(f"Metrics cannot be fused by {how!r}.", hint="By ridge or monotone.")
    chosen = choose(data, list(dict.fromkeys(names)))
    if len(chosen) < 2:
        raise UsageError("A fused metric is made of two metrics or more.")
    contents = int(data.contents.max()) + 1 if data.known_contents else 0
    if contents < FEWEST_CONTENTS:
        raise InputError(
            f"{contents or 'Unknown'} contents are too few to learn a metric from: "
            f"{FEWEST_CONTENTS} are needed, so that it can be checked on contents it has not seen."
        )
    size = len(chosen) * (1 if how == "ridge" else _KNOTS - 1) + 1
    if len(data) < 3 * size:
        raise InputError(
            f"{len(data)} pictures are too few for {size} numbers; take fewer metrics."
        )
    x, y = data.values[:, chosen], data.scores
    outer = folds(data, FOLDS, seed)
    predicted, strengths = np.empty(len(y)), []
    for f in range(FOLDS):
        test = outer == f
        strength = _strength(x[~test], y[~test], data.contents[~test], how, seed)
        strengths.append(strength)
        model = _fit(x[~test], y[~test], how, strength)
        predicted[test] = model.predict(x[test])
    final = _fit(x, y, how, _strength(x, y, data.contents, how, seed))
    single = [spearman(column, y) for column in x.T]
    best = int(np.argmax(single))
    metrics = [data.metrics[k] for k in chosen]
    parts = tuple(
        Part(metric.name, metric.sign, metric.signature, knots, values)
        for metric, (knots, values) in zip(metrics, final.curves(), strict=True)
    )
    return Fused(
        recipe=Recipe(how, final.base, parts, True),
        srocc=spearman(predicted, y), plcc=pearson(predicted, y),
        rmse=math.sqrt(float(((predicted - y) ** 2).mean())),
        best_part=metrics[best].name, best_part_srocc=single[best], n=len(y), contents=contents,
        unit=unit, strengths=tuple(strengths),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """``base + sum over metrics of a curve through (knots, values)``, lines beyond the ends."""

    base: float
    knots: tuple[Floats, ...]
    values: tuple[Floats, ...]

    def predict(self, x: Floats) -> Floats:
        total = np.full(len(x), self.base)
        for column, knots, values in zip(x.T, self.knots, self.values, strict=True):
            total += along(column, knots, values)
        return total

    def curves(self) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
        return [(tuple(map(float, k)), tuple(map(float, v)))
                for k, v in zip(self.knots, self.values, strict=True)]  # fmt: skip


def along(x: Floats, knots: Floats, values: Floats) -> Floats:
    """A piecewise linear curve, which goes on as a line beyond its ends."""
    place = np.clip(np.searchsorted(knots, x) - 1, 0, len(knots) - 2)
    slope = (values[place + 1] - values[place]) / (knots[place + 1] - knots[place])
    found: Floats = values[place] + slope * (x - knots[place])
    return found


def _fit(x: Floats, y: Floats, how: str, strength: float) -> _Model:
    return _ridge(x, y, strength) if how == "ridge" else _monotone(x, y, strength)


def _ridge(x: Floats, y: Floats, strength: float) -> _Model:
    middle, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    z = (x - middle) / spread
    n, k = z.shape
    weights = np.linalg.solve(z.T @ z / n + strength * np.eye(k), z.T @ (y - y.mean()) / n)
    knots = tuple(np.array([m, m + s]) for m, s in zip(middle, spread, strict=True))
    return _Model(float(y.mean()), knots, tuple(np.array([0.0, w]) for w in weights))


def _monotone(x: Floats, y: Floats, strength: float) -> _Model:
    """Non-negative least squares over the rises between knots, with a ridge."""
    from scipy.optimize import nnls

    knots, columns = [], []
    for column in x.T:
        own = np.unique(np.quantile(column, np.linspace(0, 1, _KNOTS)))
        if len(own) < 2:
            own = np.array([own[0], own[0] + 1.0])
        knots.append(own)
        steps = np.clip((column[:, None] - own[:-1]) / np.diff(own), 0, 1)
        columns.append(steps)
    design = np.concatenate(columns, axis=1)
    centred = design - design.mean(axis=0)
    n, size = design.shape
    power = float((centred**2).mean()) or 1.0
    grown = np.concatenate([centred, math.sqrt(strength * n * power) * np.eye(size)])
    rises, _ = nnls(grown, np.append(y - y.mean(), np.zeros(size)), maxiter=50 * size)
    base = float(y.mean() - design.mean(axis=0) @ rises)
    values, start = [], 0
    for own in knots:
        stop = start + len(own) - 1
        values.append(np.append(0.0, np.cumsum(rises[start:stop])))
        start = stop
    return _Model(base, tuple(knots), tuple(values))


def _strength(x: Floats, y: Floats, contents: Any, how: str, seed: int) -> float:
    """The ridge that predicts held-out contents best, in inner folds."""
    codes = np.unique(contents, return_inverse=True)[1]
    order = np.random.default_rng(seed + 1).permutation(int(codes.max()) + 1)
    fold = (np.argsort(order) % INNER)[codes]
    errors = []
    for strength in STRENGTHS:
        total = 0.0
        for f in range(INNER):
            test = fold == f
            model = _fit(x[~test], y[~test], how, strength)
            total += float(((model.predict(x[test]) - y[test]) ** 2).sum())
        errors.append(total)
    return STRENGTHS[int(np.argmin(errors))]
