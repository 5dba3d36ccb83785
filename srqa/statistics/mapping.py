"""From a metric's values to the scale of human scores: the curves of ITU-T P.1401 and VQEG.

All curves are fitted on z-scored values, by least squares. The logistics are linear in all but two
of their numbers, so the two are searched for on a grid and polished, and the rest follows exactly
(variable projection); the monotone cubic is found in closed form. Nothing depends on a start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from srqa.errors import UsageError

Floats = np.ndarray[Any, np.dtype[np.float64]]
Kind = Literal["none", "linear", "cubic", "logistic4", "logistic5"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FREE: dict[Kind, int] = {"none": 1, "linear": 2, "cubic": 4, "logistic4": 4, "logistic5": 5}
"""Degrees of freedom that a mapping takes (P.1401); 1 where there is none."""
REACH = 10.0
"""How far beyond the values, in standard deviations, a logistic's middle may lie."""
SLOPES = (1e-3, 1e2)
"""The narrowest and the widest logistic, in standard deviations of the values."""
_GRID_MIDDLES, _GRID_WIDTHS, _BINS, _GAPS = 48, 27, 192, 6
_POLISHED, _POLISHED_OF_BINS, _GO_ON = 16, 5, 3
_FIRST_STEPS, _STEPS = 12, 200
_ONE_THREAD = 10_000
"""Numbers up to which BLAS takes one thread."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A fitted curve; call it with values of the metric.

    Attributes:
        kind: what was fitted.
        wanted: what was asked for.
        parameters: in the form of the literature, on the metric's own values. "linear" and "cubic":
            a, b, c, d of ``a + b x + c x^2 + d x^3``; "logistic4": b1 .. b4 of
            ``(b1 - b2) / (1 + exp(-(x - b3) / |b4|)) + b2``; "logistic5": b1 .. b5 of
            ``b1 (1/2 - 1 / (1 + exp(b2 (x - b3)))) + b4 x + b5``.
        monotone: whether it only rises or only falls over the values it was fitted on.
        rising: whether it ends higher than it begins.
        residual: sum of squared errors.
        note: why it is not what was wanted, or "".
    """

    kind: Kind
    wanted: Kind
    parameters: tuple[float, ...]
    monotone: bool
    rising: bool
    residual: float
    note: str
    _centre: float
    _spread: float
    _inner: tuple[float, ...]

    def __call__(self, values: Floats) -> Floats:
        """Values of the metric on the scale of human scores."""
        if self.kind == "none":
            return np.asarray(values, dtype=np.float64)
        return _curve(self.kind, self._inner, (values - self._centre) / self._spread)

    def slopes(self, values: Floats) -> Floats:
        """(n, parameters) derivatives of the mapped values by the curve's numbers.

        Of z-scored values; what they span is what counts.
        """
        z = (values - self._centre) / self._spread
        if self.kind in ("linear", "cubic"):
            return np.stack([z**k for k in range(FREE[self.kind])], axis=1)
        _, height, middle, width, _ = self._inner
        u = (z - middle) / width
        s = _sigmoid(u)
        bend = height / width * s * (1 - s)
        tilt = [z] if self.kind == "logistic5" else []
        return np.stack([np.ones_like(z), s, bend, bend * u, *tilt], axis=1)

    @property
    def free(self) -> int:
        """Degrees of freedom that it takes from the residuals."""
        return FREE[self.kind]


def fit(values: Floats, scores: Floats, kind: Kind = "logistic4") -> Mapping:
    """Fit a curve from a metric's values to human scores by least squares.

    A curve needs three points for each of its numbers; with fewer, or where all values lie in one
    place, a line (or the mean) is fitted instead and `note` says so. A logistic's middle is kept
    within `REACH` standard deviations of the values and its width within `SLOPES`: beyond, curves
    are lines or steps.

    Args:
        values: (n,) of the metric, finite.
        scores: (n,) MOS, JOD or the like, finite.
        kind: "logistic4" and "logistic5" as VQEG uses them, "cubic" (P.1401, monotone), "linear",
            or "none".

    Raises:
        UsageError: an unknown kind, or lengths that differ.

    References:
        Rec. ITU-T P.1401 (2020), 7.3; Sheikh, Sabir, Bovik, TIP 15(11), 2006 (5 parameters); VQEG
        FR-TV Phase II, 2003 (4 parameters); Golub, Pereyra, SIAM J. Numer. Anal. 10(2), 1973.

    Example:
        >>> x = np.linspace(20, 40, 30)
        >>> mapping = fit(x, 1 + 4 / (1 + np.exp(-(x - 30) / 2)))
        >>> [round(p, 3) for p in mapping.parameters], mapping.monotone
        ([5.0, 1.0, 30.0, 2.0], True)
    """
    if kind not in KINDS:
        raise UsageError(f"There is no mapping {kind!r}.", hint=f"Choose of {', '.join(KINDS)}.")
    x, y = np.asarray(values, np.float64), np.asarray(scores, np.float64)
    if x.shape != y.shape or x.ndim != 1 or not len(x):
        raise UsageError(f"Values {x.shape} and scores {y.shape} must be two equal columns.")
    if kind == "none":
        residual = float(((y - x) ** 2).sum())
        return Mapping("none", kind, (), True, True, residual, "", 0.0, 1.0, ())
    centre, spread = float(x.mean()), float(x.std())
    if not spread > 1e-12 * max(1.0, abs(centre)):
        spread = 1.0
        flat = (float(y.mean()), 0.0)
        return _made("linear", kind, x, y, centre, spread, flat, "all values are equal")
    z = (x - centre) / spread
    note, actual = "", kind
    inner: tuple[float, ...]
    if len(x) < 3 * FREE[kind] and kind != "linear":
        note = f"{len(x)} pictures are too few for {FREE[kind]} parameters"
        actual = "linear"
    if actual == "linear":
        slope = _dot(z, y - y.mean()) / _dot(z, z)
        inner = (float(y.mean()), slope)
    elif actual == "cubic":
        inner = _monotone_cubic(z, y)
    else:
        inner = _logistic(z, y, tilted=actual == "logistic5")
    return _made(actual, kind, x, y, centre, spread, inner, note)


def _made(
    kind: Kind,
    wanted: Kind,
    x: Floats,
    y: Floats,
    centre: float,
    spread: float,
    inner: tuple[float, ...],
    note: str,
) -> Mapping:
    z = (x - centre) / spread
    low, high = float(z.min()), float(z.max())
    way = _curve(kind, inner, np.linspace(low, high, 513))
    steps = np.diff(way)
    tolerance = 1e-9 * float(np.ptp(way))
    monotone = bool((steps >= -tolerance).all() or (steps <= tolerance).all())
    residual = float(((y - _curve(kind, inner, z)) ** 2).sum())
    return Mapping(
        kind=kind, wanted=wanted, parameters=_parameters(kind, inner, centre, spread),
        monotone=monotone, rising=bool(way[-1] >= way[0]), residual=residual,
        note=f"a {_WORDS[kind]} instead of {_WORDS[wanted]}: {note}" if note else "",
        _centre=centre, _spread=spread, _inner=inner,
    )  # fmt: skip


_WORDS: dict[Kind, str] = {
    "none": "no mapping",
    "linear": "line",
    "cubic": "monotone cubic",
    "logistic4": "4-parameter logistic",
    "logistic5": "5-parameter logistic",
}


def words(kind: Kind) -> str:
    """What a mapping is called in a sentence.

    Example:
        >>> words("logistic4")
        '4-parameter logistic'
    """
    return _WORDS[kind]


def _curve(kind: Kind, inner: tuple[float, ...], z: Floats) -> Floats:
    """`inner`: coefficients of powers, or (base, height, middle, width, tilt)."""
    if kind in ("linear", "cubic"):
        made: Floats = np.polynomial.polynomial.polyval(z, np.array(inner))
        return made
    base, height, middle, width, tilt = inner
    return base + height * _sigmoid((z - middle) / width) + tilt * z


def _sigmoid(u: Floats) -> Floats:
    made: Floats = 1 / (1 + np.exp(-np.clip(u, -700, 700)))
    return made


def _parameters(
    kind: Kind, inner: tuple[float, ...], centre: float, spread: float
) -> tuple[float, ...]:
    if kind in ("linear", "cubic"):
        line = np.polynomial.Polynomial([-centre / spread, 1 / spread])
        made = np.polynomial.Polynomial(inner)(line)
        size = 2 if kind == "linear" else 4
        padded = np.zeros(size)
        padded[: len(made.coef)] = made.coef[:size]
        return tuple(map(float, padded))
    base, height, middle, width, tilt = inner
    at, slope = centre + spread * middle, spread * width
    if kind == "logistic4":
        return (base + height, base, at, slope)
    return (height, 1 / slope, at, tilt / spread, base + height / 2 - tilt * centre / spread)


# -- logistics ------------------------------------------------------------------------------------


def _dot(a: Floats, b: Floats) -> float:
    """The sum of products on one thread: BLAS takes several for long ones, which wait."""
    return float(a @ b) if len(a) <= _ONE_THREAD else float(np.einsum("i,i->", a, b))


@dataclass(frozen=True, slots=True, eq=False)
class _Projected:
    """Least squares over all but the logistic's middle and width."""

    z: Floats
    weight: Floats
    basis: tuple[Floats, ...]
    """Columns, orthonormal under the weights: what is fitted besides the logistic."""
    rest: Floats
    """The scores without their part in `basis`."""

    @staticmethod
    def of(z: Floats, y: Floats, weight: Floats, tilted: bool) -> _Projected:
        root = np.sqrt(weight)
        columns = np.stack([root, z * root], axis=1)[:, : 1 + tilted]
        basis = tuple(column / root for column in np.linalg.qr(columns)[0].T)
        return _Projected(z, weight, basis, _without(y, basis, weight))

    def residuals(self, middles: Floats, widths: Floats) -> Floats:
        """Sums of squares for many (middle, width)."""
        found = np.full(len(middles), _dot(self.weight, self.rest**2))
        step = max(1, 400_000 // len(self.z))
        for start in range(0, len(middles), step):
            part = slice(start, start + step)
            s = _sigmoid((self.z - middles[part, None]) / widths[part, None])
            weighted = s * self.weight
            power = np.einsum("ij,ij->i", weighted, s)
            left = power.copy()
            for column in self.basis:
                left -= np.einsum("ij,j->i", weighted, column) ** 2
            usable = left > 1e-11 * power
            gain = np.einsum("ij,j->i", weighted, self.rest)[usable] ** 2 / left[usable]
            found[np.arange(len(middles))[part][usable]] -= gain
        return found

    def at(self, middle: float, log_width: float) -> _Local:
        """The sum of squares at one place, and the normal equations of a step from there.

        The Jacobian is Kaufman's: what changes of the logistic, without what the linear numbers
        make good.
        """
        width = math.exp(log_width)
        u = (self.z - middle) / width
        s = _sigmoid(u)
        own = _without(s, self.basis, self.weight)
        weighted = self.weight * own
        left = _dot(weighted, own)
        if left <= 1e-11 * _dot(self.weight, s**2):
            return _Local(_dot(self.weight, self.rest**2), (0.0, 0.0, 0.0), (0.0, 0.0))
        height = _dot(weighted, self.rest) / left
        error = self.rest - height * own
        bend = s * (1 - s)
        spanned = (*self.basis, own / math.sqrt(left))
        first = _without(height / width * bend, spanned, self.weight)
        second = _without(height * u * bend, spanned, self.weight)
        pulled = self.weight * error
        power = (
            _dot(self.weight * first, first),
            _dot(self.weight * first, second),
            _dot(self.weight * second, second),
        )
        return _Local(_dot(pulled, error), power, (_dot(pulled, first), _dot(pulled, second)))


class _Local(NamedTuple):
    """A sum of squares, J'J (three numbers) and J'r of the step from there."""

    value: float
    power: tuple[float, float, float]
    pull: tuple[float, float]


def _polished(
    problem: _Projected, start: Floats, limits: Floats, steps: int
) -> tuple[float, Floats]:
    """Levenberg and Marquardt's way down to a place between `limits` (2, 2)."""
    at = np.clip(start, limits[:, 0], limits[:, 1])
    here, damping = problem.at(*at), 1e-3
    for _ in range(steps):
        a, b, c = here.power
        if not a + c > 0:
            break
        a, c = a * (1 + damping) + 1e-300, c * (1 + damping) + 1e-300
        gone = a * c - b * b
        if not gone > 0:
            damping = max(10 * damping, 1e-8)
            continue
        p, q = here.pull
        step = -np.array([c * p - b * q, a * q - b * p]) / gone
        new = np.clip(at + step, limits[:, 0], limits[:, 1])
        moved = new - at
        if moved[0] != step[0]:  # along the border
            new[1] = np.clip(at[1] - (q + b * moved[0]) / c, *limits[1])
        elif moved[1] != step[1]:
            new[0] = np.clip(at[0] - (p + b * moved[1]) / a, *limits[0])
        there = problem.at(*new)
        if there.value < here.value:
            done = here.value - there.value <= 1e-15 * here.value
            at, here, damping = new, there, damping / 5
            if done:
                break
        else:
            damping *= 4
            if damping > 1e12:
                break
    return here.value, at


def _without(column: Floats, basis: tuple[Floats, ...], weight: Floats) -> Floats:
    """What is left of a column once its parts along an orthonormal basis are taken away."""
    left = column
    for other in basis:
        left = left - _dot(weight * column, other) * other
    return left


def _logistic(z: Floats, y: Floats, tilted: bool) -> tuple[float, ...]:
    coarse = _Projected.of(*_binned(z, y), tilted)
    fine = _Projected.of(z, y, np.ones_like(z), tilted)
    limits = np.array([
        [float(z.min()) - REACH, float(z.max()) + REACH],
        [math.log(SLOPES[0]), math.log(SLOPES[1])],
    ])  # fmt: skip
    most = _POLISHED if len(coarse.z) == len(z) else _POLISHED_OF_BINS
    near = [_polished(coarse, start, limits, _FIRST_STEPS) for start in _starts(coarse, most)]
    near.sort(key=lambda pair: pair[0])
    found = [_polished(coarse, at, limits, _STEPS) for _, at in near[:_GO_ON]]
    found.sort(key=lambda pair: pair[0])
    if len(coarse.z) < len(z):
        close = [at for value, at in found[:2] if value <= 1.001 * found[0][0]]
        ends = [_polished(fine, at, limits, _STEPS) for at in close]
        best = min(ends, key=lambda pair: pair[0])[1]
    else:
        best = found[0][1]
    return _completed(z, y, float(best[0]), math.exp(best[1]), tilted)


def _starts(problem: _Projected, most: int) -> list[Floats]:
    """The lowest places of a grid that are lower than their neighbours, and the best steps."""
    z = np.unique(problem.z)
    inside = np.append(z, (z[1:] + z[:-1]) / 2)
    if len(z) > _GRID_MIDDLES:
        inside = np.append(
            np.quantile(z, np.linspace(0, 1, _GRID_MIDDLES)),
            np.linspace(z[0], z[-1], _GRID_MIDDLES),
        )
    away = np.geomspace(0.05, REACH, 12)
    middles = np.concatenate([z[0] - away[::-1], np.unique(inside), z[-1] + away])
    widths = np.geomspace(*SLOPES, _GRID_WIDTHS)
    grid = np.stack(np.meshgrid(middles, widths, indexing="ij"), axis=-1).reshape(-1, 2)
    value = problem.residuals(grid[:, 0], grid[:, 1]).reshape(len(middles), len(widths))
    padded = np.pad(value, 1, constant_values=math.inf)
    beside = [padded[1 + i : padded.shape[0] - 1 + i, 1 + j : padded.shape[1] - 1 + j]
              for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]  # fmt: skip
    lowest = np.logical_and.reduce([value <= other for other in beside])
    places = np.argwhere(lowest)
    order = np.argsort(value[lowest], kind="stable")[:most]
    smooth = [np.array([middles[i], math.log(widths[j])]) for i, j in places[order]]
    return smooth + _step_starts(problem)


def _step_starts(problem: _Projected) -> list[Floats]:
    """Nearly vertical starts in the gaps between values where a plain step fits best."""
    order = np.argsort(problem.z, kind="stable")
    z, weight, rest = problem.z[order], problem.weight[order], problem.rest[order]

    def above(column: Floats) -> Floats:
        """Sums over the values beyond each gap."""
        return np.cumsum((weight * column)[::-1])[::-1][1:]

    left = above(np.ones_like(z))
    power = left.copy()
    for column in problem.basis:
        left = left - above(column[order]) ** 2
    usable = (np.diff(z) > 0) & (left > 1e-11 * power)
    gain = np.where(usable, above(rest) ** 2 / np.where(usable, left, 1), -1)
    tried = []
    for i in np.argsort(-gain, kind="stable")[:_GAPS]:
        if gain[i] > 0:
            gap = z[i + 1] - z[i]
            tried += [(z[i] + part * gap, max(gap * size, SLOPES[0]))
                      for part in (0.1, 0.3, 0.5, 0.7, 0.9)
                      for size in (0.05, 0.2, 0.6)]  # fmt: skip
    if not tried:
        return []
    places = np.array(tried)
    best = np.argsort(problem.residuals(places[:, 0], places[:, 1]), kind="stable")[:_GAPS]
    return [np.array([places[i, 0], math.log(places[i, 1])]) for i in best]


def _binned(z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Means of neighbours and how many they are, where the search needs no more."""
    if len(z) <= 2 * _BINS:
        return z, y, np.ones_like(z)
    order = np.argsort(z, kind="stable")
    edges = np.linspace(0, len(z), _BINS + 1).astype(int)
    size = np.diff(edges).astype(np.float64)
    return (
        np.add.reduceat(z[order], edges[:-1]) / size,
        np.add.reduceat(y[order], edges[:-1]) / size,
        size,
    )


def _completed(
    z: Floats, y: Floats, middle: float, width: float, tilted: bool
) -> tuple[float, ...]:
    s = _sigmoid((z - middle) / width)
    columns = [np.ones_like(z), s - s.mean(), *([z] if tilted else [])]
    solved, *_ = np.linalg.lstsq(np.stack(columns, axis=1), y, rcond=1e-14)
    base, height = float(solved[0]), float(solved[1])
    return (
        base - height * float(s.mean()),
        height,
        middle,
        width,
        float(solved[2]) if tilted else 0.0,
    )


# -- the monotone cubic ---------------------------------------------------------------------------


def _monotone_cubic(z: Floats, y: Floats) -> tuple[float, ...]:
    """The best cubic whose slope does not change its sign over the values.

    A slope that is nowhere negative on [-1, 1] is either positive throughout (then the plain fit
    is the best one), or touches zero inside, as k (t - c)^2, or is zero at one end or at both. Each
    case is linear least squares, but for c, which is searched for along a line.
    """
    low, high = float(z.min()), float(z.max())
    half, centre = (high - low) / 2, (high + low) / 2
    t = (z - centre) / half
    powers = np.stack([t**k for k in range(4)], axis=1)
    gram, pull = np.einsum("ij,ik->jk", powers, powers), np.einsum("ij,i->j", powers, y)

    def solved(columns: Floats) -> tuple[float, Floats]:
        """Least squares over combinations of cubics, given as columns of coefficients."""
        inner = columns.T @ gram @ columns
        weights, *_ = np.linalg.lstsq(inner, columns.T @ pull, rcond=1e-13)
        made = columns @ weights
        return float(made @ gram @ made - 2 * made @ pull), made

    one = np.array([1.0, 0, 0, 0])
    candidates = [
        solved(np.eye(4)),
        solved(np.stack([one, [0, 1, 0.5, 0], [0, 0, 0.5, 1 / 3]], axis=1)),
        solved(np.stack([one, [0, 1, -0.5, 0], [0, 0, 0.5, -1 / 3]], axis=1)),
        solved(np.stack([one, [0, 1, 0, -1 / 3]], axis=1)),
        solved(one[:, None]),
    ]
    places = np.linspace(-1, 1, 401)
    for _ in range(4):
        touching = np.stack([_touching(c) for c in places])
        mean = touching @ gram[0] / len(z)
        spread = np.einsum("ij,jk,ik->i", touching, gram, touching) - len(z) * mean**2
        gain = (touching @ pull - mean * pull[0]) ** 2 / np.maximum(spread, 1e-300)
        best_at, step = places[int(np.argmax(gain))], places[1] - places[0]
        places = np.linspace(max(-1.0, best_at - step), min(1.0, best_at + step), 401)
    candidates.append(solved(np.stack([one, _touching(float(best_at))], axis=1)))
    fit_ones = [pair for pair in candidates if _one_way(pair[1])]
    best = min(fit_ones, key=lambda pair: pair[0])[1]
    line = np.polynomial.Polynomial([-centre / half, 1 / half])
    coefficients = np.zeros(4)
    made = np.polynomial.Polynomial(best)(line).coef
    coefficients[: len(made)] = made
    return tuple(map(float, coefficients))


def _touching(c: float) -> Floats:
    """Coefficients of the cubic with slope (t - c)^2."""
    return np.array([0.0, c * c, -c, 1 / 3])


def _one_way(cubic: Floats) -> bool:
    """Whether a cubic's slope keeps its sign on [-1, 1]."""
    a, b, c = cubic[1], 2 * cubic[2], 3 * cubic[3]
    places = [-1.0, 1.0]
    if c:
        places.append(float(np.clip(-b / (2 * c), -1, 1)))
    slopes = np.array([a + b * t + c * t * t for t in places])
    tolerance = 1e-9 * (abs(a) + abs(b) + abs(c))
    return bool((slopes >= -tolerance).all() or (slopes <= tolerance).all())
