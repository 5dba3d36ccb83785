"""How long `srqa.correlate` takes: python -m benchmarks.correlation [PICTURES] [METRICS]

23,000 pictures of 4,600 contents by five methods and 30 metrics; contents are left out, and drawn
again 1,000 times.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd

import srqa


def made(pictures: int, metrics: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings and scores of a quality that each metric sees less well than the last."""
    rng = np.random.default_rng(0)
    methods = 5
    contents = pictures // methods
    keys = [(f"c{i:06}", f"m{k}") for i in range(contents) for k in range(methods)]
    quality = (rng.normal(0, 0.6, (contents, 1)) + np.linspace(-1, 1, methods)).ravel()
    frame = pd.DataFrame(keys, columns=["content", "method"])
    ratings = frame.assign(mos=3 + quality + rng.normal(0, 0.2, len(quality)), sd=0.8, n=16)
    columns = {f"metric{j}": quality + rng.normal(0, 0.2 + 0.1 * j, len(quality))
               for j in range(metrics)}  # fmt: skip
    return ratings, pd.concat([frame, pd.DataFrame(columns)], axis=1)


def main(pictures: int = 23_000, metrics: int = 30) -> None:
    """Print wall and processor time of each step."""
    ratings, scores = made(pictures, metrics)
    names = list(scores.columns[2:])
    state = ["", time.perf_counter(), time.process_time()]
    began = state[1:]

    def progress(step: str, done: int, total: int) -> None:
        if step == state[0]:
            return
        now, busy = time.perf_counter(), time.process_time()
        if state[0]:
            print(f"{state[0]:<36}{now - state[1]:8.1f} s{busy - state[2]:8.1f} s of processor")
        state[:] = [step, now, busy]

    found = srqa.correlate(ratings, scores, higher_better=names, test="bootstrap",
                           progress=progress)  # fmt: skip
    progress("end", 0, 0)
    print(f"{len(found.data):,} pictures, {metrics} metrics: "
          f"{time.perf_counter() - began[0]:.1f} s, {time.process_time() - began[1]:.1f} s of "
          "processor")  # fmt: skip
    if found.table["metric"][0] != "metric0":
        raise SystemExit("the truest metric does not come first")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
