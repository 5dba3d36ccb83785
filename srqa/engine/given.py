"""Numbers that the user has and srqa cannot compute, for instance the Ma scores in PI."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from srqa.errors import InputError
from srqa.images.layout import Item


def read_numbers(path: Path, column: str) -> dict[str, float]:
    """A number for each picture, from a CSV file with the columns ``image`` and `column`.

    Args:
        path: the file; a comma, semicolon or tab stands between cells.
        column: the number's name, in any case.

    Raises:
        InputError: the file cannot be read, lacks a column, or has a cell that is no number or
            a picture that comes twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text in UTF-8.") from error
    lines = text.splitlines()
    head = lines[0] if lines else ""
    delimiter = max(",;\t", key=head.count)
    names = [cell.strip().lower() for cell in next(csv.reader([head], delimiter=delimiter), [])]
    missing = [name for name in ("image", column) if name not in names]
    if missing:
        raise InputError(
            f"{path} has no column {missing[0]!r}.",
            hint=f"Its first line should be: image,{column}",
        )
    where, what = names.index("image"), names.index(column)
    numbers: dict[str, float] = {}
    for line, row in enumerate(csv.reader(lines[1:], delimiter=delimiter), 2):
        if not any(cell.strip() for cell in row):
            continue
        name = row[where].strip().replace("\\", "/") if where < len(row) else ""
        try:
            number = float(row[what])
        except (IndexError, ValueError):
            number = math.nan
        if not name or not math.isfinite(number):
            raise InputError(f"{path}, line {line}: there is no number for {name or 'a picture'}.")
        if name in numbers:
            raise InputError(f"{path}, line {line}: {name} comes twice.")
        numbers[name] = number
    return numbers


def match(numbers: Mapping[str, float], items: Iterable[Item]) -> dict[str, float]:
    """The numbers by `Item.name`.

    A picture is meant by its path as Runs give it (``method/dataset/name.png``), or by the end of
    this path, with or without the suffix, where only one output ends so.
    """
    names = [item.name for item in items]
    ends: dict[str, set[str]] = {}
    for name in names:
        parts = name.split("/")
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            ends.setdefault(end, set()).add(name)
            ends.setdefault(end.rpartition(".")[0] or end, set()).add(name)
    found: dict[str, float] = {}
    for name in names:
        if name in numbers:
            found[name] = numbers[name]
    for given, number in numbers.items():
        meant = ends.get(given, set())
        if len(meant) == 1:
            found.setdefault(next(iter(meant)), number)
    return found
