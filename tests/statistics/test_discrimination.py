"""Krasula's analysis against published values, brute force and simulation."""

import json
import math

import numpy as np
import pytest

from srqa.errors import InputError
from srqa.statistics import discrimination as d
from srqa.statistics.clustered import Clusters
from srqa.statistics.jackknife import area_difference


def test_toyama(reference):
    """Krasula's own data: 5 metrics, 14028 pairs, different beyond |z| = 2."""
    from scipy.io import loadmat

    expected = json.loads((reference / "expected.json").read_text())["toyama"]
    data = loadmat(reference / "ratings/toyama.mat")
    verdict = data["signif"].ravel().astype(np.int8)
    found = [d.discriminate_differences(row, verdict) for row in data["objScoDif"]]
    for name, key in (
        ("different_similar", "mean_AUC_different_similar"),
        ("better_worse", "mean_AUC_better_worse"),
        ("correct", "mean_C0"),
        ("threshold", "mean_THR95"),
    ):
        mean = np.mean([getattr(one, name).value for one in found])
        assert mean == pytest.approx(expected[key], abs=1e-12), name


def test_areas_equal_counting():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 30) + 0.0, rng.integers(0, 6, 40) + 0.0
    counted = np.mean([(x > y) + 0.5 * (x == y) for x in a for y in b])
    assert d.auc(a, b) == pytest.approx(counted)
    areas, covariance = d.delong(np.stack([a, a]), np.stack([b, b]))
    assert areas[0] == pytest.approx(counted)
    assert covariance[0, 0] == pytest.approx(covariance[0, 1])


def test_hanley_and_mcneil_have_the_right_sign():
    """What two areas share takes away from the error of their difference; some programs add it."""
    rng = np.random.default_rng(1)
    size, r = 60, 0.65
    mix = np.linalg.cholesky(np.array([[1, r], [r, 1]]))
    differences, errors, areas = [], [], []
    for _ in range(600):
        positive, negative = mix @ rng.normal(size=(2, size)) + 1, mix @ rng.normal(size=(2, size))
        pair = [d.auc(p, n) for p, n in zip(positive, negative, strict=True)]
        areas.append(pair)
        differences.append(pair[0] - pair[1])
        errors.append([d.hanley_mcneil(area, size, size) for area in pair])
    one, two = np.mean(errors, axis=0)
    between = np.corrcoef(np.array(areas).T)[0, 1]
    true = np.std(differences)
    assert d.hanley_mcneil_difference(one, two, between) == pytest.approx(true, rel=0.1)
    wrong = math.sqrt(one**2 + two**2 + 2 * between * one * two)
    assert wrong > 1.8 * true
    parts, covariance = d.delong(positive, negative)
    assert parts.tolist() == pair
    spread = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert spread == pytest.approx(true, rel=0.25)


def test_pairs_by_content_or_all():
    scores = np.array([1.0, 2.0, 3.0, 1.0, 1.05, np.nan])
    errors, contents = np.full(6, 0.2), np.array([0, 0, 0, 1, 1, 1])
    inside = d.make_pairs(scores, errors, contents)
    assert sorted(zip(inside.first.tolist(), inside.second.tolist(), strict=True)) == [
        (0, 1), (0, 2), (1, 2), (3, 4)
    ]  # fmt: skip
    assert inside.verdict.tolist() == [-1, -1, -1, 0]
    assert len(d.make_pairs(scores, errors, contents, "all")) == 10
    wide = d.make_pairs(scores, errors, contents, limit=4.0)
    assert wide.verdict.tolist() == [0, -1, 0, 0]
    with pytest.raises(InputError, match="no two pictures of one content"):
        d.make_pairs(scores, errors, np.arange(6))


def test_a_perfect_and_a_blind_metric():
    rng = np.random.default_rng(2)
    scores, contents = rng.uniform(1, 5, 120), np.repeat(np.arange(30), 4)
    pairs = d.make_pairs(scores, np.full(120, 0.3), contents)
    clusters = Clusters(contents, resamples=200)
    perfect = d.discriminate(scores, pairs, clusters)
    assert perfect.better_worse.value == perfect.correct.value == 1
    assert perfect.threshold.value < 1.96 * 0.3 * math.sqrt(2)
    blind = d.discriminate(rng.normal(size=120), pairs, clusters)
    assert blind.better_worse.low < 0.5 < blind.better_worse.high
    assert blind.threshold.low < blind.threshold.value < blind.threshold.high
    flipped = d.discriminate(-scores, pairs, clusters)
    assert flipped.correct.value == 0
    p = area_difference(
        perfect.influence_bw, blind.influence_bw,
        perfect.better_worse.value - blind.better_worse.value, clusters,
    )  # fmt: skip
    assert p < 1e-6


def test_influences_are_those_of_weights():
    """The clusters' influence on an area is its derivative by how often the cluster is drawn."""
    rng = np.random.default_rng(3)
    scores, contents = rng.uniform(1, 5, 40), np.repeat(np.arange(10), 4)
    values = scores + rng.normal(size=40)
    pairs = d.make_pairs(scores, np.full(40, 0.4), contents)
    found = d.discriminate(values, pairs, Clusters(contents, resamples=100))
    apart = np.abs(values[pairs.first] - values[pairs.second])
    different = pairs.verdict != 0

    def weighted(w):
        pair = w[contents[pairs.first]]
        high, low = apart[different], apart[~different]
        above = (high[:, None] > low) + 0.5 * (high[:, None] == low)
        both = np.outer(pair[different], pair[~different])
        return (above * both).sum() / both.sum()

    for c in (0, 4, 9):
        w = np.ones(10)
        w[c] += 1e-6
        slope = (weighted(w) - weighted(np.ones(10))) / 1e-6
        assert slope == pytest.approx(found.influence_ds[c], abs=1e-5)


@pytest.mark.slow
def test_intervals_of_areas_count_contents():
    """DeLong's, which take pairs as independent, are too narrow where pairs share pictures."""
    rng = np.random.default_rng(4)

    def draw(contents):
        shared = rng.normal(size=(contents, 1))
        quality = shared + rng.normal(size=(contents, 5))
        value = quality + 0.9 * rng.normal(size=(contents, 5))
        return quality.ravel(), value.ravel(), np.repeat(np.arange(contents), 5)

    quality, value, codes = draw(4000)
    pairs = d.make_pairs(quality, np.full(len(quality), 0.35), codes)
    truth = d.discriminate_differences(value[pairs.first] - value[pairs.second], pairs.verdict)
    hits, studies = np.zeros(3), 600
    for _ in range(studies):
        quality, value, codes = draw(40)
        pairs = d.make_pairs(quality, np.full(len(quality), 0.35), codes)
        found = d.discriminate(value, pairs, Clusters(codes, resamples=100))
        for k, name in enumerate(("different_similar", "better_worse", "correct")):
            area, true = getattr(found, name), getattr(truth, name).value
            hits[k] += area.low <= true <= area.high
    assert (np.abs(hits / studies - 0.95) < 0.03).all(), hits / studies
