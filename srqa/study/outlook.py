"""What a study will take and give, before anybody was asked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from srqa.errors import UsageError
from srqa.ratings.planning import votes_needed
from srqa.study.assignment import Past
from srqa.study.planning import make_plan, per_participant, units
from srqa.study.screens import minutes
from srqa.study.study import Study

SOS = 0.25
"""The scatter of opinions (see `srqa.ratings.scores.sos_fit`), on the careful side for pictures."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a study will take and give.

    Attributes:
        stimuli: that are judged.
        questions: stimuli, or pairs of them.
        trials_each: of a participant, with repeats, controls and training.
        tests_each: of these the questions that count.
        minutes: of a session.
        gap: other trials between two of one content, as far as an order is possible.
        participants: as the definition limits them.
        votes: a question, with all participants.
        half_width: of the 95 % interval with these votes, in the middle of the scale; of ratings.
        needed_votes, needed: a question, and participants, for the stop rule; of ratings.
        hours: of all participants together (of those needed, without a limit).
    """

    stimuli: int
    questions: int
    trials_each: int
    tests_each: int
    minutes: float
    gap: int
    participants: int | None
    votes: float | None
    half_width: float | None
    needed_votes: int | None
    needed: int | None
    hours: float | None


def outlook(study: Study, participants: int | None = None) -> Outlook:
    """What a study will take and give.

    Args:
        study: prepared.
        participants: instead of `participants.max`.
    """
    judged, hidden = units(study)
    counts = per_participant(study)
    number = participants or study.definition.participants.max
    made = make_plan(study, "outlook", Past(), ())
    tests = sum(trial.kind == "test" for trial in made.trials)
    share = tests / (len(judged) + len(hidden))
    votes = None if number is None else number * share
    width = needed_votes = needed = None
    if study.method.kind != "choice":
        scale = study.method.rating_scale(study.definition.scale.points)
        if votes is not None and votes >= 2:
            width = _half_width(votes, scale.high - scale.low)
        try:
            needed_votes = votes_needed(study.definition.stop.ci_half_width, SOS, scale=scale)
            needed_votes = max(needed_votes, study.definition.stop.min_votes)
            needed = math.ceil(needed_votes / share)
        except UsageError:
            pass
    each = minutes(study)
    whole = number or needed
    return Outlook(
        stimuli=sum(row["role"] == "test" for row in study.stimuli.values()),
        questions=len(judged),
        trials_each=sum(counts.values()),
        tests_each=tests,
        minutes=each,
        gap=made.gap,
        participants=number,
        votes=votes,
        half_width=width,
        needed_votes=needed_votes,
        needed=needed,
        hours=None if whole is None else whole * each / 60,
    )


def _half_width(votes: float, span: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, votes - 1)) * math.sqrt(SOS * span**2 / 4 / votes)
