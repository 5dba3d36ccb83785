"""The routes: what is refused, how often one may ask, which headers come along."""

import json

import pytest

from srqa.study import tables as t
from srqa.study import tokens
from srqa.study.web import HEADERS, MOST_BYTES


@pytest.fixture
def guest(make_study, visit):
    found = visit(make_study())
    found.to("trials")
    return found


@pytest.fixture
def trial(guest):
    return guest.screen.payload["trials"][0]


def test_stimuli_come_by_opaque_id_only(guest, trial):
    url = trial["images"][0]["url"]
    reply = guest.client.get(url)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["cache-control"] == "private, max-age=31536000, immutable"
    for odd in ("0" * 32, "..%2f..%2fkey", "%2e%2e/key", "key", "fingerprint", "a" * 3000):
        assert guest.client.get(f"/srqa/stimulus/{odd}").status_code in (404, 429)
    assert guest.client.post(url).status_code == 405


def test_security_headers_are_on_every_answer(guest, trial):
    for reply in (
        guest.client.get(trial["images"][0]["url"]),
        guest.client.get("/srqa/stimulus/none"),
        guest.answer(trial),
        guest.client.get("/nowhere"),
    ):
        for name, value in HEADERS.items():
            assert reply.headers[name] == value
    assert "default-src 'none'" in HEADERS["content-security-policy"]
    assert "unsafe-eval" not in HEADERS["content-security-policy"].replace("wasm-unsafe-eval", "")


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"value": 6}, 400, "value"),
        ({"value": 2.5}, 400, "value"),
        ({"value": "left"}, 400, "value"),
        ({"value": "best"}, 400, "body"),
        ({"value": None}, 400, "body"),
        ({"response_ms": -1}, 400, "body"),
        ({"response_ms": 1e12}, 400, "body"),
        ({"viewport": [1, 2, 3]}, 400, "body"),
        ({"more": 1}, 400, "body"),
        ({"assignment": "1; DROP TABLE response"}, 400, "body"),
        ({"assignment": "999999"}, 401, "token"),
        ({"token": ""}, 401, "token"),
        ({"token": "a.1.b"}, 401, "token"),
        ({"token": "é" * 50}, 401, "token"),
    ],
)
def test_wrong_answers_are_refused(guest, trial, change, status, error):
    body = {"assignment": trial["id"], "token": trial["token"], "value": 3, "response_ms": 900}
    reply = guest.client.post("/srqa/answer", json={**body, **change})
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert guest.study.store.rows(t.response) == []


def test_what_is_no_json_is_refused(guest, trial):
    post = guest.client.post
    kind = {"content-type": "application/json"}
    assert post("/srqa/answer", content=b"{", headers=kind).status_code == 400
    assert post("/srqa/answer", content=b"[]", headers=kind).status_code == 400
    assert post("/srqa/answer", content=b"[" * 3000, headers=kind).status_code == 400
    assert post("/srqa/answer", content=b"\xff\xfe", headers=kind).status_code == 400
    assert post("/srqa/answer", data={"a": "b"}).status_code == 415
    big = json.dumps({"x": "y" * MOST_BYTES}).encode()
    assert post("/srqa/answer", content=big, headers=kind).status_code == 413
    assert post("/srqa/answer", content=iter([b"x" * 3000] * 9), headers=kind).status_code == 413


def test_tokens_end(guest, trial):
    who = guest.study.store.participants()[0]["id"]
    old = tokens.sign(guest.study.key, who, int(trial["id"]), now=0)
    reply = guest.answer({**trial, "token": old})
    assert (reply.status_code, reply.json()["error"]) == (403, "expired")
    forged = tokens.sign(b"another key", who, int(trial["id"]))
    assert guest.answer({**trial, "token": forged}).status_code == 401


def test_what_was_taken_back_is_told(guest, trial):
    with guest.study.store.database.writing() as c:
        guest.study.store.give_back(c, guest.study.store.participants()[0]["id"])
    reply = guest.answer(trial)
    assert (reply.status_code, reply.json()["error"]) == (409, "void")


def test_answers_may_come_in_any_order(guest):
    trials = guest.screen.payload["trials"]
    for trial in reversed(trials):
        assert guest.answer(trial).json()["kept"] == "new"
    assert guest.submit().name == "done"


def test_a_flood_is_slowed_down(guest, trial):
    codes = [guest.answer(trial).status_code for _ in range(60)]
    assert codes[0] == 200
    assert codes.count(429) >= 10
    reply = guest.answer(trial)
    if reply.status_code == 429:
        assert int(reply.headers["retry-after"]) >= 1


def test_guessing_is_slowed_down(guest):
    codes = [guest.client.get(f"/srqa/stimulus/{k:032x}").status_code for k in range(90)]
    assert codes[0] == 404
    assert codes[-1] == 429


def test_browser_events_are_noted(guest, trial):
    body = {"assignment": trial["id"], "token": trial["token"], "what": "hidden",
            "detail": {"for_ms": 1200}}  # fmt: skip
    assert guest.client.post("/srqa/event", json=body).status_code == 204
    assert guest.client.post("/srqa/event", json={**body, "token": "x.1.y"}).status_code == 401
    assert guest.client.post("/srqa/event", json={**body, "what": "steal"}).status_code == 400
    long = {**body, "detail": {"x": "y" * 300}}
    assert guest.client.post("/srqa/event", json=long).status_code == 400
    events = guest.study.store.events(what="browser-hidden")
    assert [row["detail"]["for_ms"] for row in events] == [1200]


def test_no_answer_names_a_path(guest, trial):
    texts = [
        guest.answer({**trial, "token": "x"}).text,
        guest.client.get("/srqa/stimulus/../../key").text,
        guest.client.post("/srqa/answer", content=b"{").text,
        json.dumps(guest.screen.payload),
    ]
    for text in texts:
        assert str(guest.study.data) not in text
        assert "/tmp" not in text
        assert "Traceback" not in text


def test_no_address_is_kept_unless_asked(make_study, visit):
    quiet = visit(make_study("quiet"))
    quiet.answer(quiet.to("trials").payload["trials"][0])
    assert {row["ip"] for row in quiet.study.store.rows(t.session)} == {None}
    loud = visit(make_study("loud", privacy={"store_ip": True}))
    loud.answer(loud.to("trials").payload["trials"][0])
    assert {row["ip"] for row in loud.study.store.rows(t.session)} == {"testclient"}
