"""Which contents a report shows: where methods differ most, and each method's best and worst."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from srqa.report.facts import Facts, Group, Metric
from srqa.report.numbers import format_value, with_unit
from srqa.report.words import listed


@dataclass(frozen=True, slots=True)
class Choice:
    """A content worth looking at, and why, in plain words."""

    group: Group
    content: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Extremes:
    spread: list[tuple[str, float]]
    worst: dict[str, str]
    best: dict[str, str]


def choose(facts: Facts, count: int) -> list[Choice]:
    """At most `count` contents, taken in turn from each dataset and scale.

    The first of a group is where methods differ most by the first metric, then come the worst and
    the best of the leading method, then those of the next, and further differences.
    """
    metric = _metric(facts)
    if metric is None or count < 1:
        return []
    extremes = {group: _extremes(facts, group, metric) for group in facts.groups}
    queues = [_queue(group, found) for group, found in extremes.items()]
    chosen = list(itertools.islice(_in_turn(queues), count))
    kept = sorted(chosen, key=lambda pair: facts.groups.index(pair[0]))
    return [Choice(g, c, tuple(_reasons(c, extremes[g], metric))) for g, c in kept]


def _metric(facts: Facts) -> Metric | None:
    if facts.primary is not None:
        single = {row.metric for row in facts.images if math.isfinite(row.value)}
        for metric in (facts.primary, *facts.metrics):
            if metric.name in single:
                return metric
    return None


def _extremes(facts: Facts, group: Group, metric: Metric) -> _Extremes:
    sign = metric.sign or 1
    by_content: dict[str, list[float]] = {}
    worst, best = {}, {}
    for row in facts.ranking(group, metric):
        scores = facts.values.get((group, row.method, metric.name), {})
        finite = {c: s.value for c, s in scores.items() if math.isfinite(s.value)}
        if finite:
            worst[row.method] = min(finite, key=lambda c: sign * finite[c])
            best[row.method] = max(finite, key=lambda c: sign * finite[c])
        for content, value in finite.items():
            by_content.setdefault(content, []).append(value)
    spread = [(c, max(v) - min(v)) for c, v in by_content.items() if len(v) > 1]
    return _Extremes(sorted(spread, key=lambda pair: -pair[1]), worst, best)


def _queue(group: Group, found: _Extremes) -> Iterator[tuple[Group, str]]:
    seen: set[str] = set()
    spread = [content for content, _ in found.spread]
    in_pairs = [[found.worst[method], found.best[method]] for method in found.worst]
    parts: list[list[str]] = [spread[:1], *in_pairs[:1], spread[1:2], *in_pairs[1:], spread[2:]]
    for content in itertools.chain.from_iterable(parts):
        if content not in seen:
            seen.add(content)
            yield group, content


def _in_turn(queues: list[Iterator[tuple[Group, str]]]) -> Iterator[tuple[Group, str]]:
    for row in itertools.zip_longest(*queues):
        yield from (pair for pair in row if pair is not None)


def _reasons(content: str, found: _Extremes, metric: Metric) -> Iterator[str]:
    for place, (name, amount) in enumerate(found.spread[:3]):
        if name == content and len(found.spread) > 1:
            words = with_unit(metric.name, format_value(metric.name, amount))
            yield f"methods differ {'most' if place == 0 else 'much'}: {words} {metric.name}"
    low, high = ("worst", "best") if metric.sign else ("lowest", "highest")
    if len(set(found.worst.values()) | set(found.best.values())) < 2:
        return
    for word, where in ((low, found.worst), (high, found.best)):
        methods = [method for method, name in where.items() if name == content]
        if methods:
            whose = "every method" if 1 < len(methods) == len(where) else listed(methods)
            yield f"{word} {metric.name} of {whose}"
