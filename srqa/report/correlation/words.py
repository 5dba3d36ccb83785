"""A correlation in sentences: what was found, and the methods paragraph of a paper.

Sentences of the methods mark what they cite as [[key]], as those about ratings do.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srqa.correlation.analysis import Correlation
from srqa.correlation.differences import held
from srqa.report.ratings.methods import as_latex, as_markdown, cited
from srqa.report.ratings.references import bibliography
from srqa.report.words import counted, listed
from srqa.statistics.mapping import words as mapping_words

_NAMED = 6


def number(value: float, digits: int = 3) -> str:
    """A correlation or share as text; a dash where there is none.

    Example:
        >>> number(0.93416), number(-0.0001), number(float("nan"))
        ('0.934', '0.000', '–')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def interval(low: float, high: float, digits: int = 3) -> str:
    """Ends as ``[0.912, 0.951]``, or ''."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{number(low, digits)}, {number(high, digits)}]"


def figure(row: Any, name: str, digits: int = 3) -> str:
    """A figure with its interval, of a row of the table."""
    return f"{number(row[name], digits)} {interval_of(row, name, digits)}".strip()


def interval_of(row: Any, name: str, digits: int = 3) -> str:
    """The interval of a figure, of a row of the table; '' where there is none."""
    low, high = (float(row.get(f"{name}_{end}", math.nan)) for end in ("low", "high"))
    return interval(low, high, digits)


def design(found: Correlation) -> dict[str, int]:
    """Counts of pictures, contents, methods, datasets, scales and metrics."""
    frame = found.data.frame
    return {
        "pictures": len(frame),
        "contents": int(found.data.contents.max()) + 1 if found.data.known_contents else 0,
        "methods": int((frame["method"].drop_duplicates() != "").sum()),
        "datasets": int((frame["dataset"].drop_duplicates() != "").sum()),
        "scales": int(frame["scale"].dropna().nunique()),
        "metrics": len(found.data.metrics),
    }


def set_words(found: Correlation) -> str:
    """The pictures in words: ``200 pictures (40 contents, 5 methods)``."""
    counts = design(found)
    parts = []
    if counts["contents"]:
        parts.append(counted(counts["contents"], "content"))
    if counts["methods"]:
        parts.append(counted(counts["methods"], "method"))
    inside = f" ({', '.join(parts)})" if parts else ""
    return counted(counts["pictures"], "picture") + inside


def same_tier(found: Correlation) -> list[str]:
    """Metrics that are not told apart from the best one, without it."""
    table = found.table
    first = set(table["tier"].iloc[0])
    rest = table.iloc[1:]
    return [n for n, t in zip(rest["metric"], rest["tier"], strict=True) if first & set(t)]


def findings(found: Correlation) -> list[str]:
    """What was found, the most important sentence first; plain text."""
    table = found.table
    best = table.iloc[0]
    lead = (
        f"{best['metric']} agrees best with people: SROCC {figure(best, 'srocc')} over "
        f"{set_words(found)}."
    )
    if len(table) > 1:
        same = same_tier(found)
        shown = listed(same[:_NAMED]) if len(same) <= _NAMED else f"{len(same)} other metrics"
        if len(same) == len(table) - 1:
            lead += " These pictures do not tell the metrics apart."
        elif same:
            lead += f" It is not told from {shown}."
        else:
            lead += f" It is ahead of all others; next is {table.iloc[1]['metric']}."
    sentences = [lead]
    if not np.isnan(table["within"]).all():
        inside = table.sort_values("within", ascending=False, kind="stable").iloc[0]
        sentences.append(
            "Which of the outputs of one content is better is ranked best by "
            f"{inside['metric']}: mean SROCC within contents {figure(inside, 'within')}."
        )
    ceiling = found.humans.ceiling
    if ceiling:
        sentences.append(
            f"No metric can honestly go beyond {number(ceiling.value)}, the noise ceiling of these "
            f"scores ({ceiling.how})."
        )
    sentences += _of_quality(found)
    return sentences


def _of_quality(found: Correlation) -> list[str]:
    """Whether the good end is harder, by the best metric."""
    best = found.table["metric"].iloc[0]
    rows = found.parts[(found.parts["scope"] == "quality") & (found.parts["metric"] == best)]
    by_part = dict(zip(rows["part"], rows["srocc"], strict=True))
    low, high = by_part.get("worst third", math.nan), by_part.get("best third", math.nan)
    if math.isnan(low) or math.isnan(high):
        return []
    return [f"Among the best third of the pictures the SROCC of {best} is {number(high)}, among "
            f"the worst third {number(low)}."]  # fmt: skip


def meaning(found: Correlation) -> list[str]:
    """What a metric's difference means to people, a sentence a metric."""
    if found.noticed is None:
        return []
    units = {metric.name: metric.unit for metric in found.data.metrics}
    sentences = []
    for row in found.noticed.table.to_dict("records"):
        name = str(row["metric"])
        if math.isnan(row["threshold"]):
            continue
        unit = f" {units[name]}" if units[name] else ""
        own = found.noticed.steps[found.noticed.steps["metric"] == name]
        smallest = own.iloc[0]
        sentences.append(
            f"{name}: 95 % of the pairs that people do not tell apart differ by less than "
            f"{short(row['threshold'])}{unit}; of pairs that differ by less than "
            f"{short(smallest['high'])}{unit}, people side with the metric in "
            f"{100 * smallest['agree']:.0f} %, against it in {100 * smallest['disagree']:.0f} % "
            "and see no difference in the rest."
        )
    return sentences


def short(value: float) -> str:
    """A number with three digits, as tables print it."""
    if value == 0 or math.isnan(value):
        return "0" if value == 0 else "–"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4 or magnitude > 5:
        return f"{value:.2e}"
    return f"{value:.{max(0, 2 - magnitude)}f}"


def methods(found: Correlation) -> list[list[str]]:
    """Paragraphs of sentences for a paper, written from the facts."""
    s, humans = found.settings, found.humans
    first = [
        f"{counted(len(found.data.metrics), 'metric was', 'metrics were')} "
        f"compared with the {humans.unit} of {set_words(found)}.",
        "Rank correlation is Spearman's (SROCC) [[spearman1904]] and Kendall's tau-b (KRCC) "
        "[[kendall1945]].",
        *_of_mapping(found),
        *_of_ceiling(found),
    ]
    second = [*_of_intervals(found), *_of_tests(found)]
    third = []
    if found.noticed is not None:
        among = "one content" if s.pairs == "content" else "any content"
        third.append(
            "Following Krasula et al. [[krasula2016]], "
            f"{counted(len(found.noticed.pairs), 'pair')} of pictures of {among} were taken as "
            f"different where their scores differ by more than {s.limit:g} standard errors "
            f"({counted(found.noticed.pairs.different, 'pair')}); areas under the ROC curve have "
            "intervals that count contents, not pairs."
        )
    if found.preferences is not None:
        third.append(
            "Agreement with single choices is the share of "
            f"{counted(found.preferences.choices, 'choice')} that a metric predicts, ties half."
        )
    if found.disagreements:
        third.append(
            "Pairs of pictures on which metrics disagree most were found as in maximum "
            "differentiation [[wang2008]], on percentile ranks."
        )
    third.append("All computations were made with srqa [[srqa]].")
    return [first, second, third]


def _of_mapping(found: Correlation) -> list[str]:
    kind = found.settings.mapping
    if kind == "none":
        return ["Pearson's correlation (PLCC) is that of the metrics' own values."]
    cite = {
        "logistic4": " [[vqeg2003]]", "logistic5": " [[sheikh2006]]", "cubic": " [[p1401]]"
    }.get(kind, "")  # fmt: skip
    name = "line" if kind == "linear" else mapping_words(kind)
    held_out = (
        " On held-out contents it was fitted in five folds of whole contents."
        if found.figures.table["plcc_cv"].notna().any()
        else ""
    )
    return [
        "Pearson's correlation (PLCC) and the root mean squared error (RMSE) are those after a "
        f"{name}{cite} fitted by least squares to all pictures [[p1401]].{held_out}"
    ]


def _of_ceiling(found: Correlation) -> list[str]:
    ceiling = found.humans.ceiling
    if ceiling is None:
        return []
    return [f"The noise ceiling of the scores is {number(ceiling.value)}, {ceiling.how} "
            "[[brown1910]]."]  # fmt: skip


def _of_intervals(found: Correlation) -> list[str]:
    unit = "contents" if found.data.known_contents else "pictures"
    if not found.figures.without:
        return [f"There are no intervals: {found.data.clusters(1, 0).size} {unit} are too few."]
    return [
        f"{100 * found.settings.level:g} % intervals leave out one of the {unit} at a time "
        "(jackknife, Student's t) and are symmetric in Fisher's z of SROCC and KRCC, in "
        "r / sqrt(1 - r^2) of PLCC and in 1 / RMSE^2 [[tukey1958]]; their degrees of freedom "
        f"follow from how unequally the {unit} contribute [[potthoff1992]]."
    ]


def _of_tests(found: Correlation) -> list[str]:
    s = found.settings
    if len(found.data.metrics) < 2:
        return []
    name = {
        "jackknife": "by leaving out contents (jackknife)",
        "bootstrap": "by drawing contents again",
        "mrr": "by the test of Meng, Rosenthal and Rubin [[meng1992]]",
        "steiger": "by Steiger's test [[steiger1980]]",
    }[s.test]
    cite = {"holm": " [[holm1979]]", "bh": " [[benjamini1995]]", "none": ""}[s.correction]
    return [
        f"Differences between SROCCs were tested {name}, with {held(s.correction)}{cite} over all "
        f"pairs of metrics at {s.alpha:g}; metrics that share a letter are not told apart "
        "[[piepho2004]]."
    ]


def methods_markdown(found: Correlation) -> str:
    """The methods paragraph in Markdown, with references."""
    return as_markdown(methods(found))


def methods_latex(found: Correlation) -> str:
    """The methods paragraph in LaTeX."""
    return as_latex(methods(found))


def methods_bibtex(found: Correlation) -> str:
    """What it cites."""
    return bibliography(cited(methods(found)))
