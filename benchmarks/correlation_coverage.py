"""How often intervals over contents hold the truth: ``python -m benchmarks.correlation_coverage``.

Studies are drawn from populations of contents whose figures are known from 40,000 contents. Each
row is added to ``--rows FILE`` when it is done, and rows that are there are not measured again: an
interrupted measurement goes on, and several may share the work (``--only NAME``, more than once).
Once all rows are there, the tables in docs/correlation.md are replaced by them. 1,000 studies a row
take 18 minutes of processor time in all.
"""

from __future__ import annotations

import argparse
import csv
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
DRAWN = ("srocc", "krcc", "plcc", "rmse")
TESTS = ("p_srocc", "p_krcc", "p_plcc", "p_rmse", *(f"p_{name}_bootstrap" for name in DRAWN),
         "p_srocc_mrr", "p_srocc_steiger", "p_rmse_f")  # fmt: skip
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
    Design("18 x 4", 18, (4,), 0.5, 0.8, 0.4, 0.5),
    Design("22 x 3 to 6, uneven, skewed", 22, (3, 4, 6), 0.5, 0.9, 0.4, 0.3, "logistic4", skew=0.9,
           uneven=0.4),
    Design("12 x 10, monotone cubic", 12, (10,), 0.5, 0.9, 0.3, 0.4, "cubic"),
)  # fmt: skip
FRESH = (
    Design("35 x 6, contents rule", 35, (6,), 0.9, 0.6, 0.9, 0.4, "cubic"),
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
    clusters = Clusters(codes, resamples=500 if tests else 100, seed=seed)
    data = data_of(values if tests else values[:, :1], scores, codes)
    found = figures(data, clusters, design.mapping, 0.95, held_out=False, draw=tests)
    row = found.table.iloc[0].to_dict()
    names = [*FIGURES, "srocc_formula", *(f"{name}_bootstrap" for name in DRAWN if tests)]
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
    right |= {"srocc_formula": right["srocc"]} | {f"{n}_bootstrap": right[n] for n in DRAWN}
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
BY_BOOTSTRAP = {f"{name}_bootstrap": name.upper() for name in DRAWN}
LEVELS = {
    "p_srocc": "SROCC", "p_krcc": "KRCC", "p_plcc": "PLCC", "p_rmse": "RMSE",
    "p_srocc_bootstrap": "SROCC, bootstrap", "p_krcc_bootstrap": "KRCC, bootstrap",
    "p_plcc_bootstrap": "PLCC, bootstrap", "p_rmse_bootstrap": "RMSE, bootstrap",
    "p_different": "AUC different", "p_better": "AUC better", "p_srocc_mrr": "SROCC, `mrr`",
    "p_srocc_steiger": "SROCC, `steiger`", "p_rmse_f": "RMSE, F",
}  # fmt: skip
TABLES = (
    ("coverage", "per cent of 95 % intervals that hold the population's figure", INTERVALS),
    ("bootstrap", "the same of intervals by bootstrap (500 samples)", BY_BOOTSTRAP),
    ("level", "per cent of tests at 5 % that tell apart two metrics that are equally good", LEVELS),
)
KEYS = [key for _, _, columns in TABLES for key in columns]


@dataclass(frozen=True)
class Row:
    """What was measured of a population.

    Attributes:
        name: of the population.
        studies: how many were simulated.
        seconds: of processor time.
        shares: of intervals that held the truth and of tests that rejected, by figure.
    """

    name: str
    studies: int
    seconds: float
    shares: dict[str, float]


def read_rows(path: Path, studies: int) -> dict[str, Row]:
    """Rows of a file that are of so many studies, by name."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            Row(line["name"], int(line["studies"]), float(line["seconds"]),
                {key: float(line[key]) for key in KEYS if line[key]})
            for line in csv.DictReader(file)
        ]  # fmt: skip
    return {row.name: row for row in rows if row.studies == studies}


def add_row(path: Path, row: Row) -> None:
    """Append a row to a file."""
    names = ["name", "studies", "seconds", *KEYS]
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        if new:
            writer.writeheader()
        known = {"name": row.name, "studies": row.studies, "seconds": f"{row.seconds:.0f}"}
        writer.writerow(known | row.shares)


def measured(designs: Sequence[Design], studies: int, path: Path) -> dict[str, Row]:
    """Rows of the file, those that lack added."""
    for design in designs:
        if design.name in read_rows(path, studies):
            continue
        start = time.process_time()
        held, rejected = measure(design, studies, design.name in TESTED)
        row = Row(design.name, studies, time.process_time() - start, held | rejected)
        add_row(path, row)
        for _, _, columns in TABLES:
            print(line_of(row, columns), flush=True)
        print(f"{row.seconds:.0f} s", flush=True)
    return read_rows(path, studies)


def line_of(row: Row, columns: dict[str, str]) -> str:
    """A line of a table, in per cent; "" where nothing of it was measured."""
    if not row.shares.keys() & columns.keys():
        return ""
    cells = [f"{100 * row.shares[key]:.1f}" if key in row.shares else "–" for key in columns]
    return f"| {row.name} | {' | '.join(cells)} |"


def tables(rows: Sequence[Row]) -> dict[str, str]:
    """Markdown tables of intervals and of tests."""
    studies = rows[0].studies
    error = 196 * math.sqrt(0.95 * 0.05 / studies)
    made = {}
    for key, said, columns in TABLES:
        head = [
            f"*{studies:,} simulated studies a row (`python -m benchmarks."
            f"correlation_coverage`): {said}, give or take {error:.1f}.*", "",
            f"| contents x pictures of each | {' | '.join(columns.values())} |",
            "|---|" + "---|" * len(columns),
        ]  # fmt: skip
        made[key] = "\n".join([*head, *filter(None, (line_of(r, columns) for r in rows))]) + "\n"
    return made


def main() -> None:
    """Measure, and write the tables into the page once all is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--rows", type=Path, default=Path("correlation-coverage.csv"),
                        help="What is measured, kept row by row.")  # fmt: skip
    parser.add_argument("--only", action="append", help="Rows whose names begin so.")
    given = parser.parse_args()
    designs = [*DESIGNS, *FRESH, *FEW]
    wanted = [d for d in designs if d.name.startswith(tuple(given.only or [""]))]
    rows = measured(wanted, given.replicates, given.rows)
    if not all(design.name in rows for design in designs):
        return
    text = PAGE.read_text(encoding="utf-8")
    for key, made in tables([rows[design.name] for design in designs]).items():
        before, rest = text.split(f"<!-- {key} -->\n")
        text = before + f"<!-- {key} -->\n" + made + f"<!-- end of {key} -->" + rest.split(
            f"<!-- end of {key} -->")[1]  # fmt: skip
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
