"""Sentences of the methods paragraph about models, agreement and comparisons."""

from __future__ import annotations

import math

import numpy as np

from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.chosen import Chosen
from srqa.ratings.analysis.rated import Rated
from srqa.report.words import counted, listed

NAMES = {
    "mos": "mean opinion scores",
    "p910": "the P.910 model",
    "p910-ap": "the P.910 model",
    "p913": "bias removal by P.913",
    "p913-iterated": "bias removal by least squares",
    "regularised": "the regularised P.910 model",
    "zrec": "ZREC",
}
_LISTED_TIERS = 20


def model_name(name: str) -> str:
    """A model in words; what follows its first word is about intervals."""
    return NAMES.get(name.split(maxsplit=1)[0], name) if name else ""


def models(analysis: Analysis) -> list[str]:
    """How the scores were made, how sure they are, how far observers agree."""
    if analysis.rated is not None:
        rated = analysis.rated
        return [
            *_differences(analysis), _model(analysis, rated), *_width(analysis, rated),
            *_observers(rated), *_choice(analysis, rated), *_agreement(rated), *_sos(rated),
        ]  # fmt: skip
    if analysis.chosen is not None:
        return _scaling(analysis, analysis.chosen)
    return []


def _differences(analysis: Analysis) -> list[str]:
    choices = analysis.choices
    high = analysis.given.rating_scale.high
    if choices.method == "acr-hr":
        how = {
            "per_subject": "An observer's vote for the hidden reference was subtracted from the "
            f"same observer's vote for the picture, and {high:g} was added (DMOS)",
            "mean_ref": "The reference's mean opinion score was subtracted from each vote, and "
            f"{high:g} was added (DMOS)",
            "clamped": "The reference's mean opinion score was subtracted from each vote, and "
            f"{high:g} was added; means above {high:g} were set to {high:g} (DMOS)",
        }[choices.reference_votes or "per_subject"]
        crushed = "; differences above the scale were crushed [[p910]]" if choices.crush else ""
        return [f"{how}{crushed}."]
    if choices.method == "dscqs":
        return ["A trial's score is the rating of the reference minus that of the test picture."]
    if choices.method == "ccr":
        return ["Ratings were turned so that the order of presentation falls out."]
    return []


def _model(analysis: Analysis, rated: Rated) -> str:
    unit = analysis.unit
    choices = analysis.choices
    if choices.recover == "none":
        how = {
            "t": "Student's t over the votes",
            "normal": "1.96 standard errors of the votes",
            "bootstrap": "a bootstrap over observers [[hesterberg2015]]",
        }[choices.interval or "t"]
        return f"Scores are means of the votes ({unit}), with 95 % intervals by {how}."
    return {
        "regularised": "Scores were recovered by the model of ITU-T P.910 [[p910,li2020]] with one "
        "bias and one inconsistency an observer, as a mixed model [[henderson1975]]: biases are "
        "drawn from a normal distribution, and an observer's variance is shrunk towards the "
        "panel's; the 95 % intervals are for the population of observers.",
        "p910": "Scores, biases and inconsistencies of observers were recovered by the alternating "
        "projection of ITU-T P.910 [[p910,li2020]]; 95 % intervals come from the residuals of each "
        "picture and speak of these observers.",
        "p910-ap": "Scores, biases and inconsistencies of observers were recovered by the "
        "alternating projection of ITU-T P.910 [[p910,li2020]]; 95 % intervals come from the "
        "observers' inconsistencies and speak of these observers.",
        "p913": "Each observer's bias was removed by the procedure of ITU-T P.913 "
        "[[p913,janowski2015]]; scores are means of the corrected votes with 95 % intervals by "
        "Student's t.",
        "p913-iterated": "Each observer's bias was removed by least squares, fitted together with "
        "the scores [[p913,janowski2015]]; scores are means of the corrected votes with 95 % "
        "intervals by Student's t.",
        "zrec": "Scores were recovered by ZREC [[zhu2023]], with its authors' 95 % intervals.",
    }[str(choices.recover)]


def _width(analysis: Analysis, rated: Rated) -> list[str]:
    half = (rated.scores.ci_high - rated.scores.ci_low) / 2
    known = half[np.isfinite(half)]
    if not len(known):
        return ["No picture has enough votes for an interval."]
    lacking = len(half) - len(known)
    tail = f"; {counted(lacking, 'picture has', 'pictures have')} none" if lacking else ""
    return [f"The mean half width of the intervals is {known.mean():.2f}{tail}."]


def _observers(rated: Rated) -> list[str]:
    found = rated.observers
    if found is None:
        return []
    return [
        f"Observers' biases range from {found.bias.min():+.2f} to {found.bias.max():+.2f}, their "
        f"inconsistencies from {found.inconsistency.min():.2f} to {found.inconsistency.max():.2f} "
        f"(by {model_name(rated.observers_by)})."
    ]


def _choice(analysis: Analysis, rated: Rated) -> list[str]:
    if len(rated.fits) < 2:
        return []
    parts = [f"{model_name(fit.model)} {fit.nbic:.3f}" for fit in rated.fits]
    return [f"The normalised Bayesian information criterion of the models is: {listed(parts)}."]


def _agreement(rated: Rated) -> list[str]:
    reliability = rated.reliability
    values = {entry.name: entry for entry in reliability.icc}
    parts = []
    if "ICC(A,1)" in values and not math.isnan(values["ICC(A,1)"].value):
        one, panel = values["ICC(A,1)"], values["ICC(A,k)"]
        interval = (
            f" (95 % interval {one.ci_low:.2f} to {one.ci_high:.2f})"
            if not math.isnan(one.ci_low)
            else ""
        )
        parts.append(
            f"the intraclass correlation of single votes is ICC(A,1) = {one.value:.3f}{interval}, "
            f"that of the panel's mean ICC(A,k) = {panel.value:.3f} [[mcgraw1996]]"
        )
    if not math.isnan(reliability.alpha_ordinal):
        parts.append(
            f"Krippendorff's ordinal alpha is {reliability.alpha_ordinal:.3f} [[krippendorff2019]]"
        )
    found = [f"As to the observers' agreement, {listed(parts)}."] if parts else []
    if halves := reliability.split_half:
        found.append(
            f"Scores of random halves of the panel have a mean rank correlation of "
            f"{halves.half:.3f}, which makes {halves.panel:.3f} between two panels of this size "
            f"[[brown1910]]; no metric can honestly correlate higher with these scores than "
            f"{halves.ceiling:.3f}."
        )
    if again := reliability.retest:
        found.append(
            f"When observers judged the same again ({counted(again.pairs, 'repeated vote')}), "
            f"{100 * again.exact:.0f} % of their votes were the same; the mean absolute difference "
            f"is {again.mean_difference:.2f}."
        )
    return found


def _sos(rated: Rated) -> list[str]:
    if rated.sos is None:
        return []
    return [f"The SOS parameter is {rated.sos.a:.2f} [[hossfeld2011]]."]


def _scaling(analysis: Analysis, chosen: Chosen) -> list[str]:
    scale = chosen.scale
    name = {
        "thurstone": "Thurstone's case V [[thurstone1927]]",
        "bradley-terry": "the model of Bradley and Terry [[bradley1952]]",
    }[scale.model.name]
    prior = {
        "gaussian": f"by maximum a posteriori with a Gaussian prior of {scale.sigma:g} JOD around "
        "the middle of the scale",
        "none": "by maximum likelihood",
        "pwcmp": "with the prior on distances of pwcmp [[perezortiz2017]]",
    }[scale.prior]
    found = [
        f"The answers were scaled by {name}, {prior}; at a distance of 1 JOD the better picture is "
        "chosen in 75 % of the answers."
    ]
    if chosen.comparisons.ties:
        found.append(
            {
                "half": "Ties count as half a choice for either picture.",
                "glenn-david": "Ties are modelled by a threshold [[glenn1960]].",
                "rao-kupper": "Ties are modelled by a threshold [[rao1967]].",
                "davidson": "Ties are modelled after Davidson [[davidson1970]].",
            }.get(scale.ties, "Ties are part of the model.")
        )
    if not math.isnan(scale.side_bias):
        found.append(
            f"A preference for the left side was estimated along with the scale "
            f"({scale.side_bias:+.2f} JOD, standard error {scale.side_bias_se:.2f})."
        )
    groups = int(scale.groups.max()) + 1
    if chosen.methods is not None:
        found.append("Methods were scaled over all contents together.")
    elif groups > 1:
        found.append(
            f"The pictures form {groups} groups that no comparison links, each with a zero of its "
            "own."
        )
    else:
        found.append(_zero(scale.anchor))
    found.append("95 % intervals come from the expected information.")
    return [*found, *_fit(chosen)]


def _zero(anchor: str) -> str:
    if anchor.endswith(" at 0"):
        return f"The scale has its zero at {anchor.removesuffix(' at 0')}."
    return "The values sum to zero."


def _fit(chosen: Chosen) -> list[str]:
    fit = chosen.fit
    found = []
    if fit.degrees > 0:
        found.append(
            f"The deviance of the scale is {fit.deviance:.1f} on {fit.degrees} degrees of freedom "
            f"(p = {_p(fit.p_deviance)})."
        )
    triads = sum(t.triads for t in chosen.triads)
    if triads:
        cyclic = sum(t.cyclic for t in chosen.triads)
        expected = sum(t.by_model for t in chosen.triads)
        found.append(
            f"Of {counted(triads, 'triad')} that single observers decided, {cyclic:,} "
            f"{'is' if cyclic == 1 else 'are'} cyclic, where the scale predicts {expected:.1f}."
        )
    return found


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "below 0.001"


def standings(analysis: Analysis) -> list[str]:
    """What was compared, how, and what came out."""
    found, choices = analysis.standings, analysis.choices
    if not found.names:
        return []
    what = counted(len(found.names), "method" if found.of == "methods" else "picture")
    pairs = len(found.differences)
    over = f" over the {pairs:,} pairs" if pairs > 1 else ""
    correction = {
        "holm": f" with Holm's correction{over} [[holm1979]]",
        "bh": f" with the correction of Benjamini and Hochberg{over} [[benjamini1995]]",
        "none": ", not corrected for their number" if pairs > 1 else "",
        "max-t": "",
    }[found.correction]
    test = {
        "t": "paired t tests over observers",
        "wilcoxon": "Wilcoxon's signed-rank tests over observers [[wilcoxon1945]]",
        "mixed": "a linear mixed model with random observers, contents and methods on contents "
        "[[patterson1971]]",
        "wald": "Wald tests on the scale",
        "bootstrap over observers": "simultaneous 95 % intervals from drawing observers again "
        "[[westfall1993]]",
    }[found.test]
    level = "" if found.correction == "max-t" else f" at a level of {choices.alpha:g}"
    first = (
        f"The {what} were compared by {test}{correction}{level}; methods nearer than "
        f"{found.margin:g} {found.unit} count as equivalent by two one-sided tests "
        "[[schuirmann1987]]."
    )
    if found.of != "methods":
        first = first.replace("methods nearer", "pictures nearer")
    return [first, _outcome(analysis), *_tiers(analysis)]


def _outcome(analysis: Analysis) -> str:
    differences = analysis.standings.differences
    told = sum(d.verdict in ("better", "worse") for d in differences)
    same = sum(d.verdict == "equivalent" for d in differences)
    if len(differences) == 1:
        words = {"better": "differ", "worse": "differ", "equivalent": "are equivalent"}
        return f"The two {words.get(differences[0].verdict, 'are not told apart')}."
    rest = len(differences) - told - same
    parts = [f"{told:,} {'differs' if told == 1 else 'differ'}"]
    for number, word in ((same, "equivalent"), (rest, "not told apart")):
        parts += [f"{number:,} {'is' if number == 1 else 'are'} {word}"] if number else []
    return f"Of the {len(differences):,} pairs, {listed(parts)}."


def _tiers(analysis: Analysis) -> list[str]:
    found = analysis.standings
    if len(found.names) > _LISTED_TIERS:
        return []
    entries = [
        f"{name} ({value:.2f}, {tier})"
        for name, value, tier in zip(found.names, found.values, found.tiers, strict=True)
    ]
    return [
        f"From the best to the worst ({found.unit}, tiers; those that share a letter are not told "
        f"apart [[piepho2004]]): {listed(entries)}."
    ]
