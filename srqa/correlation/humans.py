"""Human scores as a table: of a ratings folder, a CSV, raw answers, or Python's own."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import InputError
from srqa.ratings.analysis import Analysis
from srqa.ratings.answers import Answers

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("dataset", "content", "scale", "method")
SCORES = {"mos": "MOS", "dmos": "DMOS", "cmos": "CMOS", "jod": "JOD", "score": "score",
          "value": "score"}  # fmt: skip
"""Columns that hold human scores, and the unit each tells."""
_NAMES = ("stimulus", "image", "name", "file", "filename", "path")
_NORMAL = 1.959964


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest correlation that a metric can honestly reach with these scores.

    Attributes:
        value: a correlation.
        how: where it comes from, as a part of a sentence.
    """

    value: float
    how: str


@dataclass(frozen=True, slots=True, eq=False)
class HumanScores:
    """What people said, a row a picture.

    Attributes:
        frame: columns dataset, content, scale, method, stimulus, score, error (standard error of
            the score, NaN where unknown), half (half the 95 % interval), votes, group.
        unit: MOS, DMOS, CMOS, JOD or score.
        higher_is_better: of the scores.
        ceiling: None where nothing is known of the votes.
        preferences: choices between two pictures, columns left, right (names), n_left, n_tie,
            n_right; None for ratings.
        model: how the scores were made, or ''.
        source: what they were read from.
        notes: sentences that a reader must know.
    """

    frame: pd.DataFrame
    unit: str
    higher_is_better: bool
    ceiling: Ceiling | None
    preferences: pd.DataFrame | None
    model: str
    source: str
    notes: tuple[str, ...] = ()


def load_humans(source: Any, score: str = "") -> HumanScores:
    """Read human scores.

    Args:
        source: a folder of `srqa ratings analyze --out`; a table of scores (.csv, .tsv, .parquet)
            with a row a picture; a table of answers, which is analysed with the defaults of
            `srqa.ratings.analyze`; or a pandas frame, `Answers` or an `Analysis`.
        score: the column with the scores; found by its name without.

    Raises:
        InputError: it is none of these, or the scores are not numbers.
    """
    import pandas as pd

    if isinstance(source, HumanScores):
        return source
    if isinstance(source, Analysis):
        return _of_analysis(source, "an analysis")
    if isinstance(source, Answers):
        from srqa.ratings.analysis import analyze

        return _of_analysis(analyze(source), "answers")
    if isinstance(source, pd.DataFrame):
        return _of_frame(source, score, "a table")
    path = Path(source)
    if path.is_dir():
        return _of_folder(path, score)
    frame = read_table(path)
    if "observer" in frame.columns:
        from srqa.ratings.analysis import analyze
        from srqa.ratings.formats import read

        return _of_analysis(analyze(read(path)), path.name)
    return _of_frame(frame, score, path.name)


def read_table(path: Path) -> pd.DataFrame:
    """A table from .csv, .tsv or .parquet; texts stay as they are written.

    Raises:
        InputError: it is missing, unreadable or empty.
    """
    import pandas as pd

    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if path.suffix.lower() not in (".csv", ".tsv", ".txt", ".parquet"):
        raise InputError(f"{path} is not a table.", hint="Tables end in .csv, .tsv or .parquet.")
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        else:
            separator = "," if path.suffix.lower() == ".csv" else "\t"
            texts = dict.fromkeys([*KEYS[:2], "method", *_NAMES], "str")
            frame = pd.read_csv(path, sep=separator, encoding="utf-8-sig", dtype=texts,
                                keep_default_na=True, na_values=["n/a"])  # fmt: skip
    except Exception as error:  # pandas and pyarrow raise many kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(f"{path} cannot be read as a table: {reason}.") from error
    if not len(frame):
        raise InputError(f"{path} holds no rows.")
    return frame


def keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """The key columns and the picture's name, in one form: texts in NFC, the scale a number."""
    import pandas as pd

    from srqa.images.names import nfc

    columns: dict[str, Any] = {}
    for key in (*KEYS, "stimulus"):
        name = key if key in frame.columns else ""
        if key == "stimulus":
            name = next((n for n in _NAMES if n in frame.columns), "")
        if key == "scale":
            raw = frame[name] if name else pd.Series(math.nan, index=frame.index)
            if not pd.api.types.is_numeric_dtype(raw):
                raw = raw.astype("str").str.strip().str.lower().str.removeprefix("x")
            columns[key] = pd.to_numeric(raw, errors="coerce").astype("float64")
            continue
        raw = frame[name] if name else pd.Series("", index=frame.index)
        columns[key] = (
            raw.astype("object").where(raw.notna(), "").astype("str").str.strip().map(nfc)
        )
    return pd.DataFrame(columns).reset_index(drop=True)


def numbers(column: pd.Series[Any], name: str, where: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column as numbers; "inf" is one.

    Raises:
        InputError: a text is no number.
    """
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=math.nan)
    blank = column.isna() | column.astype("str").str.strip().str.lower().isin(["", "nan", "none"])
    wrong = np.flatnonzero(np.isnan(values) & ~blank.to_numpy())
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{str(column.iloc[row])!r} in column {name} of {where} is no number (row {row + 1}; "
            f"{len(wrong)} such rows)."
        )
    return values


def _of_folder(path: Path, score: str) -> HumanScores:
    for name in ("mos", "jod"):
        for suffix in ("parquet", "csv"):
            table = path / f"{name}.{suffix}"
            if table.is_file():
                made = _of_frame(read_table(table), score or name, f"{path.name}/{table.name}")
                return _with_record(made, path)
    raise InputError(
        f"{path} holds no human scores: neither mos.parquet nor jod.parquet.",
        hint="`srqa ratings analyze ANSWERS --out FOLDER` makes such a folder.",
    )


def _with_record(made: HumanScores, folder: Path) -> HumanScores:
    """With what analysis.json says: the unit, the direction, the noise ceiling."""
    path = folder / "analysis.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        rated = record.get("ratings") or {}
        split = (rated.get("reliability") or {}).get("split_half") or {}
        unit = str(record.get("unit") or made.unit)
        notes = tuple(str(note) for note in record.get("notes", ()))
    except FileNotFoundError:
        return made
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} cannot be read as the record of an analysis: {error}.") from error
    ceiling = made.ceiling
    if split.get("ceiling"):
        ceiling = Ceiling(float(split["ceiling"]), "from halves of the panel, by Spearman-Brown")
    better = bool(rated.get("higher_is_better", made.higher_is_better))
    return replace(made, unit=unit, higher_is_better=better, ceiling=ceiling,
                   notes=(*made.notes, *notes))  # fmt: skip


def _of_frame(frame: pd.DataFrame, score: str, source: str) -> HumanScores:
    lowered = {str(column).strip().lower(): str(column) for column in frame.columns}
    column = score if score in frame.columns else ""
    if score and not column:
        raise InputError(
            f"{source} has no column {score!r}.",
            hint=f"It has {', '.join(map(str, frame.columns))}.",
        )
    column = column or next((lowered[name] for name in SCORES if name in lowered), "")
    if not column:
        raise InputError(
            f"{source} has no column with human scores.",
            hint=f"Call it one of {', '.join(SCORES)}, or say --score NAME. It has "
            f"{', '.join(map(str, frame.columns))}.",
        )
    table = keyed(frame.rename(columns={c: k for k, c in lowered.items() if k in (*KEYS, *_NAMES)}))
    table["score"] = numbers(frame[column], column, source)

    def optional(*names: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        name = next((lowered[n] for n in names if n in lowered), "")
        if not name or name == column:
            return np.full(len(frame), math.nan)
        return numbers(frame[name], name, source)

    votes = optional("n", "votes", "n_votes")
    error = optional("se", "sem", "standard_error")
    half = (optional("ci_high") - optional("ci_low")) / 2
    given = optional("ci95", "ci", "half_interval")
    half = np.where(np.isfinite(half), half, given)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_votes = optional("sd", "std") / np.sqrt(votes)
    error = np.where(np.isfinite(error), error, by_votes)
    error = np.where(np.isfinite(error), error, half / _NORMAL)
    table["error"], table["votes"] = error, votes
    table["half"] = np.where(np.isfinite(half), half, _NORMAL * error)
    table["group"] = optional("group")
    unit = SCORES.get(column.lower(), column)
    model = str(frame[lowered["model"]].iloc[0]) if "model" in lowered else ""
    return _checked(HumanScores(table, unit, True, None, None, model, source))


def _checked(made: HumanScores) -> HumanScores:
    frame, notes = made.frame, list(made.notes)
    wrong = ~np.isfinite(frame["score"].to_numpy())
    if wrong.all():
        raise InputError(f"{made.source} holds no finite human score.")
    if wrong.any():
        notes.append(f"{int(wrong.sum())} pictures without a finite human score were left out.")
        frame = frame[~wrong].reset_index(drop=True)
    groups = frame["group"].dropna().nunique()
    if groups > 1:
        notes.append(
            f"The {made.unit} scores have {groups} zeros of their own, which no comparison links: "
            "figures over all pictures mix them; trust those within contents."
        )
    return replace(made, frame=frame, notes=tuple(notes), ceiling=made.ceiling or _by_errors(frame))


def _by_errors(frame: pd.DataFrame) -> Ceiling | None:
    """``sqrt(1 - mean error variance / variance of the scores)``, by classical test theory."""
    error, score = frame["error"].to_numpy(), frame["score"].to_numpy()
    known = np.isfinite(error)
    if known.sum() < 10 or not np.var(score[known]) > 0 or not (error[known] > 0).any():
        return None
    reliable = 1 - float(np.mean(error[known] ** 2)) / float(np.var(score[known], ddof=1))
    if not reliable > 0:
        return None
    return Ceiling(math.sqrt(reliable), "from the intervals of the scores")


def _of_analysis(found: Analysis, source: str) -> HumanScores:
    from srqa.ratings.analysis.tables import tables

    made = tables(found)
    if found.rated is not None:
        human = _of_frame(made["mos"], "mos", source)
        split = found.rated.reliability.split_half
        ceiling = human.ceiling
        if split is not None and split.ceiling > 0:
            ceiling = Ceiling(split.ceiling, "from halves of the panel, by Spearman-Brown")
        return replace(human, unit=found.unit, ceiling=ceiling, notes=(*human.notes, *found.notes),
                       higher_is_better=found.rated.higher_is_better)  # fmt: skip
    human = _of_frame(made["jod"], "jod", source)
    counts = made["pairs"].rename(
        columns={"first": "left", "second": "right", "n_first": "n_left", "n_second": "n_right"}
    )
    wanted: Sequence[str] = ["left", "right", "n_left", "n_tie", "n_right"]
    return replace(human, unit=found.unit, preferences=counts[list(wanted)],
                   notes=(*human.notes, *found.notes))  # fmt: skip
