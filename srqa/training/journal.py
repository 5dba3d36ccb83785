"""A training's log: one JSON object a line, which dashboards and people read while it grows.

A record has `step` (how many are done), `loss` (each term's mean since the record before, by name,
and `total`), `rate`, `seconds` (of training so far), and where the network was looked at
`validation` (a metric's mean by name). The first record is that of bicubic interpolation, with
`step` 0 and `method` "bicubic".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srqa.errors import InputError
from srqa.files import explain, write_text

NAME = "log.jsonl"
Record = dict[str, Any]


def read(path: Path) -> list[Record]:
    """The records of a log; a last line that is not whole yet is left out.

    Args:
        path: the log, or the folder that holds it.

    Raises:
        InputError: it cannot be read, or is no log.
    """
    file = path / NAME if path.is_dir() else path
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    try:
        records = [json.loads(line) for line in lines[:-1]]
    except ValueError as error:
        raise InputError(f"{file} is no log of a training.") from error
    if not all(isinstance(one, dict) and "step" in one for one in records):
        raise InputError(f"{file} is no log of a training.")
    return records


def write(folder: Path, record: Record) -> None:
    """Add a record.

    Raises:
        OutputError: it cannot be written.
    """
    file = folder / NAME
    try:
        with file.open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")
    except OSError as error:
        raise explain(error, file) from error


def rewind(folder: Path, step: int) -> None:
    """Forget what comes after a step, which will be done again.

    Raises:
        OutputError: it cannot be written.
    """
    if (folder / NAME).exists():
        kept = [json.dumps(one) + "\n" for one in read(folder) if one["step"] <= step]
        write_text(folder / NAME, "".join(kept))
