"""`python -m benchmarks.sampling`: votes needed for the same error, by design of the pairs.

Simulated observers follow Thurstone's case V. Random pairs, full passes over all pairs, and active
sampling with and without random pairs for checking are scaled the same way. Prints the table of
docs/ratings-pairs.md and, with --figure, draws its figure.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srqa.ratings.choice_models import JOD_PER_UNIT
from srqa.ratings.comparisons import Comparisons
from srqa.ratings.paired import scale_pairs
from srqa.ratings.sampling import RANDOM_SHARE, next_pairs

ITEMS = 16
RANGES = (3.0, 10.0)
PASSES = (1, 2, 3, 5, 8, 12)
DESIGNS = ("full", "random", "active", "active, 15 % random")
COLOURS = ("#555555", "#b8860b", "#0b6e99", "#7a3e9d")
Pairs = list[tuple[int, int]]


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

    def error(self) -> float:
        """Root mean square error of the scale, in JOD."""
        found = scale_pairs(self.comparisons(), side_bias=False).jod
        return float(np.sqrt(np.mean((found - self.values) ** 2)))


def rounds(design: str, study: Study, seed: int) -> Iterator[Pairs]:
    """Batches of pairs, as a design asks them; each is answered before the next is chosen."""
    n = len(study.values)
    every = [(a, b) for a in range(n) for b in range(a + 1, n)]
    rng, names, turn = np.random.default_rng(seed), [str(k) for k in range(n)], 0
    share = RANDOM_SHARE if "%" in design else 0.0
    while True:
        if design == "full":
            order = rng.permutation(len(every))
            for start in range(0, len(every), n - 1):
                yield [every[k] for k in order[start : start + n - 1]]
        elif design == "random":
            yield [every[k] for k in rng.integers(0, len(every), n - 1)]
        else:
            so_far = study.comparisons() if study.left else None
            chosen = next_pairs(names, n - 1, so_far, random_share=share, seed=seed + turn)
            yield [(int(pair.left), int(pair.right)) for pair in chosen]
        turn += 1


def curve(design: str, span: float, seed: int) -> list[float]:
    """Errors after 1, 2, ... batches, up to the last of `PASSES`."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-span / 2, span / 2, ITEMS)
    study = Study(values - values.mean(), rng, [], [], [])
    most = max(PASSES) * ITEMS // 2
    errors = []
    for batch, pairs in enumerate(rounds(design, study, seed), start=1):
        study.ask(pairs)
        errors.append(study.error())
        if batch == most:
            return errors
    raise AssertionError


def votes_for(errors: np.ndarray, goal: float) -> float:
    """Votes after which the mean error first falls to the goal; NaN if never."""
    below = np.flatnonzero(errors <= goal)
    if not len(below):
        return float("nan")
    k = int(below[0])
    if k == 0:
        return float(ITEMS - 1)
    part = (errors[k - 1] - goal) / (errors[k - 1] - errors[k])
    return float((ITEMS - 1) * (k + part))


def table(found: dict[float, dict[str, np.ndarray]]) -> str:
    """Markdown: votes that each design needs for the error of K full passes."""
    lines = [
        "| range of the items | error (JOD) | " + " | ".join(DESIGNS) + " | saved by active |",
        "|---|---|" + "---|" * (len(DESIGNS) + 1),
    ]
    for span, curves in found.items():
        for passes in (1, 2, 3, 5, 8):
            goal = float(curves["full"][passes * ITEMS // 2 - 1])
            votes = [votes_for(curves[design], goal) for design in DESIGNS]
            saved = 1 - votes[DESIGNS.index("active")] / votes[0]
            cells = " | ".join(f"{v:.0f}" if v == v else "more" for v in votes)
            lines.append(f"| {span:g} JOD | {goal:.2f} | {cells} | {100 * saved:.0f} % |")
    return "\n".join(lines)


def figure(found: dict[float, dict[str, np.ndarray]]) -> str:
    """Error against votes, one panel a range, as SVG."""
    width, height, left, top = 380, 260, 52, 30
    parts = []
    for panel, (span, curves) in enumerate(found.items()):
        x0, votes = left + panel * (width + left + 10), (ITEMS - 1) * np.arange(1, 1 + len(curves["full"]))
        high = max(float(c[2]) for c in curves.values())
        low = min(float(c.min()) for c in curves.values()) * 0.95
        parts.append(f'<text x="{x0}" y="{top - 10}">{ITEMS} items over {span:g} JOD</text>')
        parts.append(
            f'<rect x="{x0}" y="{top}" width="{width}" height="{height}" fill="none" '
            'stroke="#999"/>'
        )
        def at(vote: float, error: float, x0: int = x0, high: float = high, low: float = low,
               votes: np.ndarray = votes) -> tuple[float, float]:  # fmt: skip
            x = x0 + width * (np.log(vote) - np.log(votes[2])) / np.log(votes[-1] / votes[2])
            y = top + height * (np.log(high) - np.log(error)) / np.log(high / low)
            return float(x), float(y)
        for tick in (50, 100, 200, 500, 1000):
            x, _ = at(tick, high)
            parts.append(f'<text x="{x:.0f}" y="{top + height + 15}" text-anchor="middle">{tick}</text>')
            parts.append(f'<path d="M{x:.1f} {top}v{height}" stroke="#eee"/>')
        for tick in (0.2, 0.3, 0.5, 0.8, 1.2):
            if low < tick < high:
                _, y = at(votes[2], tick)
                parts.append(f'<text x="{x0 - 5}" y="{y + 4:.0f}" text-anchor="end">{tick:g}</text>')
                parts.append(f'<path d="M{x0} {y:.1f}h{width}" stroke="#eee"/>')
        for design, colour in zip(DESIGNS, COLOURS, strict=True):
            points = " ".join(
                "{:.1f},{:.1f}".format(*at(v, e))
                for v, e in zip(votes[2:], curves[design][2:], strict=True)
            )
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for row, (design, colour) in enumerate(zip(DESIGNS, COLOURS, strict=True)):
            y = top + 18 + 16 * row
            parts.append(f'<path d="M{x0 + width - 150} {y - 4}h18" stroke="{colour}" stroke-width="3"/>')
            parts.append(f'<text x="{x0 + width - 126}" y="{y}">{design}</text>')
        middle = x0 + width / 2
        parts.append(f'<text x="{middle:.0f}" y="{top + height + 34}" text-anchor="middle">votes</text>')
    parts.append(f'<text transform="translate(14 {top + height / 2:.0f}) rotate(-90)" text-anchor="middle">error (JOD)</text>')
    whole = left + len(found) * (width + left + 10)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {top + height + 45}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="Error of the scale '
        'against votes, by design"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(parts)
        + "</svg>\n"
    )


def main() -> None:
    """Simulate, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--figure", type=Path)
    chosen = parser.parse_args()
    found: dict[float, dict[str, np.ndarray]] = {}
    for span in RANGES:
        found[span] = {}
        for design in DESIGNS:
            errors = [curve(design, span, seed) for seed in range(chosen.replicates)]
            found[span][design] = np.sqrt(np.mean(np.square(errors), axis=0))
            print(f"{span:g} JOD, {design}: done", flush=True)
    print(table(found))
    if chosen.figure is not None:
        chosen.figure.write_text(figure(found), encoding="utf-8")


if __name__ == "__main__":
    main()
