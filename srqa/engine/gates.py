"""Gates: conditions that a Run must meet, for continuous integration."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from srqa.engine.compare import direction
from srqa.engine.protocol import definition, strict_definition
from srqa.engine.results import Run, Score
from srqa.errors import RunError, UsageError
from srqa.metrics import registry

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_CONDITION = re.compile(r"(any\()?\s*([\w.:+-]+?)\s*(\))?\s*(<=|>=|<|>)\s*(\S+)")
_DROP = re.compile(r"([\w.:+-]+)\s*=\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Condition:
    """One `--fail-if`: a comparison of a metric's mean, or of any image's value, with a number."""

    metric: str
    each_image: bool
    operator: str
    limit: float
    text: str


def parse_condition(text: str) -> Condition:
    """Read ``ssim-y<0.8`` (a method's mean) or ``any(ssim-y)<0.7`` (any image).

    Raises:
        UsageError: it is not of that form, or names no metric.

    Example:
        >>> parse_condition("any(ssim-y)<0.7").each_image
        True
    """
    match = _CONDITION.fullmatch(text.strip())
    if not match or bool(match[1]) != bool(match[3]):
        raise UsageError(
            f"--fail-if {text!r} is not a condition.",
            hint="Write METRIC<NUMBER for means or any(METRIC)<NUMBER for images; also <=, >, >=.",
        )
    limit = _number("--fail-if", match[5])
    spec = registry.get(match[2])
    if match[1] and spec.level == "set":
        raise UsageError(
            f"--fail-if {text!r}: {spec.name} is one value for all images, none for any image.",
            hint=f"Write {spec.name}{match[4]}{match[5]}.",
        )
    return Condition(spec.name, bool(match[1]), match[4], limit, text.strip())


def parse_drop(text: str) -> tuple[str, float]:
    """Read ``psnr-y=0.05``: the metric may become worse by at most that much.

    Raises:
        UsageError: it is not of that form, or names no metric.
    """
    match = _DROP.fullmatch(text.strip())
    if not match:
        raise UsageError(f"--max-drop {text!r} is not of the form METRIC=NUMBER.")
    amount = _number("--max-drop", match[2])
    if amount < 0:
        raise UsageError(f"--max-drop {text!r}: the number must not be negative.")
    return registry.get(match[1]).name, amount


def _number(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise UsageError(f"{option}: {text!r} is not a number.")
    return value


def check_computed(
    metrics: Sequence[str], conditions: Iterable[Condition], drops: Iterable[tuple[str, float]]
) -> None:
    """Refuse gates on metrics that are not computed, before hours are spent on the others.

    Raises:
        UsageError: a gate names a metric that is not among `metrics`.
    """
    gates = [(c.metric, f"--fail-if {c.text!r}") for c in conditions]
    gates += [(name, f"--max-drop {name}={amount:g}") for name, amount in drops]
    for name, option in gates:
        if name not in metrics:
            raise UsageError(
                f"{option}: {name} is not computed.",
                hint=f"Add it: -m {','.join([*metrics, name])}.",
            )


def check_conditions(run: Run, conditions: Iterable[Condition]) -> list[str]:
    """A sentence for each condition that says to fail; a condition on nothing fails too.

    Raises:
        UsageError: a condition names a metric that was not computed.
    """
    conditions = list(conditions)
    check_computed(run.metrics, conditions, ())
    return [failure for condition in conditions for failure in _failures(run, condition)]


def _of_set(metric: str) -> bool:
    """Whether a metric is one value for a whole set; an unknown one counts as none."""
    try:
        return registry.get(metric).level == "set"
    except UsageError:
        return False


def _failures(run: Run, condition: Condition) -> list[str]:
    fails = _OPERATORS[condition.operator]
    found = []
    if condition.each_image:
        rows = [row for row in run.score_rows if row.metric == condition.metric]
        bad = [
            row for row in rows if not math.isnan(row.value) and fails(row.value, condition.limit)
        ]
        if bad:
            pick = min if condition.operator.startswith("<") else max
            worst = pick(bad, key=lambda row: row.value)
            found.append(
                f"{condition.text}: {len(bad)} of {len(rows)} images, {worst.image} with "
                f"{worst.value:.6g}"
            )
        if all(math.isnan(row.value) for row in rows):
            found.append(f"{condition.text}: no image has a value of {condition.metric}")
        return found
    for row in run.summary_rows:
        if row.metric != condition.metric:
            continue
        where = " ".join(filter(None, (row.method, row.dataset)))
        if math.isnan(row.mean):
            found.append(f"{condition.text}: {where} has no value of {condition.metric}")
        elif fails(row.mean, condition.limit):
            what = "a value" if _of_set(condition.metric) else "a mean"
            found.append(f"{condition.text}: {where} has {what} of {row.mean:.6g}")
    return found


def check_drops(
    run: Run, baseline: Run, drops: Sequence[tuple[str, float]], method: str = ""
) -> list[str]:
    """A sentence for each method whose mean fell by more than allowed on the images both have.

    Args:
        run: what was evaluated now.
        baseline: what it is held against, by methods of the same name; a baseline of one method
            serves for all.
        drops: metrics and the most that each may become worse by.
        method: the baseline's method to take for all.

    Raises:
        RunError: the baseline lacks a metric, method or image, or defines a number differently.
    """
    failures = []
    for metric, allowed in drops:
        new, old = _by_method(run, metric), _by_method(baseline, metric)
        _check_definitions(run, baseline, metric)
        for name, images in new.items():
            before = old.get(method or name)
            if before is None and not method and len(old) == 1:
                before = next(iter(old.values()))
            if before is None:
                raise RunError(
                    f"The baseline has no method {method or name!r}.",
                    hint=f"It has {', '.join(old)}: --baseline RUN:METHOD chooses one.",
                )
            missing = [key for key in images if key not in before]
            if missing and _of_set(metric):
                raise RunError(f"The baseline has no {metric} of {name} on the same datasets.")
            if missing:
                raise RunError(
                    f"The baseline lacks {len(missing)} of {len(images)} images of {name}, "
                    f"for instance {missing[0][1]}."
                )
            drop = _drop(images, before, direction(metric))
            if math.isnan(drop):
                failures.append(f"{metric} of {name} cannot be compared: a value is missing")
            elif drop > allowed:
                failures.append(
                    f"{metric} of {name} became worse by {drop:.6g}, "
                    f"more than the {allowed:g} allowed"
                )
    return failures


_Images = dict[tuple[str, str, float | None], float]


def _by_method(run: Run, metric: str) -> dict[str, _Images]:
    found: dict[str, _Images] = defaultdict(dict)
    for row in run.score_rows:
        if row.metric == metric:
            found[row.method][_key(row)] = row.value
    if not found:
        raise RunError(f"{run.path or 'The Run'} has no scores of {metric}.")
    return found


def _key(row: Score) -> tuple[str, str, float | None]:
    return row.dataset, row.content, row.scale


def _check_definitions(run: Run, baseline: Run, metric: str) -> None:
    whole = _of_set(metric)
    same = strict_definition if whole else definition

    def signatures(r: Run) -> dict[tuple[str, float | None], str]:
        return {
            (row.dataset if whole else "", row.scale): row.signature
            for row in r.summary_rows
            if row.metric == metric and (row.n or not whole)
        }

    old = signatures(baseline)
    for place, text in signatures(run).items():
        if place in old and same(old[place]) != same(text):
            raise RunError(
                f"The baseline defines {metric} differently: “{old[place]}” there, “{text}” here."
            )


def _drop(new: _Images, old: _Images, higher_is_better: bool) -> float:
    """How much worse the mean became; infinite values cancel where both are infinite."""
    changes = [0.0 if new[key] == old[key] else old[key] - new[key] for key in new]
    mean = sum(changes) / len(changes)
    return mean if higher_is_better else -mean
