"""The part of the report that says how its numbers were made, as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from srqa.engine.results import Run
from srqa.metrics.agreement import sentence
from srqa.metrics.spec import MetricSpec
from srqa.report.facts import Facts
from srqa.report.numbers import format_scale
from srqa.report.words import Scrubber, listed, policy_sentences, protocol_sentences

_SHOWN_ROWS = 200
_OPEN_ROWS = 12


def provenance(facts: Facts, scrub: Scrubber) -> str:
    """Signatures, protocol, pairing, versions and machine."""
    run = facts.run
    interval = escape(str(run.manifest.get("interval", "")))
    paired = (
        "A difference between two methods is taken image by image over the images that both have, "
        "with the same kind of interval. Each is judged alone: nothing is corrected for the number "
        "of comparisons."
    )
    whole = (
        f"{listed(sorted(facts.whole))}: one value for all images of a method. Its interval, if "
        "any, is described with the metric, and no difference is taken image by image."
        if facts.whole
        else ""
    )
    infinite = "Infinite values (the PSNR of equal pictures) are left out of means and counted."
    parts = [
        _block("Signatures", _signatures(run), "Quote these lines with the numbers."),
        _block("Protocol", _paragraph(protocol_sentences(run))),
        _block(
            "Intervals", _paragraph([f"{interval}." if interval else "", paired, whole, infinite])
        ),
        _block("Reading of files", _paragraph(policy_sentences(run))),
        _block("Pairing of outputs with references", _pairing(run, scrub)),
        _block("Command", _command(run, scrub)),
        _block("Versions and machine", _machine(run)),
    ]
    return "".join(parts)


def _block(title: str, body: str, lead: str = "") -> str:
    first = f'<p class="soft">{lead}</p>' if lead else ""
    return f'<section class="block"><h3>{title}</h3>{first}{body}</section>' if body else ""


def _paragraph(sentences: Sequence[str]) -> str:
    text = " ".join(sentence for sentence in sentences if sentence)
    return f"<p>{text}</p>" if text else ""


def _signatures(run: Run) -> str:
    known = [entry.get("signature", "") for entry in run.manifest.get("signatures", [])]
    lines = dict.fromkeys([*known, *(row.signature for row in run.summary_rows)])
    return "".join(_line(text) for text in lines if text)


def _line(text: str) -> str:
    return (
        f'<div class="line"><code>{escape(text)}</code>'
        '<button type="button" class="copy" data-done="Copied">Copy</button></div>'
    )


def _pairing(run: Run, scrub: Scrubber) -> str:
    rules: dict[str, list[str]] = {}
    for entry in run.manifest.get("pairing", []):
        where = " ".join(str(part) for part in (entry.get("method"), entry.get("dataset")) if part)
        rules.setdefault(str(entry.get("rule", "")), []).append(f"{where} ({entry.get('n')})")
    items = "".join(
        f"<li>{escape(scrub.text(rule))}: {escape(', '.join(who))}</li>"
        for rule, who in rules.items()
    )
    skipped = run.manifest.get("skipped", [])
    names = "".join(
        f"<li>{escape(str(s.get('side', '')))} {escape(scrub.text(str(s.get('name', ''))))}</li>"
        for s in skipped[:_SHOWN_ROWS]
    )
    left = (
        f"<details><summary>{len(skipped)} pictures had no partner and were skipped</summary>"
        f"<ul>{names}</ul></details>"
        if skipped
        else ""
    )
    return f"<ul>{items}</ul>{left}" if items or left else ""


def _command(run: Run, scrub: Scrubber) -> str:
    command = str(run.manifest.get("command") or "")
    return _line(scrub.command(command)) if command else ""


def _machine(run: Run) -> str:
    manifest = run.manifest
    machine = manifest.get("machine") or {}
    facts = {"srqa": manifest.get("srqa")} | (manifest.get("versions") or {})
    facts |= {
        "device": manifest.get("device"),
        "system": " ".join(str(machine[k]) for k in ("system", "release") if machine.get(k)),
        "processor": machine.get("processor"),
        "cores": machine.get("cores"),
        "started": manifest.get("started"),
        "finished": manifest.get("finished"),
    }
    rows = "".join(
        f"<div><dt>{escape(str(key))}</dt><dd>{escape(str(value))}</dd></div>"
        for key, value in facts.items()
        if value
    )
    return f'<dl class="pairs">{rows}</dl>'


def guidance(facts: Facts) -> str:
    """What each metric is good for and where it misleads."""
    parts = []
    for metric in facts.metrics:
        spec = metric.spec
        name = f"<h3>{escape(metric.name)}</h3>"
        if spec is None:
            parts.append(
                f'<section class="block">{name}<p>This metric is not registered in this '
                "installation of srqa: its direction and meaning are not known here.</p></section>"
            )
            continue
        direction = "Higher is better." if spec.higher_is_better else "Lower is better."
        summary = escape(spec.summary[:1].upper() + spec.summary[1:])
        settings = f"<p class='soft'>{escape(spec.settings)}.</p>" if spec.settings else ""
        paper = f'<p class="soft">{escape(spec.paper)}.</p>' if spec.paper else ""
        parts.append(
            f'<section class="block">{name}<p>{summary}. {direction} {_coded(spec.guidance)}</p>'
            f"{_agreement(spec)}{settings}{paper}</section>"
        )
    return "".join(parts)


def _coded(text: str) -> str:
    """A text as HTML, with what stands in backquotes as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _agreement(spec: MetricSpec) -> str:
    """The first figure of a metric's agreement with people, which is the nearest to SR."""
    if not spec.agreement:
        return ""
    first = spec.agreement[0]
    return (
        f"<p><b>Agreement with people</b> {escape(sentence(first))} "
        f'<span class="soft">({escape(first.source)})</span></p>'
    )


def problem_tables(run: Run, scrub: Scrubber) -> str:
    """Pictures without a value, and metrics that do not apply."""
    return _problems("Problems", run.problems, scrub) + _problems(
        "Not applicable", run.not_applicable, scrub
    )


def _problems(title: str, rows: list[dict[str, str]], scrub: Scrubber) -> str:
    if not rows:
        return ""
    keys = ("image", "method", "metrics", "problem")
    body = "".join(
        f"<tr>{''.join(_cell(scrub.text(row[key])) for key in keys)}</tr>"
        for row in rows[:_SHOWN_ROWS]
    )
    left = len(rows) - _SHOWN_ROWS
    more = f"<p class='soft'>{left:,} more are in the per-image table.</p>" if left > 0 else ""
    heads = "".join(f'<th scope="col">{key}</th>' for key in keys)
    start = " open" if len(rows) <= _OPEN_ROWS else ""
    return (
        f'<section class="block wide"><details{start}><summary><h2>{title}</h2> '
        f'<span class="soft">{len(rows):,}</span></summary>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="{title}"><table class="plain">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{more}</details></section>"
    )


def _cell(text: str) -> str:
    return f"<td>{escape(text.removeprefix('n/a: '))}</td>"


def warning_box(run: Run, scrub: Scrubber) -> str:
    """The Run's warnings, for the top of the page."""
    sentences: Iterable[str] = [*run.warnings]
    failed = len({entry["image"] for entry in run.problems})
    if failed:
        noun = "picture has" if failed == 1 else "pictures have"
        sentences = [*sentences, f"{failed:,} {noun} no value for some metric: see Problems below."]
    items = "".join(f"<li>{escape(scrub.text(text))}</li>" for text in sentences)
    if not items:
        return ""
    return (
        '<aside class="warnings" aria-label="Warnings"><h2>Before you quote</h2>'
        f"<ul>{items}</ul></aside>"
    )


def key_facts(facts: Facts) -> str:
    """The line of figures under the headline."""
    run = facts.run
    contents = {(row.dataset, row.scale, row.content) for row in facts.images}
    datasets = [group.dataset for group in facts.groups if group.dataset]
    scales = [format_scale(group.scale) for group in facts.groups if group.scale]
    protocol = (run.manifest.get("protocol") or {}).get("name")
    entries = {
        "images": f"{len(contents):,}",
        "methods": str(len(facts.methods)),
        "dataset": ", ".join(dict.fromkeys(datasets)),
        "scale": ", ".join(dict.fromkeys(scales)),
        "protocol": str(protocol or ""),
        "date": str(run.manifest.get("finished") or "")[:10],
    }
    rows = "".join(
        f"<div><dt>{key}</dt><dd>{escape(value)}</dd></div>"
        for key, value in entries.items()
        if value
    )
    return f'<dl class="keys">{rows}</dl>'
