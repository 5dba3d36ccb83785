"""What the researcher sees and does: progress, people, flags, scores so far, pausing, voiding.

Frames are kept by `srqa.study.live` and made anew only after new answers or decisions.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.tables import tables
from srqa.study import tables as t
from srqa.study.analysis import analyze_study
from srqa.study.answers import collect
from srqa.study.flow import steps_of
from srqa.study.live import Frame, live
from srqa.study.planning import per_participant
from srqa.study.store import LEASE, Latest, utcnow
from srqa.study.study import Study

if TYPE_CHECKING:
    import pandas as pd

CRITICAL = "failed", "acuity", "colour", "brightness"
"""Checks that speak against a participant as a whole."""


@dataclass(frozen=True, slots=True)
class StopRule:
    """Whether there are answers enough.

    Attributes:
        met: both conditions hold.
        half_width: the quantile of the half widths of the intervals; NaN before there are any.
        target: what it should be at most.
        quantile: of the half widths.
        votes: fewest votes of a stimulus (or pair's item).
        min_votes: what there should be at least.
        unit: of the half widths, MOS or JOD.
    """

    met: bool
    half_width: float
    target: float
    quantile: float
    votes: int
    min_votes: int
    unit: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How a study stands.

    Attributes:
        state: "open" or "paused".
        participants: number in each state; those seen within half an hour are "active", others who
            did not finish "left".
        answers: opinions that count.
        controls: answers to control questions.
        expected: opinions when all participants have finished; None without a limit.
        minutes: median time from the first to the last answer of those who finished.
        stop: the stop rule.
        latest: of the last answer.
    """

    state: str
    participants: dict[str, int]
    answers: int
    controls: int
    expected: int | None
    minutes: float
    stop: StopRule
    latest: datetime | None


def progress(study: Study) -> Progress:
    """How the study stands."""
    stop = stop_rule(study)
    mark = (study.store.latest(), stop, _tick())
    return live(study).frame("progress", mark, lambda: _progress(study, stop)).made


def analysis(study: Study) -> Analysis | None:
    """The analysis of the answers so far; None while they do not allow one.

    Where it takes long it is renewed beside the page; `behind` tells how many answers it lacks.
    """
    return _analysis(study).made


def behind(study: Study) -> int:
    """How many answers the scores do not hold yet."""
    mark = _analysis(study).mark
    return study.store.latest().answers - mark.answers if isinstance(mark, Latest) else 0


def stimuli(study: Study) -> pd.DataFrame:
    """Votes and scores by stimulus, the least certain first.

    Columns: stimulus, content, scale, method, role, votes, score, ci_low, ci_high, half_width;
    the score is a MOS, DMOS, CMOS or JOD.
    """
    return _scores(study).made


def methods(study: Study) -> pd.DataFrame:
    """Scores by method, the best first: name, value, ci_low, ci_high, tier; empty without any."""
    import pandas as pd

    found = analysis(study)
    if found is None:
        return pd.DataFrame(columns=["name", "value", "ci_low", "ci_high", "tier"])
    return tables(found)["standings"]


def funnel(study: Study) -> list[tuple[str, int]]:
    """How many participants reached each step of the way."""
    steps = [step for step in steps_of(study) if step != "done"]
    place = {step: k for k, step in enumerate(steps)} | {"break": steps.index("trials")}
    reached: Counter[int] = Counter()
    finished = 0
    for row in study.store.participants():
        at = len(steps) if row["step"] == "done" else place.get(row["step"], 0)
        finished += at == len(steps)
        for k in range(min(at, len(steps) - 1) + 1):
            reached[k] += 1
    return [*((step, reached[k]) for k, step in enumerate(steps)), ("done", finished)]


def participants(study: Study) -> pd.DataFrame:
    """A row a participant, the last to come first."""
    mark = (study.store.latest(), _tick())
    return live(study).frame("participants", mark, lambda: _participants(study)).made


def flags(study: Study) -> pd.DataFrame:
    """What checks found: participant, check, reason, at, state (of the participant)."""
    import pandas as pd

    states = {row["id"]: row["state"] for row in study.store.participants()}
    rows = [
        [row["participant"], row["check"], row["reason"], row["at"], states[row["participant"]]]
        for row in study.store.rows(t.quality_flag)
    ]
    columns = ["participant", "check", "reason", "at", "state"]
    return pd.DataFrame(rows[::-1], columns=columns)


def timeline(study: Study, participant: str) -> pd.DataFrame:
    """What happened to a participant, in order: at, what, detail.

    Raises:
        InputError: there is no such participant.
    """
    import pandas as pd

    person(study, participant)
    rows: list[Any] = [
        (row["at"], row["what"], _told(row["detail"])) for row in study.store.events(participant)
    ]
    names = {row["id"]: row["name"] for row in study.store.stimuli(retired=True)}
    by_id = {row["id"]: row for row in study.store.assignments(participant, void=True)}
    for row in study.store.rows(t.response, participant):
        asked = by_id[row["assignment"]]
        shown = [names[asked["first"]]] + ([names[asked["second"]]] if asked["second"] else [])
        shown = shown[::-1] if asked["swapped"] else shown
        answer = row["choice"] or f"{row['value']:g}"
        told = f"{asked['kind']}: {' | '.join(shown)}: {answer} after {row['response_ms']:.0f} ms"
        rows.append((row["at"], "answer", told))
    for row in study.store.rows(t.quality_flag, participant):
        rows.append((row["at"], f"flag {row['check']}", row["reason"]))
    return pd.DataFrame(sorted(rows), columns=["at", "what", "detail"])


def correlations(study: Study) -> pd.DataFrame:
    """How metrics agree with the scores so far: metric, srocc, ci_low, ci_high, plcc, n.

    Spearman's correlation with Bonett and Wright's interval; the sign is turned where lower values
    of the metric are better. Of choices, whose scales have a zero for each content, deviations from
    the contents' means are correlated. Metrics are those of `srqa.study.values.compute_metrics`.
    """
    from srqa.study.values import metric_table

    mark = (_scores(study).mark, len(metric_table(study)))
    return live(study).frame("correlations", mark, lambda: _correlations(study)).made


def scatter(study: Study, metric: str) -> pd.DataFrame:
    """A metric beside the scores: stimulus, content, method, value, score, ci_low, ci_high."""
    from srqa.study.values import metric_table

    values = metric_table(study)
    values = values[values["metric"] == metric][["stimulus", "value"]]
    scores = stimuli(study)
    scores = scores[["stimulus", "content", "method", "score", "ci_low", "ci_high"]]
    return values.merge(scores, on="stimulus").dropna(subset=["value", "score"])


def person(study: Study, participant: str) -> Any:
    """A participant's row.

    Raises:
        InputError: there is no such participant.
    """
    row = study.store.participant(id_=participant)
    if row is None:
        raise InputError(
            f"There is no participant {participant!r} in the study {study.name}.",
            hint="Participants are named by the ids that `srqa study status --people` lists.",
        )
    return row


def pause(study: Study, reason: str) -> None:
    """Let nobody in and nobody on until `resume`; answers under way are still taken."""
    study.store.change("paused", {"reason": reason}, state="paused", reason=reason)


def resume(study: Study) -> None:
    """Open the study again."""
    study.store.change("resumed", {}, state="open", reason=None)


def void(study: Study, participant: str, reason: str) -> None:
    """Leave a participant's answers out of everything; their slots are given to others.

    Raises:
        InputError: there is no such participant, or they are left out already.
    """
    row = person(study, participant)
    if row["state"] == "void":
        raise InputError(f"The participant {participant} is left out already.")
    study.store.note("void", {"was": row["state"], "reason": reason}, participant)
    study.store.update_participant(participant, state="void", reason=reason)


def restore(study: Study, participant: str, reason: str) -> None:
    """Take a participant's answers back in.

    Raises:
        InputError: there is no such participant, or they are not left out.
    """
    row = person(study, participant)
    if row["state"] not in ("void", "excluded"):
        raise InputError(f"The participant {participant} is not left out.")
    state = "finished" if row["finished"] else "active"
    study.store.note("restored", {"reason": reason}, participant)
    study.store.update_participant(participant, state=state, reason=reason)


def _analysis(study: Study) -> Frame[Analysis | None]:
    def made() -> Analysis | None:
        try:
            return analyze_study(study, collected=collect(study, rows=live(study).answers()))
        except (InputError, UsageError):
            return None

    return live(study).frame("analysis", study.store.latest(), made)


def _scores(study: Study) -> Frame[pd.DataFrame]:
    found = _analysis(study)
    mark = (study.store.latest(), found.mark)
    return live(study).frame("stimuli", mark, lambda: _stimuli(study, found.made))


def _tick() -> int:
    """Changes every three seconds: people come and go without a decision."""
    return int(datetime.now(UTC).timestamp()) // 3


def _progress(study: Study, stop: StopRule) -> Progress:
    people = study.store.participants()
    now = utcnow()
    states = Counter(
        "left" if row["state"] == "active" and now - row["seen"] > LEASE else row["state"]
        for row in people
    )
    answers = live(study).answers()
    opinions = sum(row["kind"] == "test" for row in answers)
    most = study.definition.participants.max
    each = per_participant(study)["test"]
    times: dict[str, list[datetime]] = {}
    for row in answers:
        times.setdefault(row["participant"], []).append(row["at"])
    done = {row["id"] for row in people if row["state"] == "finished"}
    minutes = [
        (max(moments) - min(moments)).total_seconds() / 60
        for who, moments in times.items()
        if who in done
    ]
    return Progress(
        state=study.store.row()["state"],
        participants=dict(states),
        answers=opinions,
        controls=len(answers) - opinions,
        expected=None if most is None else most * each,
        minutes=float(np.median(minutes)) if minutes else math.nan,
        stop=stop,
        latest=answers[-1]["at"] if answers else None,
    )


def stop_rule(study: Study) -> StopRule:
    """How the study stands against its stop rule."""
    wanted = study.definition.stop
    frame = stimuli(study)
    frame = frame[frame["role"] == "test"]
    widths = frame["half_width"].dropna()
    full = len(widths) == len(frame) and len(frame) > 0
    reached = float(widths.quantile(wanted.quantile)) if full else math.nan
    votes = int(frame["votes"].min()) if len(frame) else 0
    found = analysis(study)
    return StopRule(
        met=bool(reached <= wanted.ci_half_width and votes >= wanted.min_votes),
        half_width=reached,
        target=wanted.ci_half_width,
        quantile=wanted.quantile,
        votes=votes,
        min_votes=wanted.min_votes,
        unit=found.unit if found is not None else "",
    )


def _stimuli(study: Study, found: Analysis | None) -> pd.DataFrame:
    import pandas as pd

    rows = [r for r in study.stimuli.values() if r["role"] in ("test", "reference")]
    votes: Counter[int] = Counter()
    for answer in live(study).answers():
        if answer["kind"] == "test":
            shown = {answer["first"]}
            if study.definition.is_paired:
                shown.add(answer["second"])
            votes.update(shown)
    frame = pd.DataFrame(
        {
            "stimulus": [row["name"] for row in rows],
            "content": [row["content"] for row in rows],
            "scale": [row["scale"] for row in rows],
            "method": [row["method"] for row in rows],
            "role": [row["role"] for row in rows],
            "votes": [votes[row["id"]] for row in rows],
        }
    )
    frame = frame[(frame["role"] == "test") | (frame["votes"] > 0)]
    columns = ["score", "ci_low", "ci_high"]
    if found is None:
        frame[[*columns, "half_width"]] = math.nan
        return frame
    made = tables(found)
    scores = made["jod"] if found.chosen is not None else made["mos"]
    value = "jod" if found.chosen is not None else "mos"
    scores = scores.rename(columns={value: "score"})[["stimulus", *columns]]
    frame = frame.merge(scores, on="stimulus", how="left")
    frame["half_width"] = (frame["ci_high"] - frame["ci_low"]) / 2
    return frame.sort_values(["half_width", "stimulus"], ascending=[False, True], ignore_index=True)


def _participants(study: Study) -> pd.DataFrame:
    import pandas as pd

    answers = Counter(row["participant"] for row in study.store.rows(t.response))
    raised = Counter(row["participant"] for row in study.store.rows(t.quality_flag))
    devices = {row["participant"]: row for row in study.store.rows(t.device)}
    found = []
    for row in reversed(study.store.participants()):
        device = devices.get(row["id"])
        end = row["finished"] or row["seen"]
        minutes = (end - row["started"]).total_seconds() / 60 if row["started"] else math.nan
        found.append(
            {
                "participant": row["id"],
                "state": row["state"],
                "reason": row["reason"] or "",
                "step": row["step"],
                "entered": row["created"],
                "finished": row["finished"],
                "minutes": minutes,
                "answers": answers[row["id"]],
                "flags": raised[row["id"]],
                "locale": row["locale"] or "",
                "pixel_ratio": device["pixel_ratio"] if device else math.nan,
                "exact": device["pixel_exact"] if device else None,
                "browser": device["browser"] if device else "",
                "synthetic": row["synthetic"],
            }
        )
    columns = (
        "participant", "state", "reason", "step", "entered", "finished", "minutes", "answers",
        "flags", "locale", "pixel_ratio", "exact", "browser", "synthetic",
    )  # fmt: skip
    return pd.DataFrame(found, columns=list(columns))


def _correlations(study: Study) -> pd.DataFrame:
    import pandas as pd

    import srqa.metrics.api as metrics
    from srqa.statistics.correlation import bonett_wright, pearson, spearman
    from srqa.study.values import metric_table

    found = []
    for name in dict.fromkeys(metric_table(study)["metric"]):
        frame = scatter(study, name)
        n = len(frame)
        if n < 4:
            continue
        sign = 1 if metrics.metric(name, accept_licence=True).spec.higher_is_better else -1
        if study.definition.is_paired:
            middle = frame.groupby("content")[["value", "score"]].transform("mean")
            frame[["value", "score"]] -= middle
        x = sign * frame["value"].to_numpy(dtype=float)
        y = frame["score"].to_numpy(dtype=float)
        srocc = spearman(x, y)
        low, high = bonett_wright(srocc, n)
        found.append([name, srocc, low, high, pearson(x, y), n])
    columns = ["metric", "srocc", "ci_low", "ci_high", "plcc", "n"]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values("srocc", ascending=False, ignore_index=True)


def _told(detail: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in detail.items() if value not in (None, ""))
