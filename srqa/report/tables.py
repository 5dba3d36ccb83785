"""Summaries and comparisons as tables: for a terminal, Markdown, LaTeX, CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from srqa.engine.compare import Comparison, direction
from srqa.engine.results import Run, Summary
from srqa.engine.storage import rows_csv
from srqa.report.numbers import format_value

if TYPE_CHECKING:
    from rich.console import RenderableType

UP, DOWN = "↑", "↓"
NO_VALUE = ("n/a", "failed")


@dataclass(frozen=True, slots=True)
class Cell:
    """One method's mean by one metric, as text."""

    mean: str
    interval: str
    best: bool
    remark: str
    """Counts of infinite, failed and absent values, where they are some of the images."""


@dataclass(frozen=True, slots=True)
class Board:
    """Methods by metrics, for one dataset at one scale."""

    title: str
    metrics: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[Cell, ...]], ...]
    """(method, number of images, cells); of patches where all metrics are of whole sets."""

    @property
    def is_empty(self) -> bool:
        """Whether no metric has a value for any method."""
        return all(cell.mean in NO_VALUE for _, _, cells in self.rows for cell in cells)


def boards(run: Run) -> list[Board]:
    """The summary of a Run, a board for each dataset and scale."""
    groups: dict[tuple[str, float | None], list[Summary]] = {}
    for row in run.summary_rows:
        groups.setdefault((row.dataset, row.scale), []).append(row)
    return [_board(dataset, scale, rows, run) for (dataset, scale), rows in groups.items()]


def _board(dataset: str, scale: float | None, rows: list[Summary], run: Run) -> Board:
    best = {metric: _best(metric, rows) for metric in run.metrics}
    by_place = {(row.method, row.metric): row for row in rows}
    scores = [r for r in run.score_rows if r.dataset == dataset and r.scale == scale]
    images = {(r.method, r.image) for r in scores if r.level == "image"}
    whole = {r.metric for r in scores if r.level == "set"}
    methods = list(dict.fromkeys(row.method for row in rows))
    made = []
    for method in methods:
        n = sum(m == method for m, _ in images)
        cells = [
            _cell(by_place[method, metric], best[metric], None if metric in whole else n)
            for metric in run.metrics
        ]
        patches = max((by_place[method, metric].n for metric in whole), default=0)
        made.append((method, n if images else patches, tuple(cells)))
    title = " ".join(filter(None, (dataset, f"x{scale:g}" if scale else "")))
    return Board(title, tuple(run.metrics), tuple(made))


def _best(metric: str, rows: list[Summary]) -> float:
    means = [row.mean for row in rows if row.metric == metric and not math.isnan(row.mean)]
    if len(means) < 2:
        return math.nan
    return max(means) if direction(metric) else min(means)


def _cell(row: Summary, best: float, images: int | None) -> Cell:
    """One cell; `images` is None for the value of a whole set, whose n counts patches."""
    absent = images - row.n - row.n_infinite - row.n_failed if images is not None else 0
    counts = (("inf", row.n_infinite), ("failed", row.n_failed), ("n/a", absent))
    remarks = [f"{n} {word}" for word, n in counts if n and n != images]
    interval = ""
    if not math.isnan(row.ci_low):
        low, high = (format_value(row.metric, end) for end in (row.ci_low, row.ci_high))
        interval = f"[{low}, {high}]"
    mean = "failed" if images and row.n_failed == images else format_value(row.metric, row.mean)
    return Cell(mean, interval, row.mean == best, ", ".join(remarks))


def heading(metric: str) -> str:
    """A metric's name with the arrow of its better direction."""
    return f"{metric} {UP if direction(metric) else DOWN}"


def signatures(run: Run) -> list[str]:
    """What must be quoted with the numbers, a line for each."""
    return list(dict.fromkeys(row.signature for row in run.summary_rows))


def terminal(run: Run) -> Iterable[RenderableType]:
    """The summary for a terminal: a rich table for each board with a value, then the signatures."""
    from rich.table import Table
    from rich.text import Text

    filled = [board for board in boards(run) if not board.is_empty]
    for board in filled:
        table = Table(
            title=Text(board.title) if board.title else None,
            title_justify="left",
            box=None,
            pad_edge=False,
        )
        table.add_column("method", overflow="fold")
        for metric in board.metrics:
            table.add_column(heading(metric), justify="right")
        table.add_column("n", justify="right")
        for method, n, cells in board.rows:
            table.add_row(Text(method), *(_rich_cell(cell) for cell in cells), str(n))
        yield table
    if filled:
        yield Text("")
        for line in signatures(run):
            yield Text(line, style="dim")


def _rich_cell(cell: Cell) -> RenderableType:
    from rich.text import Text

    text = Text(cell.mean + ("*" if cell.best else " "), style="bold green" if cell.best else "")
    if cell.interval:
        text.append(f" {cell.interval}", style="dim not bold")
    if cell.remark:
        text.append(f" ({cell.remark})", style="yellow not bold")
    return text


def markdown(run: Run) -> str:
    """The summary as Markdown."""
    parts = []
    for board in boards(run):
        head = ["method", *(heading(m) for m in board.metrics), "n"]
        lines = [f"**{_escape_markdown(board.title)}**", ""] if board.title else []
        lines += [_markdown_row(head), _markdown_row([":--", *["--:"] * (len(head) - 1)])]
        for method, n, cells in board.rows:
            texts = [_markdown_cell(cell) for cell in cells]
            lines.append(_markdown_row([_escape_markdown(method), *texts, str(n)]))
        parts.append("\n".join(lines))
    parts.append("\n".join(f"`{line}`  " for line in signatures(run)))
    return "\n\n".join(parts) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown_cell(cell: Cell) -> str:
    mean = f"**{cell.mean}**" if cell.best else cell.mean
    remark = f"({cell.remark})" if cell.remark else ""
    return " ".join(filter(None, (mean, cell.interval, remark)))


def _escape_markdown(text: str) -> str:
    for mark in "\\|*_`<[":
        text = text.replace(mark, "\\" + mark)
    return text


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(_LATEX.get(mark, mark) for mark in text)


def latex(run: Run) -> str:
    """The summary as LaTeX (booktabs): means, the best in bold, signatures as comments."""
    parts = []
    for board in boards(run):
        arrows = [r"$\uparrow$" if direction(m) else r"$\downarrow$" for m in board.metrics]
        names = [f"{escape_latex(m)} {a}" for m, a in zip(board.metrics, arrows, strict=True)]
        lines = [f"% {board.title}"] if board.title else []
        lines += [
            rf"\begin{{tabular}}{{l{'r' * len(board.metrics)}}}",
            r"\toprule",
            " & ".join(["Method", *names]) + r" \\",
            r"\midrule",
        ]
        for method, _, cells in board.rows:
            texts = [_latex_cell(cell) for cell in cells]
            lines.append(" & ".join([escape_latex(method), *texts]) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}"]
        parts.append("\n".join(lines))
    parts.append("\n".join(f"% {line}" for line in signatures(run)))
    return "\n\n".join(parts) + "\n"


def _latex_cell(cell: Cell) -> str:
    known = {"inf": r"$\infty$", "-inf": r"$-\infty$", **dict.fromkeys(NO_VALUE, "--")}
    text = known.get(cell.mean, cell.mean)
    return rf"\textbf{{{text}}}" if cell.best else text


def summary_csv(run: Run) -> str:
    """The summary as CSV."""
    return rows_csv(run.summary_rows, Summary)


def comparison_terminal(comparison: Comparison) -> Iterable[RenderableType]:
    """Who beats whom, for a terminal."""
    from rich.table import Table
    from rich.text import Text

    place = " ".join(
        filter(None, (comparison.dataset, f"x{comparison.scale:g}" if comparison.scale else ""))
    )
    title = f"{heading(comparison.metric)}  {place}  ({comparison.n_images} images)"
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for name in ("better", "other"):
        table.add_column(name, overflow="fold")
    for name in ("difference", "95 % interval", "p (Holm)", "better on", "verdict"):
        table.add_column(name, justify="right" if name != "verdict" else "left")
    for row in comparison_rows(comparison):
        style = "" if "better" in row[-1] else "dim"
        table.add_row(*(Text(cell, style=style) for cell in row))
    yield table


def comparison_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """One row a pair, the method with the better mean first.

    (better, other, difference, interval, adjusted p, images won, verdict)
    """
    rows: list[tuple[str, ...]] = []
    for d in comparison.differences:
        show = [format_value(comparison.metric, v) for v in (d.mean, d.ci_low, d.ci_high)]
        sign = "+" if d.mean > 0 else ""
        won = d.n_first if comparison.higher_is_better else d.n_second
        verdict = comparison.verdict(d)
        interval = "n/a" if math.isnan(d.ci_low) else f"[{show[1]}, {show[2]}]"
        p = "n/a" if math.isnan(d.p_adjusted) else format_p(d.p_adjusted)
        rows.append((d.first, d.second, sign + show[0], interval, p, f"{won}/{d.n}", verdict))
    return rows


def format_p(p: float) -> str:
    """A p value as papers print it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def comparison_markdown(comparisons: Sequence[Comparison]) -> str:
    """Who beats whom, as Markdown."""
    parts = []
    for comparison in comparisons:
        place = " ".join(
            filter(None, (comparison.dataset, f"x{comparison.scale:g}" if comparison.scale else ""))
        )
        head = [
            "better",
            "other",
            "difference",
            "95 % interval",
            "p (Holm)",
            "better on",
            "verdict",
        ]
        lines = [
            f"**{heading(comparison.metric)}** {_escape_markdown(place)}".rstrip(),
            "",
            _markdown_row(head),
            _markdown_row([":--", ":--", "--:", "--:", "--:", "--:", ":--"]),
        ]
        lines += [
            _markdown_row([_escape_markdown(cell) for cell in row])
            for row in comparison_rows(comparison)
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
