"""Studies that the tests of results analyse: ratings and choices of methods on contents."""

from dataclasses import replace

import numpy as np
import pandas as pd

from srqa.ratings.answers import Stimulus
from srqa.ratings.simulation import Population, simulate

METHODS = {"hat": 1.1, "swinir": 0.9, "edsr": 0.3, "bicubic": -1.6}


def rated_study(observers=10, votes=None, contents=6, seed=1, methods=METHODS):
    """Ratings from 1 to 5 of methods on contents."""
    rng = np.random.default_rng(seed)
    stimuli = tuple(
        Stimulus(f"{c}/{m}.png", content=f"c{c:02}", method=m, scale=4.0, dataset="Set14")
        for m in methods
        for c in range(contents)
    )
    quality = np.array([3 + 0.7 * methods[s.method] for s in stimuli])
    quality += np.tile(np.linspace(-0.4, 0.4, contents), len(methods))
    made = simulate(quality, observers, votes, Population(), rng)
    return replace(made, stimuli=tuple(stimuli[int(s.name) - 1] for s in made.stimuli))


def pairs_frame(observers=12, contents=4, seed=2, methods=METHODS, ties=True):
    """Choices between methods on contents, some of them ties, with a liking for the left."""
    rng = np.random.default_rng(seed)
    names, quality = list(methods), list(methods.values())
    rows = []
    for observer in range(observers):
        for content in range(contents):
            for i in range(len(names)):
                for j in range(i + 1, len(names)):
                    a, b = (i, j) if rng.random() < 0.5 else (j, i)
                    gap = quality[a] - quality[b] + 0.15 + rng.normal(0, 1.4826)
                    choice = "left" if gap > 0 else "right"
                    if ties and abs(gap) < 0.25:
                        choice = "tie"
                    place = f"c{content}"
                    rows.append((f"p{observer:02}", place, f"{place}/{names[a]}",
                                 f"{place}/{names[b]}", choice))  # fmt: skip
    return pd.DataFrame(rows, columns=["observer", "content", "left", "right", "choice"])
