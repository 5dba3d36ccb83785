"""One self-contained HTML page with all that a study found."""

from __future__ import annotations

import base64
import math
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.files import make_folder, replacing
from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.tables import tables
from srqa.report.page import filled, joined
from srqa.report.ratings.methods import markdown
from srqa.study import admin
from srqa.study import tables as t
from srqa.study.analysis import retest_of
from srqa.study.study import Study

if TYPE_CHECKING:
    import pandas as pd

_STYLES = (("srqa.report", "assets/report.css"), ("srqa.report", "assets/study.css"))
_SHOWN = {
    "standings": "Scores of the methods with 95 % intervals.",
    "scores": "Scores of the stimuli with 95 % intervals.",
    "sos": "Scatter of the votes against the mean opinion score.",
    "observers": "How each observer answered beside the others.",
    "residuals": "What was answered against what was to be expected.",
}
"""Figures for who cannot see them; each has its own title and explanation in it."""


def write_study_report(study: Study, analysis: Analysis, file: Path) -> Path:
    """Write a study's report as one HTML file; figures are drawn where matplotlib is installed.

    Args:
        study: the study.
        analysis: by `srqa.study.analysis.analyze_study`.
        file: to write or replace.

    Raises:
        OutputError: it cannot be written.
    """
    page = render(study, analysis)
    make_folder(file.parent)
    with replacing(file) as temporary:
        temporary.write_bytes(page.encode("utf-8", "replace"))
    return file


def render(study: Study, analysis: Analysis) -> str:
    """The report as text; see `write_study_report`."""
    made = tables(analysis)
    drawn = _figures(analysis)
    scores = made.get("mos", made.get("jod"))
    slots = {
        "title": escape(study.title("en")),
        "findings": _findings(analysis, made),
        "keys": _keys(study, analysis),
        "warnings": _warnings(analysis),
        "standings": _table(made["standings"]) + drawn.get("standings", "")
        + _more("Every pair of methods", _table(made["differences"])),
        "stimuli": drawn.get("scores", "")
        + (_more("Every stimulus", _table(scores)) if scores is not None else "")
        + drawn.get("sos", "") + drawn.get("residuals", ""),
        "metrics": _metrics(study),
        "people": _people(study) + drawn.get("observers", ""),
        "made": _method(analysis),
    }  # fmt: skip
    return filled("assets/study.html", slots, joined(_STYLES), "")


def _figures(analysis: Analysis) -> dict[str, str]:
    """SVG figures as data, by name."""
    import tempfile

    from srqa.errors import MissingPackageError
    from srqa.report.ratings.saving import figures

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            written = figures(analysis, Path(folder))
        except MissingPackageError:
            return {}
        for path in written:
            if path.suffix == ".svg":
                data = base64.b64encode(path.read_bytes()).decode()
                told = escape(_SHOWN.get(path.stem, ""))
                found[path.stem] = (
                    f'<figure class="plate"><img alt="{told}" '
                    f'src="data:image/svg+xml;base64,{data}"></figure>'
                )
    return found


def _findings(analysis: Analysis, made: dict[str, pd.DataFrame]) -> str:
    standings = made["standings"]
    if not len(standings):
        return '<p class="lede">There are no methods to compare.</p>'
    first = str(standings["tier"].iloc[0])
    best = [
        str(r["name"]) for r in standings.to_dict("records") if set(first) & set(str(r["tier"]))
    ]
    shown = ", ".join(f"<strong>{escape(name)}</strong>" for name in best)
    verb = "is" if len(best) == 1 else "are"
    more = "" if len(best) == 1 else ", not told apart"
    return (
        f'<p class="lede">{shown} {verb} best by {escape(analysis.unit)}{more}. '
        f'<span class="soft">{len(standings)} methods, {len(analysis.screened.answers):,} '
        f"opinions of {len(analysis.screened.answers.observers)} people.</span></p>"
    )


def _keys(study: Study, analysis: Analysis) -> str:
    found = admin.progress(study)
    exact = [row["pixel_exact"] for row in study.store.rows(t.response)]
    told = [one for one in exact if one is not None]
    facts = [
        ("method", study.definition.method),
        ("people", str(len(analysis.screened.answers.observers))),
        ("taken out", str(len(analysis.screened.removed_observers))),
        ("votes a stimulus", f"from {found.stop.votes}"),
        ("minutes (median)", "–" if math.isnan(found.minutes) else f"{found.minutes:.0f}"),
        ("shown with exact pixels", f"{sum(told) / len(told):.0%}" if told else "not known"),
        ("stop rule", "met" if found.stop.met else "not met"),
    ]
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
    return f'<dl class="keys">{rows}</dl>'


def _warnings(analysis: Analysis) -> str:
    if not analysis.notes:
        return ""
    rows = "".join(f"<li>{escape(note)}</li>" for note in analysis.notes)
    return f'<div class="warnings"><h2>To keep in mind</h2><ul>{rows}</ul></div>'


def _metrics(study: Study) -> str:
    frame = admin.correlations(study)
    if not len(frame):
        return '<p class="intro">No metrics were computed.</p>'
    return (
        '<p class="intro">Rank correlation (SROCC) with the scores, its 95 % interval by Bonett '
        "and Wright, and linear correlation; the sign is turned where lower is better.</p>"
        + _table(frame)
    )


def _people(study: Study) -> str:
    steps = admin.funnel(study)
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td class='num'>{number}</td></tr>" for name, number in steps
    )
    text = (
        f"<table><thead><tr><th>Reached</th><th class='num'>People</th></tr></thead>{rows}</table>"
    )
    flags = admin.flags(study)
    if len(flags):
        counts = flags.groupby("check")["participant"].nunique()
        told = ", ".join(f"{escape(str(check))} {n}" for check, n in counts.items())
        text += f'<p class="legend">Flagged participants by check: {told}.</p>'
    again = retest_of(study)
    if again is not None:
        text += (
            f'<p class="legend">Repeated trials: {again.pairs} pairs, mean difference '
            f"{again.mean_difference:.2f}, {again.exact:.0%} equal, weighted kappa "
            f"{again.kappa:.2f}.</p>"
        )
    return text


def _method(analysis: Analysis) -> str:
    """The methods paragraph and its references, from Markdown."""
    parts = []
    for block in markdown(analysis).strip().split("\n\n"):
        if block.startswith("## "):
            parts.append(f"<h3>{escape(block[3:])}</h3>")
        elif block[:2] == "1.":
            items = (escape(line.partition(". ")[2]) for line in block.splitlines())
            parts.append(f"<ol>{''.join(f'<li>{item}</li>' for item in items)}</ol>")
        else:
            parts.append(f"<p>{escape(block)}</p>")
    return f'<div class="made">{"".join(parts)}</div>'


def _more(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def _table(frame: pd.DataFrame | None) -> str:
    if frame is None or not len(frame):
        return ""
    kept = [c for c in frame.columns if not frame[c].isna().all() and (frame[c] != "").any()]
    numeric = {c: _is_numeric(frame[c]) for c in kept}
    head = "".join(
        f"<th{' class=num' if numeric[c] else ''}>{escape(c.replace('_', ' '))}</th>" for c in kept
    )
    body = "".join(
        "<tr>" + "".join(_cell(row[c], numeric[c]) for c in kept) + "</tr>"
        for row in frame[kept].to_dict("records")
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>{body}</table></div>'


def _is_numeric(column: Any) -> bool:
    return bool(column.dtype.kind in "iuf")


def _cell(value: Any, numeric: bool) -> str:
    if not numeric:
        return f"<td>{escape(str(value))}</td>"
    if value is None or math.isnan(value):
        return '<td class="num">–</td>'
    shown = f"{value:.3f}" if isinstance(value, float) else str(value)
    return f'<td class="num">{shown}</td>'
