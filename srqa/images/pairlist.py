"""Lists of pairs that users give as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from srqa.errors import PairingError
from srqa.images.names import nfc

_COLUMNS = ("output", "reference")


@dataclass(frozen=True, slots=True)
class PairRow:
    """A line of a CSV of pairs; `extra` holds the other columns that are not empty."""

    line: int
    output: str
    reference: str
    extra: dict[str, str]


def read_pairs(file: Path) -> tuple[PairRow, ...]:
    """Read a CSV of pairs: columns `output` and `reference`, further ones as they are.

    Raises:
        PairingError: the file cannot be read, lacks a column or a value, or names an output twice;
            the message gives the line.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = tuple(_rows(file, csv.DictReader(stream, skipinitialspace=True)))
    except OSError as error:
        raise PairingError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise PairingError(
            f"{file} cannot be read: {error}.", "Store the list as CSV in UTF-8."
        ) from error
    if not rows:
        raise PairingError(f"{file} holds no pairs.", "Give a line for each output.")
    return rows


def _rows(file: Path, reader: csv.DictReader[str]) -> Iterator[PairRow]:
    columns = [column.strip() for column in reader.fieldnames or ()]
    for needed in _COLUMNS:
        if needed not in columns:
            raise PairingError(
                f"{file}, line 1, has no column '{needed}' among {', '.join(columns) or '-'}.",
                "The first line must read 'output,reference'.",
            )
    reader.fieldnames = columns
    lines: dict[str, int] = {}
    for record in reader:
        where = f"{file}, line {reader.line_num},"
        if None in record:
            raise PairingError(f"{where} has more values than columns.")
        cells = {k: nfc(v.strip()) for k, v in record.items() if v and v.strip()}
        output, reference = (cells.pop(column, "") for column in _COLUMNS)
        if not output or not reference:
            raise PairingError(f"{where} has no output or no reference.")
        if output in lines:
            raise PairingError(
                f"{where} names {output}, which stands already in line {lines[output]}."
            )
        lines[output] = reader.line_num
        yield PairRow(reader.line_num, output, reference, cells)
