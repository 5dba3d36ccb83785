"""An analysis as one JSON document: every choice made, and every figure that is no table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from srqa import __version__
from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.chosen import Chosen, side_share
from srqa.ratings.analysis.rated import Rated
from srqa.ratings.answers import Answers, Floats

VERSION = 1
"""Of the document's form."""


def document(analysis: Analysis) -> dict[str, Any]:
    """What `analysis.json` holds; its schema is srqa/report/schemas/analysis.schema.json."""
    choices = {f.name: getattr(analysis.choices, f.name) for f in fields(analysis.choices)}
    choices["reasons"] = dict(analysis.choices.reasons)
    screened = analysis.screened
    found = {
        "version": VERSION,
        "srqa": __version__,
        "study": analysis.given.study,
        "choices": choices,
        "given": described(analysis.given),
        "used": described(_used(analysis)),
        "controls": dict(screened.controls),
        "screening": [
            {
                "check": step.check,
                "settings": step.settings,
                "looked_at": step.of,
                "observers": list(step.observers),
                "answers": step.answers,
                "flags": len(step.flags),
            }
            for step in screened.steps
        ],
        "unit": analysis.unit,
        "ratings": _rated(analysis.rated) if analysis.rated else None,
        "pairs": _chosen(analysis.chosen) if analysis.chosen else None,
        "standings": _standings(analysis),
        "notes": list(analysis.notes),
    }
    plain: dict[str, Any] = without_nan(found)
    return plain


def without_nan(value: Any) -> Any:
    """The value in Python's own types, with None for NaN and "inf" for infinity."""
    if isinstance(value, Mapping):
        return {str(k): without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [without_nan(v) for v in value]
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        if math.isnan(number):
            return None
        return number if math.isfinite(number) else ("inf" if number > 0 else "-inf")
    return value


def described(answers: Answers) -> dict[str, Any]:
    """Counts of a table of answers."""
    rated = answers.is_rating
    scale = answers.rating_scale
    per_observer = np.bincount(answers.observer, minlength=len(answers.observers))
    return {
        "answers": len(answers),
        "ratings": int(rated.sum()),
        "choices": int((~rated).sum()),
        "observers": len(answers.observers),
        "stimuli": len(answers.stimuli),
        "methods": sorted({s.method for s in answers.stimuli if s.method}),
        "contents": len({(s.dataset, s.content) for s in answers.stimuli if s.content}),
        "datasets": sorted({s.dataset for s in answers.stimuli if s.dataset}),
        "scales": sorted({s.scale for s in answers.stimuli if s.scale is not None}),
        "sessions": len(answers.sessions),
        "repeated": int((answers.repetition > 0).sum()),
        "rating_scale": {"low": scale.low, "high": scale.high, "step": scale.step}
        if rated.any()
        else None,
        "design": _design(answers) if rated.any() else None,
        "votes_per_stimulus": spread_of(_votes(answers)),
        "answers_per_observer": spread_of(per_observer.astype(np.float64)),
        "ties": int(((answers.choice == 0) & ~rated).sum()),
    }


def spread_of(values: Floats) -> dict[str, float]:
    """Smallest, median and largest."""
    return {
        "min": float(values.min()),
        "median": float(np.median(values)),
        "max": float(values.max()),
    }


def _used(analysis: Analysis) -> Answers:
    return analysis.rated.answers if analysis.rated else analysis.screened.answers


def _design(answers: Answers) -> str:
    rated = answers if answers.is_rating.all() else answers.ratings()
    return "partial" if rated.is_partial else "full"


def _votes(answers: Answers) -> Floats:
    """(stimuli,) answers about each."""
    size = len(answers.stimuli)
    rated = answers.is_rating
    total = np.bincount(answers.stimulus[rated], minlength=size)
    for side in (answers.left, answers.right):
        total = total + np.bincount(side[~rated], minlength=size)
    return total.astype(np.float64)


def _rated(rated: Rated) -> dict[str, Any]:
    scores = rated.scores
    half = (scores.ci_high - scores.ci_low) / 2
    known = half[np.isfinite(half)]
    reliability = rated.reliability
    return {
        "model": scores.model,
        "higher_is_better": rated.higher_is_better,
        "mean": float(scores.mos.mean()),
        "lowest": float(scores.mos.min()),
        "highest": float(scores.mos.max()),
        "mean_half_interval": float(known.mean()) if len(known) else math.nan,
        "observers_by": rated.observers_by,
        "fits": [asdict(fit) for fit in rated.fits],
        "reliability": {
            "icc": {i.name: [i.value, i.ci_low, i.ci_high] for i in reliability.icc},
            "alpha_interval": reliability.alpha_interval,
            "alpha_ordinal": reliability.alpha_ordinal,
            "split_half": asdict(reliability.split_half) if reliability.split_half else None,
            "retest": asdict(reliability.retest) if reliability.retest else None,
            "notes": list(reliability.notes),
        },
        "sos": {"a": rated.sos.a, "r_squared": rated.sos.r_squared} if rated.sos else None,
    }


def _chosen(chosen: Chosen) -> dict[str, Any]:
    scale, fit = chosen.scale, chosen.fit
    return {
        "model": scale.model.name,
        "ties_rule": scale.ties,
        "ties": chosen.comparisons.ties,
        "tie_parameter": scale.tie_parameter,
        "prior": scale.prior,
        "sigma": scale.sigma if scale.prior == "gaussian" else None,
        "anchor": scale.anchor,
        "groups": int(scale.groups.max()) + 1,
        "left_share": side_share(chosen.comparisons),
        "side_bias": scale.side_bias,
        "side_bias_se": scale.side_bias_se,
        "log_likelihood": scale.log_likelihood,
        "fit": {
            "deviance": fit.deviance,
            "chi2": fit.chi2,
            "degrees": fit.degrees,
            "p_deviance": fit.p_deviance,
            "p_chi2": fit.p_chi2,
        },
        "cyclic_triads": {
            "triads": sum(t.triads for t in chosen.triads),
            "cyclic": sum(t.cyclic for t in chosen.triads),
            "by_chance": sum(t.by_chance for t in chosen.triads),
            "by_model": sum(t.by_model for t in chosen.triads),
        },
        "out_of_line": [f.observer for f in chosen.observers if f.flagged],
        "pooled_over_contents": chosen.methods is not None,
    }


def _standings(analysis: Analysis) -> dict[str, Any] | None:
    standings = analysis.standings
    if not standings.names:
        return None
    return {
        "of": standings.of,
        "unit": standings.unit,
        "names": list(standings.names),
        "values": standings.values,
        "ci_low": standings.low,
        "ci_high": standings.high,
        "tiers": list(standings.tiers),
        "test": standings.test,
        "correction": standings.correction,
        "margin": standings.margin,
    }
