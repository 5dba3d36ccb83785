"""Scores with the observers' habits taken out: one door to all models, and how to choose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from srqa.errors import UsageError
from srqa.ratings.answers import Answers, Floats
from srqa.ratings.scores import Scores, mos

if TYPE_CHECKING:
    import pandas as pd

Model = Literal["regularised", "p910", "p910-ap", "p913", "p913-iterated", "zrec"]


@dataclass(frozen=True, slots=True, eq=False)
class Observers:
    """The table `observers`: a row an observer.

    Attributes:
        names: of the observers.
        n: (n,) votes.
        bias: (n,) how much higher than the panel an observer rates.
        bias_low, bias_high: (n,) 95 % interval; NaN where the model gives none.
        inconsistency: (n,) standard deviation of an observer's votes about their expectation.
        inconsistency_low, inconsistency_high: (n,) 95 % interval; NaN where there is none.
    """

    names: tuple[str, ...]
    n: Floats
    bias: Floats
    bias_low: Floats
    bias_high: Floats
    inconsistency: Floats
    inconsistency_low: Floats
    inconsistency_high: Floats

    def to_frame(self) -> pd.DataFrame:
        """As pandas."""
        import pandas as pd

        columns = {"observer": list(self.names), "n": self.n.astype("int64")}
        for name in ("bias", "inconsistency"):
            columns |= {f"{name}{end}": getattr(self, name + end) for end in ("", "_low", "_high")}
        return pd.DataFrame(columns)


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a model describes the votes; criteria are per vote, smaller is better.

    Attributes:
        model: its name.
        log_likelihood: mean over the votes.
        parameters: how many were fitted; for the regularised model the effective number.
        naic, nbic: Akaike's and the Bayesian information criterion, divided by the votes.
    """

    model: str
    log_likelihood: float
    parameters: float
    naic: float
    nbic: float


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """What a model makes of the ratings.

    Attributes:
        scores: of the stimuli, with intervals; `scores.notes` holds warnings.
        observers: bias and inconsistency.
        fit: information criteria; None for ZREC, which is no likelihood model.
        iterations: until it settled.
    """

    scores: Scores
    observers: Observers
    fit: Fit | None
    iterations: int


def recover(answers: Answers, model: Model = "regularised") -> Recovery:
    """Scores, biases and inconsistencies by one of the models.

    Args:
        answers: ratings; choices are left aside.
        model: "regularised" is ours, for full and partial designs: the only one here whose
            intervals hold the score of the *population* of observers (docs/ratings.md).
            "p910": alternating projection of P.910, intervals as its demo prints them;
            "p910-ap": the same with the intervals of the observers' weights. "p913": bias
            removal; "p913-iterated": the same by least squares, for partial designs. "zrec".

    Raises:
        InputError: no ratings, or too few to tell observers apart.
        UsageError: an unknown model.

    Example:
        >>> import numpy as np
        >>> from srqa.ratings.answers import from_matrix
        >>> rng = np.random.default_rng(1)
        >>> votes = np.clip(np.rint(rng.normal(3, 1, (9, 1)) + rng.normal(0, 0.6, (9, 12))), 1, 5)
        >>> recover(from_matrix(votes)).scores.mos.shape
        (9,)
    """
    from srqa.ratings.p910 import p910
    from srqa.ratings.p913 import p913
    from srqa.ratings.regularised import regularised
    from srqa.ratings.zrec import zrec

    match model:
        case "regularised":
            return regularised(answers)
        case "p910":
            return p910(answers)
        case "p910-ap":
            return p910(answers, interval="ap")
        case "p913":
            return p913(answers)
        case "p913-iterated":
            return p913(answers, iterate=True)
        case "zrec":
            return zrec(answers)
    raise UsageError(
        f"There is no model {model!r}.", hint=f"Known are {', '.join(get_args(Model))}."
    )


def compare_models(
    answers: Answers, models: Sequence[Model] = ("p913", "p910", "regularised")
) -> list[Fit]:
    """Mean opinion scores and models by their normalised BIC, the best first.

    NBIC says which model describes the votes; whether the intervals hold is another question
    (docs/ratings.md).

    Raises:
        InputError: as `recover`.

    Reference:
        Li, Bampis, Krasula, Janowski, Katsavounidis, A simple model for subject behavior in
        subjective experiments, HVEI 2020; k as in sureal.
    """
    fits = [mos_fit(answers), *(recover(answers, model).fit for model in models)]
    return sorted((fit for fit in fits if fit is not None), key=lambda fit: fit.nbic)


def mos_fit(answers: Answers) -> Fit:
    """The criteria of plain mean opinion scores: a mean and a variance for each stimulus."""
    answers = answers.ratings()
    return spread_fit("mos", answers, mos(answers), 2 * len(answers.stimuli))


def spread_fit(model: str, answers: Answers, scores: Scores, parameters: float) -> Fit:
    """The criteria of a model in which each stimulus has a mean and a variance of its own.

    Stimuli with one vote or equal votes have no density; they are left out of the mean, as in
    sureal.
    """
    expected, sd = scores.mos[answers.stimulus], scores.sd[answers.stimulus]
    with np.errstate(invalid="ignore", divide="ignore"):
        log_density = -0.5 * ((answers.value - expected) / sd) ** 2 - np.log(sd)
    total = float(log_density[np.isfinite(sd) & (sd > 0)].sum())
    count = len(answers)
    constant = 0.5 * math.log(2 * math.pi) * float((np.isfinite(sd) & (sd > 0)).mean())
    return criteria(model, total / count - constant, parameters, count)


def observer_fit(
    model: str, residual: Floats, inconsistency: Floats, answers: Answers, parameters: float
) -> Fit:
    """The criteria of a model in which each observer has a variance of their own."""
    sd = inconsistency[answers.observer]
    with np.errstate(invalid="ignore", divide="ignore"):
        log_density = -0.5 * (residual / sd) ** 2 - np.log(sd)
    mean = float(log_density.mean()) - 0.5 * math.log(2 * math.pi)
    return criteria(model, mean, parameters, len(answers))


def criteria(model: str, log_likelihood: float, parameters: float, votes: int) -> Fit:
    """AIC and BIC divided by the votes."""
    share = parameters / votes
    return Fit(
        model,
        log_likelihood,
        parameters,
        2 * share - 2 * log_likelihood,
        math.log(votes) * share - 2 * log_likelihood,
    )


def with_notes(recovery: Recovery, notes: Sequence[str]) -> Recovery:
    """The same with more warnings."""
    scores = replace(recovery.scores, notes=(*recovery.scores.notes, *notes))
    return replace(recovery, scores=scores)
