"""Slow float64 versions of the models of paired comparison, written from the papers."""

import itertools
import math
from collections import Counter

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

SIGMA = 1 / norm.ppf(0.75)


def cdf(z):
    """The normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def probabilities(model, ties, gap, side, tie):
    """P(left), P(tie), P(right) for a difference in JOD, from the papers' formulas."""
    if model == "thurstone":
        z, t = (gap + side) / SIGMA, tie / SIGMA
        return cdf(z - t), cdf(z + t) - cdf(z - t), cdf(-z - t)
    left, right = math.exp((gap + side) * math.log(3)), 1.0
    if ties == "davidson":
        total = left + right + math.exp(tie) * math.sqrt(left * right)
        return left / total, math.exp(tie) * math.sqrt(left * right) / total, right / total
    theta = math.exp(tie * math.log(3))
    first, second = left / (left + theta * right), right / (right + theta * left)
    both = (left + theta * right) * (theta * left + right)
    return first, (theta**2 - 1) * left * right / both, second


def posterior(rows, items, model, ties, sided, sigma):
    """A function of (values, side, tie) that gives the log posterior; `rows` are (l, r, choice)."""
    counted = Counter((int(left), int(right), int(choice)) for left, right, choice in rows)

    def value(parameters):
        q = parameters[:items]
        rest = list(parameters[items:])
        side = rest.pop(0) if sided else 0.0
        tie = rest.pop(0) if ties else 0.0
        total = 0.0
        for (left, right, choice), times in counted.items():
            p = probabilities(model, ties, q[left] - q[right], side, tie)
            total += times * math.log(max(p[1 - choice], 1e-300))
        if sigma:
            total -= sum(x * x for x in [*q, side]) / (2 * sigma**2)
        return total

    return value


def fit(rows, items, model, ties="", sided=False, sigma=None):
    """Maximise without derivatives' help; values sum to 0. Returns values, side, tie."""
    log_posterior = posterior(rows, items, model, ties, sided, sigma)
    start = np.zeros(items + sided + bool(ties))
    if ties:
        start[-1] = 0.3

    def loss(x):
        if ties in ("rao-kupper", "glenn-david") and x[-1] <= 0:
            return 1e9
        return -log_posterior(x) + (0 if sigma else 1e-3 * x[:items].sum() ** 2)

    x = minimize(loss, start, method="BFGS", jac="3-point", options={"gtol": 1e-6}).x
    q = x[:items] - x[:items].mean()
    rest = list(x[items:])
    side = rest.pop(0) if sided else math.nan
    return q, side, (rest.pop(0) if ties else math.nan)


def pwcmp_loss(wins, q):
    """pwcmp's objective with its prior, by its loops over ordered pairs; q in JOD."""
    n = len(wins)
    pairs = [(i, j) for i in range(n) for j in range(n) if wins[i, j] + wins[j, i] > 0]
    moved = wins.astype(float).copy()
    for i, j in pairs:
        if wins[i, j] == 0:
            moved[i, j] = 1
        elif wins[j, i] == 0:
            moved[i, j] = wins[i, j] - 1
    p = np.array([norm.cdf((q[i] - q[j]) / SIGMA) for i, j in pairs])
    prior = np.zeros(len(pairs))
    for i, j in pairs:
        k, total = moved[i, j], wins[i, j] + wins[j, i]
        like = p**k * (1 - p) ** (total - k)
        prior += like / like.sum()
    own = np.array([wins[i, j] for i, j in pairs]) * np.log(p)
    own += np.array([wins[j, i] for i, j in pairs]) * np.log(1 - p)
    return -(own + np.log(prior + 0.1)).sum() + 0.01 * q.mean() ** 2


def cyclic_triads(beats):
    """(triads with all pairs decided, cyclic ones), by looking at every triple."""
    decided = cyclic = 0
    for a, b, c in itertools.combinations(range(len(beats)), 3):
        edges = [(a, b), (b, c), (a, c)]
        if all(beats[x][y] or beats[y][x] for x, y in edges):
            decided += 1
            wins = [sum(beats[x][y] for y in (a, b, c)) for x in (a, b, c)]
            cyclic += wins == [1, 1, 1]
    return decided, cyclic
