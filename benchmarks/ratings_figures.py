"""The figures of docs/ratings.md, simulated: ``python -m benchmarks.ratings_figures``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from srqa.ratings import Stimulus, analyze
from srqa.ratings.simulation import Population, simulate
from srqa.report.ratings import checks, scores
from srqa.report.ratings.style import drawing

FOLDER = Path(__file__).parents[1] / "docs" / "images"
QUALITY = {"HAT": 0.75, "SwinIR": 0.7, "EDSR": 0.2, "bicubic": -1.3}
CONTENTS, OBSERVERS = 8, 18


def main() -> None:
    rng = np.random.default_rng(5)
    stimuli = [
        Stimulus(f"{c}/{m}.png", content=f"picture {c + 1}", method=m)
        for m in QUALITY
        for c in range(CONTENTS)
    ]
    hard = np.tile(rng.normal(0, 0.4, CONTENTS), len(QUALITY))
    quality = 3 + np.array([QUALITY[s.method] for s in stimuli]) + hard
    answers = simulate(quality, OBSERVERS, None, Population(), rng)
    answers = replace(answers, stimuli=tuple(stimuli[int(s.name) - 1] for s in answers.stimuli))
    analysis = analyze(answers, recover="regularised")
    figures = {"standings": scores.standings_figure, "observers": checks.observers_figure}
    with drawing():
        for name, draw in figures.items():
            figure = draw(analysis)
            if figure is not None:
                figure.savefig(FOLDER / f"ratings-{name}.png", dpi=130)


if __name__ == "__main__":
    main()
