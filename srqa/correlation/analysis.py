"""The way from human and metric scores to all that the report shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from srqa.correlation import differences as between
from srqa.correlation import scopes as parts
from srqa.correlation.data import Data, prepare
from srqa.correlation.disagreement import Disagreement, disagreements
from srqa.correlation.figures import Figures, figures
from srqa.correlation.humans import HumanScores, load_humans
from srqa.correlation.joining import Joined, join
from srqa.correlation.metrics import MetricScores, load_metrics
from srqa.correlation.people import Among, Noticed, Preferences, notice, prefer
from srqa.errors import InputError, UsageError
from srqa.statistics.clustered import RESAMPLES, Clusters, Floats
from srqa.statistics.jackknife import fisher_z
from srqa.statistics.mapping import KINDS, Kind

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What was chosen.

    Attributes:
        join: the rule that was asked for.
        mapping: wanted from metrics to human scores.
        by: parts for which figures are given.
        test, test_reason: between metrics, and why that one.
        correction, alpha: of the tests.
        pairs: pictures whose differences are looked at: of one content, or all.
        limit: |z| beyond which two human scores differ.
        level: of intervals.
        resamples, seed: of the bootstrap.
    """

    join: str
    mapping: Kind
    by: tuple[str, ...]
    test: between.Test
    test_reason: str
    correction: between.Correction
    alpha: float
    pairs: Among
    limit: float
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """How far metrics agree with people.

    Attributes:
        humans, metrics, joined: what it was made of, and how it was put together.
        data: the complete cases that all figures are computed on.
        settings: what was chosen.
        figures: of each metric over all pictures.
        between: (k, k) rank correlations between metrics.
        differences: pairs of metrics with the tests; see `srqa.correlation.differences`.
        tiers: letters by metric; those that share one are not told apart.
        parts: figures by method, scale, dataset, content and third of quality.
        flattery: mean residual of each method and metric.
        noticed: which differences people notice; None where scores have no intervals.
        preferences: agreement with choices; None without choices.
        disagreements: picture pairs on which metrics disagree most.
        notes: what a reader of the numbers must know.
    """

    humans: HumanScores
    metrics: MetricScores
    joined: Joined
    data: Data
    settings: Settings
    figures: Figures
    between: Floats
    differences: pd.DataFrame
    tiers: dict[str, str]
    parts: pd.DataFrame
    flattery: pd.DataFrame
    noticed: Noticed | None
    preferences: Preferences | None
    disagreements: tuple[Disagreement, ...]
    notes: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row a metric, the best SROCC first, with its tier."""
        frame = self.figures.table.copy()
        frame.insert(1, "tier", [self.tiers[name] for name in frame["metric"]])
        ordered: pd.DataFrame = frame.sort_values("srocc", ascending=False, kind="stable")
        return ordered.reset_index(drop=True)


def correlate(
    ratings: Any,
    scores: Any,
    *,
    join_by: str = "auto",
    metrics: Sequence[str] | str | None = None,
    lower_better: Collection[str] = (),
    higher_better: Collection[str] = (),
    score: str = "",
    by: Sequence[str] | str = parts.SCOPES,
    mapping: Kind = "logistic4",
    test: Literal["auto", "jackknife", "bootstrap", "mrr", "steiger"] = "auto",
    correction: between.Correction = "holm",
    alpha: float = 0.05,
    pairs: Literal["auto", "content", "all"] = "auto",
    limit: float = 1.96,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    most_disagreements: int = 4,
    progress: Progress | None = None,
) -> Correlation:
    """How far do metrics agree with people, and which is better by more than chance?

    Args:
        ratings: a folder of `srqa ratings analyze`, a table of scores or of answers (a file or a
            pandas frame), `Answers` or an `Analysis`.
        scores: a Run or its folder, a table with a column a metric, or a list of these.
        join_by: how the two are put together; see `srqa.correlation.joining.join`.
        metrics: only these, as a list or with commas; all without.
        lower_better, higher_better: directions of metrics that srqa does not know.
        score: the column with human scores, where its name does not tell.
        by: parts for which figures are given: method, scale, dataset, content.
        mapping: of metrics onto human scores before PLCC and RMSE: logistic4, logistic5, cubic,
            linear or none.
        test: between metrics: "jackknife" leaves contents out, "bootstrap" draws them again, "mrr"
            and "steiger" take pictures as independent; "auto" is the jackknife where there are
            contents enough.
        correction: over all pairs of metrics: holm, bh or none.
        alpha: below which metrics are told apart.
        pairs: whose differences people should notice: of one content (needs several methods) or
            all; "auto" is content where contents have several pictures.
        limit: |z| beyond which people tell two pictures apart; 2 as VMAF's tools have it.
        level: of intervals.
        resamples, seed: of contents that are drawn again (the bootstrap, and the interval of the
            threshold that people notice).
        most_disagreements: picture pairs for each pair of metrics.
        progress: called with what is done, how much of it, of how much.

    Returns:
        A `Correlation`; `srqa.report.correlation.saving.save` writes it.

    Raises:
        UsageError: a choice is unknown.
        InputError: the two cannot be put together, fewer than ten pictures have both, or nothing
            varies.

    Example:
        >>> import pandas as pd
        >>> rng = np.random.default_rng(0)
        >>> keys = [(f"c{i}", m) for i in range(12) for m in ("a", "b", "c")]
        >>> truth = np.tile([2.0, 3.0, 4.0], 12) + rng.normal(0, 0.3, 36)
        >>> humans = pd.DataFrame(keys, columns=["content", "method"]).assign(mos=truth)
        >>> scored = humans[["content", "method"]].assign(
        ...     good=truth + rng.normal(0, 0.3, 36), poor=truth + rng.normal(0, 3, 36))
        >>> found = correlate(humans, scored, higher_better=["good", "poor"])
        >>> found.table["metric"].tolist()
        ['good', 'poor']
    """
    _check(alpha, level, resamples, limit, mapping)
    names = [n.strip() for n in metrics.split(",")] if isinstance(metrics, str) else metrics
    wanted_parts = [p.strip() for p in by.split(",")] if isinstance(by, str) else list(by)
    if progress:
        progress("Reading scores", 0, 0)
    humans = load_humans(ratings, score)
    metric_scores = load_metrics(scores, names, lower_better, higher_better)
    joined = join(humans, metric_scores, join_by)
    data = prepare(joined, humans, metric_scores)
    clusters = data.clusters(resamples, seed)
    chosen, why = between.settle_test(data, test, clusters)
    several = data.known_contents and bool((data.sizes > 1).any())
    among: Among = ("content" if several else "all") if pairs == "auto" else pairs
    settings = Settings(
        join=join_by, mapping=mapping, by=tuple(wanted_parts), test=chosen, test_reason=why,
        correction=correction, alpha=alpha, pairs=among, limit=limit, level=level,
        resamples=resamples, seed=seed,
    )  # fmt: skip
    return _computed(humans, metric_scores, joined, data, clusters, settings,
                     most_disagreements if several else 0, progress)  # fmt: skip


def _computed(
    humans: HumanScores,
    metrics: MetricScores,
    joined: Joined,
    data: Data,
    clusters: Clusters,
    settings: Settings,
    most: int,
    progress: Progress | None,
) -> Correlation:
    found = figures(data, clusters, settings.mapping, settings.level, progress,
                    draw=settings.test == "bootstrap")  # fmt: skip
    matrix = between.rank_matrix(data)
    pairs = between.differences(data, found, clusters, matrix, settings.test, settings.correction)
    notes = [*humans.notes, *metrics.notes, *joined.notes, *data.notes, *_about(found, data)]
    noticed = None
    try:
        noticed = notice(data, clusters, settings.pairs, settings.limit, settings.level, progress)
        if noticed.pairs.left_out:
            notes.append(
                f"Pairs for Krasula's analysis are of {len(data) - noticed.pairs.left_out} "
                f"pictures drawn from {len(data)}: all pairs would be too many."
            )
    except InputError as error:
        notes.append(f"{error} {error.hint}".strip())
    apart: list[Disagreement] = []
    if most and len(data.metrics) > 1:
        apart = disagreements(
            data.names, data.values, data.contents, most=most, scores=data.scores,
            errors=data.error, seed=settings.seed,
        )  # fmt: skip
    return Correlation(
        humans=humans, metrics=metrics, joined=joined, data=data, settings=settings, figures=found,
        between=matrix, differences=pairs,
        tiers=between.tiers(data, found.table, pairs, settings.alpha),
        parts=parts.by_scope(data, found, settings.by, settings.seed, settings.level, progress),
        flattery=parts.flattery(data, found, settings.level),
        noticed=noticed, preferences=prefer(data, humans, clusters, settings.level),
        disagreements=tuple(apart), notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _check(alpha: float, level: float, resamples: int, limit: float, mapping: str) -> None:
    for name, value in (("Alpha", alpha), ("The level of intervals", level)):
        if not 0 < value < 1:
            raise UsageError(f"{name} lies between 0 and 1, not at {value:g}.")
    if resamples < 100:
        raise UsageError(f"{resamples} resamples are too few: give 100 or more.")
    if not limit > 0:
        raise UsageError(f"The limit of z must be above 0, not {limit:g}.")
    if mapping not in KINDS:
        raise UsageError(f"There is no mapping {mapping!r}.", hint=f"Choose of {', '.join(KINDS)}.")


def _about(found: Figures, data: Data) -> list[str]:
    notes = []
    table = found.table
    for note in dict.fromkeys(n for n in table["mapping_note"] if n):
        who = table.loc[table["mapping_note"] == note, "metric"].tolist()
        notes.append(f"Mapping of {', '.join(who)}: {note}.")
    against = table.loc[(table["srocc_high"] < 0), "metric"].tolist()
    if against:
        notes.append(
            f"{', '.join(against)}: correlates the wrong way round with people. Is the direction "
            "right (--lower-better, --higher-better)?"
        )
    bent = table.loc[~table["monotone"].astype(bool), "metric"].tolist()
    if bent:
        notes.append(f"The fitted curve of {', '.join(bent)} is not monotone over its values.")
    perfect = table.loc[table["srocc"].abs() > 0.999999, "metric"].tolist()
    if perfect:
        notes.append(f"{', '.join(perfect)} ranks the pictures exactly as people do: is it the "
                     "human score itself?")  # fmt: skip
    if np.isnan(data.half).all():
        notes.append("The human scores have no intervals: there are no RMSE* and outlier ratios.")
    return [*notes, *_dominated(found, data)]


def _dominated(found: Figures, data: Data) -> list[str]:
    """Contents that alone make up most of the width of an interval of SROCC."""
    without = found.without.get("srocc")
    if without is None or len(without) <= int(data.contents.max()):  # left out in parts
        return []
    moves = (fisher_z(without) - fisher_z(found.table["srocc"].to_numpy())) ** 2
    decisive: dict[int, list[str]] = {}
    for k, name in enumerate(data.names):
        most = int(moves[:, k].argmax())
        if moves[most, k] > 0.75 * moves[:, k].sum():
            decisive.setdefault(most, []).append(name)
    column = data.frame["content" if data.known_contents else "stimulus"]
    return [
        f"{column[int(np.argmax(data.contents == code))]} alone makes up more than three quarters "
        f"of the variance of the SROCC of {', '.join(names)}: look at its pictures and answers."
        for code, names in decisive.items()
    ]
