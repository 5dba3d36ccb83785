"""How far observers agree, with each other and with themselves, and what a metric can reach."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from srqa.errors import InputError
from srqa.ratings.answers import Answers, Floats
from srqa.ratings.control import repeated_rows


@dataclass(frozen=True, slots=True)
class Intraclass:
    """An intraclass correlation.

    Attributes:
        name: ICC(1,1), ICC(A,1), ICC(C,1), or with k for the mean of the panel.
        value: 1 is perfect agreement.
        ci_low, ci_high: 95 % interval by the F distribution; NaN for unbalanced designs.
    """

    name: str
    value: float
    ci_low: float
    ci_high: float


def icc(answers: Answers) -> list[Intraclass]:
    """The six intraclass correlations of McGraw and Wong.

    "1" takes observers as different for each stimulus, "A" asks for absolute agreement, "C" for
    consistency (observers' biases do not count against it); "k" is the reliability of the mean.

    Balanced tables (everybody rated everything once) use the two-way analysis of variance, others
    restricted maximum likelihood with stimuli and observers as crossed random effects, and k is the
    harmonic mean of the votes a stimulus. On balanced tables both give the same, unless a variance
    would come out negative.

    Raises:
        InputError: fewer than two stimuli or observers, or too few votes.

    Reference:
        McGraw and Wong, Forming inferences about some intraclass correlation coefficients,
        Psychological Methods 1(1), 1996.
    """
    answers = answers.ratings()
    if min(len(answers.stimuli), len(answers.observers)) < 2:
        raise InputError("Agreement needs two stimuli and two observers.")
    if len(answers) == len(answers.stimuli) * len(answers.observers) and not answers.is_partial:
        return _balanced(answers)
    from srqa.ratings.variance_components import one_way, two_way

    k = float(1 / (1 / answers.votes_per_stimulus).mean())
    stimuli, observers, rest = two_way(answers)
    between, within = one_way(answers)
    shares = (
        ("1", between, within),
        ("A", stimuli, observers + rest),
        ("C", stimuli, rest),
    )
    single = [(f"ICC({n},1)", s / (s + e) if s + e else math.nan) for n, s, e in shares]
    mean = [(f"ICC({n},k)", s / (s + e / k) if s + e else math.nan) for n, s, e in shares]
    return [Intraclass(name, value, math.nan, math.nan) for name, value in single + mean]


def _balanced(answers: Answers) -> list[Intraclass]:
    from scipy.stats import f as f_distribution

    n, k = len(answers.stimuli), len(answers.observers)
    table = np.empty((n, k))
    table[answers.stimulus, answers.observer] = answers.value
    rows, columns, all_mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    between = k * ((rows - all_mean) ** 2).sum() / (n - 1)
    within = ((table - rows[:, None]) ** 2).sum() / (n * (k - 1))
    judges = n * ((columns - all_mean) ** 2).sum() / (k - 1)
    rest = ((table - rows[:, None] - columns + all_mean) ** 2).sum() / ((n - 1) * (k - 1))
    if between + within == 0:
        raise InputError("All ratings are equal, so agreement says nothing.")

    def limits(ratio: float, above: int, below: int) -> tuple[float, float]:
        return (
            ratio / f_distribution.ppf(0.975, above, below),
            ratio * f_distribution.ppf(0.975, below, above),
        )

    with np.errstate(divide="ignore", invalid="ignore"):
        one = [(f - 1) / (f + k - 1) for f in limits(between / within, n - 1, n * (k - 1))]
        con = [(f - 1) / (f + k - 1) for f in limits(between / rest, n - 1, (n - 1) * (k - 1))]
        agree = (between - rest) / (between + (k - 1) * rest + k * (judges - rest) / n)
        low_high = _agreement_limits(agree, n, k, between, judges, rest)
        single = [
            ("ICC(1,1)", (between - within) / (between + (k - 1) * within), *one),
            ("ICC(A,1)", agree, *low_high),
            ("ICC(C,1)", (between - rest) / (between + (k - 1) * rest), *con),
        ]
        means = (
            ("ICC(1,k)", (between - within) / between),
            ("ICC(A,k)", (between - rest) / (between + (judges - rest) / n)),
            ("ICC(C,k)", (between - rest) / between),
        )
        mean = [
            (name, value, *(k * end / (1 + (k - 1) * end) for end in ends[2:]))
            for (name, value), ends in zip(means, single, strict=True)
        ]
    return [Intraclass(name, *map(float, numbers)) for name, *numbers in single + mean]


def _agreement_limits(
    agree: float, n: int, k: int, between: float, judges: float, rest: float
) -> tuple[float, float]:
    """95 % interval of ICC(A,1) with Satterthwaite's degrees of freedom (as above)."""
    from scipy.stats import f as f_distribution

    a = k * agree / (n * (1 - agree))
    b = 1 + k * agree * (n - 1) / (n * (1 - agree))
    free = (a * judges + b * rest) ** 2 / (
        (a * judges) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1))
    )
    low, high = f_distribution.ppf(0.975, n - 1, free), f_distribution.ppf(0.975, free, n - 1)
    noise = k * judges + (k * n - k - n) * rest
    return (
        n * (between - low * rest) / (low * noise + n * between),
        n * (high * between - rest) / (noise + n * high * between),
    )


def krippendorff_alpha(
    answers: Answers, level: Literal["interval", "ordinal", "nominal"] = "interval"
) -> float:
    """Krippendorff's alpha: 1 is perfect agreement, 0 what chance gives; missing votes are fine.

    Args:
        answers: ratings; stimuli with one vote do not count.
        level: what a difference between two values means.

    Raises:
        InputError: no stimulus has two votes, or all values are equal.

    Reference:
        Krippendorff, Content analysis, 4th ed., 2019, chapter 12.
    """
    answers = answers.ratings()
    values, code = np.unique(answers.value, return_inverse=True)
    size, kinds = len(answers.stimuli), len(values)
    cells = answers.stimulus.astype(np.int64) * kinds + code
    counts = np.bincount(cells, minlength=size * kinds).reshape(size, kinds).astype(float)
    votes = counts.sum(axis=1)
    counts, votes = counts[votes > 1], votes[votes > 1]
    if not len(votes):
        raise InputError("Krippendorff's alpha needs a stimulus with two votes.")
    scaled = counts / (votes - 1)[:, None]
    coincidence = counts.T @ scaled - np.diag(scaled.sum(axis=0))
    margin = coincidence.sum(axis=1)
    if (margin > 0).sum() < 2:
        raise InputError("All ratings are equal, so agreement says nothing.")
    distance = _distance(values, margin, level)
    expected = (np.outer(margin, margin) * distance).sum() / (margin.sum() - 1)
    return float(1 - (coincidence * distance).sum() / expected)


def _distance(values: Floats, margin: Floats, level: str) -> Floats:
    if level == "interval":
        apart: Floats = values[:, None] - values
    elif level == "ordinal":
        middle = np.cumsum(margin) - margin / 2
        apart = middle[:, None] - middle
    else:
        apart = 1.0 - np.eye(len(values))
    return apart**2


@dataclass(frozen=True, slots=True)
class SplitHalf:
    """Agreement of the scores of two halves of the panel.

    Attributes:
        half: mean rank correlation of two halves' mean opinion scores.
        panel: what Spearman and Brown expect between two panels of this size.
        ceiling: what a metric that knew the true quality would reach against this panel's mean
            opinion scores: the root of `panel`. No metric's correlation can honestly be higher.
        ci_low, ci_high: middle 95 % of `half` over the splits.
    """

    half: float
    panel: float
    ceiling: float
    ci_low: float
    ci_high: float


def split_half(
    answers: Answers,
    splits: int = 200,
    seed: int = 0,
    kind: Literal["spearman", "pearson"] = "spearman",
) -> SplitHalf:
    """Split the observers in two at random, many times, and correlate the halves' scores.

    Args:
        answers: ratings; of stimuli that only one half rated, that split knows nothing.
        splits: how many.
        seed: of chance.
        kind: of correlation.

    Raises:
        InputError: fewer than four observers, or fewer than three stimuli in both halves.

    Reference:
        Spearman-Brown: ``2 r / (1 + r)``; attenuation: Spearman, American Journal of Psychology
        15(1), 1904.
    """
    from scipy.stats import rankdata

    answers = answers.ratings()
    people, size = len(answers.observers), len(answers.stimuli)
    if people < 4:
        raise InputError(f"Two halves need four observers; there are {people}.")
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(splits):
        first = np.zeros(people, dtype=np.bool_)
        first[rng.permutation(people)[: people // 2]] = True
        inside = first[answers.observer]
        means = []
        for rows in (inside, ~inside):
            n = np.bincount(answers.stimulus, rows, size)
            with np.errstate(invalid="ignore"):
                means.append(np.bincount(answers.stimulus, rows * answers.value, size) / n)
        both = np.isfinite(means[0]) & np.isfinite(means[1])
        x, y = means[0][both], means[1][both]
        if kind == "spearman":
            x, y = rankdata(x), rankdata(y)
        if len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0:
            found.append(float(np.corrcoef(x, y)[0, 1]))
    if not found:
        raise InputError("Two halves of the panel never rated three stimuli in common.")
    half = float(np.mean(found))
    panel = 2 * half / (1 + half)
    low, high = np.quantile(found, [0.025, 0.975])
    return SplitHalf(half, panel, math.sqrt(max(panel, 0.0)), float(low), float(high))


@dataclass(frozen=True, slots=True)
class TestRetest:
    """How observers agree with themselves.

    Attributes:
        pairs: first and later votes compared.
        mean_difference: mean absolute difference.
        exact: share of equal votes.
        kappa: Cohen's, with squared weights.
    """

    __test__ = False

    pairs: int
    mean_difference: float
    exact: float
    kappa: float


def retest(answers: Answers) -> TestRetest:
    """Compare each observer's first vote on a stimulus with their later ones.

    Raises:
        InputError: nobody rated a stimulus twice.

    Reference:
        Cohen, Weighted kappa, Psychological Bulletin 70(4), 1968.
    """
    first, later = repeated_rows(answers)
    if not len(first):
        raise InputError(
            "Nobody rated a stimulus twice.",
            hint="Repetitions have numbers in column `repetition`.",
        )
    x, y = answers.value[first], answers.value[later]
    by_chance = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    kappa = 1 - ((x - y) ** 2).mean() / by_chance if by_chance else math.nan
    return TestRetest(len(x), float(np.abs(x - y).mean()), float((x == y).mean()), float(kappa))
