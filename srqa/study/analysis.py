"""The analysis of a study's answers, as its definition wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from srqa.errors import InputError
from srqa.ratings.analysis import Analysis, analyze
from srqa.ratings.answers import Answers
from srqa.ratings.reliability import TestRetest, retest
from srqa.study.answers import Collected, collect, numbered
from srqa.study.definition import Definition
from srqa.study.methods import METHODS
from srqa.study.study import Study

Progress = Callable[[str, int, int], None]


def analyze_study(
    study: Study, progress: Progress | None = None, collected: Collected | None = None
) -> Analysis:
    """Analyse the answers at hand by the study's settings.

    Answers to repeated trials serve the check `repeats` and `retest_of`; scores rest on the first
    answers only, so that no observer's opinion of a stimulus counts twice.

    Args:
        study: the study.
        progress: as for `srqa.ratings.analyze`.
        collected: answers that were read already.

    Raises:
        InputError: there are no answers, or not enough for what is wanted.
    """
    return analyze_collected(
        study.definition, collected or collect(study, numbered(study)), progress
    )


def analyze_collected(
    definition: Definition, collected: Collected, progress: Progress | None = None
) -> Analysis:
    """Analyse answers by a definition alone, as `analyze_study` does."""
    given = definition.analysis
    answers, notes = collected.answers, []
    screen = []
    for text in given.screening:
        name = text.partition(":")[0]
        if name == "gold" and not collected.gold:
            notes.append("The check gold was left out: no control question was answered yet.")
        elif name == "trap" and not _has_traps(definition, collected):
            notes.append("The check trap was left out: no trap was answered yet.")
        else:
            screen.append(text)
    again = answers.has_flag("repeat")
    if again.any() and not any(text.startswith("repeats") for text in screen):
        answers = answers.select(~again)
        notes.append(f"{int(again.sum())} answers to repeated trials do not enter the scores.")
    if METHODS[definition.method].analysis == "acr":  # references are not among what is judged
        answers = replace(
            answers, stimuli=tuple(replace(one, reference="") for one in answers.stimuli)
        )
    answers = replace(answers, notes=(*answers.notes, *notes))
    paired = definition.is_paired
    return analyze(
        answers,
        METHODS[definition.method].analysis,
        recover="auto" if paired else given.recover,
        screen=screen,
        gold=dict(collected.gold) or None,
        trap=dict(collected.trap) or None,
        interval=given.ci,
        alpha=given.alpha,
        correction=given.correction,
        progress=progress,
    )


def retest_of(study: Study, collected: Collected | None = None) -> TestRetest | None:
    """How well participants agree with themselves on repeated trials; None without any."""
    if study.definition.is_paired:
        return None
    answers: Answers = (collected or collect(study, numbered(study))).answers
    opinions = ~(answers.has_flag("gold") | answers.has_flag("trap") | answers.has_flag("training"))
    if not (answers.has_flag("repeat") & opinions).any():
        return None
    try:
        return retest(answers.select(opinions))
    except InputError:
        return None


def _has_traps(definition: Definition, collected: Collected) -> bool:
    if definition.is_paired:
        return bool(np.any(collected.answers.has_flag("trap")))
    return bool(collected.trap)
