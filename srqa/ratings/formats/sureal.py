"""sureal's datasets: Python files of plain assignments, parsed and never executed.

`ref_videos` and `dis_videos` are lists of dictionaries. A distorted video's `os` holds its opinion
scores: a list in the order of the observers, or a dictionary by observer; a list in the place of a
score holds repetitions. In sets of choices the dictionary's keys are (observer, asset_id of the
other video): 1 says that this video was chosen.
"""

from __future__ import annotations

import ast
import math
import pprint
from pathlib import Path
from typing import Any

import numpy as np

from srqa.errors import InputError
from srqa.files import write_text
from srqa.ratings.answers import Answers
from srqa.ratings.tables import from_frame


def read(path: Path) -> Answers:
    """Read a dataset of opinion scores or of choices.

    Raises:
        InputError: the file is no plain data, or what it holds is no sureal dataset.
    """
    import pandas as pd

    values = literals(path)
    videos = values.get("dis_videos")
    if not isinstance(videos, list) or not isinstance(values.get("ref_videos"), list):
        raise InputError(
            f"{path} has no lists ref_videos and dis_videos, so it is no sureal dataset."
        )
    references = _references(path, values["ref_videos"])
    try:
        names = {video["asset_id"]: _name(video) for video in videos}
        if len(set(names.values())) < len(names):
            names = {video["asset_id"]: f"{_name(video)}#{video['asset_id']}" for video in videos}
        rows = [row for video in videos for row in _rows(video, names, references)]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: a video is not as sureal keeps it ({error!r}).") from error
    frame = pd.DataFrame(_without_twins(rows))
    frame["study"] = str(values.get("dataset_name", ""))
    try:
        return from_frame(frame)
    except InputError as error:
        raise InputError(f"{path}: {error}", hint=error.hint) from error


def literals(path: Path) -> dict[str, Any]:
    """The assignments of a Python file: literals, names assigned before, and sums of texts.

    Raises:
        InputError: the file cannot be read or does more than assign plain data.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as a Python dataset: {error}.") from error
    found: dict[str, Any] = {}
    for number, statement in enumerate(tree.body):
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if text:
            continue
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise InputError(
                f"Line {statement.lineno} of {path} is more than an assignment of plain data.",
                hint="Datasets are read, never executed. Convert it with sureal, or edit it.",
            )
        try:
            found[statement.targets[0].id] = _value(statement.value, found)
        except ValueError as error:
            raise InputError(
                f"{path}, statement {number + 1} (line {statement.lineno}): {error}.",
                hint="Datasets are read, never executed. Convert it with sureal, or edit it.",
            ) from error
    return found


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            items = [_value(item, known) for item in node.elts]
            return items if isinstance(node, ast.List) else tuple(items)
        case ast.Dict():
            if any(key is None for key in node.keys):
                raise ValueError("a dictionary is unpacked into another")
            keys = [_value(key, known) for key in node.keys if key is not None]
            return dict(zip(keys, (_value(v, known) for v in node.values), strict=True))
        case ast.Name(id="nan"):
            return math.nan
        case ast.Name() if node.id in known:
            return known[node.id]
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand, known)
        case ast.BinOp(op=ast.Add()):
            left, right = _value(node.left, known), _value(node.right, known)
            if isinstance(left, str) and isinstance(right, str):
                return left + right
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str())]):
            if node.args[0].value.lower() == "nan":  # type: ignore[attr-defined]
                return math.nan
    raise ValueError(f"line {node.lineno} holds more than plain data")


def _references(path: Path, videos: list[Any]) -> dict[Any, tuple[str, str]]:
    """Content id to the content's name and the reference's path."""
    try:
        return {
            video["content_id"]: (
                str(video.get("content_name", video["content_id"])),
                str(video.get("path", "")),
            )
            for video in videos
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: a reference is not as sureal keeps it ({error!r}).") from error


def _name(video: dict[str, Any]) -> str:
    return str(video.get("path") or video["asset_id"])


def _rows(
    video: dict[str, Any], names: dict[Any, str], references: dict[Any, tuple[str, str]]
) -> list[dict[str, Any]]:
    """Answers about one video."""
    content, reference = references[video["content_id"]]
    name, scores = names[video["asset_id"]], video["os"]
    if not isinstance(scores, dict):
        scores = {str(i + 1): score for i, score in enumerate(scores)}
    rows: list[dict[str, Any]] = []
    for who, score in scores.items():
        for repetition, value in enumerate(score if isinstance(score, list | tuple) else [score]):
            if value is None or math.isnan(value):
                continue
            row: dict[str, Any] = {"content": content, "repetition": repetition, "order": ""}
            if isinstance(who, tuple):
                if value not in (0, 0.5, 1):
                    raise ValueError(f"choice {value}")
                other = names[who[1]]
                choice = {1: "left", 0.5: "tie", 0: "right"}[value]
                row |= {"observer": str(who[0]), "left": name, "right": other, "choice": choice}
            else:
                same = reference if reference and reference != name else ""
                row |= {"observer": str(who), "stimulus": name, "value": value, "reference": same}
            rows.append(row)
    return rows


def _without_twins(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A choice may be told from both videos' side; one of the two is kept."""
    opposite = {"left": "right", "right": "left", "tie": "tie"}
    told: set[tuple[Any, ...]] = set()
    kept = []
    for row in rows:
        if "choice" in row:
            key = (row["observer"], row["repetition"])
            twin = (*key, row["right"], row["left"], opposite[row["choice"]])
            if twin in told:
                continue
            told.add((*key, row["left"], row["right"], row["choice"]))
        kept.append(row)
    return kept


def write(answers: Answers, path: Path) -> Path:
    """Write ratings as a sureal dataset, scores by observer.

    Stimuli of one content share a reference; where the answers name none, the content stands for
    it. What sureal wants to know of videos (format, size) is set to nothing in particular.

    Raises:
        InputError: there are no ratings.
        OutputError: it cannot be written.
    """
    answers = answers.ratings()
    contents = list(dict.fromkeys(s.content or s.reference or s.name for s in answers.stimuli))
    paths = {c: c for c in contents}
    for s in answers.stimuli:
        if s.reference:
            paths[s.content or s.reference] = s.reference
    scores: list[dict[str, list[float]]] = [{} for _ in answers.stimuli]
    for row in np.lexsort((answers.repetition, answers.session)):
        own = scores[answers.stimulus[row]]
        own.setdefault(answers.observers[answers.observer[row]], []).append(
            float(answers.value[row])
        )
    references = [
        {"content_id": i, "content_name": c, "path": paths[c]} for i, c in enumerate(contents)
    ]
    videos = [
        {
            "asset_id": j,
            "content_id": contents.index(s.content or s.reference or s.name),
            "os": {who: v[0] if len(v) == 1 else v for who, v in scores[j].items()},
            "path": s.name,
        }
        for j, s in enumerate(answers.stimuli)
    ]
    facts = {
        "dataset_name": answers.study or path.stem,
        "yuv_fmt": "notyuv",
        "width": 0,
        "height": 0,
        "ref_score": answers.rating_scale.high,
        "ref_videos": references,
        "dis_videos": videos,
    }
    lines = [f"{key} = {pprint.pformat(value, sort_dicts=False)}\n" for key, value in facts.items()]
    write_text(path, "\n".join(lines))
    return path
