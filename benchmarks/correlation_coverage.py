"""How often intervals over contents hold the truth: ``python -m benchmarks.correlation_coverage``.

Studies are drawn from populations of contents whose figures are known from 40,000 contents. The
tables in docs/correlation.md are replaced by what is found. ``--only NAME`` prints a row.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from srqa.correlation.data import Data
from srqa.correlation.differences import differences, rank_matrix
from srqa.correlation.figures import Figures, figures
from srqa.correlation.humans import HumanScores
from srqa.correlation.metrics import Metric
from srqa.correlation.people import Noticed, notice, prefer
from srqa.errors import InputError
from srqa.statistics.clustered import Clusters
from srqa.statistics.discrimination import discriminate_differences, make_pairs
from srqa.statistics.mapping import Kind

PAGE = Path(__file__).parents[1] / "docs" / "correlation.md"
POPULATION = 40_000
OF_PAIRS = 40_000
"""Pictures of the population whose pairs are looked at."""
FIGURES = ("srocc", "krcc", "plcc", "rmse", "outlier_ratio", "within")
PEOPLE = ("auc_different", "auc_better", "correct", "agreement")
TESTS = ("p_srocc", "p_plcc", "p_rmse", "p_srocc_bootstrap", "p_srocc_mrr", "p_srocc_steiger",
         "p_rmse_f", "p_different", "p_better")  # fmt: skip
HALF, CHOICES = 0.4, 8


@dataclass(frozen=True)
class Design:
    """A population of contents and how many of them a study has.

    Quality is a content's level, a method's level and something of the picture's own; a metric sees
    it with an error that a content's pictures share and one of their own.
    """

    name: str
    contents: int
    sizes: tuple[int, ...]
    """Pictures of a content are one of these."""
    shared: float
    methods: float
    biased: float
    noise: float
    mapping: Kind = "linear"
    skew: float = 0.0
    """The metric is exp(skew * value)."""
    tails: float = math.inf
    """Degrees of freedom of the contents' levels, Student's t."""
    uneven: float = 0.0
    """Standard deviation of the logarithm of a content's errors."""
    noise_tails: float = math.inf
    """Degrees of freedom of the metric's own errors."""

    def draw(
        self, rng: np.random.Generator, contents: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Two equally good metrics (n, 2), scores (n,), contents (n,)."""
        size = rng.choice(self.sizes, contents)
        codes = np.repeat(np.arange(contents), size)
        n = len(codes)
        within = np.arange(n) - np.repeat(np.cumsum(size) - size, size)
        place = (within + 0.5) / size[codes] * 2 - 1
        level = _drawn(rng, self.tails, contents)
        quality = self.shared * level[codes] + self.methods * place + 0.4 * rng.normal(size=n)
        together = self.biased * rng.normal(size=(contents, 2))[codes]
        error = together + self.noise * _drawn(rng, self.noise_tails, (n, 2))
        if self.uneven:
            error *= np.exp(self.uneven * rng.normal(size=(contents, 1)))[codes]
        values = quality[:, None] + error
        if self.skew:
            values = np.exp(self.skew * values)
        return values, quality + 0.15 * rng.normal(size=n), codes


def _drawn(rng: np.random.Generator, degrees: float, shape: int | tuple[int, int]) -> np.ndarray:
    return rng.normal(size=shape) if math.isinf(degrees) else rng.standard_t(degrees, shape)


DESIGNS = (
    Design("12 contents x 5", 12, (5,), 0.5, 1.0, 0.3, 0.4),
    Design("12 x 3, close agreement", 12, (3,), 0.4, 1.2, 0.1, 0.2),
    Design("12 x 8, contents rule", 12, (8,), 1.0, 0.5, 1.2, 0.3),
    Design("20 x 7", 20, (7,), 0.6, 0.8, 0.5, 0.5, "logistic4"),
    Design("20 x 1 to 12", 20, (1, 2, 4, 8, 12), 0.6, 0.8, 0.5, 0.5),
    Design("20 x 5, skewed metric", 20, (5,), 0.6, 0.8, 0.4, 0.4, "logistic4", skew=1.2),
    Design("20 x 4, hardly any agreement", 20, (4,), 0.6, 0.5, 1.5, 2.0),
    Design("40 x 5", 40, (5,), 0.5, 1.0, 0.8, 0.6),
    Design("40 x 2 to 9, skewed, heavy tails", 40, (2, 3, 9), 0.4, 0.8, 0.4, 0.4, "logistic4",
           skew=0.8, tails=4.0),
    Design("100 x 3", 100, (3,), 0.7, 0.7, 0.7, 0.7),
    Design("16 x 6, skewed metric", 16, (6,), 0.7, 0.6, 0.5, 0.3, skew=0.7),
    Design("24 x 2 to 6", 24, (2, 3, 6), 0.4, 1.0, 0.7, 0.4),
    Design("30 x 4, heavy tails", 30, (4,), 0.5, 0.7, 0.5, 0.5, "logistic4", tails=5.0),
    Design("10 x 6", 10, (6,), 0.5, 0.9, 0.4, 0.4),
    Design("15 x 8, uneven contents", 15, (8,), 0.5, 0.8, 0.4, 0.4, "logistic4", uneven=0.5),
    Design("25 x 5, uneven contents", 25, (5,), 0.6, 0.8, 0.5, 0.5, uneven=0.5),
    Design("20 x 6, heavy noise", 20, (6,), 0.5, 0.9, 0.2, 0.4, noise_tails=4.0),
    Design("50 x 4, skewed metric", 50, (4,), 0.6, 0.7, 0.4, 0.4, skew=0.6),
    Design("14 x 10, shared errors", 14, (10,), 0.7, 0.6, 0.8, 0.3, "logistic4"),
    Design("30 x 1 to 10", 30, (1, 3, 10), 0.6, 0.8, 0.6, 0.4, "logistic4"),
    Design("60 x 1", 60, (1,), 0.6, 0.8, 0.3, 0.5, "logistic4"),
)  # fmt: skip
FRESH = (
    Design("18 x 4", 18, (4,), 0.5, 0.8, 0.4, 0.5),
    Design("22 x 3 to 6, uneven, skewed", 22, (3, 4, 6), 0.5, 0.9, 0.4, 0.3, "logistic4", skew=0.9,
           uneven=0.4),
    Design("35 x 6, contents rule", 35, (6,), 0.9, 0.6, 0.9, 0.4, "cubic"),
    Design("12 x 10, monotone cubic", 12, (10,), 0.5, 0.9, 0.3, 0.4, "cubic"),
    Design("28 x 4, 5-parameter logistic", 28, (4,), 0.6, 0.8, 0.4, 0.4, "logistic5", skew=0.5),
    Design("200 x 2, heavy tails", 200, (2,), 0.5, 0.7, 0.5, 0.5, tails=5.0, noise_tails=5.0),
)  # fmt: skip
"""Populations that had no part in the choice of the method."""
FEW = (
    Design("6 x 6", 6, (6,), 0.5, 0.9, 0.4, 0.4),
    Design("8 x 5", 8, (5,), 0.5, 0.9, 0.4, 0.4, "logistic4"),
    Design("8 x 1 to 12", 8, (1, 4, 12), 0.6, 0.8, 0.5, 0.5),
    Design("8 x 6, skewed metric", 8, (6,), 0.7, 0.6, 0.5, 0.3, skew=0.7),
)  # fmt: skip
"""Fewer contents than a study should have."""


TESTED = frozenset({
    "12 contents x 5", "12 x 3, close agreement", "12 x 8, contents rule", "20 x 1 to 12",
    "40 x 2 to 9, skewed, heavy tails", "16 x 6, skewed metric", "25 x 5, uneven contents",
    "20 x 6, heavy noise", "60 x 1", "8 x 5",
})  # fmt: skip


def data_of(values: np.ndarray, scores: np.ndarray, codes: np.ndarray) -> Data:
    """As `srqa.correlate` has it."""
    half = np.full(len(scores), HALF)
    names = [Metric(f"metric{k}", 1) for k in range(values.shape[1])]
    frame = pd.DataFrame({"stimulus": np.arange(len(scores)).astype(str)})
    return Data(frame, tuple(names), (), scores, values, half, half / 1.96, codes, True, ())


def choices_of(
    rng: np.random.Generator, scores: np.ndarray, codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of one content, and how many of `CHOICES` people choose the first."""
    pairs = make_pairs(scores, np.full(len(scores), HALF / 1.96), codes)
    apart = scores[pairs.first] - scores[pairs.second]
    return pairs.first, pairs.second, rng.binomial(CHOICES, 1 / (1 + np.exp(-2 * apart)))


def truth(design: Design) -> dict[str, float]:
    """The population's figures."""
    rng = np.random.default_rng(2026)
    values, scores, codes = design.draw(rng, POPULATION)
    one_cluster = Clusters(np.zeros(len(scores), np.int64))  # no intervals
    found = figures(data_of(values[:, :1], scores, codes), one_cluster, design.mapping, 0.95,
                    held_out=False)  # fmt: skip
    right = {name: float(found.table[name][0]) for name in FIGURES}
    if max(design.sizes) == 1:
        return right
    x, scores, codes = values[:OF_PAIRS, 0], scores[:OF_PAIRS], codes[:OF_PAIRS]
    pairs = make_pairs(scores, np.full(len(scores), HALF / 1.96), codes)
    one = discriminate_differences(x[pairs.first] - x[pairs.second], pairs.verdict)
    first, second, chosen = choices_of(rng, scores, codes)
    agree = np.where(x[first] > x[second], chosen, CHOICES - chosen).mean() / CHOICES
    return right | {"auc_different": one.different_similar.value, "correct": one.correct.value,
                    "auc_better": one.better_worse.value, "agreement": float(agree)}  # fmt: skip


def study(
    design: Design, rng: np.random.Generator, seed: int, tests: bool
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """One simulated study: the first metric's intervals, and p values between the two."""
    values, scores, codes = design.draw(rng, design.contents)
    clusters = Clusters(codes, resamples=200, seed=seed)
    data = data_of(values if tests else values[:, :1], scores, codes)
    found = figures(data, clusters, design.mapping, 0.95, held_out=False)
    row = found.table.iloc[0].to_dict()
    names = [*FIGURES, "srocc_formula"]
    noticed = None
    with suppress(InputError):  # too few pairs
        noticed = notice(data, clusters, "content", 1.96)
        row |= noticed.table.iloc[0].to_dict() | _agreement(data, clusters, rng)
        names += PEOPLE
    ends = {name: (row[f"{name}_low"], row[f"{name}_high"]) for name in names}
    return ends, _p_values(data, found, clusters, noticed) if tests else {}


def _agreement(data: Data, clusters: Clusters, rng: np.random.Generator) -> dict[str, float]:
    first, second, chosen = choices_of(rng, data.scores, data.contents)
    preferences = pd.DataFrame({
        "left": first.astype(str), "right": second.astype(str),
        "n_left": chosen, "n_tie": 0, "n_right": CHOICES - chosen,
    })  # fmt: skip
    humans = HumanScores(pd.DataFrame(), "JOD", True, None, preferences, "", "")
    made = prefer(data, humans, clusters, 0.95)
    return {} if made is None else made.table.iloc[0].drop("metric").to_dict()


def _p_values(
    data: Data, found: Figures, clusters: Clusters, noticed: Noticed | None
) -> dict[str, float]:
    both = differences(data, found, clusters, rank_matrix(data), "bootstrap", "none").iloc[0]
    p = {name: float(both[name]) for name in TESTS if name in both}
    if noticed is not None:
        p["p_different"] = float(noticed.p_different[0, 1])
        p["p_better"] = float(noticed.p_better[0, 1])
    return p


def measure(
    design: Design, replicates: int, tests: bool = True, seed: int = 1
) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of intervals that hold the truth, and of tests between equally good metrics that
    reject at 5 %; of those that there are."""
    right = truth(design)
    right["srocc_formula"] = right["srocc"]
    rng = np.random.default_rng(seed)
    held: dict[str, list[bool]] = {}
    rejected: dict[str, list[bool]] = {}
    for replicate in range(replicates):
        ends, p = study(design, rng, replicate, tests)
        for name, (low, high) in ends.items():
            if not math.isnan(low):
                held.setdefault(name, []).append(bool(low <= right[name] <= high))
        for name, value in p.items():
            if not math.isnan(value):
                rejected.setdefault(name, []).append(value < 0.05)
    return ({name: float(np.mean(one)) for name, one in held.items()},
            {name: float(np.mean(one)) for name, one in rejected.items()})  # fmt: skip


INTERVALS = {
    "srocc": "SROCC", "krcc": "KRCC", "plcc": "PLCC", "rmse": "RMSE",
    "outlier_ratio": "outlier ratio", "within": "within", "auc_different": "AUC different",
    "auc_better": "AUC better", "correct": "C0", "agreement": "agreement",
    "srocc_formula": "SROCC by formula",
}  # fmt: skip
COLUMNS = {
    "p_srocc": "SROCC", "p_plcc": "PLCC", "p_rmse": "RMSE", "p_srocc_bootstrap":
    "SROCC, bootstrap", "p_different": "AUC different", "p_better": "AUC better",
    "p_srocc_mrr": "SROCC, `mrr`", "p_srocc_steiger": "SROCC, `steiger`", "p_rmse_f": "RMSE, F",
}  # fmt: skip


def row_of(name: str, found: dict[str, float], columns: dict[str, str]) -> str:
    """A row of a table, in per cent."""
    cells = [f"{100 * found[key]:.1f}" if key in found else "–" for key in columns]
    return f"| {name} | {' | '.join(cells)} |"


def tables(designs: Sequence[Design], replicates: int) -> dict[str, str]:
    """Markdown tables of intervals and of tests."""
    parts: dict[str, list[str]] = {"coverage": [], "level": []}
    for design in designs:
        start = time.process_time()
        held, rejected = measure(design, replicates, design.name in TESTED)
        parts["coverage"].append(row_of(design.name, held, INTERVALS))
        print(parts["coverage"][-1], flush=True)
        if rejected:
            parts["level"].append(row_of(design.name, rejected, COLUMNS))
            print(parts["level"][-1], flush=True)
        print(f"{time.process_time() - start:.0f} s", flush=True)
    error = 196 * math.sqrt(0.95 * 0.05 / replicates)
    said = {
        "coverage": "per cent of 95 % intervals that hold the population's figure",
        "level": "per cent of tests at 5 % that tell apart two metrics that are equally good",
    }
    made = {}
    for key, columns in (("coverage", INTERVALS), ("level", COLUMNS)):
        head = [
            f"*{replicates:,} simulated studies a row (`python -m benchmarks."
            f"correlation_coverage`): {said[key]}, give or take {error:.1f}.*", "",
            f"| contents x pictures of each | {' | '.join(columns.values())} |",
            "|---|" + "---|" * len(columns),
        ]  # fmt: skip
        made[key] = "\n".join([*head, *parts[key]]) + "\n"
    return made


def main() -> None:
    """Measure and write the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--only", help="Print the rows whose names begin so.")
    given = parser.parse_args()
    designs = [*DESIGNS, *FRESH, *FEW]
    if given.only is not None:
        tables([d for d in designs if d.name.startswith(given.only)], given.replicates)
        return
    text = PAGE.read_text(encoding="utf-8")
    for key, made in tables(designs, given.replicates).items():
        before, rest = text.split(f"<!-- {key} -->\n")
        text = before + f"<!-- {key} -->\n" + made + f"<!-- end of {key} -->" + rest.split(
            f"<!-- end of {key} -->")[1]  # fmt: skip
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
