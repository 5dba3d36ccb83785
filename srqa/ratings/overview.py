"""What is in a table of answers, before anything is modelled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from srqa.errors import SrqaError
from srqa.ratings.analysis.choices import settle_method
from srqa.ratings.analysis.chosen import side_share
from srqa.ratings.analysis.document import described
from srqa.ratings.analysis.rated import Reliability, measure_agreement
from srqa.ratings.answers import Answers, shortened
from srqa.ratings.checks import remarks
from srqa.ratings.comparisons import groups_of, winning_groups_of


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """A table of answers at a glance.

    Attributes:
        study: its name.
        method: that the answers seem to be of; '' where ratings and choices stand in one table.
        counts: as `srqa.ratings.analysis.document.described` gives them.
        filled: share of the cells of stimuli by observers that hold a rating; NaN for choices.
        flags: word to answers that carry it.
        median_ms: of the response times; NaN without any.
        left_share: of the decided choices; NaN without any.
        groups: sets of pictures that no comparison links.
        reliability: of the ratings; None for choices.
        problems: what should be looked at.
    """

    study: str
    method: str
    counts: dict[str, Any]
    filled: float
    flags: dict[str, int]
    median_ms: float
    left_share: float
    groups: int
    reliability: Reliability | None
    problems: tuple[str, ...]


def overview(answers: Answers, seed: int = 0) -> Overview:
    """Count what is there, measure agreement, and list what should be looked at.

    Args:
        answers: as they came.
        seed: of split halves.
    """
    rated = answers.is_rating
    problems = list(answers.notes)
    method = ""
    try:
        method = settle_method(answers, "auto")[0]
    except SrqaError as error:
        problems.append(f"{error} {error.hint}".strip())
    filled, reliability = math.nan, None
    if rated.any():
        ratings = answers.ratings()
        cells = ratings.stimulus.astype(np.int64) * len(ratings.observers) + ratings.observer
        filled = len(np.unique(cells)) / (len(ratings.observers) * len(ratings.stimuli))
        problems += remarks(ratings)
        reliability = measure_agreement(ratings, seed)
        problems += reliability.notes
    left, groups = math.nan, 0
    if not rated.all():
        comparisons = answers.comparisons()
        left = side_share(comparisons)
        found = groups_of(comparisons)
        groups = int(found.max()) + 1
        winning = winning_groups_of(comparisons)
        unanimous = [g for g in range(groups) if len(np.unique(winning[found == g])) > 1]
        if unanimous:
            problems.append(
                "Some pictures won or lost every comparison with the others, so that only a prior "
                "keeps them on the scale."
            )
        alone = np.bincount(comparisons.observer, minlength=len(comparisons.observers)) == 1
        if alone.any():
            names = [comparisons.observers[i] for i in np.flatnonzero(alone)]
            problems.append(f"One answer only, by {shortened(names)}.")
    times = answers.response_ms[np.isfinite(answers.response_ms)]
    return Overview(
        study=answers.study,
        method=method,
        counts=described(answers),
        filled=filled,
        flags=_flags(answers),
        median_ms=float(np.median(times)) if len(times) else math.nan,
        left_share=left,
        groups=groups,
        reliability=reliability,
        problems=tuple(dict.fromkeys(problems)),
    )


def _flags(answers: Answers) -> dict[str, int]:
    words = sorted({word for text in answers.flag_sets for word in text.split(";") if word})
    return {word: int(answers.has_flag(word).sum()) for word in words}
