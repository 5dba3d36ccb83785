"""The parts of the report that stand in the HTML itself: summary tables, pictures, captions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from srqa.engine.results import Summary
from srqa.report.facts import Facts, Group, Metric, Standing
from srqa.report.numbers import format_interval, format_value
from srqa.report.payload import SHAPES, colour_of, shape_of
from srqa.report.pictures import Coded, Exhibit, Gallery
from srqa.report.words import Scrubber, counted

_CAPTION_METRICS = 4
_LEFT_OUT = 3
_DIRECTIONS = {1: "higher is better", -1: "lower is better", 0: ""}


def mark(facts: Facts, method: str) -> str:
    """A method's mark in its colour, for tables and captions."""
    index = facts.methods.index(method)
    return (
        f'<svg class="mark m{colour_of(index)}" viewBox="-6 -6 12 12" aria-hidden="true">'
        f'<path d="{SHAPES[shape_of(index)]}"/></svg>'
    )


def summary_tables(facts: Facts) -> str:
    """A table of methods and metrics for each dataset and scale."""
    return "".join(_summary_table(facts, group) for group in facts.groups)


def _summary_table(facts: Facts, group: Group) -> str:
    present = {key[2] for key in facts.summary if key[0] == group}
    metrics = [metric for metric in facts.metrics if metric.name in present]
    methods = facts.methods_in(group)
    if not metrics or not methods:
        return ""
    lead = facts.primary if facts.primary in metrics else metrics[0]
    first = [row.method for row in facts.ranking(group, lead)] if lead else []
    ordered = [*first, *(method for method in methods if method not in first)]
    images = _images(facts, group)
    counts = counted(images, "image") if images else ""
    title = escape(group.title) or ("All images" if len(facts.groups) == 1 else "No dataset named")
    heads = "".join(_metric_head(metric, metric is lead and bool(lead.sign)) for metric in metrics)
    rows = "".join(_summary_row(facts, group, method, metrics, images) for method in ordered)
    return (
        '<div class="scroll" role="region" tabindex="0" '
        f'aria-label="Summary: {title}"><table class="summary sortable">'
        f'<caption>{title} <span class="soft">{counts}</span></caption>'
        '<thead><tr><th scope="col" aria-sort="none">'
        f'<button type="button">method</button></th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _images(facts: Facts, group: Group) -> int:
    rows = [r for k, r in facts.summary.items() if k[0] == group and k[2] not in facts.whole]
    contents = {row.content for row in facts.images if Group(row.dataset, row.scale) == group}
    return len(contents) or max((row.n for row in rows), default=0)


def _metric_head(metric: Metric, sorted_by: bool) -> str:
    order = {1: "descending", -1: "ascending", 0: "none"}[metric.sign] if sorted_by else "none"
    direction = (
        f'<span class="dir" role="img" aria-label="{_DIRECTIONS[metric.sign]}" '
        f'title="{_DIRECTIONS[metric.sign]}">{metric.arrow}</span>'
        if metric.sign
        else ""
    )
    unit = f'<span class="unit">{escape(metric.unit)}</span>' if metric.unit else ""
    return (
        f'<th scope="col" class="num" aria-sort="{order}" data-sign="{metric.sign}">'
        f'<button type="button">{escape(metric.name)}{direction}{unit}</button></th>'
    )


def _summary_row(
    facts: Facts, group: Group, method: str, metrics: list[Metric], images: int
) -> str:
    cells = "".join(_summary_cell(facts, group, method, metric, images) for metric in metrics)
    name = escape(method)
    head = f'<th scope="row" title="{name}">{mark(facts, method)}{name}</th>'
    return f"<tr>{head}{cells}</tr>"


def _summary_cell(facts: Facts, group: Group, method: str, metric: Metric, images: int) -> str:
    row = facts.summary.get((group, method, metric.name))
    if row is None:
        return '<td class="num none">–</td>'
    standing = facts.standings.get((group, method, metric.name))
    best = standing is not None and standing.best
    sign, said = _sign(standing)
    value = format_value(metric.name, row.mean)
    interval = format_interval(metric.name, row.ci_low, row.ci_high) or "no interval"
    counts = _counts(row, None if metric.name in facts.whole else images)
    data = "" if math.isnan(row.mean) else f' data-value="{row.mean!r}"'
    return (
        f'<td class="num{" best" if best else ""}"{data}><span class="mean">'
        f'<span class="sign" aria-hidden="true">{sign}</span>'
        f"{'<strong>' if best else ''}{value}{'</strong>' if best else ''}"
        f'<span class="said">{said}</span></span>'
        f'<span class="ci">{interval}</span>'
        f'<span class="gap">{_gap(metric, standing)}</span>{counts}</td>'
    )


def _sign(standing: Standing | None) -> tuple[str, str]:
    if standing is None:
        return "", ""
    if standing.best:
        return "★", " best"
    return ("☆", " not told from the best") if standing.tied else ("", "")


def _gap(metric: Metric, standing: Standing | None) -> str:
    if standing is None:
        return "–"
    if standing.best:
        return "best"
    if not standing.n:
        return "no difference known"
    sign = metric.sign
    ends = (sign * standing.low, sign * standing.high)[::sign]
    plus = "+" if sign * standing.lead > 0 else ""
    value = f"{plus}{format_value(metric.name, sign * standing.lead)}"
    return f"{value} {format_interval(metric.name, *ends)}".strip()


def _counts(row: Summary, images: int | None) -> str:
    """What a value rests on where it is not all images; None for the value of a whole set."""
    parts = []
    if images is None:
        parts.append(counted(row.n, "patch", "patches") if row.n else "")
    elif row.n != images:
        parts.append(f"n {row.n:,}")
    if row.n_infinite:
        parts.append(f"{row.n_infinite:,} infinite")
    if row.n_failed:
        parts.append(f"{row.n_failed:,} failed")
    return f'<span class="counts">{" · ".join(filter(None, parts))}</span>' if any(parts) else ""


def gallery_section(facts: Facts, gallery: Gallery, scrub: Scrubber) -> str:
    """The pictures as plain figures, which print and serve the viewer as its source."""
    articles = "".join(_exhibit(facts, i, e, scrub) for i, e in enumerate(gallery.exhibits))
    if not articles or any(e.reference or e.outputs for e in gallery.exhibits):
        return articles
    return (
        '<p class="left-out">No pictures are shown: none of the chosen files is where the Run '
        f"found it, unchanged.</p><details><summary>Which ones</summary>{articles}</details>"
    )


def _exhibit(facts: Facts, index: int, exhibit: Exhibit, scrub: Scrubber) -> str:
    choice = exhibit.choice
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in choice.reasons)
    sentences = [
        f'<p class="left-out">Not shown: {escape(scrub.text(s))}</p>' for s in exhibit.left_out
    ]
    left_out = "".join(sentences[:_LEFT_OUT])
    if len(sentences) > _LEFT_OUT:
        more = f"<summary>{len(sentences) - _LEFT_OUT} more are not shown</summary>"
        left_out += f"<details>{more}{''.join(sentences[_LEFT_OUT:])}</details>"
    figures = []
    if exhibit.reference:
        title = '<p class="who"><strong>Reference</strong></p>'
        figures.append(_figure(exhibit.reference, f"{choice.content}, reference", title, -1))
    for picture in exhibit.outputs:
        method = picture.method
        words = _caption(facts, choice.group, method, choice.content)
        position = facts.methods.index(method)
        figures.append(_figure(picture, f"{choice.content}, output of {method}", words, position))
    group = escape(choice.group.title)
    note = f'<p class="note">{escape(exhibit.note)}</p>' if exhibit.note else ""
    return (
        f'<article class="exhibit" id="exhibit-{index}"><header>'
        f'<h3>{escape(choice.content) or "picture"} <span class="soft">{group}</span></h3>'
        f'<ul class="reasons">{reasons}</ul>{note}{left_out}</header>'
        f'<div class="figures">{"".join(figures)}</div></article>'
    )


def _figure(picture: Coded, alt: str, caption: str, method: int) -> str:
    return (
        f'<figure data-method="{method}"><img src="{picture.uri}" width="{picture.width}" '
        f'height="{picture.height}" alt="{escape(alt)}"><figcaption>{caption}</figcaption></figure>'
    )


def _caption(facts: Facts, group: Group, method: str, content: str) -> str:
    shown = []
    for metric in facts.metrics:
        score = facts.values.get((group, method, metric.name), {}).get(content)
        if score is not None and not math.isnan(score.value):
            place = _rank(facts, group, metric, method, content)
            shown.append(
                f"<div><dt>{escape(metric.name)}</dt>"
                f"<dd>{format_value(metric.name, score.value)}{place}</dd></div>"
            )
    more = len(shown) - _CAPTION_METRICS
    tail = f'<p class="soft">{counted(more, "more metric")} in the table</p>' if more > 0 else ""
    return (
        f'<p class="who">{mark(facts, method)}<strong>{escape(method)}</strong></p>'
        f"<dl>{''.join(shown[:_CAPTION_METRICS])}</dl>{tail}"
    )


def _rank(facts: Facts, group: Group, metric: Metric, method: str, content: str) -> str:
    rows: Iterable[float] = (
        facts.values.get((group, m, metric.name), {})[content].value
        for m in facts.methods_in(group)
        if content in facts.values.get((group, m, metric.name), {})
    )
    values = [metric.sign * value for value in rows if not math.isnan(value)]
    if not metric.sign or len(values) < 2:
        return ""
    mine = metric.sign * facts.values[group, method, metric.name][content].value
    place = 1 + sum(value > mine for value in values)
    return f' <span class="rank">{place}/{len(values)}</span>'
