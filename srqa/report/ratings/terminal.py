"""Ratings in a terminal: overviews, results and plans as text and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.rated import Reliability
from srqa.ratings.designs import Design
from srqa.ratings.overview import Overview
from srqa.ratings.planning import Trial
from srqa.report.ratings.scores import Points, points
from srqa.report.words import counted, listed

if TYPE_CHECKING:
    from rich.table import Table

MOST_ROWS = 30
_MOST_DIFFERENCES = 45


def number(value: float, digits: int = 2) -> str:
    """A number as text; a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _interval(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{low:.2f} to {high:.2f}"


def _p(p: float) -> str:
    return "<0.0001" if p < 0.0001 else number(p, 4)


def _table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> Table:
    """Columns as (heading, "left" or "right")."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, side in columns:
        right = side == "right"
        table.add_column(heading, justify="right" if right else "left", no_wrap=right,
                         overflow="fold")  # fmt: skip
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def overview_lines(found: Overview) -> list[tuple[str, str]]:
    """Headings and texts that say what is in a table of answers."""
    counts = found.counts
    lines = [("study", found.study), ("method", found.method)]
    kinds = [counted(counts[k], k[:-1]) for k in ("ratings", "choices") if counts[k]]
    ties = f", {counted(counts['ties'], 'tie')}" if counts["ties"] else ""
    lines.append(("answers", listed(kinds) + ties))
    if scale := counts["rating_scale"]:
        step = f" in steps of {scale['step']:g}" if scale["step"] else ", continuous"
        lines.append(("scale", f"{scale['low']:g} to {scale['high']:g}{step}"))
    lines += [
        ("pictures", f"{counts['stimuli']:,}"),
        ("methods", _names(counts["methods"])),
        ("contents", f"{counts['contents']:,}" if counts["contents"] else ""),
        ("datasets", ", ".join(counts["datasets"])),
        ("scales", ", ".join(f"x{scale:g}" for scale in counts["scales"])),
        ("observers", f"{counts['observers']:,}"),
        ("sessions", f"{counts['sessions']:,}" if counts["sessions"] > 1 else ""),
        ("repeated", f"{counts['repeated']:,} judgements" if counts["repeated"] else ""),
        ("a picture", _spread(counts["votes_per_stimulus"], "answers")),
        ("an observer", _spread(counts["answers_per_observer"], "answers")),
    ]
    if counts["design"]:
        gaps = "" if found.filled == 1 else f", {100 * found.filled:.0f} % of the cells are filled"
        lines.append(("design", counts["design"] + gaps))
    if found.groups:
        linked = (
            "all pictures are linked"
            if found.groups == 1
            else f"{found.groups} groups that no comparison links"
        )
        lines.append(("links", linked))
    if not math.isnan(found.left_share):
        lines.append(("left chosen", f"{100 * found.left_share:.1f} %"))
    flags = ", ".join(f"{word} {n:,}" for word, n in found.flags.items())
    lines.append(("flags", flags))
    if not math.isnan(found.median_ms):
        lines.append(("time", f"{found.median_ms / 1000:.1f} s an answer (median)"))
    if found.reliability is not None:
        lines += agreement_lines(found.reliability)
    return [(name, text) for name, text in lines if text]


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{len(names)}: {shown}{more}" if names else ""


def _spread(spread: dict[str, float], noun: str) -> str:
    low, middle, high = (spread[k] for k in ("min", "median", "max"))
    if low == high:
        return f"{low:,.0f} {noun}"
    return f"{low:,.0f} to {high:,.0f} {noun}, median {middle:,g}"


def agreement_lines(found: Reliability) -> list[tuple[str, str]]:
    """Headings and texts on agreement."""
    values = {entry.name: entry.value for entry in found.icc}
    parts = [f"{n} {values[n]:.3f}" for n in ("ICC(A,1)", "ICC(C,1)", "ICC(A,k)") if n in values]
    if not math.isnan(found.alpha_ordinal):
        alphas = f"{found.alpha_ordinal:.3f} ordinal, {found.alpha_interval:.3f} interval"
        parts.append(f"alpha {alphas}")
    lines = [("agreement", ", ".join(parts))]
    if halves := found.split_half:
        lines.append(
            (
                "split half",
                f"{halves.half:.3f}, whole panel {halves.panel:.3f}, ceiling for a metric "
                f"{halves.ceiling:.3f}",
            )
        )
    if again := found.retest:
        lines.append(
            (
                "retest",
                f"{counted(again.pairs, 'pair')}, {100 * again.exact:.0f} % the same, kappa "
                f"{number(again.kappa)}",
            )
        )
    return lines


def key_table(lines: Sequence[tuple[str, str]]) -> Table:
    """Headings and texts below each other."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines:
        table.add_row(name, Text(text))
    return table


def result_lines(analysis: Analysis) -> list[tuple[str, str]]:
    """What was done and how well it went, in headings and texts."""
    choices = analysis.choices
    used = analysis.rated.answers if analysis.rated else analysis.screened.answers
    people = counted(len(used.observers), "observer")
    lines = [("method", _reasoned(analysis, "method", choices.method))]
    lines.append(("used", f"{counted(len(used), 'answer')} by {people} about "
                  f"{counted(len(used.stimuli), 'picture')}"))  # fmt: skip
    for step in analysis.screened.steps:
        out = [counted(len(step.observers), "observer")] if step.observers else []
        out += [counted(step.answers, "answer")] if step.answers else []
        who = f" ({_names(step.observers).partition(': ')[2]})" if step.observers else ""
        lines.append((step.check, f"took out {listed(out) or 'nothing'}{who}; {step.settings}"))
    if analysis.rated is not None:
        rated = analysis.rated
        lines.append(("recover", _reasoned(analysis, "recover", str(choices.recover))))
        fits = ", ".join(f"{fit.model} {fit.nbic:.3f}" for fit in rated.fits)
        lines.append(("NBIC", f"{fits} (smaller is better)"))
        lines += agreement_lines(rated.reliability)
        if rated.sos is not None:
            lines.append(("SOS", f"a = {rated.sos.a:.3f}"))
    if analysis.chosen is not None:
        scale = analysis.chosen.scale
        how = f"{scale.model.name}, ties {scale.ties}, prior {scale.prior}"
        lines.append(("scale", f"{how}; {scale.anchor}"))
        if not math.isnan(scale.side_bias):
            lines.append(("side bias", f"{scale.side_bias:+.2f} JOD for the left (standard error "
                          f"{scale.side_bias_se:.2f})"))  # fmt: skip
        fit = analysis.chosen.fit
        if fit.degrees:
            lines.append(("fit", f"deviance {fit.deviance:.1f} on {fit.degrees} degrees of "
                          f"freedom, p = {number(fit.p_deviance, 3)}"))  # fmt: skip
    standings = analysis.standings
    if standings.names:
        text = f"{standings.test}, {standings.correction}, margin {standings.margin:g}"
        lines.append(("tests", text))
    return [(name, text) for name, text in lines if text]


def _reasoned(analysis: Analysis, name: str, value: str) -> str:
    why = analysis.choices.reasons.get(name)
    return f"{value} ({why})" if why else value


def standings_table(analysis: Analysis) -> Table | None:
    """Methods from the best to the worst with their tiers; None where nothing is compared."""
    found = analysis.standings
    if not found.names or len(found.names) > MOST_ROWS:
        return None
    interval = not all(map(math.isnan, found.low))
    heads = [(found.of[:-1] if found.of == "methods" else "picture", "left"), (found.unit, "right")]
    heads += [("95 % interval", "right")] if interval else []
    rows = []
    for k, name in enumerate(found.names):
        ends = [_interval(found.low[k], found.high[k])] if interval else []
        rows.append([name, number(found.values[k]), *ends, found.tiers[k]])
    return _table([*heads, ("tier", "left")], rows)


def differences_table(analysis: Analysis) -> Table | None:
    """Pairs of methods with their tests; None where there are none, or too many."""
    found = analysis.standings.differences
    if not found or len(found) > _MOST_DIFFERENCES:
        return None
    adjusted = not all(math.isnan(d.p_adjusted) for d in found)
    heads = [("first", "left"), ("second", "left"), ("difference", "right"),
             ("95 % interval", "right"), ("p", "right")]  # fmt: skip
    heads += [("adjusted", "right")] if adjusted else []
    rows = []
    for d in found:
        more = [_p(d.p_adjusted)] if adjusted else []
        rows.append([d.first, d.second, "-" if math.isnan(d.mean) else f"{d.mean:+.2f}",
                     _interval(d.ci_low, d.ci_high), _p(d.p), *more,
                     d.verdict])  # fmt: skip
    return _table([*heads, ("verdict", "left")], rows)


def scores_table(analysis: Analysis) -> tuple[Table, int]:
    """Pictures from the best to the worst, and how many were left out."""
    shown: Points = points(analysis)
    votes: Any = analysis.rated.scores.n if analysis.rated else None
    if analysis.chosen is not None:
        votes = analysis.chosen.scale.votes
    order = shown.order
    rows = [
        [
            shown.stimuli[i].name,
            number(shown.values[i]),
            _interval(shown.low[i], shown.high[i]),
            f"{votes[i]:.0f}",
        ]
        for i in order[:MOST_ROWS]
    ]
    heads = [("picture", "left"), (shown.unit, "right"), ("95 % interval", "right"), ("n", "right")]
    return _table(heads, rows), max(0, len(order) - MOST_ROWS)


def plan_lines(design: Design) -> list[str]:
    """A design in sentences."""
    what = "pair" if design.method == "pair" else "picture"
    unit = "JOD" if design.method == "pair" else "on the scale"
    found = [
        f"To find a difference of {design.effect:g} {unit} between two pictures with a power of "
        f"{design.power:g} (alpha {design.alpha:g} over "
        f"{counted(design.comparisons, 'comparison')}"
        + (f", standard deviation {design.sd:g})" if not math.isnan(design.sd) else ")")
        + f", each {what} needs {counted(design.votes, 'answer')}."
    ]
    if not math.isnan(design.half_width):
        found.append(
            f"Scores in the middle of the scale then have intervals of ±{design.half_width:.2f}."
        )
    return found


def plan_table(design: Design) -> Table:
    """The schedules of a design."""
    heads = [("", "left"), ("observers", "right"), ("answers each", "right"),
             ("minutes each", "right"), ("sessions", "right"), ("answers", "right"),
             ("hours", "right")]  # fmt: skip
    rows = [
        [s.name, f"{s.observers:,}", f"{s.answers_each:,}", f"{s.minutes_each:.0f}",
         f"{s.sessions_each}", f"{s.answers:,}", f"{s.hours:.0f}"]
        for s in design.schedules
    ]  # fmt: skip
    return _table(heads, rows)


def trial_sentence(name: str, trial: Trial, unit: str) -> str:
    """What a design gave in simulation."""
    return (
        f"{name}: in {counted(trial.studies, 'simulated study', 'simulated studies')}, two methods "
        f"with this difference were told apart in {100 * trial.power:.0f} %; "
        f"{100 * trial.coverage:.1f} % of the 95 % intervals held the truth, half width "
        f"{trial.half_width:.2f} {unit}, root mean square error {trial.rmse:.2f}."
    )
