"""From the store to `srqa.ratings`: the answers of a study as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.engine import RowMapping

from srqa.errors import InputError
from srqa.ratings.answers import NONE, Answers, RatingScale, Stimulus
from srqa.study import tables as t
from srqa.study.store import COUNTED
from srqa.study.study import Study

_CHOICE = {"left": 1, "tie": 0, "right": -1}
_WORDS = {"gold": "gold", "trap": "trap", "training": "training", "repeat": "repeat"}


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """The answers of a study, and what its control questions expect.

    Attributes:
        answers: all of them, control questions and training flagged.
        gold, trap: names of control stimuli and the values that are right.
        participants: names of the observers to ids of the participants.
    """

    answers: Answers
    gold: Mapping[str, float]
    trap: Mapping[str, float]
    participants: Mapping[str, str]


def collect(
    study: Study,
    names: Mapping[str, str] | None = None,
    states: Sequence[str] = COUNTED,
    rows: Sequence[RowMapping] | None = None,
) -> Collected:
    """The answers of a study's participants.

    Args:
        study: the study.
        names: ids of participants to what they are called; their ids without.
        states: of participants whose answers are taken.
        rows: answers that `Store.answers` has read already.

    Raises:
        InputError: there is no answer yet.
    """
    rows = study.store.answers(states) if rows is None else rows
    if not rows:
        raise InputError(
            f"The study {study.name} has no answers yet.",
            hint=f"`srqa study serve {study.name}` collects them.",
        )
    table = _Table(study, {row["id"]: row for row in study.store.stimuli(retired=True)})
    flags = _flags(study)
    for row in rows:
        who = row["participant"]
        table.add(row, names[who] if names else who, flags.get(row["assignment"], ()))
    return table.collected(names)


def _flags(study: Study) -> dict[int, tuple[str, ...]]:
    """Checks that single answers failed, by assignment."""
    found: dict[int, tuple[str, ...]] = {}
    for row in study.store.rows(t.quality_flag):
        if row["assignment"] is not None and row["check"] == "fast":
            found[row["assignment"]] = (*found.get(row["assignment"], ()), "fast")
    return found


def numbered(study: Study) -> dict[str, str]:
    """Names that tell nothing of the participants, in the order of their random ids."""
    people = sorted(row["id"] for row in study.store.participants())
    digits = max(3, len(str(len(people))))
    return {who: f"o{k:0{digits}}" for k, who in enumerate(people, 1)}


class _Table:
    """Columns of `Answers` as they are filled."""

    def __init__(self, study: Study, stimuli: Mapping[int, RowMapping]) -> None:
        self.study, self.rows = study, stimuli
        self.stimuli: dict[str, Stimulus] = {}
        self.observers: dict[str, int] = {}
        self.people: dict[str, str] = {}
        self.flag_sets: dict[str, int] = {}
        self.sessions: dict[str, int] = {}
        self.columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        self.seen: Counter[tuple[Any, ...]] = Counter()
        self.gold: dict[str, float] = {}
        self.trap: dict[str, float] = {}
        self.codes: dict[str, int] = {}

    def add(self, row: RowMapping, observer: str, flags: Sequence[str]) -> None:
        """Add an answer."""
        shown = [row["first"]] + ([row["second"]] if row["second"] is not None else [])
        words = [word for word in (_WORDS.get(row["kind"]),) if word]
        paired = self.study.definition.is_paired
        if row["kind"] == "identical":
            words.append("bias")
        if paired and row["kind"] == "gold":
            words = ["trap"]
        if paired and row["kind"] == "trap":
            words = ["training", "instructed"]
        words += flags
        left = right = NONE
        if len(shown) == 2:
            sides = shown[::-1] if row["swapped"] else shown
            left, right = (self._stimulus(side) for side in sides)
        rated = NONE
        if not paired:
            rated = self._rated(row)
        about = (observer, rated, *sorted((left, right)))
        values = {
            "observer": self._number(self.observers, observer),
            "stimulus": rated,
            "value": np.nan if paired else float(row["value"]),
            "left": left,
            "right": right,
            "choice": _CHOICE[row["choice"]] if paired else 0,
            "session": self._number(self.sessions, str(row["session"])),
            "repetition": self.seen[about],
            "order": row["position"],
            "response_ms": row["response_ms"],
            "flags": self._number(self.flag_sets, ";".join(dict.fromkeys(words))),
        }
        self.people[observer] = row["participant"]
        self.seen[about] += 1
        for name, value in values.items():
            self.columns[name].append(value)

    def _rated(self, row: RowMapping) -> int:
        if row["kind"] == "trap":
            answer = float(row["payload"]["answer"])
            name = f"trap: answer {answer:g}"
            self.trap[name] = answer
            return self._add(name, Stimulus(name))
        expect = row["payload"].get("expect")
        if row["kind"] != "gold" or expect is None:
            return self._stimulus(row["first"])
        name, sign = f"gold: {self.rows[row['first']]['name']}", 1
        if self.study.definition.method == "ccr":
            name += " second" if row["swapped"] else " first"
            sign = 1 if row["swapped"] else -1
        self.gold[name] = sign * (expect[0] + expect[1]) / 2
        return self._add(name, Stimulus(name))

    def _stimulus(self, number: int) -> int:
        row = self.rows[number]
        name = row["name"]
        if name in self.codes:
            return self.codes[name]
        made = Stimulus(
            name, row["dataset"], row["content"], row["scale"], row["method"], row["reference"]
        )
        return self._add(name, made)

    def _add(self, name: str, stimulus: Stimulus) -> int:
        if name not in self.codes:
            self.codes[name] = len(self.stimuli)
            self.stimuli[name] = stimulus
        return self.codes[name]

    @staticmethod
    def _number(names: dict[str, int], name: str) -> int:
        return names.setdefault(name, len(names))

    def collected(self, names: Mapping[str, str] | None) -> Collected:
        """The whole table."""
        columns: Any = {
            name: np.array(values, dtype=_COLUMNS[name]) for name, values in self.columns.items()
        }
        answers = Answers(
            study=self.study.name,
            rating_scale=self._scale(),
            stimuli=tuple(self.stimuli.values()),
            observers=tuple(self.observers),
            sessions=tuple(self.sessions),
            flag_sets=tuple(self.flag_sets),
            **columns,
        )
        return Collected(answers, self.gold, self.trap, dict(self.people))

    def _scale(self) -> RatingScale:
        if self.study.definition.is_paired:
            return RatingScale(np.nan, np.nan)
        return self.study.method.rating_scale(self.study.definition.scale.points)


_COLUMNS: dict[str, Any] = {
    "observer": np.int32,
    "stimulus": np.int32,
    "value": np.float64,
    "left": np.int32,
    "right": np.int32,
    "choice": np.int8,
    "session": np.int32,
    "repetition": np.int32,
    "order": np.int32,
    "response_ms": np.float64,
    "flags": np.int32,
}
