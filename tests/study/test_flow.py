"""The participant's way: each method from consent to the end, and everything that goes wrong."""

import json

import pytest

from srqa.study import admin, flow
from srqa.study import tables as t
from srqa.study.methods import METHODS

DEVICE = {"pixel_ratio": 1, "viewport": [1280, 800], "pixel_exact": True}
TRAINING = {
    "pair": [{"pair": ["one/a.png", "four/a.png"]}],
    "rating": [{"stimulus": "four/a.png", "expect": [1, 2]}],
}


def names(study, guest):
    seen = [guest.screen.name]
    while seen[-1] not in ("done", "ended"):
        seen.append(guest.go().name)
        assert len(seen) < 60
    return seen


@pytest.mark.parametrize("show", ["side_by_side", "sequence"])
@pytest.mark.parametrize("method", METHODS)
def test_each_method_from_consent_to_the_end(make_study, visit, method, show):
    paired = METHODS[method].kind == "choice"
    study = make_study(
        method=method,
        training=TRAINING["pair" if paired else "rating"],
        session={"trials": 14, "break_every": 10, "min_gap_same_content": 1, "repeats": 1},
        checks={"gold": 1, "traps": 1},
        display={"show": show, "min_viewport": [640, 480]},
    )
    guest = visit(study)
    trial = guest.to("trials").payload["trials"][0]
    roles = [image["role"] for image in trial["images"]]
    shows = METHODS[method].shows
    if shows == "one":
        assert roles == ["only"]
    elif shows == "reference":
        assert roles == ["reference", "only"]
    else:
        assert roles == (["first", "second"] if show == "sequence" else ["left", "right"])
    seen = names(study, guest)
    assert seen == ["trials", "break", "trials", "done"]
    assert guest.screen.payload == {"code": None, "redirect": None}
    rows = study.store.assignments(study.store.participants()[0]["id"])
    assert {row["state"] for row in rows} == {"done"}
    kinds = [row["kind"] for row in rows]
    assert kinds.count("test") == 14
    assert (kinds.count("gold"), kinds.count("trap"), kinds.count("repeat")) == (1, 1, 1)
    assert kinds[0] == "training"


def test_all_screens_in_their_order(make_study, visit, monkeypatch):
    pytest.importorskip("srqa.study.vision")
    study = make_study(
        languages=["en", "zh"],
        training=TRAINING["rating"],
        display={"calibrate": "card", "min_viewport": [640, 480]},
        screening={"acuity": "landolt"},
        questions=[{"id": "eyes", "text": "Glasses?", "options": ["yes", "no"]}],
    )
    assert flow.steps_of(study) == [
        "language", "consent", "device", "calibration", "acuity", "instructions", "training",
        "trials", "questions", "done",
    ]  # fmt: skip
    guest = visit(study, {})
    assert guest.screen.name == "language"
    assert {one["code"] for one in guest.screen.payload["languages"]} == {"en", "zh"}
    guest.submit({"locale": "zh"})
    assert (guest.screen.name, guest.screen.locale) == ("consent", "zh")
    assert "邀请" in guest.screen.payload["text"]
    guest.submit({"agree": True})
    guest.submit(DEVICE)
    guest.submit({"px_per_mm": 3.78})
    assert guest.screen.name == "acuity"
    monkeypatch.setattr("srqa.study.vision.score", lambda *_: (True, {"right": 5}))
    guest.submit({"answers": []})
    assert guest.screen.name == "instructions"
    assert len(guest.screen.payload["examples"]) == 1
    assert "token" not in guest.screen.payload["examples"][0]
    guest.submit()
    guest.to("questions")
    assert guest.submit({"answers": {"eyes": "maybe"}}).problem == "eyes"
    assert guest.submit({"answers": {}}).problem == "eyes"
    assert guest.submit({"answers": {"eyes": "no"}}).name == "done"
    assert [row["answer"] for row in study.store.rows(t.reply)] == ["no"]


def test_a_test_of_vision_that_is_handed_in_twice_counts_once(make_study, visit):
    study = make_study(screening={"acuity": "landolt"}, display={"min_viewport": [640, 480]})
    guest = visit(study)
    shown = guest.to("acuity")
    wrong = {"answers": [None] * len(shown.payload["items"])}
    for _ in range(3):
        screen = flow.submit(study, guest.token, "acuity", wrong, tries=shown.tries)
        assert (screen.name, screen.tries) == ("acuity", 1)
    assert len(study.store.rows(t.screening)) == 1
    assert flow.submit(study, guest.token, "acuity", wrong, tries=1).name != "acuity"


def test_a_refusal_of_consent_ends_it(make_study, visit):
    study = make_study()
    guest = visit(study)
    assert guest.submit({}).problem == "agree"
    assert guest.submit({"agree": False}).payload["reason"] == "declined"
    assert study.store.rows(t.assignment) == []


@pytest.mark.parametrize(
    ("facts", "problems"),
    [
        ({"mobile": True}, ["mobile"]),
        ({"viewport": [500, 400]}, ["viewport"]),
        ({"pixel_ratio": 1.25}, ["pixel_ratio"]),
        ({"pixel_exact": False}, ["pixels"]),
        ({"pixel_exact": None}, ["pixels"]),
    ],
)
def test_a_device_that_will_not_do_can_be_mended(make_study, visit, facts, problems):
    display = {"min_viewport": [640, 480], "pixel_ratio": "exact"}
    guest = visit(make_study(display=display))
    guest.to("device")
    screen = guest.submit({**DEVICE, **facts})
    assert (screen.name, screen.payload["problems"]) == ("device", problems)
    assert guest.submit(DEVICE).name == "instructions"


@pytest.mark.parametrize("facts", [{}, {"pixel_ratio": "1"}, {"pixel_ratio": 1, "viewport": [1]}])
def test_a_device_check_without_facts_is_refused(make_study, visit, facts):
    guest = visit(make_study())
    guest.to("device")
    assert guest.submit(facts).problem in ("pixel_ratio", "viewport")


def test_failed_eyes_are_excluded_after_a_second_try(make_study, visit, monkeypatch):
    pytest.importorskip("srqa.study.vision")
    study = make_study(screening={"colour": "plates"})
    monkeypatch.setattr("srqa.study.vision.score", lambda *_: (False, {"right": 1}))
    guest = visit(study)
    guest.to("colour")
    first = json.dumps(guest.screen.payload["items"])
    assert guest.submit({"answers": []}).name == "colour"
    assert json.dumps(guest.screen.payload["items"]) != first
    assert guest.submit({"answers": []}).payload["reason"] == "screening"


def test_a_reload_goes_on_where_one_stopped(make_study, visit):
    study = make_study()
    guest = visit(study)
    trials = guest.to("trials").payload["trials"]
    for trial in trials[:5]:
        guest.answer(trial)
    again = flow.next(study, flow.enter(study, {"t": guest.token}).token)
    assert [t["id"] for t in again.payload["trials"]] == [t["id"] for t in trials[5:]]
    assert again.payload["trials"][0]["position"] == 6
    assert again.payload["done"] == 5


def test_two_tabs_and_the_back_button_change_nothing(make_study, visit):
    study = make_study()
    guest = visit(study)
    guest.submit({"agree": True})
    assert guest.submit({"agree": False}, name="consent").name == "device"
    assert guest.submit({}, name="questions").name == "device"
    assert guest.submit({}, name="nonsense").name == "device"
    guest.to("trials")
    trials = guest.screen.payload["trials"]
    assert guest.submit({}).problem == "unanswered"
    assert guest.answer(trials[3]).json()["kept"] == "new"
    assert guest.answer(trials[0]).json()["kept"] == "new"
    assert guest.submit({}).problem == "unanswered"


def test_the_code_is_given_after_the_last_answer_only(make_study, visit, monkeypatch):
    monkeypatch.setenv("SRQA_CODE", "THE-CODE")
    platform = {"name": "prolific", "completion_code": "env:SRQA_CODE"}
    study = make_study(participants={"platform": platform})
    guest = visit(study, {"PROLIFIC_PID": "x"})
    seen = [json.dumps(guest.screen.payload)]
    while guest.screen.name != "done":
        assert "THE-CODE" not in seen[-1]
        guest.go()
        seen.append(json.dumps(guest.screen.payload))
    assert guest.screen.payload == {
        "code": "THE-CODE",
        "redirect": "https://app.prolific.com/submissions/complete?cc=THE-CODE",
    }
    assert "THE-CODE" not in study.store.row()["definition"]


def test_a_paused_study_lets_nobody_on(make_study, visit):
    study = make_study()
    guest = visit(study)
    trials = guest.to("trials").payload["trials"]
    admin.pause(study, "monitor broke")
    assert flow.next(study, guest.token).payload["reason"] == "paused"
    assert guest.submit({}).payload["reason"] == "paused"
    assert visit(study).ended == "paused"
    assert guest.answer(trials[0]).json()["kept"] == "new"
    admin.resume(study)
    assert flow.next(study, guest.token).name == "trials"


def test_failed_controls_flag_and_exclude(make_study, visit):
    study = make_study(
        checks={"gold": 2, "traps": 1, "max_failed": 0, "on_fail": "exclude", "gold_tolerance": 0}
    )
    guest = visit(study)
    trials = guest.to("trials").payload["trials"]
    codes = [guest.answer(trial, 3).status_code for trial in trials]
    assert 403 in codes
    checks = {row["check"] for row in study.store.rows(t.quality_flag)}
    assert "failed" in checks
    assert study.store.participants()[0]["state"] == "excluded"
    assert flow.next(study, guest.token).payload["reason"] == "closed"
    assert study.store.answers() == []


def test_fast_answers_are_flagged(make_study, visit):
    study = make_study()
    guest = visit(study)
    trials = guest.to("trials").payload["trials"]
    guest.answer(trials[0], response_ms=100)
    guest.answer(trials[1], response_ms=1000)
    flags = study.store.rows(t.quality_flag)
    assert [(row["check"], row["reason"]) for row in flags] == [("fast", "answered after 100 ms")]


def test_training_tells_what_was_expected(make_study, visit):
    study = make_study(training=TRAINING["rating"])
    guest = visit(study)
    trial = guest.to("training").payload["trials"][0]
    told = guest.answer(trial, 5).json()
    assert told["feedback"] == {"right": False, "expect": [1, 2]}
    assert guest.answer(trial, 1).json()["feedback"]["right"] is False


def test_nothing_tells_the_method_or_the_purpose(make_study, visit):
    study = make_study(checks={"gold": 2, "traps": 1}, session={"repeats": 2, "trials": 20})
    guest = visit(study)
    trials = guest.to("trials").payload["trials"]
    text = json.dumps(guest.screen.payload)
    for word in ("one", "two", "three", "four", "reference", "gold", "repeat", "spoilt", ".png"):
        assert f'"{word}' not in text
        assert f"/{word}" not in text
    assert {frozenset(trial) for trial in trials} == {frozenset(trials[0])}


def test_the_way_does_not_depend_on_other_peoples_tokens(make_study, visit):
    study = make_study()
    one, two = visit(study), visit(study)
    trial = one.to("trials").payload["trials"][0]
    other = two.to("trials").payload["trials"][0]
    reply = one.answer({**trial, "token": other["token"]})
    assert reply.status_code == 401
    reply = one.answer({**trial, "id": other["id"]})
    assert reply.status_code == 401
