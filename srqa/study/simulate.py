"""A study tried out with synthetic people: the real flow, HTTP routes, store and analysis.

Only the database is another one, and the pages are not drawn. What comes out is what the study
would find, beside the truth that is known here.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from srqa.errors import InputError, UsageError
from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.tables import tables
from srqa.study import admin, flow, tokens
from srqa.study.analysis import analyze_study
from srqa.study.answers import collect
from srqa.study.database import Database
from srqa.study.definition import Definition, Participants, VisionTests
from srqa.study.observers import Observer, People, Truth, draw_truth
from srqa.study.qualities import read_truth
from srqa.study.store import Store
from srqa.study.study import Study

AT_ONCE = 6
"""Participants whose sessions overlap."""
_DEVICE = {
    "pixel_ratio": 1,
    "viewport": [1920, 1080],
    "screen": [1920, 1080],
    "pixel_exact": True,
    "browser": "synthetic",
    "system": "synthetic",
}


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """What a simulated study found.

    Attributes:
        observers, left: people who finished, and who left halfway.
        answers: opinions.
        votes: fewest and most of a stimulus (of a pair's picture).
        minutes: median of a session, by published times of an answer.
        half_width: median and the stop rule's quantile of the intervals' half widths.
        rmse: of the scores; NaN for choices.
        coverage: share of intervals that hold the population's expected rating; NaN for choices.
        rank_correlation: of scores and truth (Spearman), over stimuli.
        method_order: the true and the found order of methods.
        power: share of pairs of methods that are told apart, in the right direction.
        wrong: share that is told apart in the wrong direction.
        flagged: people who failed the control questions.
        stop_met: whether the stop rule holds.
        analysis: the whole.
    """

    observers: int
    left: int
    answers: int
    votes: tuple[int, int]
    minutes: float
    half_width: tuple[float, float]
    rmse: float
    coverage: float
    rank_correlation: float
    method_order: tuple[tuple[str, ...], tuple[str, ...]]
    power: float
    wrong: float
    flagged: int
    stop_met: bool
    unit: str
    analysis: Analysis

    def document(self) -> dict[str, Any]:
        """Plain values."""
        found = {name: getattr(self, name) for name in self.__slots__ if name != "analysis"}
        return dict(found)


def simulate_study(
    study: Study,
    observers: int,
    people: People | None = None,
    seed: int = 0,
    leaving: float = 0.0,
    database: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    quality: str = "",
) -> Simulated:
    """Try a study.

    Args:
        study: prepared.
        observers: people who come.
        people: what they are like.
        seed: of the people and of the truth; of the assignment, where the definition gives none.
            The same definition, pictures and seed give the same figures.
        leaving: share of people who leave halfway.
        database: an empty database to use; a temporary SQLite file without.
        progress: called with how many people are through, of how many.
        quality: where the truth comes from (`srqa.study.qualities.read_truth`); drawn without.

    Raises:
        UsageError: fewer than two people.
        InputError: their answers do not allow an analysis, or there are no such qualities.
    """
    if observers < 2:
        raise UsageError("At least two observers are needed.")
    people = people or People()
    rng = np.random.default_rng(seed)
    truth = read_truth(study, quality, rng) if quality else draw_truth(study, rng)
    folder = Path(tempfile.mkdtemp(prefix="srqa-simulate-"))
    try:
        trial = scratch(study, folder, seed, database)
        try:
            with serving(trial) as address:
                gone = _run(trial, address, truth, observers, people, rng, leaving, progress)
            return _judge(trial, truth, people, gone)
        finally:
            trial.store.database.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch(study: Study, folder: Path, seed: int, database: str | None = None) -> Study:
    """The same study with an empty database, open to synthetic people."""
    definition = study.definition.model_copy(
        update={
            "participants": Participants(),
            "screening": VisionTests(),
            "questions": [],
            "display": study.definition.display.model_copy(update={"calibrate": "none"}),
        }
    )
    base = Database(database or str(folder / "study.sqlite"))
    base.upgrade()
    store = Store(base, study.name)
    row = store.create(_text(definition), definition.seed or f"simulation {seed}")
    if store.latest().answer:
        raise InputError("The database for the simulation holds answers already.")
    skip = {"id", "study", "retired"}
    rows = sorted(study.stimuli.values(), key=lambda r: int(r["id"]))
    store.replace_stimuli([{k: v for k, v in r.items() if k not in skip} for r in rows])
    return replace(
        study, definition=definition, store=store, seed=row["seed"], data=folder, caches={}
    )


@contextmanager
def serving(study: Study) -> Iterator[str]:
    """The study's routes on a real server on 127.0.0.1; gives its address."""
    import uvicorn
    from starlette.applications import Starlette

    from srqa.study import web

    app = Starlette(routes=web.routes(study), middleware=web.middleware())
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started:
            if time.monotonic() > until or not thread.is_alive():
                raise InputError("The server for the simulation does not start.")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()


def _run(
    study: Study,
    address: str,
    truth: Truth,
    observers: int,
    people: People,
    rng: np.random.Generator,
    leaving: float,
    progress: Callable[[int, int], None] | None,
) -> int:
    """Let everybody through, some at the same time; returns how many left halfway."""
    import httpx2

    truth = _by_new_numbers(study, truth)
    waiting = [
        _Visit(study, truth, people, int(s), bool(rng.random() < leaving))
        for s in rng.integers(2**62, size=observers)
    ]
    through, gone = 0, 0
    with httpx2.Client(base_url=address, timeout=60) as client:
        inside: list[_Visit] = []
        while waiting or inside:
            while waiting and len(inside) < AT_ONCE:
                inside.append(waiting.pop(0))
            for visit in list(inside):
                if visit.go_on(client):
                    continue
                inside.remove(visit)
                through += 1
                gone += visit.left
                if progress:
                    progress(through, observers)
    return gone


def _by_new_numbers(study: Study, truth: Truth) -> Truth:
    """Stimuli have other numbers in the scratch database, in the same order."""
    old, new = sorted(truth.quality), sorted(study.stimuli)
    return Truth({n: truth.quality[o] for o, n in zip(old, new, strict=True)})


class _Visit:
    """A synthetic participant's way from the first page to the last."""

    def __init__(self, study: Study, truth: Truth, people: People, seed: int, leaves: bool) -> None:
        self.study, self.truth = study, truth
        scale = study.method.rating_scale(study.definition.scale.points)
        self.who = Observer(people, study.method, scale, seed)
        self.latent = {} if study.definition.is_paired else truth.latent(study, scale)
        given, name = {"lang": study.languages[0]}, f"{seed:016x}"
        self.token = flow.enter(study, given, known_as=name).token or ""
        self.leaves, self.left = leaves, False
        self.number = {row["opaque"]: k for k, row in study.stimuli.items()}

    def go_on(self, client: Any) -> bool:
        """Do what the present screen asks for; False at the end."""
        screen = flow.next(self.study, self.token)
        if screen.name in ("done", "ended"):
            return False
        if screen.name in ("training", "trials"):
            for trial in screen.payload["trials"]:
                if self.leaves and screen.name == "trials" and self.who.rng.random() < 0.1:
                    self.left = True
                    self._slots_come_back()
                    return False
                self._answer(client, screen.payload["answer_url"], trial)
        answers: dict[str, Any] = {"consent": {"agree": True}, "device": _DEVICE}
        flow.submit(self.study, self.token, screen.name, answers.get(screen.name, {}))
        return True

    def _slots_come_back(self) -> None:
        """What happens half an hour after somebody left."""
        person = self.study.store.participant(token_hash=tokens.hashed(self.token))
        with self.study.store.database.writing("plan") as c:
            self.study.store.give_back(c, str(person["id"]) if person else "")

    def _answer(self, client: Any, url: str, trial: dict[str, Any]) -> None:
        body = {
            "assignment": trial["id"],
            "token": trial["token"],
            "value": self._value(trial),
            "response_ms": max(self.who.response_ms(), 400.0),
            "pixel_exact": True,
            "pixel_ratio": 1.0,
        }
        for _ in range(100):
            reply = client.post(url, json=body)
            if reply.status_code != 429:
                break
            time.sleep(0.2)
        if reply.status_code not in (200, 403, 409):
            raise InputError(f"The study's server refused an answer: {reply.text}")

    def _value(self, trial: dict[str, Any]) -> float | str:
        scale, study = trial["scale"], self.study
        values = scale.get("values", [])
        if trial["instruct"] and self.who.rng.random() >= self.who.people.lapses:
            return self._told(trial)
        shown = [self.number[image["id"]] for image in trial["images"]]
        if study.definition.is_paired:
            left, right = (self.truth.quality[k] for k in shown)
            return self.who.choose(left, right, values)
        if study.definition.method == "ccr":
            first, second = (self.latent.get(k, 0.0) for k in shown)
            return self.who.rate(second - first)
        return self.who.rate(self.latent[shown[-1]])

    def _told(self, trial: dict[str, Any]) -> float | str:
        """What the words of a trap ask for."""
        labels = trial["scale"].get("labels") or trial["scale"]["ends"]
        values = trial["scale"].get("values") or [trial["scale"]["low"], trial["scale"]["high"]]
        texts = self.study.text(self.study.languages[0])
        asked = {
            texts("trap.instruct", answer=label): v for label, v in zip(labels, values, strict=True)
        }
        found: float | str = asked[trial["instruct"]]
        return found


def _judge(study: Study, truth: Truth, people: People, gone: int) -> Simulated:
    truth = _by_new_numbers(study, truth)
    collected = collect(study)
    found = analyze_study(study, collected=collected)
    frame = admin.stimuli(study)
    tests = frame[frame["role"] == "test"]
    expected = expected_scores(study, truth, people)
    true = np.array([expected[name] for name in tests["stimulus"]])
    score = tests["score"].to_numpy(dtype=float)
    usable = np.isfinite(score) & np.isfinite(true)
    low, high = (tests[c].to_numpy(dtype=float) for c in ("ci_low", "ci_high"))
    rated = not study.definition.is_paired
    inside = (low <= true) & (true <= high)
    widths = tests["half_width"].dropna()
    stop = admin.stop_rule(study)
    power, wrong, order = _methods(study, found, tests.assign(true=true))
    from scipy.stats import spearmanr

    votes = tests["votes"]
    people_rows = study.store.participants()
    minutes = [
        sum(row["response_ms"] for row in rows) / 60000
        + len(rows) * study.definition.display.gap_ms / 60000
        for rows in _by_person(study).values()
    ]
    flags = admin.flags(study)
    return Simulated(
        observers=sum(row["state"] == "finished" for row in people_rows),
        left=gone,
        answers=sum(row["kind"] == "test" for row in study.store.answers()),
        votes=(int(votes.min()), int(votes.max())),
        minutes=float(np.median(minutes)),
        half_width=(float(widths.median()), float(widths.quantile(stop.quantile))),
        rmse=float(np.sqrt(np.mean((score - true)[usable] ** 2))) if rated else float("nan"),
        coverage=float(inside[usable].mean()) if rated else float("nan"),
        rank_correlation=float(spearmanr(score[usable], true[usable]).statistic),
        method_order=order,
        power=power,
        wrong=wrong,
        flagged=int((flags["check"] == "failed").sum()) if len(flags) else 0,
        stop_met=stop.met,
        unit=found.unit,
        analysis=found,
    )


def expected_scores(study: Study, truth: Truth, people: People) -> dict[str, float]:
    """The population's expected score of each stimulus: what the study estimates.

    Of ratings, the expected rating after rounding and clipping; of choices, the quality itself,
    up to a constant a content.
    """
    rows = study.stimuli
    if study.definition.is_paired:
        return {rows[k]["name"]: q for k, q in truth.quality.items()}
    scale = study.method.rating_scale(study.definition.scale.points)
    latent = truth.latent(study, scale)
    numbers = list(latent)
    values = people.population(scale).expected(np.array([latent[k] for k in numbers]))
    found = {rows[k]["name"]: float(v) for k, v in zip(numbers, values, strict=True)}
    if study.definition.method != "acr_hr":
        return found
    return {
        name: value - found[study.by_name[name]["reference"]] + scale.high
        for name, value in found.items()
        if study.by_name[name]["reference"] in found
    }


def _methods(
    study: Study, found: Analysis, tests: Any
) -> tuple[float, float, tuple[tuple[str, ...], tuple[str, ...]]]:
    made = tables(found)
    true = tests.groupby("method")["true"].mean().sort_values(ascending=False)
    standing = [name for name in made["standings"]["name"] if name in true.index]
    right = wrong = pairs = 0
    for row in made["differences"].to_dict("records"):
        first, second = str(row["first"]), str(row["second"])
        if first not in true.index or second not in true.index:
            continue
        pairs += 1
        if row["verdict"] not in ("better", "worse"):
            continue
        agrees = (float(row["mean"]) > 0) == bool(true[first] > true[second])
        right, wrong = right + agrees, wrong + (not agrees)
    share = (float(right / pairs), float(wrong / pairs)) if pairs else (float("nan"), float("nan"))
    return *share, (tuple(true.index), tuple(standing))


def _by_person(study: Study) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in study.store.answers(("finished",)):
        found.setdefault(row["participant"], []).append(row)
    return found


def _text(definition: Definition) -> str:
    return definition.model_dump_json()
