"""What the methods cost, in words, tables and data for plots."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from srqa.engine.results import ModelRow, Run
from srqa.report.facts import Facts
from srqa.report.numbers import format_scale
from srqa.report.sections import mark

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = (
    ("parameters", "parameters", "trained numbers"),
    ("multiply_adds", "multiply-adds", "of convolutions and matrix products, for 1280x720 output"),
    ("seconds_a_megapixel", "s / megapixel", "of output, while the model ran"),
    ("memory", "memory", "at most, while the model ran"),
)
"""Field of `ModelRow`, heading, and what it means."""
_PREFIXES = {1: "K", 2: "M", 3: "G", 4: "T"}


def amount(field: str, value: float) -> str:
    """A cost with its unit.

    Example:
        >>> amount("parameters", 552_483), amount("multiply_adds", 140.9e9)
        ('552 K', '141 G')
    """
    if not value or math.isnan(value):
        return "–"
    if field == "seconds_a_megapixel":
        return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    power = max((p for p in _PREFIXES if value >= 1000**p), default=0)
    scaled = value / 1000**power
    return f"{scaled:.3g} {_PREFIXES.get(power, '')}{'B' if field == 'memory' else ''}".strip()


def terminal(run: Run) -> Table:
    """The costs as a table for a terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title="Costs", title_justify="left")
    table.add_column("method")
    table.add_column("scale")
    for _, heading, _ in COLUMNS:
        table.add_column(heading, justify="right")
    for row in run.model_rows:
        cells = [amount(field, getattr(row, field)) for field, _, _ in COLUMNS]
        table.add_row(row.method, format_scale(row.scale), *cells)
    return table


def section(facts: Facts) -> str:
    """The costs as a section of the report, empty where srqa did not run the methods itself."""
    rows = [row for row in facts.run.model_rows if row.method in facts.methods]
    if not rows:
        return ""
    heads = "".join(
        f'<th scope="col" class="num" aria-sort="none" data-sign="-1" title="{escape(meaning)}">'
        f'<button type="button">{escape(heading)}</button></th>'
        for _, heading, meaning in COLUMNS
    )
    body = "".join(_row(facts, row) for row in rows)
    return (
        '<section id="costs" aria-labelledby="costs-title"><div class="bar">'
        '<h2 id="costs-title">Cost</h2><div class="picks"></div></div>'
        '<p class="intro">What a method takes for what it gives; up is better, left is cheaper. '
        "The axis of cost is logarithmic.</p>"
        '<div class="plot"></div>'
        '<div class="scroll" role="region" tabindex="0" aria-label="Costs">'
        '<table class="summary sortable costs"><thead><tr><th scope="col" aria-sort="none">'
        f'<button type="button">method</button></th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{_legend(rows)}</section>"
    )


def _row(facts: Facts, row: ModelRow) -> str:
    several = len({r.scale for r in facts.run.model_rows}) > 1
    scale = f' <span class="soft">{format_scale(row.scale)}</span>' if several else ""
    cells = ""
    for field, _, _ in COLUMNS:
        value = getattr(row, field)
        data = f' data-value="{value!r}"' if value and not math.isnan(value) else ""
        cells += f'<td class="num"{data}>{amount(field, value)}</td>'
    name = escape(row.method)
    head = f'<th scope="row" title="{name}">{mark(facts, row.method)}{name}{scale}</th>'
    return f"<tr>{head}{cells}</tr>"


def _legend(rows: list[ModelRow]) -> str:
    counted = any(row.memory_how == "counted" for row in rows)
    devices = " and ".join(dict.fromkeys(row.device for row in rows))
    dtypes = ", ".join(dict.fromkeys(row.dtype for row in rows))
    memory = (
        "Memory: what tensors take at one time, counted on a small picture and scaled to the "
        "largest tile."
        if counted
        else "Memory: what tensors took at one time on the card."
    )
    return (
        '<p class="legend"><span>Multiply-adds: convolutions and matrix products, for an output '
        "of 1280x720.</span> <span>Seconds for each megapixel of output, measured while these "
        f"pictures were made on {escape(devices)}, in {escape(dtypes)}.</span> "
        f"<span>{memory}</span></p>"
    )


def plotted(facts: Facts) -> dict[str, Any]:
    """What the plot of quality against cost needs: a row is a method at a scale."""
    groups = {group: i for i, group in enumerate(facts.groups)}
    rows = [
        [i, facts.methods.index(row.method), *(_finite(getattr(row, f)) for f, _, _ in COLUMNS)]
        for row in facts.run.model_rows
        if row.method in facts.methods
        for group, i in groups.items()
        if group.scale == row.scale
    ]
    names = [{"field": f, "name": heading} for f, heading, _ in COLUMNS]
    return {"costs": rows, "cost_names": names}


def _finite(value: float) -> float | None:
    """A cost that can stand on a logarithmic axis, or None."""
    return float(f"{value:.6g}") if value and math.isfinite(value) else None
