"""A study of the pictures on which metrics disagree: people say which metric is right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.correlation.disagreement import Disagreement, disagreements, table
from srqa.correlation.metrics import MetricScores, load_metrics
from srqa.errors import InputError, OutputError, SrqaError, UsageError
from srqa.files import explain, make_folder, replacing, write_text
from srqa.images.read import read
from srqa.images.write import write
from srqa.ratings.answers import Answers
from srqa.statistics.intervals import bootstrap_intervals

if TYPE_CHECKING:
    import pandas as pd

KEY = "disagreements.csv"
"""Which pair of pictures is about which metrics."""
FIRST, SECOND = "first", "second"
"""What stands for methods in the study: what the one metric prefers, and what the other."""
_STUDY = """\
# Which metric is right? Pairs of pictures that two metrics rank the other way round most clearly.
# `first` is what the metric `by` of {key} prefers, `second` what `against` prefers.
version: 1
title:
  en: Which picture looks better?
method: pair
stimuli: {{root: stimuli, pattern: "{{method}}/{{content}}.png"}}
pairs: {{design: full, within: content}}
session: {{trials: {trials}, break_every: 25, repeats: {repeats}}}
display: {{exact_pixels: prefer}}
"""


def find(run: Path | str, metrics: Sequence[str] | None, most: int) -> tuple[MetricScores, Any]:
    """Picture pairs of one content on which a Run's metrics disagree most.

    Returns:
        The scores, complete cases only, and the disagreements by their rows.

    Raises:
        InputError: no content has two outputs with finite scores.
        UsageError: fewer than two metrics, or one that the Run lacks or of unknown direction.
    """
    from dataclasses import replace

    scores = load_metrics(run, metrics)
    if len(scores.metrics) < 2:
        raise UsageError("Two metrics are needed to disagree.", hint="Name them with -m.")
    unknown = next((m.name for m in scores.metrics if not m.sign), None)
    if unknown:
        raise UsageError(f"Nobody knows whether higher {unknown} is better.",
                         hint="Leave it out with -m.")  # fmt: skip
    names = [m.name for m in scores.metrics]
    values = scores.frame[names].to_numpy(np.float64)
    complete = np.isfinite(values).all(axis=1) & (scores.frame["content"] != "").to_numpy()
    frame = scores.frame[complete].reset_index(drop=True)
    if not len(frame):
        raise InputError("No picture has a finite value of each metric.")
    import pandas as pd

    keys = pd.MultiIndex.from_frame(frame[["dataset", "content", "scale"]].fillna({"scale": -1.0}))
    contents = pd.factorize(keys)[0].astype(np.int64)
    signs = np.array([m.sign for m in scores.metrics], dtype=np.float64)
    found = disagreements(names, values[complete] * signs, contents, most=most)
    if not found:
        raise InputError("These metrics never rank two outputs of one content differently.")
    return replace(scores, frame=frame), found


def make_study(
    scores: MetricScores,
    found: Sequence[Disagreement],
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Write a study of the pairs: ``study.yaml``, pictures, ``scores.csv`` and `KEY`.

    Args:
        scores, found: of `find`.
        folder: is made; it must not hold a study.
        progress: called with (pairs done, all).

    Returns:
        The table `KEY`.

    Raises:
        InputError: a picture cannot be read any more.
        OutputError: a study is there already, or cannot be written.
    """
    import pandas as pd

    folder = Path(folder)
    if (folder / "study.yaml").exists():
        raise OutputError(f"{folder} holds a study already.", hint="Choose another --out.")
    make_folder(folder)
    rows: list[dict[str, Any]] = []
    key = table(found, scores.frame)
    key.insert(0, "pair", [_name(i, one) for i, one in enumerate(found, 1)])
    for done, (pair, one) in enumerate(zip(key["pair"], found, strict=True)):
        if progress:
            progress(done, len(found))
        for place, row in ((FIRST, one.first), (SECOND, one.second)):
            picture = scores.frame.iloc[row]
            path, _ = scores.files.get(("output", picture["stimulus"]), ("", ""))
            if not path:
                raise InputError(f"The Run does not say where {picture['stimulus']} lies.")
            target = folder / "stimuli" / place / f"{pair}.png"
            make_folder(target.parent)
            try:
                write(target, read(Path(path)).pixels)
            except OSError as error:
                raise explain(error, target) from error
            except SrqaError as error:
                raise InputError(f"{error}", hint="The pictures of the Run are needed.") from error
            rows.append({"image": f"{place}/{pair}.png", "content": pair, "method": place}
                        | {m.name: picture[m.name] for m in scores.metrics})  # fmt: skip
    if progress:
        progress(len(found), len(found))
    for name, frame in ((KEY, key), ("scores.csv", pd.DataFrame(rows))):
        with replacing(folder / name) as temporary:
            frame.to_csv(temporary, index=False)
    trials = min(len(found), 60)
    text = _STUDY.format(key=KEY, trials=trials, repeats=min(3, trials // 4))
    write_text(folder / "study.yaml", text)
    return key


def _name(number: int, one: Disagreement) -> str:
    safe = [name.replace(":", "-").replace("/", "-") for name in (one.by, one.against)]
    return f"{number:03d}-{safe[0]}-vs-{safe[1]}"


def judge(folder: Path, answers: Answers, level: float = 0.95) -> pd.DataFrame:
    """Who was right, by the choices of people.

    Args:
        folder: of `make_study`.
        answers: of the study.
        level: of the intervals, which draw picture pairs again.

    Returns:
        A row a pair of metrics: by, against, pairs, choices, share (of choices for what `by`
        prefers, ties half, each picture pair alike), ci_low, ci_high (NaN below 5 pairs), right
        (the metric whose interval lies on its side of a half, or '').

    Raises:
        InputError: the folder or the answers are of something else.
    """
    import pandas as pd

    from srqa.correlation.humans import read_table

    key = read_table(folder / KEY)
    if not {"pair", "by", "against"} <= set(key.columns):
        raise InputError(f"{folder / KEY} is not the key of such a study.")
    chosen = ~answers.is_rating
    names = np.array([_stem(name) for name in answers.names], dtype=object)
    votes: dict[str, list[float]] = {}
    for left, right, choice in zip(
        names[answers.left[chosen]], names[answers.right[chosen]], answers.choice[chosen],
        strict=True,
    ):  # fmt: skip
        (place, pair), (other, same) = left, right
        if pair != same or {place, other} != {FIRST, SECOND}:
            continue
        votes.setdefault(pair, []).append(
            0.5 if choice == 0 else float((choice > 0) == (place == FIRST))
        )
    rows = []
    for (by, against), part in key.groupby(["by", "against"], sort=False):
        own = [votes[p] for p in part["pair"] if p in votes]
        shares = np.array([np.mean(v) for v in own])
        low, high = (
            map(float, bootstrap_intervals(shares[:, None], level)[0])
            if len(shares)
            else (math.nan, math.nan)
        )
        right = by if low > 0.5 else against if high < 0.5 else ""
        rows.append({"by": by, "against": against, "pairs": len(own),
                     "choices": sum(map(len, own)),
                     "share": float(shares.mean()) if len(shares) else math.nan,
                     "ci_low": low, "ci_high": high, "right": right})  # fmt: skip
    if not any(row["choices"] for row in rows):
        raise InputError(f"None of the answers is about a pair of {folder / KEY}.")
    return pd.DataFrame(rows)


def _stem(name: str) -> tuple[str, str]:
    parts = name.replace("\\", "/").removesuffix(".png").split("/")
    return (parts[-2] if len(parts) > 1 else "", parts[-1])
