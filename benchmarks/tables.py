"""Rows as Markdown, for the terminal and for docs/performance.md alike, and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.comparison import Comparison, Ratio, Row, ratio, reached

BEGIN, END = "<!-- bench: {} -->\n", "<!-- end of bench -->"


def table(comparison: Comparison, rows: Sequence[Row]) -> str:
    """One comparison: title, table, targets."""
    base = next((row for row in rows if row.name == comparison.base), rows[0])
    head = (
        "",
        f"for one {comparison.unit}",
        f"times {base.name}",
        "spread",
        "processor",
        "peak memory",
        "values",
    )
    cells = [_cells(row, base) for row in rows]
    told = [*(f"- {text}" for text in targets(comparison, rows))]
    lines = [
        f"**{comparison.title}**",
        "",
        _line(head),
        _line(["---"] + ["---:"] * (len(head) - 2) + ["---"]),
        *map(_line, cells),
    ]
    if comparison.note:
        lines += ["", comparison.note]
    if told:
        lines += ["", *told]
    return "\n".join(lines) + "\n"


def targets(comparison: Comparison, rows: Sequence[Row]) -> list[str]:
    """Each target, what was found, and whether it is reached."""
    words = {True: "reached", False: "**missed**", None: ""}
    found = []
    for target in comparison.targets:
        text, good = reached(target, rows)
        found.append(" ".join(filter(None, (f"{text}", words[good] and f"({words[good]})"))))
    return found


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: Row, base: Row) -> list[str]:
    own = row.name.startswith("srqa")
    name = f"**{row.name}**" if own else row.name
    if row.absent:
        return [name, "", "", "", "", "", row.absent]
    found = ratio(row.seconds, base.seconds)
    return [
        name,
        seconds(statistics.median(row.seconds)),
        _number(found.median) if found else "",
        _spread(found) if found and row is not base else "",
        seconds(statistics.median(row.processor)),
        megabytes(row.peak, row.whole),
        _agreement(row),
    ]


def _agreement(row: Row) -> str:
    if row.differs:
        return f"another definition: {row.differs}"
    return f"{row.apart:.0e} apart" if row.apart else "equal" if row.apart == 0 else ""


def _spread(found: Ratio) -> str:
    return f"{_number(found.low)} to {_number(found.high)}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def seconds(value: float) -> str:
    """A time with three digits."""
    if value < 0.0995e-3:
        return f"{value * 1e6:.3g} µs"
    return f"{value * 1e3:.3g} ms" if value < 0.9995 else f"{value:.3g} s"


def megabytes(size: int, whole: bool) -> str:
    """A peak: of a program all, else what was added."""
    if not size:
        return ""
    return f"{'' if whole else '+'}{size / 1e6:.0f} MB"


def document(
    measured: Mapping[str, Sequence[tuple[Comparison, Sequence[Row]]]],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """All that was found, for `--json`."""
    return {
        **about,
        "sections": {
            name: [
                {
                    "title": comparison.title,
                    "unit": comparison.unit,
                    "base": comparison.base,
                    "rows": [asdict(row) for row in rows],
                    "targets": targets(comparison, rows),
                }
                for comparison, rows in found
            ]
            for name, found in measured.items()
        },
    }


def rewrite(page: Path, parts: Mapping[str, str]) -> list[str]:
    """Put Markdown between the markers of a page; returns the names that have none.

    Markers are ``<!-- bench: NAME -->`` and ``<!-- end of bench -->``.
    """
    text, lacking = page.read_text(encoding="utf-8"), []
    for name, made in parts.items():
        before, marker, after = text.partition(BEGIN.format(name))
        _, end, rest = after.partition(END)
        if not marker or not end:
            lacking.append(name)
            continue
        text = f"{before}{marker}{made}{end}{rest}"
    page.write_text(text, encoding="utf-8")
    return lacking
