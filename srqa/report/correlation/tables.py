"""The correlation table in Markdown, LaTeX and the terminal, and all tables as frames."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.correlation.analysis import Correlation
from srqa.correlation.disagreement import table as disagreement_table
from srqa.report.correlation.words import figure, interval, number, short

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

_SPECIAL = re.compile(r"[&%$#_{}~^\\]")
COLUMNS = (
    ("srocc", "SROCC", 3), ("krcc", "KRCC", 3), ("plcc", "PLCC", 3), ("rmse", "RMSE", 3),
    ("outlier_ratio", "OR", 3), ("within", "within content", 3), ("plcc_cv", "PLCC held out", 3),
)  # fmt: skip
"""Of the printed table: column, heading, digits."""


def shown_columns(found: Correlation) -> list[tuple[str, str, int]]:
    """Columns that have a value for some metric."""
    table = found.table
    return [column for column in COLUMNS if table[column[0]].notna().any()]


def frames(found: Correlation) -> dict[str, pd.DataFrame]:
    """All tables by name: correlations, differences, between, parts, residuals, pictures, and
    noticed, steps, preferences, disagreements, unmatched where there are any.
    """
    import pandas as pd

    names = found.data.names
    made = {
        "correlations": found.table,
        "differences": found.differences,
        "between": pd.DataFrame(found.between, columns=names).assign(metric=names)[
            ["metric", *names]
        ],
        "parts": found.parts,
        "residuals": found.flattery,
        "pictures": pictures(found),
    }
    if found.noticed is not None:
        made |= {"noticed": found.noticed.table, "steps": found.noticed.steps}
    if found.preferences is not None:
        made["preferences"] = found.preferences.table
    if found.disagreements:
        made["disagreements"] = disagreement_table(found.disagreements, found.data.frame)
    rest = [*(("rated only", n) for n in found.joined.only_rated),
            *(("scored only", n) for n in found.joined.only_scored)]  # fmt: skip
    if rest:
        made["unmatched"] = pd.DataFrame(rest, columns=["side", "picture"])
    return made


def pictures(found: Correlation) -> pd.DataFrame:
    """The joined pictures, with each metric and what its curve makes of it."""
    frame = found.data.frame.copy()
    for k, name in enumerate(found.data.names):
        frame[f"{name} mapped"] = found.figures.mapped[:, k]
    return frame


def markdown(found: Correlation) -> str:
    """The table in Markdown, best SROCC first."""
    columns = shown_columns(found)
    heads = ["metric", "tier", *(head for _, head, _ in columns)]
    lines = [f"| {' | '.join(heads)} |", f"|---|---{'|--:' * len(columns)}|"]
    for row in found.table.to_dict("records"):
        cells = [_cell(row, name, digits) for name, _, digits in columns]
        lines.append(f"| {' | '.join([str(row['metric']), row['tier'], *cells])} |")
    return "\n".join(lines) + "\n"


def _cell(row: Any, name: str, digits: int) -> str:
    return figure(row, name, digits)


def latex(found: Correlation) -> str:
    """The table in LaTeX (booktabs); the best of each column is bold."""
    columns = shown_columns(found)
    table = found.table
    lines = [
        "% Needs \\usepackage{booktabs}. Metrics that share a letter are not told apart.",
        f"\\begin{{tabular}}{{ll{'r' * len(columns)}}}", "\\toprule",
        " & ".join(["metric", "", *(_escaped(head) for _, head, _ in columns)]) + r" \\",
        "\\midrule",
    ]  # fmt: skip
    best = {
        name: table[name].min() if name in ("rmse", "outlier_ratio") else table[name].max()
        for name, _, _ in columns
    }
    for row in table.to_dict("records"):
        cells = []
        for name, _, digits in columns:
            text = number(row[name], digits).replace("−", "$-$").replace("–", "--")
            cells.append(f"\\textbf{{{text}}}" if row[name] == best[name] else text)
        tier = f"$^{{{row['tier']}}}$"
        lines.append(" & ".join([_escaped(str(row["metric"])), tier, *cells]) + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return _SPECIAL.sub(lambda m: special.get(m[0], "\\" + m[0]), text)


def terminal(found: Correlation) -> Table:
    """The table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    columns = shown_columns(found)
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("metric")
    made.add_column("tier")
    for _, head, _ in columns:
        made.add_column(head, justify="right", no_wrap=True)
    wide = {"srocc", "within"}
    for row in found.table.to_dict("records"):
        cells = [
            Text(_cell(row, name, digits) if name in wide else number(row[name], digits))
            for name, _, digits in columns
        ]
        made.add_row(Text(str(row["metric"])), Text(row["tier"]), *cells)
    return made


def noticed_terminal(found: Correlation) -> Table | None:
    """Which differences people notice, for a terminal."""
    if found.noticed is None:
        return None
    from rich.table import Table
    from rich.text import Text

    units = {metric.name: metric.unit for metric in found.data.metrics}
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("metric")
    for head in ("AUC different", "AUC better", "C0", "95 % threshold"):
        made.add_column(head, justify="right", no_wrap=True)
    for row in found.noticed.table.to_dict("records"):
        cells = [f"{number(row[n])} {interval(row[f'{n}_low'], row[f'{n}_high'])}".strip()
                 for n in ("auc_different", "auc_better")]  # fmt: skip
        unit = f" {units[row['metric']]}" if units[row["metric"]] else ""
        ends = "" if math.isnan(row["threshold_low"]) else (
            f" [{short(row['threshold_low'])}, {short(row['threshold_high'])}]")  # fmt: skip
        made.add_row(Text(str(row["metric"])), *map(Text, cells), Text(number(row["correct"])),
                     Text(f"{short(row['threshold'])}{unit}{ends}"))  # fmt: skip
    return made


def significance(found: Correlation) -> tuple[list[str], np.ndarray[Any, np.dtype[np.int8]], Any]:
    """Metrics best first; 1 where the row is better than the column, -1 worse, 0 not told; p."""
    order = found.table["metric"].tolist()
    place = {name: i for i, name in enumerate(order)}
    way = np.zeros((len(order), len(order)), dtype=np.int8)
    p = np.full((len(order), len(order)), math.nan)
    for row in found.differences.to_dict("records"):
        i, j = place[row["first"]], place[row["second"]]
        p[i, j] = p[j, i] = row["p_adjusted"]
        if row["p_adjusted"] < found.settings.alpha:
            sign = 1 if row["srocc_difference"] > 0 else -1
            way[i, j], way[j, i] = sign, -sign
    return order, way, p
