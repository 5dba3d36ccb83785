"""The participant's way, as a state machine of plain functions.

`enter` makes or finds a participant; `next` says which screen to show; `submit` takes what a screen
gives. The database knows where somebody is, so a reload, a crash or another day change nothing, and
a late or repeated `submit` is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import RowMapping

from srqa.study import screens, tokens
from srqa.study import tables as t
from srqa.study.limits import Limiter
from srqa.study.planning import plan_session
from srqa.study.screens import VISION, Invalid
from srqa.study.store import utcnow
from srqa.study.study import Study

ATTEMPTS = 2
"""At each test of vision."""
_ENTRIES = Limiter(burst=60, per_second=1.0)


@dataclass(frozen=True, slots=True)
class Entry:
    """Who came in.

    Attributes:
        token: for the participant's address, None if they may not take part.
        ended: why not: "full", "paused", "missing" (the platform's parameters), or "".
    """

    token: str | None
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a participant is to see.

    Attributes:
        name: of the screen.
        payload: what it needs, fit for JSON.
        locale: language of its words.
        step, steps: how far along the way it is.
        tries: how often the participant has handed in this test of vision before.
        problem: why the last `submit` was not taken, in a word; "" if it was.
    """

    name: str
    payload: dict[str, Any] = field(default_factory=dict)
    locale: str = "en"
    step: int = 0
    steps: int = 0
    tries: int = 0
    problem: str = ""


def steps_of(study: Study) -> list[str]:
    """Names of the screens of a study in their order."""
    given = study.definition
    found = ["language"] if len(study.languages) > 1 else []
    found += ["consent", "device"]
    found += ["calibration"] if given.display.calibrate == "card" else []
    found += [test for test in VISION if getattr(given.screening, test)]
    found += ["instructions"]
    found += ["training"] if given.training else []
    found += ["trials"]
    found += ["questions"] if given.questions else []
    return [*found, "done"]


def enter(
    study: Study, params: Mapping[str, str], ip: str | None = None, known_as: str | None = None
) -> Entry:
    """A participant's first step, or the return of one.

    Args:
        study: the study.
        params: of the address: `t` (a token), `lang`, and those of the crowd platform.
        ip: of the sender; kept only where the definition says so.
        known_as: the id of somebody new who is no real person; a random one without.
    """
    if ip is not None and not _ENTRIES.take(ip):
        return Entry(None, "busy")
    token = params.get("t", "")
    if token:
        person = study.store.participant(token_hash=tokens.hashed(token))
        return Entry(token) if person else Entry(None, "unknown")
    if study.store.row()["state"] != "open":
        return Entry(None, "paused")
    external = _external(study, params)
    if external == "":
        return Entry(None, "missing")
    known = study.store.participant(external_hash=external) if external else None
    if known is not None:
        return Entry(_token_of(study, known))
    locale = params.get("lang")
    locale = locale if locale in study.languages else None
    steps = steps_of(study)
    first = steps[1] if steps[0] == "language" and locale else steps[0]
    id_ = known_as or tokens.new_id()
    token = tokens.address(study.key, id_)
    fate = study.store.add_participant(
        id_,
        tokens.hashed(token),
        external,
        study.definition.participants.max,
        locale=locale or (None if first == "language" else study.languages[0]),
        step=first,
    )
    if fate == "known":
        return enter(study, params, ip, known_as)
    return Entry(token) if fate == "new" else Entry(None, fate)


def next(study: Study, token: str, base: str = "") -> Screen:  # noqa: A001
    """The screen that a participant is to see now.

    Args:
        study: the study.
        token: of the participant.
        base: path under which the pages stand, for addresses of pictures.
    """
    person = study.store.participant(token_hash=tokens.hashed(token or ""))
    return _screen(study, person, base)


def submit(
    study: Study,
    token: str,
    name: str,
    data: Mapping[str, Any],
    base: str = "",
    tries: int | None = None,
) -> Screen:
    """Take what a screen gives, and say which is next.

    Nothing changes where the participant is not (or no longer) at that screen, so it does no harm
    to hand in the same again.

    Args:
        study: the study.
        token: of the participant.
        name: of the screen that was shown.
        data: what the participant entered.
        base: as in `next`.
        tries: of the screen that was shown; None is whatever it is now.
    """
    person = study.store.participant(token_hash=tokens.hashed(token or ""))
    if person is None or person["state"] != "active" or person["step"] != name:
        return _screen(study, person, base)
    if tries is not None and tries != _tries(study, person):
        return _screen(study, person, base)
    if study.store.row()["state"] != "open":
        return _screen(study, person, base)
    try:
        _TAKE[name](study, person, data)
    except Invalid as problem:
        return _screen(study, person, base, str(problem))
    return _screen(study, study.store.participant(id_=person["id"]), base)


def _token_of(study: Study, person: RowMapping) -> str:
    """The token that a participant came in with, so that windows already open go on."""
    token = tokens.address(study.key, person["id"])
    if tokens.hashed(token) != person["token_hash"]:
        study.store.new_token(person["id"], tokens.hashed(token))
    return token


def _external(study: Study, params: Mapping[str, str]) -> str | None:
    """The HMAC of who somebody is for the platform; "" if that is missing."""
    participants = study.definition.participants
    platform = participants.platform
    if platform is None or platform.person is None or participants.dedupe == "none":
        return None
    given = params.get(platform.person, "").strip()
    return tokens.keyed(study.key, "external", given[:500]) if given else ""


def _screen(study: Study, person: RowMapping | None, base: str, problem: str = "") -> Screen:
    steps = steps_of(study)
    if person is None:
        return Screen("ended", screens.ended(study, "unknown"), study.languages[0])
    locale = person["locale"] or study.languages[0]
    if person["state"] == "finished":
        return Screen("done", screens.done(study), locale, len(steps), len(steps))
    if person["state"] != "active":
        reason = person["reason"] if person["state"] == "excluded" else person["state"]
        shown = reason if reason in screens.TOLD else "closed"
        return Screen("ended", screens.ended(study, shown), locale)
    if study.store.row()["state"] != "open":
        return Screen("ended", screens.ended(study, "paused"), locale)
    name = person["step"]
    if name in ("training", "trials"):
        plan_session(study, person["id"])
    payload = screens.PAYLOADS[name](study, person, locale, base)
    at = "trials" if name == "break" else name
    place = steps.index(at) + 1 if at in steps else 0
    return Screen(name, payload, locale, place, len(steps), _tries(study, person), problem)


def _tries(study: Study, person: RowMapping) -> int:
    return screens.attempts(study, person) if person["step"] in VISION else 0


def _advance(study: Study, person: RowMapping, **values: Any) -> None:
    """On to the step after the one a participant is at."""
    steps = steps_of(study)
    now = "trials" if person["step"] == "break" else person["step"]
    following = steps[steps.index(now) + 1]
    if following == "done":
        values |= {"state": "finished", "finished": utcnow()}
    study.store.update_participant(person["id"], person["step"], step=following, **values)


def _take_language(study: Study, person: RowMapping, data: Mapping[str, Any]) -> None:
    if data.get("locale") not in study.languages:
        raise Invalid("locale")
    _advance(study, person, locale=data["locale"])


def _take_consent(study: Study, person: RowMapping, data: Mapping[str, Any]) -> None:
    if data.get("agree") is True:
        version = f"{study.definition.consent.version} {person['locale']}"
        _advance(study, person, consent=version, consented=utcnow())
    elif data.get("agree") is False:
        study.store.update_participant(person["id"], "consent", state="declined", reason="declined")
    else:
        raise Invalid("agree")


def _take_device(study: Study, person: RowMapping, data: Mapping[str, Any]) -> None:
    facts, problems = screens.device_facts(study, data)
    study.store.add(t.device, participant=person["id"], **facts)
    if not problems:
        _advance(study, person)


def _take_calibration(study: Study, person: RowMapping, data: Mapping[str, Any]) -> None:
    size = data.get("px_per_mm")
    if data.get("skipped") is True:
        figures: dict[str, Any] = {"skipped": True}
    elif isinstance(size, int | float) and 0.5 <= size <= 60:
        figures = {"px_per_mm": float(size)}
    else:
        raise Invalid("px_per_mm")
    study.store.add(
        t.screening, participant=person["id"], test="calibration", passed=None, figures=figures
    )
    _advance(study, person)


def _take_vision(study: Study, person: RowMapping, data: Mapping[str, Any]) -> None:
    from srqa.study import vision

    test, answers = person["step"], data.get("answers")
    if not isinstance(answers, list):
        raise Invalid("answers")
    tried = screens.attempts(study, person)
    passed, figures = vision.score(test, screens.vision_seed(study, person, tried), answers)
    study.store.add(
        t.screening, participant=person["id"], test=test, passed=passed, figures=dict(figures)
    )
    if passed:
        _advance(study, person)
    elif tried + 1 >= ATTEMPTS:
        study.store.add(
            t.quality_flag, participant=person["id"], check=test, reason=f"{test} not passed"
        )
        if study.definition.screening.on_fail == "exclude":
            study.store.update_participant(person["id"], test, state="excluded", reason="screening")
        else:
            _advance(study, person)


def _take_instructions(study: Study, person: RowMapping, _data: Mapping[str, Any]) -> None:
    _advance(study, person, started=person["started"] or utcnow())


def _take_training(study: Study, person: RowMapping, _data: Mapping[str, Any]) -> None:
    rows = study.store.assignments(person["id"])
    if any(row["kind"] == "training" and row["state"] != "done" for row in rows):
        raise Invalid("unanswered")
    _advance(study, person)


def _take_trials(study: Study, person: RowMapping, _data: Mapping[str, Any]) -> None:
    rows = [r for r in study.store.assignments(person["id"]) if r["block"] > 0]
    open_ = [row for row in rows if row["state"] != "done"]
    if not open_:
        _advance(study, person)
    elif any(row["block"] == open_[0]["block"] and row["state"] == "done" for row in rows):
        raise Invalid("unanswered")
    elif len(open_) < len(rows):
        study.store.update_participant(person["id"], "trials", step="break")
    else:
        raise Invalid("unanswered")


def _take_break(study: Study, person: RowMapping, _data: Mapping[str, Any]) -> None:
    study.store.update_participant(person["id"], "break", step="trials")


def _take_questions(study: Study, person: RowMapping, data: Mapping[str, Any]) -> None:
    study.store.add_replies(person["id"], screens.replies(study, data.get("answers")))
    _advance(study, person)


_TAKE: dict[str, Callable[[Study, RowMapping, Mapping[str, Any]], None]] = {
    "language": _take_language,
    "consent": _take_consent,
    "device": _take_device,
    "calibration": _take_calibration,
    **dict.fromkeys(VISION, _take_vision),
    "instructions": _take_instructions,
    "training": _take_training,
    "trials": _take_trials,
    "break": _take_break,
    "questions": _take_questions,
}
