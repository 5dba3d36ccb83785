"""A Run in sentences: what it found and how its numbers were made. All text is escaped HTML."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from srqa.engine.results import Run, Summary
from srqa.report.facts import Facts, Group, Metric
from srqa.report.numbers import format_interval, format_value, with_unit

_SHOWN_GROUPS = 6
_FEW = 10
_PATH = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?(?:[\\/][^\s\\/'\"<>|,;]+){2,}[\\/]?")


def listed(names: Sequence[str], word: str = "and") -> str:
    """Names as in a sentence: ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 image``, ``5,000 images``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def findings(facts: Facts) -> list[str]:
    """Sentences (HTML) that say what was found, the most important one first."""
    metric = facts.primary
    if metric is None:
        return ["No image has a value: see the problems below."]
    sentences = []
    for group in facts.groups[:_SHOWN_GROUPS]:
        order = facts.ranking(group, metric)
        if order:
            where = f"On {escape(group.title)}, " if len(facts.groups) > 1 else ""
            sentences.append(where + _headline(facts, group, metric, order))
    left = len(facts.groups) - _SHOWN_GROUPS
    if left > 0:
        sentences.append(f"The table has {counted(left, 'more set')}.")
    if len(facts.groups) == 1:
        sentences += _others(facts, facts.groups[0], metric)
    return sentences


def _strong(text: str) -> str:
    return f"<strong>{escape(text)}</strong>"


def _mean(metric: Metric, row: Summary) -> str:
    value = _quantity(metric, row.mean)
    interval = format_interval(metric.name, row.ci_low, row.ci_high)
    return f'<span class="num">{value} {_interval(interval)}</span>'.replace(" </span>", "</span>")


def _quantity(metric: Metric, value: float) -> str:
    """A value with its unit, never broken over lines."""
    return with_unit(metric.name, format_value(metric.name, value)).replace(" ", "\u00a0")


def _interval(text: str) -> str:
    return f'<span class="soft">{text}</span>' if text else ""


def _headline(facts: Facts, group: Group, metric: Metric, order: list[Summary]) -> str:
    first = order[0]
    name = escape(metric.name)
    if len(order) == 1:
        images = counted(first.n + first.n_infinite, "image")
        if metric.name in facts.whole:
            images = counted(first.n, "patch", "patches")
        return f"{_strong(first.method)} reaches {name} {_mean(metric, first)} over {images}."
    if not metric.sign:
        parts = [f"{_strong(row.method)} {_mean(metric, row)}" for row in order]
        return f"{name} of {listed(parts)}; whether higher is better is not known here."
    second = order[1]
    lead = facts.standings[group, first.method, metric.name]
    if math.isinf(first.mean) or not lead.n:
        return (
            f"{_strong(first.method)} leads on {name}: {_mean(metric, first)}, before "
            f"{_strong(second.method)} with {_mean(metric, second)}."
        )
    amount = _quantity(metric, lead.lead)
    interval = format_interval(metric.name, lead.low, lead.high)
    gap = f'<span class="num">{amount} {_interval(interval)}</span>'
    if not interval:
        gap = f'<span class="num">{amount}</span>'
        return (
            f"{_strong(first.method)} is ahead of {_strong(second.method)} on {name} by {gap}: "
            f"{_mean(metric, first)} on {counted(lead.n, 'image')}, too few for an interval."
        )
    if lead.tied:
        return (
            f"{_strong(first.method)} has the best {name}, {_mean(metric, first)}, but these "
            f"{counted(lead.n, 'image')} do not tell it from {_strong(second.method)}: the "
            f"difference is {gap}, which includes zero."
        )
    return (
        f"{_strong(first.method)} leads on {name}: {_mean(metric, first)}, ahead of "
        f"{_strong(second.method)} by {gap}."
    )


def _others(facts: Facts, group: Group, primary: Metric) -> list[str]:
    """Whether the other metrics agree with the first."""
    order = facts.ranking(group, primary)
    if len(order) < 2 or not primary.sign:
        return []
    leaders: dict[str, list[str]] = {}
    for metric in facts.metrics:
        ranked = facts.ranking(group, metric)
        if metric is not primary and metric.sign and ranked:
            leaders.setdefault(ranked[0].method, []).append(escape(metric.name))
    same = leaders.pop(order[0].method, [])
    parts = []
    if same:
        every = "All other metrics agree: it" if not leaders and len(same) > 1 else "It"
        parts.append(f"{every} has the best mean on {listed(same)} too.")
    parts += [f"On {listed(n)}, {_strong(m)} has the best mean." for m, n in leaders.items()]
    return [" ".join(parts)] if parts else []


def caution(facts: Facts) -> str:
    """One sentence on how far the intervals carry, empty where there is nothing to say."""
    sizes = [r.n for r in facts.run.summary_rows if r.n and r.metric not in facts.whole]
    if not sizes or max(sizes) >= _FEW:
        return ""
    return (
        f"With {counted(max(sizes), 'image')} the intervals are rough: they describe how much the "
        "mean would move with other images of the same kind, not the error of a measurement."
    )


def protocol_sentences(run: Run) -> list[str]:
    """The protocol and the rules of reading and pairing, in words."""
    manifest = run.manifest
    protocol: dict[str, Any] = manifest.get("protocol") or {}
    sentences = []
    if protocol:
        sentences.append(f"{protocol.get('name', '?')}: {protocol.get('description', '')}")
        sentences += list(_protocol_rules(protocol))
    mismatch = (manifest.get("settings") or {}).get("on_mismatch")
    cuts = {
        "error": "Pictures whose sizes differ are an error; nothing is ever resized.",
        "modcrop": "Pictures whose sizes differ are cut at the bottom and right to a multiple of "
        "the scale; nothing is ever resized.",
        "crop": "Pictures whose sizes differ are cut to their common top left part; nothing is "
        "ever resized.",
    }
    if mismatch in cuts:
        sentences.append(cuts[mismatch])
    return [escape(s) for s in sentences]


def _protocol_rules(protocol: dict[str, Any]) -> Iterable[str]:
    if protocol.get("depth") == 8:
        yield "Every picture is clamped and rounded half up to 8 bits a sample."
    else:
        yield "Samples are compared at the depth that the files store."
    if protocol.get("y_rounded"):
        yield "Luma (Y of BT.601, 16 to 235) is rounded to integers."
    else:
        yield "Luma (Y of BT.601, 16 to 235) is not rounded."
    which = "every metric" if protocol.get("crop_all") else "the fidelity family"
    crop = protocol.get("crop")
    if crop == "scale":
        yield f"For {which}, as many pixels are cut from each side as the scale says."
    elif crop:
        yield f"For {which}, {crop} pixels are cut from each side."
    else:
        yield "No border is cut."
    if protocol.get("modcrop"):
        multiple = protocol["modcrop"]
        of = "the scale" if multiple == "scale" else str(multiple)
        yield f"References are cut at the bottom and right to a multiple of {of}."


def policy_sentences(run: Run) -> list[str]:
    """How files became pixels, in words."""
    policy: dict[str, Any] = run.manifest.get("decode_policy") or {}
    if not policy:
        return []
    alpha = {
        "refuse": "Pictures with a transparent alpha channel are refused.",
        "white": "Transparent pictures are laid on white, on the stored values.",
        "black": "Transparent pictures are laid on black, on the stored values.",
        "drop": "Alpha channels are dropped.",
    }.get(str(policy.get("alpha")), "")
    icc = {
        "ignore": "Embedded colour profiles are ignored, as the literature's tools do.",
        "convert": "Embedded colour profiles are converted to sRGB.",
    }.get(str(policy.get("icc")), "")
    version = policy.get("version")
    orientation = "EXIF orientation is applied."
    last = f"This is version {version} of the decode policy." if version else ""
    return [escape(s) for s in (orientation, alpha, icc, last) if s]


class Scrubber:
    """Takes users' absolute paths out of texts, so that a report can be given away."""

    def __init__(self, run: Run) -> None:
        roots = set()
        for row in run.file_rows:
            path = PurePosixPath(row.path.replace("\\", "/"))
            roots |= {str(parent) for parent in path.parents if len(parent.parts) > 1}
        self._roots = sorted(roots, key=len, reverse=True)
        self._home = str(Path.home())

    def text(self, text: str) -> str:
        """The text with the last component of a path in the path's place."""
        for root in self._roots:
            if root in text:
                text = re.sub(re.escape(root) + r"[\\/]", "", text)
                text = _replaced(root, r"(?![\w.-])", PurePosixPath(root).name, text)
        text = _PATH.sub(lambda found: _last(found[0]), text)
        return text.replace(self._home, "~") if len(self._home) > 1 else text

    def command(self, command: str) -> str:
        """A command line whose absolute paths are shortened to ``…/NAME``."""
        for root in self._roots:
            short = f"…/{PurePosixPath(root).name}"
            command = _replaced(root, r"(?=$|[\s'\"/\\])", short, command)
        try:
            words = shlex.split(command)
        except ValueError:
            return self.text(command)
        return " ".join(argument(word) for word in words)


def _replaced(part: str, after: str, by: str, text: str) -> str:
    """The text with `by` in the place of `part`, wherever the pattern `after` follows it."""
    return by.join(re.split(re.escape(part) + after, text)) if part in text else text


def _last(path: str) -> str:
    return PureWindowsPath(path.rstrip("\\/")).name


def argument(word: str) -> str:
    """A word of a command line, absolute paths shortened."""
    if word.startswith("-"):
        option, equals, value = word.partition("=")
    else:
        option, equals, value = "", "", word
    absolute = PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()
    if option and not equals:
        return word
    short = f"…/{_last(value)}" if absolute else value
    quoted = short if re.fullmatch(r"[\w@%+=:,./…×-]+", short) else shlex.quote(short)
    return f"{option}{equals}{quoted}"
