"""What each screen of the participant's way shows, and whether what it gives can be taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from sqlalchemy.engine import RowMapping

from srqa.study import tables as t
from srqa.study.assignment import generator
from srqa.study.loading import secret
from srqa.study.planning import per_participant, training
from srqa.study.study import Study, localised
from srqa.study.trials import ANSWER_PATH, EVENT_PATH, example_json, picture_json, trial_json

VISION = ("acuity", "colour", "brightness")
TOLD = ("declined", "screening", "full", "paused", "unknown", "missing", "erased")
"""Reasons that a participant may be told as they are."""
CARD_MM = (85.60, 53.98)
"""An ID-1 card, ISO/IEC 7810."""
BREAK_SECONDS = 20
EXAMPLES = 2


class Invalid(Exception):
    """What a screen gave cannot be taken; the text is a word for the page."""


def minutes(study: Study) -> float:
    """How long a session should take."""
    counts = per_participant(study)
    pause = study.definition.display.gap_ms / 1000
    shown = sum(counts.values()) * (study.method.seconds + pause)
    breaks = sum(counts.values()) // study.definition.session.break_every * BREAK_SECONDS
    vision = sum(bool(getattr(study.definition.screening, test)) for test in VISION)
    return (shown + breaks + 90 + 40 * vision) / 60


def _language(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    listed = [{"code": code, "name": study.text(code).name} for code in study.languages]
    return {"languages": listed, "suggested": locale, "title": study.title(locale)}


def _consent(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    given, privacy = study.definition.consent, study.definition.privacy
    texts, time = study.text(locale), max(1, round(minutes(study)))
    if given.text is not None:
        text = localised(given.text, locale)
    else:
        text = texts(
            "consent.text",
            minutes=time,
            ip=texts.several("consent.ip")[privacy.store_ip],
            retain=texts.several("consent.retain")[privacy.retain_days > 0].format(
                days=privacy.retain_days
            ),
            contact=texts.several("consent.contact")[bool(given.contact)].format(
                contact=given.contact
            ),
        )
    return {
        "text": text.strip(),
        "version": given.version,
        "title": study.title(locale),
        "minutes": time,
        "trials": sum(per_participant(study).values()),
        "contact": given.contact,
    }


def _device(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    display = study.definition.display
    tried = study.store.rows(t.device, person["id"])
    probe = next(row for row in study.stimuli.values() if row["role"] == "test")
    return {
        "min_viewport": list(display.min_viewport),
        "exact_pixels": display.exact_pixels,
        "pixel_ratio": display.pixel_ratio,
        "mobile": display.mobile,
        "background": display.background,
        "probe": picture_json(study, probe, base),
        "problems": list(filter(None, tried[-1]["problems"].split(","))) if tried else [],
    }


def device_facts(study: Study, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Columns of `device` from what the check found, and what stands against taking part.

    Raises:
        Invalid: the facts are incomplete.
    """
    display = study.definition.display
    ratio, viewport = data.get("pixel_ratio"), data.get("viewport")
    if not isinstance(ratio, int | float) or not isfinite(ratio) or not 0 < ratio < 20:
        raise Invalid("pixel_ratio")
    if not _is_size(viewport):
        raise Invalid("viewport")
    exact = data.get("pixel_exact")
    exact = exact if isinstance(exact, bool) else None
    mobile = data.get("mobile") is True
    problems = []
    if mobile and display.mobile == "block":
        problems.append("mobile")
    if any(have < need for have, need in zip(viewport or (), display.min_viewport, strict=True)):
        problems.append("viewport")
    if display.pixel_ratio == "exact" and abs(ratio - round(ratio)) > 1e-3:
        problems.append("pixel_ratio")
    if display.exact_pixels == "require" and exact is not True:
        problems.append("pixels")
    screen = data.get("screen")
    facts = {
        "pixel_ratio": float(ratio),
        "viewport": _size_text(viewport),
        "screen": _size_text(screen) if _is_size(screen) else None,
        "touch": data.get("touch") is True,
        "mobile": mobile,
        "pixel_exact": exact,
        "browser": str(data.get("browser", ""))[:80],
        "system": str(data.get("system", ""))[:80],
        "problems": ",".join(problems),
    }
    return facts, problems


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(side, int | float) and 0 < side < 100_000 for side in value)
    )


def _size_text(value: Any) -> str:
    return "x".join(str(round(side)) for side in value)[:16]


def _calibration(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    return {"card_mm": list(CARD_MM), "optional": True}


def vision_seed(study: Study, person: RowMapping, tried: int) -> int:
    """From which a participant's test of vision is drawn."""
    rng = generator(study.seed, person["id"], person["step"], tried)
    return int(rng.integers(2**31))


def attempts(study: Study, person: RowMapping) -> int:
    """How often the participant has done the test of vision that they are at."""
    rows = study.store.rows(t.screening, person["id"])
    return sum(row["test"] == person["step"] for row in rows)


def _vision(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    from srqa.study import vision

    tried = attempts(study, person)
    items = vision.items(person["step"], vision_seed(study, person, tried))
    sizes = [
        row["figures"].get("px_per_mm")
        for row in study.store.rows(t.screening, person["id"])
        if row["test"] == "calibration"
    ]
    return {"items": items, "attempt": tried + 1, "px_per_mm": sizes[-1] if sizes else None}


def _instructions(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    units = [trial.unit for trial in training(study)][:EXAMPLES]
    if not units:
        from srqa.study.planning import units as all_units

        judged, _ = all_units(study)
        rng = generator(study.seed, person["id"], "examples")
        units = [judged[int(k)] for k in rng.permutation(len(judged))[:EXAMPLES]]
    examples = [
        example_json(study, {"first": u.first, "second": u.second, "swapped": 0}, locale, base)
        for u in units
    ]
    counts = per_participant(study)
    return {
        "method": study.definition.method,
        "show": examples[0]["show"],
        "scale": examples[0]["scale"],
        "examples": examples,
        "minutes": max(1, round(minutes(study))),
        "trials": sum(counts.values()),
        "training": counts["training"],
        "break_every": study.definition.session.break_every,
        "viewer": _viewer(study),
    }


def _viewer(study: Study) -> dict[str, Any]:
    display = study.definition.display
    return {
        "background": display.background,
        "zoom": display.zoom,
        "pan": display.zoom,
        "flicker": display.flicker and study.method.shows != "one",
        "split": display.split and study.method.shows != "one",
    }


def _training(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    rows = [r for r in study.store.assignments(person["id"]) if r["kind"] == "training"]
    return _block(study, person, rows, locale, base) | {"block": 0, "blocks": 0}


def _trials(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    rows = [r for r in study.store.assignments(person["id"]) if r["block"] > 0]
    now = next((r["block"] for r in rows if r["state"] != "done"), None)
    made = _block(study, person, rows, locale, base, now)
    blocks = sorted({row["block"] for row in rows})
    place = blocks.index(now) + 1 if now is not None else len(blocks)
    return made | {"block": place, "blocks": len(blocks)}


def _block(
    study: Study,
    person: RowMapping,
    rows: list[RowMapping],
    locale: str,
    base: str,
    block: int | None = 0,
) -> dict[str, Any]:
    shown = [
        trial_json(study, row, locale, number, base)
        for number, row in enumerate(rows, 1)
        if row["block"] == block and row["state"] != "done"
    ]
    if shown and block is not None:
        study.store.serve(person["id"], block)
    return {
        "trials": shown,
        "done": sum(row["state"] == "done" for row in rows),
        "of": len(rows),
        "answer_url": base + ANSWER_PATH,
        "event_url": base + EVENT_PATH,
        "viewer": _viewer(study),
        "show": shown[0]["show"] if shown else "single",
    }


def _break(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    rows = [r for r in study.store.assignments(person["id"]) if r["block"] > 0]
    done = sum(row["state"] == "done" for row in rows)
    return {"done": done, "of": len(rows), "seconds": BREAK_SECONDS}


def _questions(study: Study, person: RowMapping, locale: str, base: str) -> dict[str, Any]:
    return {
        "questions": [
            {
                "id": question.id,
                "text": localised(question.text, locale),
                "kind": question.kind,
                "options": [localised(option, locale) for option in question.options],
                "optional": question.optional,
            }
            for question in study.definition.questions
        ]
    }


def replies(study: Study, given: Any) -> dict[str, str]:
    """Answers to the questions, as texts; of a choice the option in the first language.

    Raises:
        Invalid: one is missing, or is none of the options.
    """
    if not isinstance(given, Mapping):
        raise Invalid("answers")
    found = {}
    for question in study.definition.questions:
        answer = given.get(question.id)
        if answer in (None, ""):
            if not question.optional:
                raise Invalid(question.id)
            continue
        text = str(answer).strip()[:2000]
        if question.kind == "choice":
            worded = [
                [localised(option, one) for one in (*study.languages, None)]
                for option in question.options
            ]
            match = [words for words in worded if text in words]
            if not match:
                raise Invalid(question.id)
            text = match[0][0]
        found[question.id] = text
    return found


def done(study: Study) -> dict[str, Any]:
    """The end of the way: a code for the crowd platform, or an address to go to."""
    platform = study.definition.participants.platform
    if platform is None:
        return {"code": None, "redirect": None}
    code = secret(platform.completion_code)
    redirect = platform.redirect
    if redirect is None and platform.name == "prolific" and code:
        redirect = "https://app.prolific.com/submissions/complete?cc={code}"
    return {"code": code, "redirect": redirect.replace("{code}", code or "") if redirect else None}


def ended(study: Study, reason: str) -> dict[str, Any]:
    """The end for somebody who does not (or no longer) take part."""
    return {"reason": reason, "code": None, "redirect": None}


PAYLOADS: dict[str, Callable[[Study, RowMapping, str, str], dict[str, Any]]] = {
    "language": _language,
    "consent": _consent,
    "device": _device,
    "calibration": _calibration,
    **dict.fromkeys(VISION, _vision),
    "instructions": _instructions,
    "training": _training,
    "trials": _trials,
    "break": _break,
    "questions": _questions,
}
