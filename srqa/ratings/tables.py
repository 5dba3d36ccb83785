"""Answers from and to tidy tables (CSV, Parquet, pandas), checked row by row."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.files import replacing
from srqa.ratings.answers import (
    NONE,
    Answers,
    Codes,
    Floats,
    RatingScale,
    check_one_scale,
    check_values,
    infer_scale,
    shortened,
)
from srqa.ratings.facts import FACTS, FACTS_OF_PAIRS, stimuli_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "study", "dataset", "content", "scale", "method", "stimulus", "reference", "observer",
    "session", "repetition", "order", "value", "left", "right", "choice", "response_ms", "flags",
)  # fmt: skip
"""Of the table `answers`. Needed are `observer` and either `stimulus`, `value` or `left`, `right`,
`choice`; without `stimulus`, its name is made of dataset, content, scale and method. In a row with
a choice, dataset, content, scale and reference are those of both pictures."""
CHOICES = {"left": 1, "tie": 0, "right": -1}
_NUMBERS = ("scale", "repetition", "order", "value", "response_ms")


def load(
    path: Path | str,
    rating_scale: RatingScale | None = None,
    study: str | None = None,
    known: Collection[str] | None = None,
) -> Answers:
    """Read the table `answers` from .csv, .tsv or .parquet.

    Args:
        path: the file.
        rating_scale: what values were possible; the narrowest standard scale without.
        study: which one to take, where the table holds several.
        known: names of all stimuli that may occur; others are refused.

    Raises:
        InputError: the file is missing, unreadable, or a row is wrong; the sentence says which.
    """
    path = Path(path)
    try:
        return from_frame(_read(path), rating_scale, study, known)
    except InputError as error:
        if str(path) in str(error):
            raise
        raise InputError(f"{path}: {error}", hint=error.hint) from error


def save(answers: Answers, path: Path | str) -> Path:
    """Write the table `answers` as .csv, .tsv or .parquet, whole or not at all.

    Raises:
        UsageError: another suffix.
        OutputError: it cannot be written.
    """
    path = Path(path)
    frame = to_frame(answers)
    if path.suffix not in (".csv", ".tsv", ".parquet"):
        raise _suffix_error(path)
    with replacing(path) as temporary:
        if path.suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def from_frame(
    frame: pd.DataFrame,
    rating_scale: RatingScale | None = None,
    study: str | None = None,
    known: Collection[str] | None = None,
) -> Answers:
    """Answers from a pandas frame with the columns `COLUMNS`.

    Args:
        frame: a row an answer. Missing columns are taken as empty.
        rating_scale, study, known: as for `load`.

    Raises:
        InputError: no rows, a row that is neither a rating nor a choice, a text where a number
            belongs, a value off the scale, the same answer twice, or facts of a stimulus that
            contradict each other.

    Example:
        >>> import pandas as pd
        >>> rows = {"observer": ["ann", "bob"], "stimulus": ["a.png"] * 2, "value": [4, 5]}
        >>> from_frame(pd.DataFrame(rows)).observers
        ('ann', 'bob')
    """
    notes = []
    extra = [str(column) for column in frame.columns if column not in COLUMNS]
    if extra:
        notes.append(f"Columns that the table of answers does not have: {shortened(extra)}.")
    _need_columns(frame)
    frame = _one_study(frame, study)
    table = {c: _texts(frame, c) for c in COLUMNS if c not in _NUMBERS}
    numbers = {c: _numbers(frame, c) for c in _NUMBERS}
    is_choice = table["choice"] != ""
    _check_kinds(table, numbers, is_choice)
    stimuli, coded = stimuli_of(frame, table, numbers["scale"], is_choice, known)
    observer, observers = _factorize(table["observer"])
    session, sessions = _factorize(table["session"])
    flags, flag_sets = _factorize(table["flags"])
    choice = np.array([CHOICES.get(text, 0) for text in table["choice"].str.lower()], np.int8)
    value = numbers["value"]
    answers = Answers(
        study=str(table["study"].iloc[0]),
        rating_scale=rating_scale or _scale_of(value),
        stimuli=stimuli,
        observers=observers,
        sessions=sessions,
        flag_sets=flag_sets,
        observer=observer,
        stimulus=coded[0],
        value=value,
        left=coded[1],
        right=coded[2],
        choice=choice,
        session=session,
        repetition=_whole(numbers["repetition"], "repetition", 0),
        order=_whole(numbers["order"], "order", NONE),
        response_ms=numbers["response_ms"],
        flags=flags,
        notes=tuple(notes),
    )
    check_values(answers)
    if rating_scale is None:
        check_one_scale(answers)
    _check_duplicates(answers)
    return answers


def to_frame(answers: Answers) -> pd.DataFrame:
    """A pandas frame with all `COLUMNS`, a row an answer; what is missing is empty or NaN."""
    import pandas as pd

    def names(codes: Codes) -> Any:
        listed = np.array([*answers.names, ""], dtype=object)
        return listed[codes]

    judged = np.where(answers.is_rating, answers.stimulus, NONE)
    columns: dict[str, Any] = {"study": answers.study}
    for fact in FACTS:
        missing = math.nan if fact == "scale" else ""
        listed = [getattr(s, fact) for s in answers.stimuli] + [missing]
        kind = np.float64 if fact == "scale" else object
        facts = np.array([missing if item is None else item for item in listed], dtype=kind)
        columns[fact] = facts[judged]
        if fact in FACTS_OF_PAIRS:
            both = ~answers.is_rating & (facts[answers.left] == facts[answers.right])
            columns[fact][both] = facts[answers.left[both]]
    columns["reference"] = _with_common_references(answers, columns["reference"])
    words = np.array(["right", "tie", "left"], dtype=object)
    columns |= {
        "stimulus": names(judged),
        "observer": np.array(answers.observers, dtype=object)[answers.observer],
        "session": np.array(answers.sessions, dtype=object)[answers.session],
        "repetition": answers.repetition,
        "order": pd.array(np.where(answers.order < 0, 0, answers.order), dtype="Int64"),
        "value": answers.value,
        "left": names(answers.left),
        "right": names(answers.right),
        "choice": np.where(answers.is_rating, "", words[answers.choice + 1]),
        "response_ms": answers.response_ms,
        "flags": np.array(answers.flag_sets, dtype=object)[answers.flags],
    }
    frame = pd.DataFrame(columns)[list(COLUMNS)]
    frame.loc[answers.order < 0, "order"] = pd.NA
    texts = [c for c in COLUMNS if c not in _NUMBERS]
    return frame.astype(dict.fromkeys(texts, "str"))


def _with_common_references(answers: Answers, column: Any) -> Any:
    """References of the rated stimuli, and in choices the one that both pictures have."""
    own = np.array([s.reference or s.name for s in answers.stimuli] + [""], dtype=object)
    has = np.array([bool(s.reference) for s in answers.stimuli] + [False])
    left, right = answers.left, answers.right
    common = ~answers.is_rating & (own[left] == own[right]) & (has[left] | has[right])
    return np.where(common, own[left], column)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if path.suffix not in (".csv", ".tsv", ".parquet"):
        raise _suffix_error(path)
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(
            path,
            sep="\t" if path.suffix == ".tsv" else ",",
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise InputError(f"{path} cannot be read as a table: {reason}.") from error


def _suffix_error(path: Path) -> UsageError:
    return UsageError(
        f"{path} should end in .csv, .tsv or .parquet.",
        hint="Other formats are converted by `srqa ratings convert`.",
    )


def _need_columns(frame: pd.DataFrame) -> None:
    if not len(frame):
        raise InputError("The table holds no answers.")
    have = set(frame.columns)
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(f"The column {repeated[0]!r} stands twice in the table.")
    rates = "value" in have and have & {"stimulus", "content", "method"}
    if "observer" not in have or not (rates or {"left", "right", "choice"} <= have):
        raise InputError(
            f"The table has the columns {shortened([str(c) for c in frame.columns], 20)}, but "
            "`observer` and either `stimulus` and `value` or `left`, `right` and `choice` are "
            "needed.",
            hint="A table of stimuli by observers is read with the format `wide`.",
        )


def _one_study(frame: pd.DataFrame, study: str | None) -> pd.DataFrame:
    if "study" not in frame:
        if study is not None:
            raise InputError(f"The table holds no study {study!r}: it has no column `study`.")
        return frame
    studies = [str(name) for name in frame["study"].fillna("").unique()]
    if study is None and len(studies) > 1:
        raise InputError(
            f"The table holds {len(studies)} studies: {shortened(studies)}.",
            hint="Name the one to analyse.",
        )
    if study is not None and study not in studies:
        raise InputError(f"The table holds no study {study!r}, only {shortened(studies)}.")
    return frame if study is None else frame[frame["study"].fillna("") == study]


def _texts(frame: pd.DataFrame, column: str) -> pd.Series[str]:
    import pandas as pd

    if column not in frame:
        return pd.Series("", index=frame.index, dtype="str")
    return frame[column].astype("str").fillna("").str.strip()


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    import pandas as pd

    if column not in frame:
        return np.full(len(frame), math.nan)
    raw = frame[column]
    if column == "scale" and not pd.api.types.is_numeric_dtype(raw):
        raw = raw.astype("str").str.strip().str.lower().str.removeprefix("x")
    values = pd.to_numeric(raw, errors="coerce").to_numpy(np.float64, na_value=math.nan)
    blank = raw.isna() | raw.astype("str").str.strip().isin(["", "nan", "NaN"])
    wrong = np.flatnonzero((np.isnan(values) & ~blank) | np.isinf(values))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{str(raw.iloc[row])!r} in column {column} is not a finite number (row {row + 1}; "
            f"{len(wrong)} such rows)."
        )
    return values


def _check_kinds(
    table: dict[str, pd.Series[str]], numbers: dict[str, Floats], is_choice: pd.Series[bool]
) -> None:
    chosen = is_choice.to_numpy()
    value = numbers["value"]
    lowered = table["choice"].str.lower()
    unpaired = ((table["left"] == "") | (table["right"] == "")).to_numpy()
    problems = (
        ((table["observer"] == "").to_numpy(), "names no observer"),
        (chosen & ~lowered.isin(list(CHOICES)).to_numpy(), f"chooses none of {', '.join(CHOICES)}"),
        (chosen & ~np.isnan(value), "has both a value and a choice"),
        (chosen & unpaired, "has a choice but not both pictures"),
        (chosen & (table["left"] == table["right"]).to_numpy() & ~unpaired
         & ~table["flags"].str.contains("bias").to_numpy(), "compares a picture with itself"),
        (~chosen & np.isnan(value), "has neither a value nor a choice"),
    )  # fmt: skip
    for wrong, what in problems:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"Row {row + 1} {what} ({int(wrong.sum())} such rows).",
                hint="Correct or take out such rows; nothing is left out silently.",
            )


def _factorize(column: pd.Series[str]) -> tuple[Codes, tuple[str, ...]]:
    import pandas as pd

    codes, names = pd.factorize(column)
    return codes.astype(np.int32), tuple(str(n) for n in names)


def _whole(values: Floats, column: str, missing: int) -> Codes:
    given = ~np.isnan(values)
    wrong = np.flatnonzero(given & ((values < 0) | (values != np.rint(values))))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{values[row]:g} in column {column} is not a whole number from 0 on (row {row + 1})."
        )
    return np.where(given, values, missing).astype(np.int32)


def _scale_of(values: Floats) -> RatingScale:
    given = values[~np.isnan(values)]
    return infer_scale(given) if len(given) else RatingScale(math.nan, math.nan)


def _check_duplicates(answers: Answers) -> None:
    import pandas as pd

    keys = ("observer", "stimulus", "left", "right", "session", "repetition")
    frame = pd.DataFrame({key: getattr(answers, key) for key in keys})
    repeated = np.flatnonzero(frame.duplicated())
    if len(repeated):
        row = int(repeated[0])
        code = int(answers.stimulus[row])
        what = (
            answers.stimuli[code].name
            if code != NONE
            else f"{answers.names[answers.left[row]]} and {answers.names[answers.right[row]]}"
        )
        raise InputError(
            f"{answers.observers[answers.observer[row]]} answered twice about {what} "
            f"(row {row + 1}; {len(repeated)} such rows).",
            hint="Number intended repetitions in a column `repetition`; take out copied rows.",
        )
