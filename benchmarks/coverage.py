"""How often intervals of scores hold the truth: ``python -m benchmarks.coverage``.

Observers are simulated (srqa/ratings/simulation.py); the truth is the population's expected rating
after rounding and clipping. The table in docs/ratings.md is replaced by what is found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srqa.ratings.answers import Answers
from srqa.ratings.p913 import p913
from srqa.ratings.recovery import recover
from srqa.ratings.scores import Scores, mos
from srqa.ratings.simulation import Population, simulate

PAGE = Path(__file__).parents[1] / "docs" / "ratings.md"
BEGIN, END = "<!-- coverage -->\n", "<!-- end of coverage -->"


@dataclass(frozen=True)
class Design:
    """How many rate how much."""

    name: str
    stimuli: int
    observers: int
    votes_per_observer: int | None
    bias: float = 0.35
    spread: float = 0.4


DESIGNS = (
    Design("24 observers rate all", 60, 24, None),
    Design("12 observers rate all", 60, 12, None),
    Design("18 votes an observer, 16 a stimulus", 60, 54, 18),
    Design("18 votes an observer, 12 a stimulus", 60, 40, 18),
    Design("6 votes an observer, 12 a stimulus", 60, 120, 6),
    Design("24 rate all, no bias, all alike", 60, 24, None, 0.0, 0.0),
    Design("6 votes an observer, strong bias", 60, 120, 6, 0.7, 0.4),
)
ESTIMATORS: dict[str, Callable[[Answers], Scores]] = {
    "MOS, t": mos,
    "MOS, normal": lambda a: mos(a, "normal"),
    "MOS, bootstrap": lambda a: mos(a, "bootstrap"),
    "P.913": lambda a: p913(a).scores,
    "P.913 by least squares": lambda a: p913(a, iterate=True).scores,
    "P.910, AP": lambda a: recover(a, "p910-ap").scores,
    "P.910, AP2": lambda a: recover(a, "p910").scores,
    "ZREC": lambda a: recover(a, "zrec").scores,
    "**regularised** (default)": lambda a: recover(a).scores,
}


def replicate(
    design: Design, replicates: int, seed: int = 1
) -> Iterator[tuple[Answers, np.ndarray]]:
    """Simulated answers and the true scores."""
    population = Population(bias=design.bias, inconsistency_spread=design.spread)
    rng = np.random.default_rng(seed)
    for _ in range(replicates):
        quality = rng.uniform(1.3, 4.7, design.stimuli)
        answers = simulate(quality, design.observers, design.votes_per_observer, population, rng)
        yield answers, population.expected(quality)


def measure(
    design: Design,
    replicates: int,
    estimators: dict[str, Callable[[Answers], Scores]] = ESTIMATORS,
) -> dict[str, tuple[float, float, float]]:
    """Of each estimator the root mean square error, the share of intervals that hold the truth,
    and their mean half width."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in estimators}
    for answers, truth in replicate(design, replicates):
        for name, estimate in estimators.items():
            scores = estimate(answers)
            held = (scores.ci_low <= truth) & (truth <= scores.ci_high)
            half = (scores.ci_high - scores.ci_low) / 2
            error = ((scores.mos - truth) ** 2).mean()
            found[name].append((error, held.mean(), half.mean()))
    means = {name: np.mean(rows, axis=0) for name, rows in found.items()}
    return {name: (float(m[0] ** 0.5), float(m[1]), float(m[2])) for name, m in means.items()}


def table(replicates: int) -> str:
    """A Markdown table of all designs and estimators."""
    lines = [
        f"*{replicates} simulated studies of 60 stimuli each (`python -m benchmarks.coverage`): "
        "root mean square error / share of 95 % intervals that hold the population's score.*",
        "",
        "| | " + " | ".join(design.name for design in DESIGNS) + " |",
        "|---|" + "---|" * len(DESIGNS),
    ]
    cells: dict[str, list[str]] = {name: [] for name in ESTIMATORS}
    for design in DESIGNS:
        start = time.perf_counter()
        for name, (error, held, _) in measure(design, replicates).items():
            cells[name].append(f"{error:.3f} / {held:.1%}".replace("%", " %"))
        print(f"{design.name}: {time.perf_counter() - start:.0f} s", flush=True)
    return "\n".join(lines + [f"| {n} | {' | '.join(row)} |" for n, row in cells.items()]) + "\n"


def main() -> None:
    """Measure and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=500)
    made = table(parser.parse_args().replicates)
    print(made)
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + BEGIN + made + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
