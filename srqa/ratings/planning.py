"""How many observers, votes and minutes a study needs, before anybody is asked.

Closed forms for single questions (`observers_needed`, `votes_needed`), and simulation with
synthetic observers for whole designs (`try_ratings`, `try_pairs`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from srqa.errors import UsageError
from srqa.ratings.answers import ACR5, Answers, Floats, RatingScale, Stimulus
from srqa.ratings.between import compare_methods
from srqa.ratings.comparisons import Comparisons
from srqa.ratings.paired import scale_pairs
from srqa.ratings.recovery import recover
from srqa.ratings.simulation import Population, simulate
from srqa.statistics.paired import holm

MOST = 100_000
"""Observers beyond which no study is planned."""
JOD_SPREAD = 1.4826
"""Standard deviation of the difference of two perceived qualities, in JOD (75 % at 1 JOD)."""
SECONDS_PER_VOTE = 10.0

Progress = Callable[[int, int], None]


def observers_needed(
    effect: float,
    sd: float,
    power: float = 0.8,
    alpha: float = 0.05,
    comparisons: int = 1,
    paired: bool = True,
) -> int:
    """Observers for a t test to find a difference, from the exact non-central distribution.

    Args:
        effect: the difference of two mean scores that matters.
        sd: of one observer's difference if `paired` (the same observers see both), else of scores.
        power: the chance to find it if it is there.
        alpha: the chance of a false alarm over all comparisons.
        comparisons: how many pairs are tested; Bonferroni shares `alpha` among them.
        paired: the same observers, or a group for each.

    Returns:
        Observers in all if `paired`, in each group if not.

    Raises:
        UsageError: an argument is out of its range, or no reasonable number is enough.

    References:
        Brunnström, Barkowsky, Statistical quality of experience analysis: on planning the sample
        size and statistical significance testing, J. Electronic Imaging 27(5), 2018.

    Example:
        >>> observers_needed(1.0, 0.8, comparisons=100)
        18
    """
    _check(effect=effect, sd=sd)
    if not (0 < power < 1 and 0 < alpha < 1 and comparisons >= 1):
        raise UsageError("Power and alpha lie between 0 and 1, and there is a comparison or more.")
    low, high = 2, 4
    while _power(effect / sd, high, alpha / comparisons, paired) < power:
        low, high = high, high * 2
        if high > MOST:
            raise UsageError(
                f"A difference of {effect:g} with a standard deviation of {sd:g} needs more than "
                f"{MOST:,} observers.",
                hint="Look for a larger effect, or test fewer pairs.",
            )
    while high - low > 1:
        middle = (low + high) // 2
        enough = _power(effect / sd, middle, alpha / comparisons, paired) >= power
        low, high = (low, middle) if enough else (middle, high)
    return low if _power(effect / sd, low, alpha / comparisons, paired) >= power else high


def _power(ratio: float, n: int, alpha: float, paired: bool) -> float:
    """Of the two-sided t test with effect over standard deviation `ratio`."""
    from scipy.stats import nct, t

    df = n - 1 if paired else 2 * n - 2
    shift = ratio * math.sqrt(n if paired else n / 2)
    critical = float(t.isf(alpha / 2, df))
    if shift > 30 + critical:  # certain, and beyond what the distribution function can do
        return 1.0
    wrong_way = float(nct.cdf(-critical, df, shift)) if shift < 5 else 0.0  # below 3e-7
    return float(nct.sf(critical, df, shift)) + wrong_way


def votes_needed(
    half_width: float,
    sos: float = 0.25,
    score: float | None = None,
    scale: RatingScale = ACR5,
    level: float = 0.95,
) -> int:
    """Votes a stimulus for an interval of its MOS as narrow as +-`half_width`, on average.

    Args:
        half_width: on the scale.
        sos: the parameter a of `srqa.ratings.scores.sos_fit`: 0.1 to 0.3 for pictures.
        score: the stimulus' MOS; without, the middle of the scale, where votes differ most.
        scale: of the answers.
        level: of the interval.

    Raises:
        UsageError: an argument is out of its range.

    References:
        Hossfeld, Schatz, Egger, SOS: the MOS is not enough, QoMEX 2011.

    Example:
        >>> votes_needed(0.25, sos=0.2)
        52
    """
    from scipy.stats import t

    _check(half_width=half_width, sos=sos)
    x = (scale.low + scale.high) / 2 if score is None else score
    if not scale.low <= x <= scale.high:
        raise UsageError(f"A score of {x:g} is outside the scale, {scale}.")
    variance = sos * (-(x**2) + (scale.low + scale.high) * x - scale.low * scale.high)
    n = 2
    while float(t.ppf((1 + level) / 2, n - 1)) * math.sqrt(variance / n) > half_width:
        n += 1
        if n > MOST:
            raise UsageError(f"+-{half_width:g} needs more than {MOST:,} votes a stimulus.")
    return n


@dataclass(frozen=True, slots=True)
class Trial:
    """What a design gave in simulated studies.

    Attributes:
        power: share of studies that told the two methods apart (Holm over all pairs of methods).
        coverage: share of 95 % intervals that held the truth (of the MOS; of differences in JOD).
        rmse: root mean squared error of the scores, on the scale (or in JOD).
        half_width: mean half width of the intervals.
        minutes: of one observer's answers.
        votes: answers in all.
        studies: how many were simulated.
    """

    power: float
    coverage: float
    rmse: float
    half_width: float
    minutes: float
    votes: int
    studies: int


def try_ratings(
    methods: int,
    contents: int,
    observers: int,
    effect: float,
    votes_per_observer: int | None = None,
    population: Population | None = None,
    seconds_per_vote: float = SECONDS_PER_VOTE,
    studies: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trial:
    """Simulate rating studies in which the first method is `effect` better than the others.

    Args:
        methods, contents: stimuli are all combinations; contents differ by half a point (standard
            deviation), around the middle of the scale.
        observers: drawn anew for each study.
        effect: between the first method and the rest, on the scale, before rounding.
        votes_per_observer: of a partial design; all stimuli if not said.
        population: the people; those of `Population` by default.
        seconds_per_vote: to look and answer.
        studies: how many.
        seed: of chance.
        progress: called with (done, all).

    Raises:
        UsageError: an argument is out of its range.
    """
    _check(methods=methods - 1, contents=contents, observers=observers - 1, studies=studies)
    people = population or Population()
    rng = np.random.default_rng(seed)
    middle = (people.scale.low + people.scale.high) / 2
    size = methods * contents
    votes = size if votes_per_observer is None else votes_per_observer
    if votes * observers < 2 * size:
        raise UsageError(
            f"{observers} observers with {votes} votes give {size} stimuli fewer than two votes "
            "each."
        )
    stimuli = tuple(
        Stimulus(f"{m}/{c}", content=f"c{c}", method=f"m{m}")
        for m in range(methods)
        for c in range(contents)
    )
    names = {stimulus.name: k for k, stimulus in enumerate(stimuli)}
    found, held, errors, widths = [], [], [], []
    for study in range(studies):
        quality = middle + rng.normal(0, 0.5, (1, contents)) - np.full((methods, 1), effect / 2)
        quality[0] += effect
        answers = simulate(quality.ravel(), observers, votes_per_observer, people, rng)
        answers = replace(answers, stimuli=stimuli)
        scores = recover(answers).scores
        place = [names[stimulus.name] for stimulus in scores.stimuli]
        truth = people.expected(quality.ravel())[place]
        held.append(np.mean((scores.ci_low <= truth) & (truth <= scores.ci_high)))
        errors.append(np.mean((scores.mos - truth) ** 2))
        widths.append(np.nanmean(scores.ci_high - scores.ci_low) / 2)
        found.append(_told_apart(answers))
        if progress:
            progress(study + 1, studies)
    return Trial(
        power=float(np.mean(found)),
        coverage=float(np.mean(held)),
        rmse=float(np.sqrt(np.mean(errors))),
        half_width=float(np.mean(widths)),
        minutes=votes * seconds_per_vote / 60,
        votes=votes * observers,
        studies=studies,
    )


def _told_apart(answers: Answers) -> bool:
    ranking = compare_methods(answers)
    return any(
        {d.first, d.second} == {"m0", "m1"} and d.first == "m0" and d.verdict == "better"
        for d in ranking.differences
    )


def try_pairs(
    methods: int,
    contents: int,
    observers: int,
    effect: float,
    votes_per_observer: int | None = None,
    lapses: float = 0.02,
    side_preference: float = 0.0,
    seconds_per_vote: float = SECONDS_PER_VOTE / 2,
    studies: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trial:
    """Simulate studies of pairs in which the first method is `effect` JOD better than the others.

    Pairs are of two methods on one content, balanced over all combinations; methods are scaled
    over all contents.

    Args:
        methods, contents, observers: of the design.
        effect: in JOD.
        votes_per_observer: all pairs if not said.
        lapses: share of answers given without looking.
        side_preference: for the left, in JOD.
        seconds_per_vote, studies, seed, progress: as in `try_ratings`.

    Raises:
        UsageError: an argument is out of its range.
    """
    _check(methods=methods - 1, contents=contents, observers=observers, studies=studies)
    rng = np.random.default_rng(seed)
    pairs = np.array([(i, j) for i in range(methods) for j in range(i + 1, methods)])
    all_pairs = np.tile(pairs, (contents, 1))
    votes = len(all_pairs) if votes_per_observer is None else votes_per_observer
    if not 0 < votes <= len(all_pairs):
        raise UsageError(f"An observer cannot answer {votes} of {len(all_pairs)} pairs, once each.")
    truth = np.zeros(methods)
    truth[0] = effect
    found, held, errors, widths = [], [], [], []
    for study in range(studies):
        answers = _choices(truth, all_pairs, observers, votes, lapses, side_preference, rng)
        differences = scale_pairs(answers, side_bias=side_preference != 0).differences()
        true = np.array([truth[int(d.first)] - truth[int(d.second)] for d in differences])
        low, high, jod = np.array([(d.ci_low, d.ci_high, d.jod) for d in differences]).T
        held.append(np.mean((low <= true) & (true <= high)))
        errors.append(np.mean((jod - true) ** 2))
        widths.append(np.mean(high - low) / 2)
        found.append(holm([d.p for d in differences])[0] < 0.05 and jod[0] > 0)
        if progress:
            progress(study + 1, studies)
    return Trial(
        power=float(np.mean(found)),
        coverage=float(np.mean(held)),
        rmse=float(np.sqrt(np.mean(errors))),
        half_width=float(np.mean(widths)),
        minutes=votes * seconds_per_vote / 60,
        votes=votes * observers,
        studies=studies,
    )


def _choices(
    truth: Floats,
    pairs: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    observers: int,
    votes: int,
    lapses: float,
    side: float,
    rng: np.random.Generator,
) -> Comparisons:
    """One study's answers: sides by chance, Thurstone's case V with lapses."""
    rows = np.concatenate([rng.permutation(len(pairs))[:votes] for _ in range(observers)])
    shown = rng.permuted(pairs[rows], axis=1)
    gap = truth[shown[:, 0]] - truth[shown[:, 1]] + side
    won = gap + rng.normal(0, JOD_SPREAD, len(gap)) > 0
    won = np.where(rng.random(len(gap)) < lapses, rng.random(len(gap)) < 0.5, won)
    return Comparisons(
        items=tuple(str(k) for k in range(len(truth))),
        left=shown[:, 0],
        right=shown[:, 1],
        choice=np.where(won, 1, -1),
        observers=tuple(f"o{k}" for k in range(observers)),
        observer=np.repeat(np.arange(observers), votes),
    )


def _check(**numbers: float) -> None:
    for name, number in numbers.items():
        if not (number > 0 and math.isfinite(number)):
            raise UsageError(f"A study cannot be planned with {name.replace('_', ' ')} so small.")
