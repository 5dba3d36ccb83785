"""Slow versions of the models of human ratings, on dense tables with NaN, from the formulas."""

import itertools

import numpy as np


def alternating_projection(cube):
    """P.910 Annex E on (stimuli, observers, repetitions): scores, biases, inconsistencies, SE."""
    cube = np.asarray(cube, float)
    cube = cube[:, :, None] if cube.ndim == 2 else cube
    quality = np.nanmean(cube, axis=(1, 2))
    bias = np.nanmean(cube - quality[:, None, None], axis=(0, 2))
    for _ in range(1000):
        before = quality
        residual = cube - quality[:, None, None] - bias[None, :, None]
        spread = np.nanstd(residual, axis=(0, 2))
        weight = np.broadcast_to(1 / (spread**2 + 1e-8), cube.shape[:2])[:, :, None] + 0 * cube
        moved = weight * (cube - bias[None, :, None])
        quality = np.nansum(moved, axis=(1, 2)) / np.nansum(weight, axis=(1, 2))
        bias = np.nanmean(cube - quality[:, None, None], axis=(0, 2))
        if np.sqrt(((quality - before) ** 2).sum()) < 1e-8:
            break
    precision = np.nansum((~np.isnan(cube)) / spread[None, :, None] ** 2, axis=(1, 2))
    return quality + bias.mean(), bias - bias.mean(), spread, 1 / np.sqrt(precision)


def mixed_model(stimulus, observer, value, observer_variance, bias_variance):
    """Generalised least squares with the full covariance of the answers: scores, their covariance,
    and the best linear predictions of the biases with their posterior variances."""
    stimulus, observer = np.asarray(stimulus), np.asarray(observer)
    x = (stimulus[:, None] == np.arange(stimulus.max() + 1)).astype(float)
    z = (observer[:, None] == np.arange(observer.max() + 1)).astype(float)
    covariance = np.diag(observer_variance[observer]) + bias_variance * z @ z.T
    inverse = np.linalg.inv(covariance)
    scores_covariance = np.linalg.inv(x.T @ inverse @ x)
    scores = scores_covariance @ x.T @ inverse @ value
    bias = bias_variance * z.T @ inverse @ (value - x @ scores)
    projection = inverse - inverse @ x @ scores_covariance @ x.T @ inverse
    posterior = bias_variance - bias_variance**2 * np.diag(z.T @ projection @ z)
    return scores, scores_covariance, bias, posterior


def bt500(table, compatible=False):
    """Rejected observers by BT.500, vote by vote, on a table of stimuli by observers."""
    stimuli, observers = table.shape
    high, low = np.zeros(observers), np.zeros(observers)
    for row in table:
        votes = row[~np.isnan(row)]
        mean = votes.sum() / len(votes)
        m2, m4 = ((votes - mean) ** 2).mean(), ((votes - mean) ** 4).mean()
        if m2 == 0 and not compatible:
            continue
        spread = np.sqrt(m2 if compatible else m2 * len(votes) / (len(votes) - 1))
        normal = m2 > 0 and 2 <= m4 / m2**2 <= 4
        limit = (2 if normal else np.sqrt(20)) * spread
        for i, vote in enumerate(row):
            high[i] += vote >= mean + limit
            low[i] += vote <= mean - limit
    rejected = []
    for i in range(observers):
        far = high[i] + low[i]
        votes = stimuli if compatible else (~np.isnan(table[:, i])).sum()
        if far / votes > 0.05 and abs(high[i] - low[i]) / far < 0.3:
            rejected.append(i)
    return rejected


def krippendorff(table, distance):
    """Alpha as a ratio of mean distances over pairs of votes, pair by pair."""
    units = [row[~np.isnan(row)] for row in table]
    units = [unit for unit in units if len(unit) > 1]
    votes = np.concatenate(units)
    observed = sum(
        sum(distance(a, b, votes) for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
        for unit in units
    ) / len(votes)
    pairs = itertools.permutations(votes, 2)
    expected = sum(distance(a, b, votes) for a, b in pairs) / (len(votes) * (len(votes) - 1))
    return 1 - observed / expected


def interval_distance(a, b, votes):
    return (a - b) ** 2


def ordinal_distance(a, b, votes):
    low, high = min(a, b), max(a, b)
    between = sum((votes == v).sum() for v in np.unique(votes) if low <= v <= high)
    return (between - ((votes == a).sum() + (votes == b).sum()) / 2) ** 2 if a != b else 0.0


def zrec(table):
    """ZREC on a table of stimuli by observers: scores, and biases and inconsistencies in z."""
    mean, spread = np.nanmean(table, axis=1), np.nanstd(table, axis=1)
    z = (table - mean[:, None]) / spread[:, None]
    bias, inconsistency = np.nanmean(z, axis=0), np.nanstd(z, axis=0)
    corrected = table - spread[:, None] * bias
    weight = np.where(np.isnan(table), 0, inconsistency**-2)
    return np.nansum(corrected * weight, axis=1) / weight.sum(axis=1), bias, inconsistency
