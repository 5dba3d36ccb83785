"""What a reader should know about a table of answers before any model: gaps, islands, odd rows."""

from __future__ import annotations

import numpy as np

from srqa.errors import InputError
from srqa.ratings.answers import NONE, Answers, Codes, shortened


def remarks(answers: Answers) -> tuple[str, ...]:
    """Sentences about ratings that can be analysed but should make one look twice.

    Observers with one vote or with equal votes only, stimuli with one vote, references nobody
    rated, parts of the design that share no observer.

    Example:
        >>> import numpy as np
        >>> from srqa.ratings.answers import from_matrix
        >>> remarks(from_matrix(np.array([[3.0, 5.0], [3.0, np.nan]])))[0]
        'One vote only, so nothing can be told about the observer: 2.'
    """
    answers = answers.ratings()
    found = []
    by_observer, by_stimulus = answers.votes_per_observer, answers.votes_per_stimulus
    people, names = np.array(answers.observers, dtype=object), answers.names
    if (by_observer == 1).any():
        found.append(
            "One vote only, so nothing can be told about the observer: "
            f"{shortened(list(people[by_observer == 1]))}."
        )
    same = equal_votes(answers) & (by_observer > 1)
    if same.any():
        found.append(f"All votes are equal, by {shortened(list(people[same]))}.")
    if (by_stimulus == 1).any():
        alone = [names[j] for j in np.flatnonzero(by_stimulus == 1)]
        found.append(f"One vote only, for {shortened(alone)}.")
    missing = sorted({s.reference for s in answers.stimuli if s.reference} - set(names))
    if missing:
        found.append(f"Nobody rated the reference {shortened(missing)}.")
    if (parts := len(set(islands(answers)))) > 1:
        found.append(
            f"The design falls into {parts} parts that share no observer: stimuli of different "
            "parts are compared through different people only."
        )
    return tuple(found)


def equal_votes(answers: Answers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(observers,) whose ratings are all the same number."""
    people = len(answers.observers)
    low, high = np.full(people, np.inf), np.full(people, -np.inf)
    np.minimum.at(low, answers.observer, answers.value)
    np.maximum.at(high, answers.observer, answers.value)
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = low == high
    return found


def islands(answers: Answers) -> Codes:
    """(stimuli,) the part of the design that each belongs to; one part if all are connected."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size, people = len(answers.stimuli), len(answers.observers)
    rated = answers.stimulus != NONE
    edges = (answers.stimulus[rated], answers.observer[rated] + size)
    graph = coo_matrix((np.ones(int(rated.sum())), edges), shape=(size + people,) * 2)
    _, labels = connected_components(graph, directed=False)
    part: Codes = labels[:size].astype(np.int32)
    return part


def need_variety(answers: Answers) -> None:
    """Refuse ratings from which observers cannot be told apart.

    Raises:
        InputError: one observer, all votes equal, or (nearly) one vote an observer.
    """
    if len(answers.observers) < 2:
        raise InputError(
            f"All {len(answers)} ratings come from one observer, {answers.observers[0]}.",
            hint="Recovery compares observers; mean opinion scores need no more than one.",
        )
    if (answers.value == answers.value[0]).all():
        raise InputError(
            f"All {len(answers)} ratings are {answers.value[0]:g}: there is nothing to recover."
        )
    if len(answers) < 2 * len(answers.observers):
        raise InputError(
            f"{len(answers.observers)} observers gave {len(answers)} ratings, less than two each, "
            "so their bias cannot be told from the stimuli's quality.",
            hint="Use mean opinion scores.",
        )
    if len(answers) <= len(answers.observers) + len(answers.stimuli):
        raise InputError(
            f"{len(answers)} ratings are too few for {len(answers.stimuli)} stimuli and "
            f"{len(answers.observers)} observers.",
            hint="Use mean opinion scores.",
        )
