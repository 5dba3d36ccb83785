"""`python -m benchmarks.sampling`: votes needed for the same error, by design of the pairs.

Simulated observers follow Thurstone's case V. Random pairs, full passes over all pairs, and
active sampling by either aim are scaled the same way. Prints the table of
docs/ratings-pairs.md and, with --figure, draws its figure.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from srqa.ratings.choice_models import JOD_PER_UNIT
from srqa.ratings.comparisons import Comparisons
from srqa.ratings.paired import scale_pairs
from srqa.ratings.sampling import RANDOM_SHARE, next_pairs

ITEMS = 16
RANGES = (3.0, 10.0)
PASSES = (1, 2, 3, 5, 8)
EVERY = 2
DESIGNS = ("full", "random", "scale", "scale, 15 % random", "order")
COLOURS = ("#555555", "#b8860b", "#0b6e99", "#7a3e9d", "#a33b3b")
Pairs = list[tuple[int, int]]
Found = dict[float, dict[str, np.ndarray]]
WIDTH, HEIGHT, LEFT, TOP = 380, 260, 52, 30


@dataclass
class Study:
    """Answers of simulated observers to pairs of items with known values."""

    values: np.ndarray
    rng: np.random.Generator
    left: list[int]
    right: list[int]
    choice: list[int]

    def ask(self, pairs: Pairs) -> None:
        """Answer pairs."""
        for left, right in pairs:
            felt = self.values[left] - self.values[right]
            felt += JOD_PER_UNIT["thurstone"] * self.rng.standard_normal()
            self.left.append(left)
            self.right.append(right)
            self.choice.append(1 if felt > 0 else -1)

    def comparisons(self) -> Comparisons:
        """What was answered."""
        return Comparisons(
            items=tuple(map(str, range(len(self.values)))),
            left=np.array(self.left, np.int32),
            right=np.array(self.right, np.int32),
            choice=np.array(self.choice, np.int8),
            observers=("",),
            observer=np.zeros(len(self.left), np.int32),
        )

    def quality(self) -> tuple[float, float]:
        """Mean square error of the scale (JOD squared), and its rank correlation."""
        found = scale_pairs(self.comparisons(), side_bias=False).jod
        ranks = float(spearmanr(found, self.values).statistic)
        return float(np.mean((found - self.values) ** 2)), ranks


def rounds(design: str, study: Study, seed: int) -> Iterator[Pairs]:
    """Batches of pairs, as a design asks them; each is answered before the next is chosen."""
    n = len(study.values)
    every = [(a, b) for a in range(n) for b in range(a + 1, n)]
    rng, names = np.random.default_rng([seed, 2]), [str(k) for k in range(n)]
    share = RANDOM_SHARE if "%" in design else 0.0
    while True:
        if design == "full":
            order = rng.permutation(len(every))
            for start in range(0, len(every), n - 1):
                yield [every[k] for k in order[start : start + n - 1]]
        elif design == "random":
            yield [every[k] for k in rng.integers(0, len(every), n - 1)]
        else:
            chosen = next_pairs(
                names,
                n - 1,
                study.comparisons() if study.left else None,
                aim="order" if design == "order" else "scale",
                random_share=share,
                seed=int(rng.integers(2**31)),
            )
            yield [(int(pair.left), int(pair.right)) for pair in chosen]


def curve(design: str, span: float, seed: int) -> list[tuple[float, float]]:
    """Squared error and rank correlation after every `EVERY` batches, up to the last pass."""
    rng = np.random.default_rng([seed, 1])
    values = rng.uniform(-span / 2, span / 2, ITEMS)
    study = Study(values - values.mean(), rng, [], [], [])
    found = []
    for batch, pairs in enumerate(rounds(design, study, seed), start=1):
        study.ask(pairs)
        if batch % EVERY == 0:
            found.append(study.quality())
        if batch == PASSES[-1] * ITEMS // 2:
            break
    return found


def votes_at(curve_length: int) -> np.ndarray:
    """Votes at which curves were taken."""
    return np.asarray((ITEMS - 1) * EVERY * np.arange(1, curve_length + 1))


def votes_for(reached: np.ndarray, goal: float) -> float:
    """Votes after which a falling curve first reaches the goal; NaN if never."""
    votes, below = votes_at(len(reached)), np.flatnonzero(reached <= goal)
    if not len(below):
        return float("nan")
    k = int(below[0])
    if k == 0:
        return float(votes[0])
    return float(np.interp(-goal, [-reached[k - 1], -reached[k]], votes[k - 1 : k + 1]))


def table(found: Found) -> str:
    """Markdown: votes that each design needs for what K full passes reach."""
    lines = [
        "| items over | reached by K passes | " + " | ".join(DESIGNS) + " |",
        "|---|---|" + "---|" * len(DESIGNS),
    ]
    for span, curves in found.items():
        for name, index, turn in (("error", 0, 1.0), ("rank correlation", 1, -1.0)):
            for passes in PASSES[:-1]:
                goal = float(curves["full"][passes * ITEMS // 2 // EVERY - 1, index])
                votes = [votes_for(turn * curves[d][:, index], turn * goal) for d in DESIGNS]
                cells = " | ".join(f"{v:.0f}" if v == v else "more" for v in votes)
                lines.append(f"| {span:g} JOD | {name} {goal:.3f} (K = {passes}) | {cells} |")
    return "\n".join(lines)


def figure(found: Found) -> str:
    """Error against votes, one panel a range, as SVG."""
    parts = [_panel(k, span, curves) for k, (span, curves) in enumerate(found.items())]
    middle = TOP + HEIGHT / 2
    whole = LEFT + len(found) * (WIDTH + LEFT + 10)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {TOP + HEIGHT + 45}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="Error of the scale '
        'against votes, by design"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        "error (JOD)</text>" + "".join(parts) + "</svg>\n"
    )


def _panel(panel: int, span: float, curves: dict[str, np.ndarray]) -> str:
    votes = votes_at(len(curves["full"]))
    high = max(float(c[0, 0]) for c in curves.values())
    low = min(float(c[:, 0].min()) for c in curves.values()) * 0.95
    left = LEFT + panel * (WIDTH + LEFT + 10)

    def across(vote: float) -> float:
        return float(left + WIDTH * np.log(vote / votes[0]) / np.log(votes[-1] / votes[0]))

    def down(error: float) -> float:
        return float(TOP + HEIGHT * np.log(high / error) / np.log(high / low))

    bottom = TOP + HEIGHT
    parts = [
        f'<text x="{left}" y="{TOP - 10}">{ITEMS} items over {span:g} JOD</text>',
        f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        f'<text x="{left + WIDTH / 2:.0f}" y="{bottom + 34}" text-anchor="middle">votes</text>',
    ]
    for tick in (50, 100, 200, 500):
        x = across(tick)
        parts.append(f'<text x="{x:.0f}" y="{bottom + 15}" text-anchor="middle">{tick}</text>')
        parts.append(f'<path d="M{x:.1f} {TOP}v{HEIGHT}" stroke="#eee"/>')
    for tick in (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0):
        if low < tick < high:
            y = down(tick)
            parts.append(f'<text x="{left - 5}" y="{y + 4:.0f}" text-anchor="end">{tick:g}</text>')
            parts.append(f'<path d="M{left} {y:.1f}h{WIDTH}" stroke="#eee"/>')
    for row, (design, colour) in enumerate(zip(DESIGNS, COLOURS, strict=True)):
        points = " ".join(
            f"{across(v):.1f},{down(e):.1f}"
            for v, e in zip(votes, curves[design][:, 0], strict=True)
        )
        line = f'fill="none" stroke="{colour}" stroke-width="2"'
        y, x = TOP + 18 + 16 * row, left + WIDTH - 150
        parts.append(f'<polyline points="{points}" {line}/><path d="M{x} {y - 4}h18" {line}/>')
        parts.append(f'<text x="{x + 24}" y="{y}">{design}</text>')
    return "".join(parts)


def main() -> None:
    """Simulate, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--figure", type=Path)
    chosen = parser.parse_args()
    found: Found = {}
    for span in RANGES:
        found[span] = {}
        for design in DESIGNS:
            every = [curve(design, span, seed) for seed in range(chosen.replicates)]
            mean = np.mean(every, axis=0)
            mean[:, 0] = np.sqrt(mean[:, 0])
            found[span][design] = mean
            print(f"{span:g} JOD, {design}: done", file=sys.stderr, flush=True)
    print(table(found))
    if chosen.figure is not None:
        chosen.figure.write_text(figure(found), encoding="utf-8")


if __name__ == "__main__":
    main()
