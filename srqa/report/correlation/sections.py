"""The parts of the page that stand in the HTML itself, without scripts and in print too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import srqa
from srqa.correlation.analysis import Correlation
from srqa.correlation.disagreement import Disagreement, verdicts
from srqa.report.correlation import words
from srqa.report.correlation.tables import shown_columns, significance
from srqa.report.correlation.thumbnails import Thumbnails
from srqa.report.numbers import format_value, with_unit
from srqa.report.ratings.methods import cited
from srqa.report.ratings.references import REFERENCES
from srqa.report.words import counted, listed

_NOTES_OPEN = 4
_PARTS = {"method": "By method", "scale": "By scale", "dataset": "By dataset",
          "quality": "By quality: thirds of the pictures by human score"}  # fmt: skip
_MOST_PARTS = 24
_LOW_IS_BEST = ("rmse", "outlier_ratio")


def key_facts(found: Correlation) -> str:
    """Counts under the heading."""
    counts = words.design(found)
    ceiling = found.humans.ceiling
    facts = [
        ("Pictures", f"{counts['pictures']:,}"),
        ("Contents", f"{counts['contents']:,}" if counts["contents"] else ""),
        ("Methods", f"{counts['methods']:,}" if counts["methods"] else ""),
        ("Metrics", f"{counts['metrics']:,}"),
        ("Human scores", found.humans.unit),
        ("Noise ceiling", words.number(ceiling.value) if ceiling else ""),
        ("Joined by", found.joined.rule),
    ]
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts if v)
    return f'<dl class="keys">{items}</dl>'


def notes(found: Correlation) -> str:
    """What a reader must know, in a box."""
    if not found.notes:
        return ""
    items = [f"<li>{escape(note)}</li>" for note in found.notes]
    more = items[_NOTES_OPEN:]
    rest = (
        f"<details><summary>{len(more)} more</summary><ul>{''.join(more)}</ul></details>"
        if more
        else ""
    )
    return (
        '<aside class="warnings" aria-label="Notes"><h2>To know</h2>'
        f"<ul>{''.join(items[:_NOTES_OPEN])}</ul>{rest}</aside>"
    )


def correlation_table(found: Correlation) -> str:
    """Metrics and figures with intervals; the best of each column is marked."""
    columns = shown_columns(found)
    table = found.table
    heads = "".join(
        f'<th scope="col" class="num" data-sign="{-1 if name in _LOW_IS_BEST else 1}" '
        f'aria-sort="{"descending" if name == "srocc" else "none"}">'
        f'<button type="button">{escape(head)}</button></th>'
        for name, head, _ in columns
    )
    best = {n: table[n].min() if n in _LOW_IS_BEST else table[n].max() for n, _, _ in columns}
    rows = []
    for row in table.to_dict("records"):
        cells = "".join(_figure_cell(row, n, d, best[n]) for n, _, d in columns)
        name = escape(str(row["metric"]))
        tier = f'<span class="tier" title="metrics that share a letter are not told apart">' \
               f"{escape(row['tier'])}</span>"  # fmt: skip
        rows.append(f'<tr><th scope="row">{name}{tier}</th>{cells}</tr>')
    return (
        '<div class="scroll" role="region" tabindex="0" aria-label="Correlations">'
        '<table class="summary sortable"><thead><tr><th scope="col" aria-sort="none">'
        f'<button type="button">metric</button></th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figure_cell(row: Any, name: str, digits: int, best: float) -> str:
    value = row[name]
    if math.isnan(value):
        return '<td class="num none">–</td>'
    ends = words.interval_of(row, name, digits)
    is_best = value == best
    text = words.number(value, digits)
    strong = f"<strong>{text}</strong>" if is_best else text
    return (
        f'<td class="num{" best" if is_best else ""}" data-value="{value!r}">'
        f'<span class="mean">{strong}</span><span class="ci">{ends}</span></td>'
    )


def scatter_stills(found: Correlation) -> str:
    """What stands where scripts do not run."""
    names = listed([escape(n) for n in found.table["metric"]])
    return f"<noscript><p>Scatter plots of {names} are drawn by the page's script.</p></noscript>"


def _level(value: float) -> str:
    """A class that colours a correlation: h0 (none) to h10 (perfect), n1 to n10 below 0."""
    if math.isnan(value):
        return ""
    step = min(10, round(abs(value) * 10))
    return f"n{step}" if value < 0 and step else f"h{step}"


def matrices(found: Correlation) -> str:
    """Rank correlations among metrics and with people, and who is better by more than chance."""
    order = found.table["metric"].tolist()
    place = {name: found.data.names.index(name) for name in order}
    srocc = dict(zip(found.table["metric"], found.table["srocc"], strict=True))
    heads = "".join(_slanted(n) for n in [found.humans.unit, *order])
    rows = []
    for a in order:
        cells = [srocc[a], *(float(found.between[place[a], place[b]]) for b in order)]
        tds = "".join(
            f'<td class="cell {_level(v)}{" self" if j and order[j - 1] == a else ""}">'
            f"{words.number(v, 2)}</td>"
            for j, v in enumerate(cells)
        )
        rows.append(f'<tr><th scope="row">{escape(a)}</th>{tds}</tr>')
    heat = (
        '<figure class="matrix"><figcaption><strong>Rank correlation</strong> of metrics with '
        f"people ({escape(found.humans.unit)}) and with each other, each turned so that higher is "
        f'better</figcaption><div class="scroll" role="region" tabindex="0" aria-label="Rank '
        f'correlations"><table class="heat"><thead><tr><td></td>{heads}</tr></thead><tbody>'
        f"{''.join(rows)}</tbody></table></div></figure>"
    )
    return heat + (_significance(found) if len(order) > 1 else "")


def _slanted(name: str) -> str:
    return f'<th scope="col"><span>{escape(name)}</span></th>'


def _significance(found: Correlation) -> str:
    order, way, p = significance(found)
    heads = "".join(_slanted(n) for n in order)
    signs = {
        1: ("better", "▲", "better"),
        -1: ("worse", "▽", "worse"),
        0: ("same", "·", "not told"),
    }
    rows = []
    for i, a in enumerate(order):
        cells = []
        for j, b in enumerate(order):
            if i == j:
                cells.append('<td class="cell self"></td>')
                continue
            kind, sign, said = signs.get(int(way[i, j]), ("same", "·", "not told"))
            value = "no test" if math.isnan(p[i, j]) else f"p {_p(float(p[i, j]))}"
            cells.append(
                f'<td class="cell {kind}" title="{escape(a)} against {escape(b)}: {said}, {value}">'
                f'<span aria-hidden="true">{sign}</span><span class="said">{said}</span></td>'
            )
        rows.append(f'<tr><th scope="row">{escape(a)}</th>{"".join(cells)}</tr>')
    return (
        '<figure class="matrix"><figcaption><strong>Better by more than chance?</strong> ▲ the '
        "metric of the row has the higher SROCC, ▽ the lower, · these pictures do not tell; "
        f'{escape(_test_words(found))}</figcaption><div class="scroll" role="region" tabindex="0" '
        f'aria-label="Significance"><table class="heat"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></figure>"
    )


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"


def _test_words(found: Correlation) -> str:
    s = found.settings
    test = {"jackknife": "jackknife over contents", "bootstrap": "contents drawn again",
            "mrr": "Meng, Rosenthal and Rubin's test",
            "steiger": "Steiger's test"}[s.test]  # fmt: skip
    how = {"holm": "Holm's correction", "bh": "Benjamini and Hochberg's correction",
           "none": "no correction"}[s.correction]  # fmt: skip
    return f"{test}, {how}, {s.alpha:g}"


def parts_tables(found: Correlation) -> str:
    """SROCC by method, scale, dataset and third of quality."""
    order = found.table["metric"].tolist()
    made = []
    for scope, title in _PARTS.items():
        rows = found.parts[found.parts["scope"] == scope]
        if not len(rows):
            continue
        parts = list(dict.fromkeys(rows["part"]))
        shown = parts[:_MOST_PARTS]
        size = dict(zip(rows["part"], rows["n"], strict=True))
        index = {(r["metric"], r["part"]): r for r in rows.to_dict("records")}
        heads = "".join(
            f'<th scope="col">{escape(str(p))}<span class="soft">{size[p]:,}</span></th>'
            for p in shown
        )
        body = "".join(
            f'<tr><th scope="row">{escape(m)}</th>'
            f"{''.join(_part_cell(index.get((m, p))) for p in shown)}</tr>"
            for m in order
        )
        left = len(parts) - len(shown)
        more = f'<p class="soft">{left} more are in parts.csv.</p>' if left else ""
        made.append(
            f'<figure class="matrix"><figcaption><strong>{title}</strong></figcaption>'
            f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(title)}">'
            f'<table class="heat parts"><thead><tr><td></td>{heads}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>{more}</figure>"
        )
    return "".join(made)


def _part_cell(row: Any) -> str:
    if row is None or math.isnan(row["srocc"]):
        return '<td class="cell">–</td>'
    ends = words.interval(row["srocc_low"], row["srocc_high"], 2)
    return (
        f'<td class="cell {_level(row["srocc"])}">{words.number(row["srocc"], 2)}'
        f'<span class="ends">{ends}</span></td>'
    )


def noticed(found: Correlation) -> str:
    """Krasula's table; the drawings of steps come from the script."""
    if found.noticed is None:
        return ""
    units = {metric.name: metric.unit for metric in found.data.metrics}
    rows = []
    by_name = {str(r["metric"]): r for r in found.noticed.table.to_dict("records")}
    for name in found.table["metric"]:
        row = by_name[name]
        cells = "".join(_area_cell(row, c) for c in ("auc_different", "auc_better", "correct"))
        unit = f" {units[name]}" if units[name] else ""
        ends = (
            ""
            if math.isnan(row["threshold_low"])
            else f"[{words.short(row['threshold_low'])}, {words.short(row['threshold_high'])}]"
        )
        cells += (
            f'<td class="num"><span class="mean">{words.short(row["threshold"])}{escape(unit)}'
            f'</span><span class="ci">{ends}</span></td>'
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    pairs = found.noticed.pairs
    among = "of one content" if pairs.within else "of any content"
    lead = (
        f"{counted(len(pairs), 'pair')} of pictures {among}; people tell "
        f"{counted(pairs.different, 'pair')} apart (|z| > {found.noticed.limit:g}). A metric is "
        "good where its difference is large on those and small on the others, and where its sign "
        "is right."
    )
    sentences = "".join(f"<li>{escape(s)}</li>" for s in words.meaning(found))
    heads = "".join(
        f'<th scope="col" class="num" title="{title}">{head}</th>'
        for head, title in (
            (
                "AUC different / similar",
                "how well the size of a difference tells different pairs",
            ),
            ("AUC better / worse", "how well its sign tells the better picture"),
            ("C0", "share of different pairs with the right sign"),
            ("95 % threshold", "95 % of the pairs that people do not tell apart differ by less"),
        )
    )
    return (
        f'<p class="intro">{escape(lead)}</p><div class="scroll" role="region" tabindex="0" '
        'aria-label="What people notice"><table class="summary plainhead"><thead><tr>'
        f'<th scope="col">metric</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        f'</div><div class="cards steps"></div><details class="every"><summary>In words</summary>'
        f"<ul>{sentences}</ul></details>"
    )


def _area_cell(row: Any, name: str) -> str:
    ends = words.interval(row[f"{name}_low"], row[f"{name}_high"])
    return (
        f'<td class="num"><span class="mean">{words.number(row[name])}</span>'
        f'<span class="ci">{ends}</span></td>'
    )


def residual_table(found: Correlation) -> str:
    """Which methods a metric flatters: means of (mapped - human), coloured by sign."""
    frame = found.flattery
    methods = [m for m in dict.fromkeys(frame["method"]) if m]
    if len(methods) < 2 or found.settings.mapping == "none":
        return ""
    order = found.table["metric"].tolist()
    index = {(r["metric"], r["method"]): r for r in frame.to_dict("records")}
    largest = float(frame["mean"].abs().max()) or 1.0
    heads = "".join(f'<th scope="col">{escape(m)}</th>' for m in methods[:_MOST_PARTS])
    rows = []
    for metric in order:
        cells = []
        for method in methods[:_MOST_PARTS]:
            row = index[metric, method]
            step = round(10 * abs(row["mean"]) / largest)
            sure = not (row["ci_low"] <= 0 <= row["ci_high"]) and not math.isnan(row["ci_low"])
            kind = ("n" if row["mean"] > 0 else "h") + str(step) if sure else "h0"
            sign = "+" if row["mean"] > 0 else ""
            ends = words.interval(row["ci_low"], row["ci_high"], 2)
            cells.append(
                f'<td class="cell {kind}">{sign}{words.number(row["mean"], 2)}'
                f'<span class="ends">{ends}</span></td>'
            )
        rows.append(f'<tr><th scope="row">{escape(metric)}</th>{"".join(cells)}</tr>')
    return (
        '<figure class="matrix"><figcaption><strong>Which methods does a metric flatter?</strong> '
        f"Mean of what the metric promises minus the {escape(found.humans.unit)} that people gave, "
        "with its 95&nbsp;% interval; coloured where it is not by chance (warm: flattered, cool: "
        'underrated)</figcaption><div class="scroll" role="region" tabindex="0" '
        f'aria-label="Residuals by method"><table class="heat parts"><thead><tr><td></td>{heads}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div></figure>"
    )


def disagreement_gallery(found: Correlation, thumbs: Thumbnails) -> str:
    """Pairs of pictures that two metrics rank the other way round, and what people say."""
    if not thumbs.shown:
        return ""
    cards = "".join(_disagreement(found, thumbs, i, d) for i, d in enumerate(thumbs.shown))
    rows = "".join(
        f"<tr><th scope='row'>{escape(v['by'])} against {escape(v['against'])}</th>"
        f"<td class='num'>{v['pairs']}</td><td class='num'>{v['by_right']}</td>"
        f"<td class='num'>{v['against_right']}</td><td class='num'>{v['undecided']}</td>"
        f"<td class='num'>{words.number(v['share'], 2)} "
        f"<span class='soft'>{words.interval(v['share_low'], v['share_high'], 2)}</span></td></tr>"
        for v in verdicts(found.disagreements)
    )
    return (
        '<p class="intro">For each pair of metrics the outputs of one content that they rank the '
        "other way round most clearly: what to look at, and what to ask people about next.</p>"
        f'<div class="duels">{cards}</div><details class="every"><summary>Who was right'
        '</summary><div class="scroll"><table class="plain"><thead><tr><th>metrics</th>'
        '<th class="num">pairs</th><th class="num">first right</th><th class="num">second right'
        '</th><th class="num">undecided</th><th class="num">share of the first</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _disagreement(found: Correlation, thumbs: Thumbnails, place: int, one: Disagreement) -> str:
    frame = found.data.frame
    a, b = frame.iloc[one.first], frame.iloc[one.second]
    images = thumbs.pairs.get(place, ("", "", ""))
    sides = ((a, one.by, one.against, images[0]), (b, one.against, one.by, images[1]))
    figures = []
    for row, liked_by, other, uri in sides:
        picture = f'<img alt="{escape(_who(row))}" src="{uri}">' if uri else ""
        values = "".join(
            f"<div><dt>{escape(m)}</dt><dd>{escape(with_unit(m, format_value(m, float(row[m]))))}"
            f"{' ★' if m == liked_by else ''}</dd></div>"
            for m in (liked_by, other)
        )
        score = f"<div><dt>{escape(found.humans.unit)}</dt><dd>{words.number(row['score'], 2)}" \
                "</dd></div>"  # fmt: skip
        figures.append(
            f'<figure>{picture}<figcaption><p class="who">{escape(_who(row))}</p>'
            f"<dl>{values}{score}</dl></figcaption></figure>"
        )
    if images[2]:
        figures.insert(0, f'<figure><img alt="reference" src="{images[2]}"><figcaption>'
                          '<p class="who">reference</p></figcaption></figure>')  # fmt: skip
    verdict = (
        f"People side with <strong>{escape(one.right)}</strong>."
        if one.right
        else "People are undecided."
    )
    return (
        f'<article class="duel"><h3>{escape(one.by)} <span class="soft">against</span> '
        f'{escape(one.against)}</h3><p class="note">{escape(str(a["content"]))}. {verdict}</p>'
        f'<div class="sides">{"".join(figures)}</div></article>'
    )


def _who(row: Any) -> str:
    return str(row["method"] or row["stimulus"])


def preferences(found: Correlation) -> str:
    """Agreement with single choices, where people chose."""
    if found.preferences is None:
        return ""
    table = found.preferences.table.sort_values("agreement", ascending=False)
    rows = "".join(
        f'<tr><th scope="row">{escape(str(r["metric"]))}</th><td class="num">'
        f'<span class="mean">{words.number(r["agreement"])}</span><span class="ci">'
        f"{words.interval(r['agreement_low'], r['agreement_high'])}</span></td></tr>"
        for r in table.to_dict("records")
    )
    return (
        '<section id="choices"><div class="bar"><h2>Agreement with choices</h2></div>'
        f'<p class="intro">Share of {found.preferences.choices:,} single choices between two '
        "pictures that a metric predicts. Siding with the majority each time would reach "
        f"{words.number(found.preferences.ceiling)}.</p>"
        f'<div class="scroll"><table class="summary"><tbody>{rows}</tbody></table></div></section>'
    )


def methods(found: Correlation) -> str:
    """The methods paragraph, to be copied."""
    paragraphs = words.methods(found)
    keys = cited(paragraphs)
    text = words.methods_markdown(found).split("## References")[0].strip()
    body = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    listed_ = "".join(f"<li>{escape(REFERENCES[key].plain())}</li>" for key in keys)
    return (
        f'<div class="prose">{body}<details><summary>{counted(len(keys), "reference")}</summary>'
        f"<ol>{listed_}</ol></details></div>"
    )


def made(found: Correlation, command: str) -> str:
    """Sources, signatures, settings."""
    signatures = [m.signature for m in found.data.metrics if m.signature]
    lines = "".join(_line(text) for text in dict.fromkeys(signatures))
    s = found.settings
    facts: Sequence[tuple[str, str]] = (
        ("human scores", f"{found.humans.source} ({found.humans.unit})"),
        ("model of the scores", found.humans.model),
        ("metric scores", found.metrics.source),
        ("joined by", found.joined.rule),
        ("mapping", s.mapping),
        ("test", s.test + (f", for {s.test_reason}" if s.test_reason else "")),
        ("samples", f"{s.resamples:,}, seed {s.seed}"),
        ("srqa", srqa.__version__),
    )
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts if v)
    shown = f'<section class="block"><h3>Command</h3>{_line(command)}</section>' if command else ""
    quoted = f'<section class="block"><h3>Signatures</h3>{lines}</section>' if lines else ""
    return (
        f'{quoted}<section class="block"><h3>What was compared</h3><dl class="pairs">{rows}</dl>'
        f"</section>{shown}"
    )


def _line(text: str) -> str:
    return f'<div class="line"><code>{escape(text)}</code></div>'
