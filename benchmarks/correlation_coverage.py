"""How often intervals over contents hold the truth: ``python -m benchmarks.correlation_coverage``.

Studies are drawn from populations of contents whose figures are known from 40,000 contents. The
table in docs/correlation.md is replaced by what is found.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from srqa.correlation.data import Data
from srqa.correlation.figures import figures
from srqa.correlation.metrics import Metric
from srqa.statistics.clustered import Clusters, difference_tests, spearman_samples
from srqa.statistics.correlation import bonett_wright, spearman
from srqa.statistics.mapping import Kind

PAGE = Path(__file__).parents[1] / "docs" / "correlation.md"
BEGIN, END = "<!-- coverage -->\n", "<!-- end of coverage -->"
POPULATION = 40_000
FIGURES = ("srocc", "krcc", "plcc", "rmse", "outlier_ratio", "within")


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

    def draw(
        self, rng: np.random.Generator, contents: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Two equally good metrics (n, 2), scores (n,), contents (n,)."""
        size = rng.choice(self.sizes, contents)
        codes = np.repeat(np.arange(contents), size)
        n = len(codes)
        within = np.arange(n) - np.repeat(np.cumsum(size) - size, size)
        place = (within + 0.5) / size[codes] * 2 - 1
        normal = rng.normal(size=contents)
        if math.isfinite(self.tails):
            normal = rng.standard_t(self.tails, contents)
        quality = self.shared * normal[codes] + self.methods * place + 0.4 * rng.normal(size=n)
        error = self.biased * rng.normal(size=(contents, 2))[codes]
        values = quality[:, None] + error + self.noise * rng.normal(size=(n, 2))
        if self.skew:
            values = np.exp(self.skew * values)
        return values, quality + 0.15 * rng.normal(size=n), codes


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
)  # fmt: skip


def data_of(values: np.ndarray, scores: np.ndarray, codes: np.ndarray) -> Data:
    """As `srqa.correlate` has it."""
    half = np.full(len(scores), 0.4)
    names = [Metric(f"metric{k}", 1) for k in range(values.shape[1])]
    return Data(pd.DataFrame(), tuple(names), (), scores, values, half, half / 1.96, codes, True,
                ())  # fmt: skip


def truth(design: Design) -> dict[str, float]:
    """The population's figures."""
    values, scores, codes = design.draw(np.random.default_rng(2026), POPULATION)
    data = data_of(values[:, :1], scores, codes)
    found = figures(data, Clusters(codes, resamples=2), design.mapping, 0.95, held_out=False)
    return {name: float(found.table[name][0]) for name in FIGURES}


def measure(
    design: Design, replicates: int, resamples: int = 300, seed: int = 1
) -> dict[str, float]:
    """The share of intervals that hold the truth for each figure, that of Bonett and Wright's of
    SROCC, and of tests between equally good metrics the share that reject at 5 %."""
    right = truth(design)
    rng = np.random.default_rng(seed)
    hits: dict[str, list[bool]] = {name: [] for name in (*FIGURES, "formula", "rejected")}
    for replicate in range(replicates):
        values, scores, codes = design.draw(rng, design.contents)
        clusters = Clusters(codes, resamples=resamples, seed=replicate)
        data = data_of(values[:, :1], scores, codes)
        row = figures(data, clusters, design.mapping, 0.95, held_out=False).table.iloc[0]
        for name in FIGURES:
            if not math.isnan(row[f"{name}_low"]):
                held = row[f"{name}_low"] <= right[name] <= row[f"{name}_high"]
                hits[name].append(bool(held))
        low, high = bonett_wright(row["srocc"], len(scores))
        hits["formula"].append(low <= right["srocc"] <= high)
        both = np.array([spearman(column, scores) for column in values.T])
        p = difference_tests(both, spearman_samples(values, scores, clusters), clusters, ranks=True)
        hits["rejected"].append(bool(p[0, 1] < 0.05))
    return {name: float(np.mean(held)) if held else math.nan for name, held in hits.items()}


def table(replicates: int) -> str:
    """A Markdown table of all designs."""
    error = 1.96 * math.sqrt(0.95 * 0.05 / replicates)
    lines = [
        f"*{replicates:,} simulated studies a row (`python -m benchmarks.correlation_coverage`): "
        f"per cent of 95 % intervals that hold the population's figure (give or take "
        f"{100 * error:.1f}), and of tests of SROCC at 5 % that tell apart two metrics that are "
        "equally good.*",
        "",
        "| contents x pictures of each | SROCC | KRCC | PLCC | RMSE | outlier ratio | within | "
        "SROCC by formula | tests |",
        "|---|" + "---|" * 8,
    ]
    for design in DESIGNS:
        start = time.perf_counter()
        found = measure(design, replicates)
        cells = ["" if math.isnan(v) else f"{100 * v:.1f}" for v in found.values()]
        lines.append(f"| {design.name} | {' | '.join(cells)} |")
        print(f"{lines[-1]} {time.perf_counter() - start:.0f} s", flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    made = table(parser.parse_args().replicates)
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + BEGIN + made + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
