"""Taking answers in: their shape, whether they may be given, and what they say of attention."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import RowMapping

from srqa.study import tables as t
from srqa.study import tokens
from srqa.study.store import Kept
from srqa.study.study import Study

_Duration = Annotated[float, Field(ge=0, le=86_400_000, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=100_000)]
_Short = Annotated[str, Field(max_length=200)] | float | int | bool | None


class Answer(BaseModel):
    """The body of a request that answers a trial."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assignment: Annotated[str, Field(pattern="^[0-9]{1,15}$")]
    token: Annotated[str, Field(max_length=200)]
    value: (
        Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
        | Literal["left", "tie", "right"]
    )
    response_ms: _Duration
    shown_ms: _Duration | None = None
    zoom: Annotated[float, Field(ge=0, le=64)] | None = None
    pan: _Count | None = None
    toggles: _Count | None = None
    pixel_exact: bool | None = None
    pixel_ratio: Annotated[float, Field(gt=0, le=20)] | None = None
    viewport: tuple[_Count, _Count] | None = None


class BrowserEvent(BaseModel):
    """The body of a request that tells what happened in the browser."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assignment: Annotated[str, Field(pattern="^[0-9]{1,15}$")]
    token: Annotated[str, Field(max_length=200)]
    what: Literal["hidden", "shown", "resized", "zoomed", "fullscreen", "error", "loaded"]
    detail: Annotated[
        dict[Annotated[str, Field(max_length=40)], _Short],
        Field(max_length=10),
    ] = {}


class RefusedError(Exception):
    """A request that is not granted.

    Attributes:
        status: of HTTP.
        reason: a word for the component.
        detail: a sentence for whoever debugs it.
    """

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.status, self.reason, self.detail = status, reason, detail


def take_answer(study: Study, body: Any, ip: str | None = None) -> dict[str, Any]:
    """Check and keep an answer.

    Args:
        study: the study.
        body: the decoded JSON.
        ip: of the sender; kept only where the definition says so.

    Returns:
        What the browser is told, after the commit.

    Raises:
        RefusedError: it may not be kept.
    """
    given = _validated(Answer, body)
    number = int(given.assignment)
    participant = allowed(study, given.token, number)
    value, choice = _value(study, given.value)
    kept = study.store.answer(
        participant,
        number,
        {
            "value": value,
            "choice": choice,
            "response_ms": given.response_ms,
            "shown_ms": given.shown_ms,
            "zoom": given.zoom,
            "pan": given.pan,
            "toggles": given.toggles,
            "pixel_exact": given.pixel_exact,
            "pixel_ratio": given.pixel_ratio,
            "viewport": "x".join(map(str, given.viewport)) if given.viewport else None,
        },
        ip if study.definition.privacy.store_ip else None,
    )
    if kept.fate == "closed":
        raise RefusedError(403, "closed")
    if kept.fate == "unknown":
        raise RefusedError(401, "token")
    if kept.fate == "void" or kept.assignment is None:
        raise RefusedError(409, "void")
    answer: Any = value if value is not None else choice
    if kept.fate == "earlier":
        before = study.store.answer_of(number)
        answer = before["value"] if before and before["value"] is not None else answer
        answer = before["choice"] if before and before["choice"] else answer
    elif kept.assignment["kind"] != "training":
        _watch(study, kept, answer, given.response_ms)
    return {
        "kept": kept.fate,
        "assignment": given.assignment,
        "left": kept.left,
        "feedback": _feedback(study, kept.assignment, answer),
    }


def take_event(study: Study, body: Any) -> None:
    """Note what happened in a browser.

    Raises:
        RefusedError: the request is wrong or forged.
    """
    given = _validated(BrowserEvent, body)
    participant = allowed(study, given.token, int(given.assignment))
    detail = {"assignment": given.assignment, **given.detail}
    study.store.note(f"browser-{given.what}", detail, participant)


def allowed(study: Study, token: str, assignment: int) -> str:
    """The participant whom a token belongs to.

    Raises:
        RefusedError: it is forged or too old.
    """
    try:
        return tokens.verify(study.key, token, assignment)
    except (PermissionError, ValueError) as error:
        reason = "expired" if str(error) == "expired" else "token"
        raise RefusedError(403 if reason == "expired" else 401, reason) from None


def is_right(study: Study, row: RowMapping, answer: float | str) -> bool | None:
    """Whether a control question or a training trial was answered well; None if none was asked."""
    payload, checks = row["payload"], study.definition.checks
    if row["kind"] == "trap":
        wanted = payload["answer"]
        if study.method.kind == "slider":
            return abs(float(answer) - float(wanted)) <= 10
        return bool(answer == wanted)
    expect = payload.get("expect")
    if expect is None:
        return None
    if expect == "first":
        return answer == ("right" if row["swapped"] else "left")
    scale = study.method.rating_scale(study.definition.scale.points)
    step = (scale.high - scale.low) / 4
    slack = checks.gold_tolerance * step if row["kind"] == "gold" else 0.0
    value = float(answer)
    if study.definition.method == "ccr" and not row["swapped"]:
        value = -value
    return bool(expect[0] - slack <= value <= expect[1] + slack)


def _validated(model: type[Any], body: Any) -> Any:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedError(400, "body", f"{where}: {first['msg']}") from None


def _value(study: Study, given: float | str) -> tuple[float | None, str | None]:
    values = study.method.values(study.definition.scale.points)
    if isinstance(given, str):
        if given not in values:
            raise RefusedError(400, "value", "There is no such answer.")
        return None, given
    if study.method.kind == "choice":
        raise RefusedError(400, "value", "A side is wanted, not a number.")
    if study.method.kind == "slider":
        if not float(values[0]) <= given <= float(values[-1]):
            raise RefusedError(400, "value", "It lies off the scale.")
    elif given not in values:
        raise RefusedError(400, "value", "There is no such answer.")
    return float(given), None


def _feedback(study: Study, row: RowMapping, answer: Any) -> dict[str, Any] | None:
    if row["kind"] != "training":
        return None
    right = is_right(study, row, answer)
    if right is None:
        return None
    expect = row["payload"]["expect"]
    if expect == "first":
        expect = ["right" if row["swapped"] else "left"]
    elif study.definition.method == "ccr" and not row["swapped"]:
        expect = [-expect[1], -expect[0]]
    return {"right": right, "expect": expect}


def _watch(study: Study, kept: Kept, answer: Any, response_ms: float) -> None:
    """Flag answers that came too fast and control questions that were missed."""
    row, checks = kept.assignment, study.definition.checks
    if row is None:
        return
    who = row["participant"]
    if response_ms < checks.min_response_ms:
        _flag(study, row, "fast", f"answered after {response_ms:.0f} ms")
    if row["kind"] not in ("gold", "trap") or is_right(study, row, answer) is not False:
        return
    _flag(study, row, row["kind"], f"answered {answer}")
    flags = study.store.rows(t.quality_flag, who)
    failed = sum(flag["check"] in ("gold", "trap") for flag in flags)
    if failed > checks.max_failed and not any(flag["check"] == "failed" for flag in flags):
        reason = f"{failed} control questions wrong"
        study.store.add(t.quality_flag, participant=who, check="failed", reason=reason)
        if checks.on_fail == "exclude":
            study.store.update_participant(who, state="excluded", reason=reason)


def _flag(study: Study, row: RowMapping, check: str, reason: str) -> None:
    study.store.add(
        t.quality_flag,
        participant=row["participant"],
        assignment=row["id"],
        check=check,
        reason=reason,
    )
