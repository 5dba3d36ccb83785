"""Reading `study.yaml`: every complaint names the file, the line and what would be right."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from srqa.errors import InputError, UsageError
from srqa.study.definition import Definition

FILE = "study.yaml"
SCHEMA = Path(__file__).with_name("study.schema.json")
_Place = tuple[str | int, ...]


class DefinitionError(UsageError):
    """A study's definition is wrong; each line of the message names a line of the file."""


def load_definition(path: Path | str) -> Definition:
    """Read and check a definition.

    Args:
        path: of a `study.yaml`, or of the folder that holds one.

    Raises:
        InputError: there is no such file, or it is no text.
        DefinitionError: something in it is wrong; every problem is told with its line.
    """
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise InputError(
            f"There is no study definition {path}.",
            hint="`srqa study init NAME --images outputs/` writes one.",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{path} cannot be read: {reason}.") from error
    return definition_of(text, str(path))


def definition_of(text: str, name: str = FILE) -> Definition:
    """A definition from the text of a `study.yaml`.

    Args:
        text: YAML.
        name: of the file, for messages.

    Raises:
        DefinitionError: as for `load_definition`.

    Example:
        >>> definition_of("version: 1\\ntitle: T\\nmethod: acr\\nstimuli: {root: out}").method
        'acr'
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or "it is no YAML"
        raise DefinitionError(f"{where}: {problem}.") from error
    if not isinstance(raw, dict) or root is None:
        raise DefinitionError(f"{name}: is empty or no list of settings.")
    lines: dict[_Place, int] = {}
    repeated: list[str] = []
    _lines(root, (), lines, repeated, name)
    if repeated:
        raise DefinitionError("\n".join(repeated))
    try:
        return Definition.model_validate(raw)
    except ValidationError as error:
        told = sorted({_sentence(one, lines, name) for one in error.errors()})
        raise DefinitionError(
            "\n".join(sentence for _, sentence in told),
            hint="`srqa study schema` prints all settings; editors check files by it.",
        ) from error


def schema() -> dict[str, Any]:
    """The JSON Schema of `study.yaml`."""
    made = Definition.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:srqa:study:1",
        **made,
    }


def schema_text() -> str:
    """The JSON Schema as the file `study.schema.json` holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def secret(text: str | None) -> str | None:
    """A setting whose value may stand in the environment (`env:NAME`).

    Raises:
        UsageError: the variable is not set.
    """
    if text is None or not text.startswith("env:"):
        return text
    name = text.removeprefix("env:")
    value = os.environ.get(name)
    if not value:
        raise UsageError(
            f"The definition takes a secret from the environment, but {name} is not set.",
            hint=f"export {name}=...",
        )
    return value


def _lines(
    node: yaml.Node, place: _Place, lines: dict[_Place, int], repeated: list[str], name: str
) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*place, str(key.value))
            if here in lines:
                repeated.append(
                    f"{name}:{key.start_mark.line + 1}: {key.value} stands here a second time "
                    f"(first in line {lines[here]})."
                )
            lines[here] = key.start_mark.line + 1
            _lines(value, here, lines, repeated, name)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _lines(item, (*place, number), lines, repeated, name)


def _sentence(error: Any, lines: dict[_Place, int], name: str) -> tuple[int, str]:
    place: _Place = tuple(error["loc"])
    kind, words = error["type"], str(error["msg"])
    if kind == "value_error":
        words = words.removeprefix("Value error, ")
        head, _, tail = words.partition(": ")
        if tail and " " not in head:
            place += tuple(int(p) if p.isdigit() else p for p in head.split("."))
            words = tail
    known = _known(place, lines)
    line = lines.get(known, 1)
    shown = (
        ".".join(str(part) for part in (place if kind in ("missing", "value_error") else known))
        or "it"
    )
    return line, f"{name}:{line}: {shown} {_words(kind, words, error, known)}."


def _words(kind: str, words: str, error: Any, place: _Place) -> str:
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), _fields(place[:-1]), n=1)
        return "is not known" + (f"; did you mean {near[0]}?".rstrip("?") if near else "")
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        return f"must be {error['ctx']['expected']}, not {error['input']!r}"
    words = words.replace("Input should be", "must be").replace("String should", "must")
    given = error["input"]
    shown = (
        f", not {given!r}" if isinstance(given, str | int | float) and len(str(given)) < 60 else ""
    )
    return (words[0].lower() + words[1:]).rstrip(".") + ("" if kind == "value_error" else shown)


def _known(place: _Place, lines: dict[_Place, int]) -> _Place:
    """The part of a place that the file has; names of alternatives are left out."""
    kept: _Place = ()
    for part in place:
        if (*kept, part) in lines:
            kept = (*kept, part)
    return kept


def _fields(place: Sequence[str | int]) -> list[str]:
    """Names of the settings at a place."""
    model: Any = Definition
    for part in place:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        model = (
            next((m for m in _models(field.annotation) if m is not None), None) if field else None
        )
        if model is None:
            return []
    return list(model.model_fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in getattr(annotation, "__args__", ()) for m in _models(inner)]
