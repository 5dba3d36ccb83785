"""The methods paragraph: what was done with the answers, in sentences for a paper.

A sentence marks what it cites as [[key]]; several stand as [[one,two]].
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.document import described
from srqa.ratings.analysis.steps import Step
from srqa.report.ratings.references import REFERENCES, bibliography, plain_list
from srqa.report.ratings.sentences import models, standings
from srqa.report.words import counted, listed

_KEYS = "|".join(REFERENCES)
_CITED = re.compile(rf"\s?\[\[((?:{_KEYS})(?:,(?:{_KEYS}))*)\]\]")
_MINUS = re.compile(r"(?<=[\s(])-(?=\d)")
_SPECIAL = re.compile(r"[&%$#_{}~^\\]")
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LISTED = 3
"""Observers whose exclusion is explained one by one."""
_CHECKS = {
    "bt500": "the criterion of ITU-R BT.500 [[bt500]]",
    "correlation": "correlation with the other observers' scores, after ITU-T P.913 [[p913]]",
    "p913": "the two correlations of ITU-T P.913 [[p913]]",
    "gold": "stimuli of known quality",
    "trap": "trapping questions",
    "time": "response times",
    "variance": "the variance of a session's ratings",
    "repeats": "repeated judgements",
    "far": "the distance of single votes from the others'",
    "likelihood": "the likelihood of their choices on the others' scale [[perezortiz2017]]",
}


def sentences(analysis: Analysis) -> list[list[str]]:
    """Paragraphs of sentences, written from the facts of the analysis."""
    first = [*_design(analysis), *_screening(analysis)]
    second = models(analysis)
    third = [*standings(analysis), "All computations were made with srqa [[srqa]]."]
    return [[_MINUS.sub("−", text) for text in part] for part in (first, second, third)]


def markdown(analysis: Analysis) -> str:
    """The paragraphs in Markdown, with a numbered list of references."""
    return as_markdown(sentences(analysis))


def latex(analysis: Analysis) -> str:
    r"""The paragraphs in LaTeX; the keys of \cite are those of `bibtex`."""
    return as_latex(sentences(analysis))


def bibtex(analysis: Analysis) -> str:
    """What the paragraphs cite, as a .bib file."""
    return bibliography(cited(sentences(analysis)))


def as_markdown(paragraphs: Sequence[Sequence[str]]) -> str:
    """Sentences with [[key]] marks in Markdown, with a numbered list of references."""
    keys = cited(paragraphs)
    number = {key: k for k, key in enumerate(keys, 1)}

    def cite(found: re.Match[str]) -> str:
        return f" [{', '.join(str(n) for n in sorted(number[k] for k in found[1].split(',')))}]"

    texts = [_CITED.sub(cite, " ".join(part)) for part in paragraphs if part]
    return "\n\n".join(texts) + "\n\n## References\n\n" + plain_list(keys)


def as_latex(paragraphs: Sequence[Sequence[str]]) -> str:
    r"""Sentences with [[key]] marks in LaTeX, which cites the entries of references.bib."""
    head = "% Cites the entries of references.bib.\n"
    texts = []
    for part in paragraphs:
        pieces = _CITED.split(" ".join(part))
        texts.append(
            "".join(
                _escaped(piece) if k % 2 == 0 else rf"~\cite{{{piece}}}"
                for k, piece in enumerate(pieces)
            )
        )
    return head + "\n\n".join(text for text in texts if text) + "\n"


def cited(paragraphs: Sequence[Sequence[str]]) -> list[str]:
    """Keys in the order of their first appearance."""
    text = " ".join(" ".join(part) for part in paragraphs)
    return list(dict.fromkeys(key for found in _CITED.findall(text) for key in found.split(",")))


def _escaped(text: str) -> str:
    text = _SPECIAL.sub(lambda found: _LATEX.get(found[0], "\\" + found[0]), text)
    text = re.sub(r"(?<=\d) (?=\\%)", r"\\,", text)
    return text.replace("±", r"$\pm$").replace("−", "$-$").replace(" x ", r" $\times$ ")


def panel(number: int) -> str:
    """Who took part, to begin a sentence with."""
    return "One observer" if number == 1 else f"A panel of {number:,} observers"


def _design(analysis: Analysis) -> list[str]:
    given = described(analysis.given)
    method = analysis.choices.method
    who, pictures = panel(given["observers"]), counted(given["stimuli"], "picture")
    if given["methods"] and given["contents"]:
        made = counted(len(given["methods"]), "method")
        pictures += f" ({made} on {counted(given['contents'], 'content')})"
    if analysis.chosen is not None:
        return _design_of_choices(analysis, who, pictures)
    scale = analysis.given.rating_scale
    how = {
        "acr": f"by absolute category rating on a scale from {scale} [[p910]]",
        "acr-hr": f"by absolute category rating with hidden references (ACR-HR) on a scale from "
        f"{scale} [[p910]]",
        "dscqs": "by the double-stimulus continuous quality scale (DSCQS) [[bt500]]",
        "ccr": f"against their references by comparison category rating (CCR) on a scale from "
        f"{scale} [[p910]]",
    }[method]
    first = f"{who} rated {pictures} {how}, in {counted(given['ratings'], 'rating')}."
    return [first, _completeness(analysis)]


def _design_of_choices(analysis: Analysis, who: str, pictures: str) -> list[str]:
    given = described(analysis.given)
    if analysis.choices.method == "triplet":
        how = (
            f"{who} judged triplets of {pictures}: which of two pictures differs more from their "
            "common reference [[men2021]]"
        )
    else:
        how = f"{who} compared {pictures} in pairs, choosing the better one"
    votes = given["answers_per_observer"]
    many = counted(given["choices"], "answer")
    each = _range(votes, "answer") if given["observers"] > 1 else ""
    first = f"{how}, in {many}" + (f" ({each} an observer)." if each else ".")
    ties = given["ties"]
    if not ties:
        return [first, "No answer was a tie."]
    were = "was a tie" if ties == 1 else "were ties"
    return [first, f"Of the answers, {ties:,} ({100 * ties / given['choices']:.1f} %) {were}."]


def _completeness(analysis: Analysis) -> str:
    given = described(analysis.given)
    if given["design"] == "full":
        if given["observers"] == 1:
            return "The observer rated every picture."
        often = "at least once" if given["repeated"] else "once"
        return f"The design was full: every observer rated every picture {often}."
    observer, stimulus = given["answers_per_observer"], given["votes_per_stimulus"]
    return (
        f"The design was partial: an observer rated {_range(observer, 'picture')}, and a picture "
        f"received {_range(stimulus, 'vote')}."
    )


def _range(spread: dict[str, float], noun: str) -> str:
    low, middle, high = (spread[k] for k in ("min", "median", "max"))
    if low == high:
        return counted(int(low), noun)
    return f"{low:,.0f} to {counted(int(high), noun)} (median {middle:,g})"


def _screening(analysis: Analysis) -> list[str]:
    screened = analysis.screened
    found = []
    if screened.controls:
        parts = [f"{n:,} of {_control(word)}" for word, n in screened.controls.items()]
        total = sum(screened.controls.values())
        verb = "was" if total == 1 else "were"
        found.append(f"Of the answers, {listed(parts)} {verb} not used for the scores.")
    if not screened.steps:
        return [*found, "No observer was excluded."]
    found += [_step(step, first=k == 0) for k, step in enumerate(screened.steps)]
    if any(step.observers or step.answers for step in screened.steps):
        people, answers = len(screened.answers.observers), len(screened.answers)
        found.append(
            f"The results rest on the remaining {counted(people, 'observer')} and "
            f"{counted(answers, 'answer')}."
        )
    return found


def _control(word: str) -> str:
    return {"training": "the training", "trap": "trapping questions"}.get(word, "gold questions")


def _step(step: Step, first: bool) -> str:
    how = f"{'Observers were' if first else 'They were then'} screened by {_CHECKS[step.check]}"
    settings = f" ({step.settings})"
    out = []
    if step.observers:
        out.append(f"{len(step.observers):,} of {counted(step.of, 'observer')}{_why(step)}")
    if step.answers:
        out.append(counted(step.answers, "single answer"))
    if out:
        return f"{how}{settings}, which excluded {listed(out)}."
    none = "the observer was kept" if step.of == 1 else f"all {step.of:,} observers were kept"
    return f"{how}{settings}; {none}."


def _why(step: Step) -> str:
    """The figures behind the first exclusions."""
    reasons = [f"{f.observer}: {f.reason}" for f in step.flags if f.row is None]
    if len(reasons) > _LISTED:
        return f" ({listed(list(step.observers))})" if len(step.observers) <= 12 else ""
    return f" ({'; '.join(reasons)})"
