"""Mean opinion scores with intervals, how votes spread, and the SOS fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from srqa.errors import InputError
from srqa.ratings.answers import Answers, Floats, RatingScale, Stimulus, shortened
from srqa.statistics.intervals import MIN_FOR_INTERVAL, expanded_tail

if TYPE_CHECKING:
    import pandas as pd

Interval = Literal["t", "normal", "bootstrap"]
NORMAL_QUANTILE = 1.95996
"""As the P.910 demo and sureal write it."""
RESAMPLES = 2000
SOS_SUSPICIOUS = 0.4
_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The table `mos`: a row a stimulus.

    Attributes:
        stimuli: what the rows are about.
        mos: (n,) scores on the scale of the answers.
        sd: (n,) standard deviation of the votes.
        n: (n,) votes.
        ci_low, ci_high: (n,) ends of the intervals; NaN where they cannot be had.
        model: how the scores were made.
        level: what share of intervals should hold the true score.
        notes: sentences that a reader of the numbers should know.
    """

    stimuli: tuple[Stimulus, ...]
    mos: Floats
    sd: Floats
    n: Floats
    ci_low: Floats
    ci_high: Floats
    model: str
    level: float = 0.95
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """As pandas, with the columns dataset, content, scale, method and stimulus first."""
        import pandas as pd

        facts = ("dataset", "content", "scale", "method", "name")
        columns = {fact: [getattr(s, fact) for s in self.stimuli] for fact in facts}
        frame = pd.DataFrame(columns).rename(columns={"name": "stimulus"})
        frame["scale"] = frame["scale"].astype("float64")
        for name in ("mos", "sd", "n", "ci_low", "ci_high"):
            frame[name] = getattr(self, name)
        frame["n"] = frame["n"].astype("int64")
        frame["model"] = self.model
        return frame


def mos(answers: Answers, interval: Interval = "t", level: float = 0.95, seed: int = 0) -> Scores:
    """Mean opinion score of each stimulus.

    Args:
        answers: ratings; choices are left aside.
        interval: "t" by Student's t; "normal" by 1.95996 standard errors, as sureal does (too
            short for few votes); "bootstrap" draws observers with all their votes, so that what an
            observer's votes have in common is counted.
        level: what share of intervals should hold the true mean; 0.95 with "normal".
        seed: of the bootstrap.

    Returns:
        Scores. Stimuli with one vote have no interval. Where all votes agree, the interval is
        that of a share of 0 other votes (Wilson), a category away, and a note says so; "normal"
        gives it no width, as sureal does.

    Raises:
        InputError: there are no ratings.

    Reference:
        Rec. ITU-T P.910, ITU-R BT.500-15; Wilson, JASA 22, 1927.

    Example:
        >>> import numpy as np
        >>> from srqa.ratings.answers import from_matrix
        >>> scores = mos(from_matrix(np.array([[4.0, 5.0, 4.0, 3.0]])))
        >>> float(scores.mos[0]), round(float(scores.ci_high[0]), 3)
        (4.0, 5.299)
    """
    answers = answers.ratings()
    n, mean, sd = moments(answers)
    if interval == "bootstrap":
        low, high = _bootstrap(answers, level, seed)
    else:
        half = _quantile(n, interval, level) * sd / np.sqrt(n)
        low, high = mean - half, mean + half
    notes = []
    unanimous = (n > 1) & (sd == 0)
    if unanimous.any() and interval != "normal":
        low, high = _wilson(answers.rating_scale, n, mean, unanimous, level, low, high)
        names = [answers.stimuli[j].name for j in np.flatnonzero(unanimous)]
        notes.append(
            f"All votes agree for {shortened(names)}: the interval is where the mean would lie if "
            "the votes that were not cast went to the next category (Wilson)."
        )
    if (n == 1).any():
        names = [answers.stimuli[j].name for j in np.flatnonzero(n == 1)]
        notes.append(f"One vote gives no interval: {shortened(names)}.")
    return Scores(answers.stimuli, mean, sd, n, low, high, f"mos {interval}", level, tuple(notes))


def moments(answers: Answers) -> tuple[Floats, Floats, Floats]:
    """Votes, mean and sample standard deviation (NaN for one vote) of each stimulus."""
    stimulus, size = answers.stimulus, len(answers.stimuli)
    n = answers.votes_per_stimulus
    mean = np.bincount(stimulus, answers.value, size) / n
    squares = np.bincount(stimulus, (answers.value - mean[stimulus]) ** 2, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(squares / (n - 1))
    sd[n < 2] = math.nan
    return n, mean, sd


def _quantile(n: Floats, interval: Interval, level: float) -> Floats:
    if interval == "normal":
        return np.full(len(n), NORMAL_QUANTILE)
    from scipy.stats import t

    free = np.where(n > 1, n - 1, math.nan)
    return np.asarray(t.ppf((1 + level) / 2, free), dtype=np.float64)


def _wilson(
    scale: RatingScale,
    n: Floats,
    mean: Floats,
    unanimous: np.ndarray[tuple[int], np.dtype[np.bool_]],
    level: float,
    low: Floats,
    high: Floats,
) -> tuple[Floats, Floats]:
    """Ends for stimuli whose votes agree: a category (or a hundredth) away, with Wilson's share."""
    from scipy.stats import norm

    squared = norm.ppf((1 + level) / 2) ** 2
    away = (scale.step or (scale.high - scale.low) / 100) * squared / (n + squared)
    low = np.where(unanimous, np.maximum(mean - away, scale.low), low)
    high = np.where(unanimous, np.minimum(mean + away, scale.high), high)
    return low, high


def _bootstrap(answers: Answers, level: float, seed: int) -> tuple[Floats, Floats]:
    """Percentiles over resampled observers, taken further out for few votes (Hesterberg 2015)."""
    from scipy.sparse import coo_matrix

    people, size = len(answers.observers), len(answers.stimuli)
    cells = (answers.stimulus, answers.observer)
    total = coo_matrix((answers.value, cells), shape=(size, people)).tocsr()
    count = coo_matrix((np.ones(len(answers)), cells), shape=(size, people)).tocsr()
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // max(size, people))
    parts = []
    for start in range(0, RESAMPLES, block):
        draws = min(block, RESAMPLES - start)
        times = rng.multinomial(people, np.full(people, 1 / people), size=draws).T
        with np.errstate(invalid="ignore"):
            parts.append((total @ times) / (count @ times))
    means = np.concatenate(parts, axis=1)
    low, high = np.full(size, math.nan), np.full(size, math.nan)
    n = answers.votes_per_stimulus
    for j in np.flatnonzero(n >= MIN_FOR_INTERVAL):
        tail = expanded_tail(int(n[j]), level)
        low[j], high[j] = np.nanquantile(means[j], [tail, 1 - tail])
    return low, high


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """How the votes of each stimulus spread.

    Attributes:
        stimuli: what the rows are about.
        good_or_better: (n,) per cent of votes in the upper quarter of the scale (4 and 5 of 5).
        poor_or_worse: (n,) per cent in the lower quarter (1 and 2 of 5).
        entropy: (n,) of the votes, in bits.
        bimodality: (n,) Sarle's coefficient: 5/9 for even votes, more hints at two camps; NaN
            below 4 votes or where all agree.
    """

    stimuli: tuple[Stimulus, ...]
    good_or_better: Floats
    poor_or_worse: Floats
    entropy: Floats
    bimodality: Floats


def distribution(answers: Answers) -> Distribution:
    """Good or better, poor or worse, entropy and bimodality of each stimulus's votes.

    Raises:
        InputError: there are no ratings.

    Reference:
        Rec. ITU-T P.910 (%GoB, %PoW); Pfister et al., Frontiers in Psychology 4:700, 2013.
    """
    answers = answers.ratings()
    n, mean, _ = moments(answers)
    value, stimulus, size = answers.value, answers.stimulus, len(answers.stimuli)
    scale = answers.rating_scale
    quarter = (scale.high - scale.low) / 4
    good = np.bincount(stimulus, value >= scale.high - quarter, size) / n * 100
    poor = np.bincount(stimulus, value <= scale.low + quarter, size) / n * 100
    levels, level = np.unique(value, return_inverse=True)
    cells, counts = np.unique(stimulus.astype(np.int64) * len(levels) + level, return_counts=True)
    rows = cells // len(levels)
    share = counts / n[rows]
    entropy = np.abs(np.bincount(rows, -share * np.log2(share), size))
    centred = value - mean[stimulus]
    m2, m3, m4 = (np.bincount(stimulus, centred**k, size) / n for k in (2, 3, 4))
    with np.errstate(invalid="ignore", divide="ignore"):
        skew = np.sqrt(n * (n - 1)) / (n - 2) * m3 / m2**1.5
        excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (m4 / m2**2 - 3) + 6)
        bimodality = (skew**2 + 1) / (excess + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))
    bimodality[(n < 4) | (m2 == 0)] = math.nan
    return Distribution(answers.stimuli, good, poor, entropy, bimodality)


@dataclass(frozen=True, slots=True)
class SosFit:
    """The SOS hypothesis: ``variance = a * (-x^2 + (low + high) x - low * high)``.

    Attributes:
        a: 0 if all agree, 1 if everybody chooses an end of the scale; pictures give 0.1 to 0.3.
        r_squared: share of the stimuli's variances that the curve explains; may be below 0.
        note: a warning, or ''.
    """

    a: float
    r_squared: float
    note: str = ""


def sos_fit(scores: Scores, scale: RatingScale) -> SosFit:
    """Fit the one number that ties the votes' variance to the mean opinion score.

    Args:
        scores: of `mos`.
        scale: of the answers.

    Raises:
        InputError: fewer than two stimuli have two votes, or all means lie at the scale's ends.

    Reference:
        Hossfeld, Schatz, Egger, SOS: the MOS is not enough, QoMEX 2011; fitted on the variance.
    """
    kept = np.isfinite(scores.sd)
    x, variance = scores.mos[kept], scores.sd[kept] ** 2
    shape = -(x**2) + (scale.low + scale.high) * x - scale.low * scale.high
    if kept.sum() < 2 or not (shape > 0).any():
        raise InputError(
            "The SOS fit needs two stimuli with two votes each, not all at the scale's ends."
        )
    a = float((shape * variance).sum() / (shape**2).sum())
    spread = float(((variance - variance.mean()) ** 2).sum())
    left = float(((variance - a * shape) ** 2).sum())
    note = ""
    if a > SOS_SUSPICIOUS:
        note = (
            f"The SOS parameter is {a:.2f}; pictures usually give 0.1 to 0.3. Votes this far apart "
            "hint at an unclear task, mixed scales or careless observers."
        )
    return SosFit(a, 1 - left / spread if spread > 0 else math.nan, note)
