"""Putting human scores and metric scores side by side, so that nothing goes wrong quietly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from srqa.correlation.humans import KEYS, HumanScores
from srqa.correlation.metrics import MetricScores
from srqa.errors import InputError, UsageError
from srqa.images.pattern import parse_layout
from srqa.ratings.answers import shortened

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Pictures that have human and metric scores.

    Attributes:
        frame: dataset, content, scale, method, stimulus (as the raters know it), image, reference,
            score, error, half, votes, and one column a metric.
        rule: how they were joined, as a part of a sentence.
        only_rated: names of rated pictures without metric scores.
        only_scored: names of pictures with metric scores that nobody rated.
        notes: sentences that a reader must know.
    """

    frame: pd.DataFrame
    rule: str
    only_rated: tuple[str, ...]
    only_scored: tuple[str, ...]
    notes: tuple[str, ...]


def join(humans: HumanScores, metrics: MetricScores, rule: str = "auto") -> Joined:
    """Join by a rule, and list what it leaves over.

    Args:
        humans: of `load_humans`.
        metrics: of `load_metrics`.
        rule: keys with commas between ("content,method" or with dataset and scale); "path", the
            picture's name with its folders but without its suffix; "stem", its last part alone; or
            a layout such as "{method}/{content}_x{scale}.png" by which the names that raters know
            are read. "auto" takes all keys that both sides have, else path, else stem.

    Raises:
        UsageError: the rule cannot be read, or asks for a key that one side lacks.
        InputError: no picture matches, or two rows of one side have the same key.
    """
    left, right = humans.frame, metrics.frame
    said = rule.strip()
    if said == "auto":
        return _automatic(humans, metrics)
    if said in ("path", "stem"):
        stems = (_stems(left, said), _stems(right, said))
        return _joined(humans, metrics, *stems, f"the {said} of their names")
    if "{" in said:
        read = _read_names(left, said)
        keys = [key for key in KEYS if key in read.columns and _filled(read, key)]
        _need(right, keys, metrics.source)
        filled = left.assign(**{key: read[key] for key in keys})
        words = f"{', '.join(keys)} as {said} reads the raters' names"
        return _by_keys(humans, metrics, filled, keys, words)
    keys = [key.strip() for key in said.split(",")]
    unknown = [key for key in keys if key not in KEYS]
    if unknown:
        raise UsageError(
            f"{rule!r} is no rule to join by.",
            hint=f"Give keys ({', '.join(KEYS)}) with commas, path, stem, or a layout such as "
            "'{method}/{content}.png'.",
        )
    _need(left, keys, humans.source)
    _need(right, keys, metrics.source)
    return _by_keys(humans, metrics, left, keys, ", ".join(keys))


def _automatic(humans: HumanScores, metrics: MetricScores) -> Joined:
    left, right = humans.frame, metrics.frame
    keys = [key for key in KEYS if _filled(left, key) and _filled(right, key)]
    if "content" in keys and ("method" in keys or not _several(left, right)):
        return _by_keys(humans, metrics, left, keys, ", ".join(keys))
    for how in ("path", "stem"):
        stems = _stems(left, how), _stems(right, how)
        if set(stems[0]) & set(stems[1]) - {""}:
            return _joined(humans, metrics, *stems, f"the {how} of their names")
    raise InputError(
        f"No rated picture is among the scored ones: {humans.source} has "
        f"{_examples(left)}, and {metrics.source} has {_examples(right)}.",
        hint="Give --join: keys that both have, path, stem, or a layout such as "
        "'{method}/{content}.png' that reads the raters' names.",
    )


def _several(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Whether a content stands more than once on a side, so that it is no key alone."""
    return bool(left["content"].duplicated().any() or right["content"].duplicated().any())


def _filled(frame: pd.DataFrame, key: str) -> bool:
    if key == "scale":
        return bool(frame[key].notna().all())
    return bool((frame[key] != "").all())


def _need(frame: pd.DataFrame, keys: Sequence[str], source: str) -> None:
    lacking = [key for key in keys if not _filled(frame, key)]
    if lacking:
        raise UsageError(
            f"{source} does not say the {lacking[0]} of every picture.",
            hint="Join by other keys, by path or stem, or by a layout that reads names.",
        )


def _by_keys(
    humans: HumanScores, metrics: MetricScores, left: pd.DataFrame, keys: Sequence[str], words: str
) -> Joined:
    from dataclasses import replace

    return _joined(replace(humans, frame=left), metrics, _keys(left, keys),
                     _keys(metrics.frame, keys), words)  # fmt: skip


def _keys(frame: pd.DataFrame, keys: Sequence[str]) -> list[Any]:
    return list(frame[list(keys)].itertuples(index=False, name=None))


def _stems(frame: pd.DataFrame, how: str) -> list[str]:
    found = []
    for name in frame["stimulus"]:
        path = PurePosixPath(str(name).replace("\\", "/"))
        stem = path.stem if path.suffix and not path.suffix[1:].isdigit() else path.name
        found.append(stem if how == "stem" else str(path.with_name(stem)) if name else "")
    return found


def _read_names(left: pd.DataFrame, layout: str) -> pd.DataFrame:
    import pandas as pd

    pattern = parse_layout(layout)
    rows, wrong = [], []
    for name in left["stimulus"]:
        text = str(name) if PurePosixPath(str(name)).suffix[1:].isalpha() else f"{name}.png"
        found = pattern.fullmatch(text.replace("\\", "/"))
        if found is None:
            wrong.append(str(name))
        rows.append(found.groupdict() if found else {})
    if wrong:
        raise InputError(
            f"The layout {layout!r} does not fit {len(wrong)} of {len(left)} names of rated "
            f"pictures: {shortened(wrong)}."
        )
    read = pd.DataFrame(rows, index=left.index)
    if "scale" in read:
        read["scale"] = read["scale"].astype("float64")
    return read.drop(columns=[c for c in read.columns if c not in KEYS])


def _joined(
    humans: HumanScores, metrics: MetricScores, left: list[Any], right: list[Any], words: str
) -> Joined:
    import pandas as pd

    _refuse_twice(left, humans.frame, humans.source, words)
    place = {key: i for i, key in enumerate(right)}
    matched = [(i, place[key]) for i, key in enumerate(left) if key in place and key != ""]
    if not matched:
        raise InputError(
            f"No rated picture is among the scored ones by {words}: {humans.source} has "
            f"{shortened([_text(k) for k in left], _NAMED)}, and {metrics.source} has "
            f"{shortened([_text(k) for k in right], _NAMED)}.",
            hint="Are these ratings of other pictures? Else say how to join with --join.",
        )
    met = {left[i] for i, _ in matched}
    _refuse_twice([k if k in met else None for k in right], metrics.frame, metrics.source, words)
    rows, columns = zip(*matched, strict=True)
    human = humans.frame.iloc[list(rows)].reset_index(drop=True)
    scored = metrics.frame.iloc[list(columns)].reset_index(drop=True)
    made: dict[str, Any] = {}
    for key in KEYS:
        own, other = human[key], scored[key]
        made[key] = (
            other.where(other.notna(), own) if key == "scale" else other.where(other != "", own)
        )
    made |= {"stimulus": human["stimulus"], "image": scored["stimulus"],
             "reference": scored["reference"]}  # fmt: skip
    made |= {name: human[name] for name in ("score", "error", "half", "votes")}
    made |= {metric.name: scored[metric.name] for metric in metrics.metrics}
    used = set(columns)
    rated = tuple(n for n, k in zip(names(humans.frame), left, strict=True) if k not in met)
    unrated = tuple(n for i, n in enumerate(names(metrics.frame)) if i not in used)
    notes = []
    if rated:
        notes.append(
            f"{len(rated)} of {len(left)} rated pictures have no metric scores and were left out: "
            f"{shortened(list(rated), _NAMED)}."
        )
    if unrated:
        notes.append(
            f"{len(unrated)} of {len(right)} scored pictures were not rated: "
            f"{shortened(list(unrated), _NAMED)}."
        )
    return Joined(pd.DataFrame(made), words, rated, unrated, tuple(notes))


def _refuse_twice(keys: Sequence[Any], frame: pd.DataFrame, source: str, words: str) -> None:
    seen: dict[Any, int] = {}
    for i, key in enumerate(keys):
        if key is None or key == "":
            continue
        if key in seen:
            first, second = _name(frame, seen[key]), _name(frame, i)
            raise InputError(
                f"Two rows of {source} are the same picture by {words}: {_text(key)} is both "
                f"{first} and {second} (rows {seen[key] + 1} and {i + 1}).",
                hint="Join by more keys (dataset, content, scale, method), or take one out.",
            )
        seen[key] = i


def _text(key: Any) -> str:
    if isinstance(key, tuple):
        return " ".join(f"x{p:g}" if isinstance(p, float) else str(p) for p in key)
    return str(key)


def names(frame: pd.DataFrame) -> list[str]:
    """What each picture is called: its own name, else method and content."""
    columns = (frame["stimulus"], frame["method"], frame["content"])
    return [str(n) or "/".join(filter(None, (m, c))) for n, m, c in zip(*columns, strict=True)]


def _name(frame: pd.DataFrame, i: int) -> str:
    return names(frame.iloc[i : i + 1])[0]


def _examples(frame: pd.DataFrame) -> str:
    return shortened(names(frame), _NAMED)
